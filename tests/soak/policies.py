"""Make random policies, and files that hold them."""

from random import Random

from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, Policy

# All files are as long, so that one write in place, without a truncation, makes one of another.
_LENGTH = 400
# Mistaken files with what kad says of them behind the file's name.
MISTAKEN = {
    "[keepalive]\nprobes = 0\n": (
        ":2:10: keepalive.probes: must be 1 to 127, got 0 (0 would cut healthy idle connections)"
    ),
    '[keepalive]\ntime = "soon"\nintvl = 0\n': (
        ":2:8: keepalive.time: is not a time span; use whole seconds or a span such as 2min, 30s, "
        '1h 30min, got "soon" (and 1 more)'
    ),
    '[keepalive]\ntime = 60\nmode = "audit"\n': (
        ":3:1: keepalive.mode: unknown key here; did you mean mode?"
    ),
}
FIRST = Policy(values=dict(zip(Parameter, (120, 30, 8), strict=True)), check_every=86400)
MISSING = ": no such file"


def random_policy(random: Random, without: Parameter | None = None) -> Policy:
    """Make a policy that leaves out a parameter here and there, `without` in any case."""
    known = [each for each in Parameter if each is not without]
    named = {each for each in known if random.random() < 0.7} or {random.choice(known)}
    return Policy(
        values={each: _value(random, each) for each in Parameter if each in named},
        mode=Mode.AUDIT if random.random() < 0.2 else Mode.ENFORCE,
        action=Action.WARN if random.random() < 0.2 else Action.RESTORE,
        check_every=random.choice((1, 30, 86400)),
    )


def _value(random: Random, parameter: Parameter) -> int:
    """Give a value that often comes again: kad remembers what it has set."""
    return random.choice((60, 90, random.randint(1, parameter.highest)))


def text_of(policy: Policy, serial: int) -> str:
    """Write a policy down; another serial makes other bytes of the same policy."""
    values = "".join(f"{each.key} = {value}\n" for each, value in policy.values.items())
    return of_one_length(
        f'mode = "{policy.mode}"  # {serial}\n[keepalive]\n{values}'
        f'[drift]\ncheck_every = {policy.check_every}\naction = "{policy.action}"\n'
    )


def of_one_length(text: str) -> str:
    """Fill the file up to the length that all have."""
    return text.ljust(_LENGTH - 1, "\n") + "\n"
