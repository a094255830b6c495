"""Show the problem and the cure, in a network of one's own."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from time import monotonic, sleep
from typing import NoReturn

from kad.capabilities import missing
from kad.cli.democases import CASES, Case, Hosts, Notice, Peer
from kad.cli.demonet import FORGETS_S, KEPT, PLAIN, Network
from kad.cli.terminal import Style
from kad.core.errors import DeniedError, KadError
from kad.core.parameters import Parameter
from kad.core.report import State
from kad.procfs import Procfs
from kad.sockets.cgroups import own_unit

_TIME_S, _INTVL_S, _PROBES = 2, 1, 2
_PROMISE_S = _TIME_S + _INTVL_S * _PROBES
_IDLE_S = FORGETS_S + 2  # so long nothing is said on the connections through the firewall
_END_S = 10
# What a busy machine may add.
_GRACE_S = 2
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Isolated from PYTHONPATH and the current directory, and yet of this very kad.
_PROGRAM = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
from kad.cli import main
sys.exit(main())
"""
_POLICY = f"""\
[keepalive]
time = {_TIME_S}
intvl = {_INTVL_S}
probes = {_PROBES}
[drift]
check_every = 1
[sockets]
rearm = true
"""


class Outcome:
    """What was seen: when who noticed, in seconds after the peer vanished, and who was answered."""

    def __init__(self) -> None:
        self.noticed: dict[tuple[str, Case], float] = {}
        self.answered: dict[str, bool] = {}

    def as_promised(self, cases: tuple[Case, ...]) -> bool:
        """Whether kad kept its promise, and nobody could without it."""
        kept = [self.noticed.get((KEPT, each)) for each in cases]
        in_time = all(at is not None and at <= _PROMISE_S + _GRACE_S for at in kept)
        never = all((PLAIN, each) not in self.noticed for each in cases)
        return in_time and never and self.answered in ({}, {PLAIN: False, KEPT: True})


def demo(_: argparse.Namespace) -> int:
    """Run it, tell live what happens; 0 where kad kept its promise."""
    if lacks := missing("CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SYS_PTRACE"):
        raise DeniedError(f"the demo needs {', '.join(lacks)}: run it as root")
    # Whoever ends it early is to find nothing of it left.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    style, outcome = Style.of(sys.stdout), Outcome()
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        peer = stack.enter_context(closing(Peer(network)))
        hosts = stack.enter_context(closing(Hosts(network, peer)))
        unit = own_unit()
        cases = CASES if unit else CASES[:2]
        for line in _introduction(network, unit):
            print(line, flush=True)
        _play(network, hosts, outcome, stack, unit)
    print("\n".join(_summary(outcome, cases, style)))
    return 0 if outcome.as_promised(cases) else 1


def _end(number: int, _: object) -> NoReturn:
    """End as the shell has it for a signal."""
    sys.exit(128 + number)


def _play(
    network: Network, hosts: Hosts, outcome: Outcome, stack: ExitStack, unit: str | None
) -> None:
    for host in (PLAIN, KEPT):
        hosts.open(host, early=True)
    stack.enter_context(_kad(network, unit))
    for host in (PLAIN, KEPT):
        hosts.open(host, early=False)
    network.vanish()
    began = monotonic()
    _tell(0.0, "the peer vanishes silently")
    while (now := monotonic() - began) < _END_S:
        for notice in hosts.notices(0.05):
            _note(notice, began, outcome)
        if network.firewall and not outcome.answered and now >= _IDLE_S:
            _speak(hosts, outcome, began)
    _tell(_END_S, "end: a program that has not noticed by now waits up to 2 h 11 min, or forever")


def _note(notice: Notice, began: float, outcome: Outcome) -> None:
    at = notice.at - began
    outcome.noticed[notice.host, notice.case] = at
    _tell(at, f"{notice.host}: noticed by the program that {notice.case.says}")


def _speak(hosts: Hosts, outcome: Outcome, began: float) -> None:
    for host in (KEPT, PLAIN):
        outcome.answered[host] = hosts.answered(host, 1)
        fate = (
            "is answered" if outcome.answered[host] else "is not answered: the firewall forgot it"
        )
        text = f"{host}: data sent through the firewall after {_IDLE_S} s idle {fate}"
        _tell(monotonic() - began, text)


def _tell(at: float, what: str) -> None:
    print(f"{at:5.1f} s  {what}", flush=True)


def _introduction(network: Network, unit: str | None) -> Iterator[str]:
    yield "two hosts, one with kad and one without, each with connections to the same peer"
    yield (
        f"the policy: time {_TIME_S} s, intvl {_INTVL_S} s, probes {_PROBES}: "
        f"a dead peer is noticed after {_PROMISE_S} s"
    )
    if network.firewall:
        yield f"between them, a firewall that forgets connections idle for {FORGETS_S} s"
    else:
        yield "left out: the firewall, because nft (Debian package nftables) does not work here"
    if unit is None:
        yield "left out: enable, because this shell is not in a systemd unit"
    yield ""


def _summary(outcome: Outcome, cases: tuple[Case, ...], style: Style) -> Iterator[str]:
    yield ""
    yield style.bold(f"{'a program that':<42} {PLAIN:>12} {KEPT:>12}")
    for case in cases:
        cells = [outcome.noticed.get((host, case)) for host in (PLAIN, KEPT)]
        shown = ["not noticed" if at is None else f"after {at:.1f} s" for at in cells]
        yield _row(case.says, shown, [at is not None for at in cells], style)
    if outcome.answered:
        good = [outcome.answered[host] for host in (PLAIN, KEPT)]
        shown = ["answered" if each else "cut off" for each in good]
        yield _row(f"was idle for {_IDLE_S} s through the firewall", shown, good, style)


def _row(says: str, shown: list[str], good: list[bool], style: Style) -> str:
    cells = [
        style.state(State.IN_FORCE if fine else State.FAILED, f"{text:>12}")
        for text, fine in zip(shown, good, strict=True)
    ]
    return f"{says:<42} {' '.join(cells)}"


@contextmanager
def _kad(network: Network, unit: str | None) -> Iterator[None]:
    """Run a kad on its host until the end of the block; it tells on stderr what it does."""
    with tempfile.TemporaryDirectory(prefix="kad-demo-") as directory:
        policy = f"{directory}/policy.toml"
        with open(policy, "w", encoding="ascii") as file:
            os.fchmod(
                file.fileno(), 0o600
            )  # whatever the umask: kad takes none that others may write
            file.write(_POLICY + (f"enable = ['{unit}']\n" if unit else ""))
        told = {
            name: os.environ[name] for name in ("PATH", "TERM", "NO_COLOR") if name in os.environ
        }
        environ = {**told, "RUNTIME_DIRECTORY": directory, "STATE_DIRECTORY": directory}
        # It ends with this process, however that ends.
        enter = ("setpriv", "--pdeathsig", "KILL", "nsenter", f"--net={network.file(KEPT)}")
        kad = (sys.executable, "-I", "-c", _PROGRAM, _ROOT, "run", "--policy", policy)
        with subprocess.Popen([*enter, *kad], env=environ) as daemon:
            try:
                _await_values(network, daemon)
                yield
            finally:
                daemon.terminate()


def _await_values(network: Network, daemon: subprocess.Popen[bytes]) -> None:
    until = monotonic() + 10
    while network.within(KEPT, _time) != _TIME_S:
        if daemon.poll() is not None or monotonic() > until:
            raise KadError("the demo's kad did not start; see its messages above")
        sleep(0.01)


def _time() -> int:
    return Procfs().read(Parameter.TIME)
