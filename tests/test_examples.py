"""Hold the example policies and the default one to what their comments promise."""

import re
from pathlib import Path

import pytest

from kad.core.advice import advice
from kad.core.parameters import Parameter
from kad.core.policy import Mode, Policy
from kad.policyfile import validate

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "packaging" / "policy.toml"
EXAMPLES = sorted((ROOT / "examples").iterdir())
ALL = [DEFAULT, *EXAMPLES]

KERNEL = {Parameter.TIME: 7200, Parameter.INTVL: 75, Parameter.PROBES: 9}
HOUR = 3600

# `#key = value`, without a space, is a commented-out default; `# ...` is prose.
COMMENTED_KEY = re.compile(r"^#(?=[a-z_]+ = )", re.MULTILINE)
DEFAULTS = Policy(values={Parameter.TIME: 120, Parameter.INTVL: 30, Parameter.PROBES: 8})


def load(path: Path) -> Policy:
    """Validate a policy under its own name: the suffix decides the format."""
    return validate(path.read_bytes(), str(path))


def comments(path: Path) -> str:
    """Give the prose of a policy's comments as one line, so that wrapping does not matter."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))


def idle_timeout(path: Path) -> int:
    """Give the idle timeout an example names; each must name one."""
    seconds = load(path).idle_timeout
    assert seconds is not None, f"{path.name} sets no path.idle_timeout"
    return seconds


def after_lost_probes(policy: Policy, lost: int) -> int:
    """Say after how many seconds of silence the path sees a packet when the first ones got lost."""
    return policy.values[Parameter.TIME] + lost * policy.values[Parameter.INTVL]


def name(path: Path) -> str:
    """Name a test's case after its file."""
    return path.name


def test_there_are_examples_in_both_formats() -> None:
    """An operator who writes YAML finds a pattern too, and nothing else lies in examples/."""
    assert {path.suffix for path in EXAMPLES} == {".toml", ".yaml"}
    assert len(EXAMPLES) >= 7


@pytest.mark.parametrize("path", ALL, ids=name)
def test_every_policy_we_ship_sets_all_three_parameters(path: Path) -> None:
    """What we ship is valid, and leaves nothing to what the kernel happens to hold."""
    assert set(load(path).values) == set(Parameter)


@pytest.mark.parametrize("path", ALL, ids=name)
def test_a_shipped_policy_raises_no_advice(path: Path) -> None:
    """An operator who copies one of our files is not told that it is unwise."""
    assert advice(load(path), KERNEL) == ()


@pytest.mark.parametrize("path", ALL, ids=name)
def test_a_dead_peer_is_noticed_within_the_hour(path: Path) -> None:
    """None of our policies keeps a dead connection, with its locks and slots, for long."""
    policy = load(path)

    noticed = after_lost_probes(policy, policy.values[Parameter.PROBES])

    assert noticed < HOUR


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_three_lost_probes_still_leave_time_before_the_path_forgets(path: Path) -> None:
    """Bad luck alone does not cost a connection: the fourth probe comes in time as well."""
    assert after_lost_probes(load(path), lost=3) < idle_timeout(path)


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_the_default_policy_suits_every_path_named_in_examples(path: Path) -> None:
    """Who installs kad and edits nothing is safe on each of these paths, under loss too."""
    assert after_lost_probes(load(DEFAULT), lost=3) < idle_timeout(path)


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_an_example_names_its_source(path: Path) -> None:
    """The numbers can be checked where they come from."""
    assert re.search(r"https://\S+\.\S+/\S+", comments(path))


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_an_examples_comment_explains_each_of_its_numbers(path: Path) -> None:
    """Comment and values do not drift apart: each number is in the prose, in seconds."""
    policy, prose = load(path), comments(path)

    numbers = [
        f"{idle_timeout(path)} s",
        f"time {policy.values[Parameter.TIME]} s",
        f"intvl {policy.values[Parameter.INTVL]} s",
        f"probes {policy.values[Parameter.PROBES]}",
    ]

    squeezed = re.sub(r"\s+", " ", prose)
    assert [each for each in numbers if not re.search(rf"\b{each}\b", squeezed)] == []


def test_the_audit_example_writes_nothing() -> None:
    """A rollout's first step is harmless."""
    assert load(ROOT / "examples" / "audit-only.toml").mode is Mode.AUDIT


def test_the_default_policy_holds_the_defaults() -> None:
    """The file that lands in /etc/kad says what the manual says."""
    assert load(DEFAULT) == DEFAULTS


def test_every_commented_out_default_is_the_default() -> None:
    """Taking the # off a line changes nothing, so the comments tell the truth."""
    text = DEFAULT.read_text(encoding="utf-8")
    found = COMMENTED_KEY.findall(text)

    # idle_timeout has no default: what its line shows is an example.
    uncommented = re.sub(r"^#(?=idle_timeout = )", "# ", text, flags=re.MULTILINE)
    uncommented = COMMENTED_KEY.sub("", uncommented)

    assert len(found) == 11
    assert validate(uncommented.encode(), str(DEFAULT)) == DEFAULTS


def test_the_idle_timeout_shown_in_the_default_policy_suits_it() -> None:
    """Who uncomments everything at once gets a valid policy, without advice."""
    text = COMMENTED_KEY.sub("", DEFAULT.read_text(encoding="utf-8"))

    policy = validate(text.encode(), str(DEFAULT))

    assert policy.idle_timeout == 350
    assert advice(policy, KERNEL) == ()
