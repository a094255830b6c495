"""Which policies kad accepts, and what it makes of them."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kad.core.errors import PolicyError
from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, OnStop, Policy
from kad.policyfile import validate

WHOLE = """\
mode = "audit"

[keepalive]
time   = "2min"
intvl  = "30s"
probes = 8

[path]
idle_timeout = "350s"

[drift]
check_every = "1h 30min"
action      = "warn"

[on_stop]
values = "restore"
"""
BOUNDS = [
    ("keepalive", "time", 1, 32767),
    ("keepalive", "intvl", 1, 32767),
    ("keepalive", "probes", 1, 127),
    ("path", "idle_timeout", 1, 365 * 86400),
    ("drift", "check_every", 1, 86400),
]


def both(tree: Mapping[str, object]) -> list[tuple[bytes, str]]:
    """Write a tree as TOML by inline tables, and as YAML, of which JSON is a part."""
    toml = "\n".join(f"{key} = {json.dumps(value)}" for key, value in tree.items())
    toml = toml.replace('": ', '" = ')
    return [(toml.encode(), "/p.toml"), (json.dumps(tree).encode(), "/p.yaml")]


def test_a_whole_policy_means_what_it_says() -> None:
    """Every key of the contract, spans in seconds."""
    assert validate(WHOLE.encode(), "/p.toml") == Policy(
        values={Parameter.TIME: 120, Parameter.INTVL: 30, Parameter.PROBES: 8},
        mode=Mode.AUDIT,
        idle_timeout=350,
        check_every=5400,
        action=Action.WARN,
        on_stop=OnStop.RESTORE,
    )


@pytest.mark.parametrize("parameter", Parameter)
def test_one_parameter_is_enough(parameter: Parameter) -> None:
    """The rest has the defaults; a parameter left out stays out."""
    for raw, path in both({"keepalive": {parameter.key: 7}}):
        assert validate(raw, path) == Policy(values={parameter: 7})


def test_the_defaults_are_those_of_the_contract() -> None:
    """Enforce, every 30 s, restore drift, keep the values on stop, no idle timeout."""
    policy = validate(b"keepalive.time = 1", "/p.toml")

    assert policy.mode == "enforce"
    assert policy.check_every == 30
    assert policy.action == "restore"
    assert policy.on_stop == "keep"
    assert policy.idle_timeout is None


@pytest.mark.parametrize(("table", "key", "lowest", "highest"), BOUNDS)
def test_the_bounds_themselves_are_within(table: str, key: str, lowest: int, highest: int) -> None:
    """From the lowest to the highest, in both formats; one beyond is a mistake."""
    for value in (lowest, highest):
        for raw, path in both({"keepalive": {"time": 1}, table: {key: value}}):
            policy = validate(raw, path)
            taken = {each.key: seconds for each, seconds in policy.values.items()}
            assert (policy.as_json() | taken)[key] == value
    for value in (lowest - 1, highest + 1):
        for raw, path in both({"keepalive": {"time": 1}, table: {key: value}}):
            with pytest.raises(PolicyError, match=f"{table}.{key}: must be 1 .*, got {value}"):
                validate(raw, path)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("300", 300), ("5min", 300), ("1h 30min", 5400), ("1m1s", 61), (" 2 hours ", 7200)],
)
def test_a_span_may_be_text(text: str, seconds: int) -> None:
    """`time = "300"` is 300 s, whatever the quotes."""
    for raw, path in both({"keepalive": {"time": text}}):
        assert validate(raw, path).values == {Parameter.TIME: seconds}


@pytest.mark.parametrize("text", ["2min", "'2min'", '"2min"', "120", "'120'", ">-\n    2\n    min"])
def test_yaml_spans_need_no_quotes(text: str) -> None:
    """YAML takes what does not look like a number for text."""
    raw = f"keepalive:\n  time: {text}\n".encode()

    assert validate(raw, "/p.yml").values == {Parameter.TIME: 120}


@pytest.mark.parametrize("number", ["0x78", "0o170", "0b1111000", "1_20", "+120"])
def test_toml_numbers_are_tomls(number: str) -> None:
    """TOML has one meaning for each of them."""
    raw = f"[keepalive]\ntime = {number}\n".encode()

    assert validate(raw, "/p.toml").values == {Parameter.TIME: 120}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_byte_order_mark_and_crlf_are_taken(mark: str, newline: str) -> None:
    """Notepad's files work."""
    yaml = "---\nmode: audit # x\nkeepalive:\n  time: 1\n...\n"

    for text, path in ((WHOLE, "/p.toml"), (yaml, "/p.yaml")):
        assert validate((mark + text.replace("\n", newline)).encode(), path).mode == "audit"


def test_64_kib_of_policy_are_validated() -> None:
    """The largest file that can be opened is also read."""
    for start, path in (
        (b"keepalive.time = 1\n", "/p.toml"),
        (b"keepalive: {time: 1}\n", "/p.yml"),
    ):
        raw = start + b"#" * (64 * 1024 - len(start))

        assert validate(raw, path).values == {Parameter.TIME: 1}


def test_sixteen_levels_are_not_too_deep() -> None:
    """The limit is far above any policy, and its neighbours still get their mistakes told."""
    for raw, path in (
        (b"a = " + b"[" * 16 + b"]" * 16, "/p.toml"),
        (b"a: " + b"[" * 15 + b"]" * 15, "/p.yaml"),
    ):
        with pytest.raises(PolicyError, match="keepalive: needs") as caught:
            validate(raw, path)
        assert len(caught.value.mistakes) == 2


def spans(highest: int) -> st.SearchStrategy[int | str]:
    """Write seconds as numbers, as text, with a unit."""
    numbers = st.integers(1, highest)
    return st.one_of(numbers, numbers.map(str), numbers.map("{} sec".format))


NAMES = st.lists(st.text("azAZ09:[]_. *?-", min_size=1, max_size=30), max_size=3)
UNITS = st.lists(st.text("azAZ09:_.\\@*?-", min_size=1, max_size=255), max_size=3)


def tables(**keys: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """Leave out whatever may be left out."""
    return st.fixed_dictionaries({}, optional=keys)


VALUES = tables(time=spans(32767), intvl=spans(32767), probes=st.integers(1, 127)).filter(bool)
OVERRIDE = st.builds(lambda match, values: {"match": match, **values}, st.just("a-*"), VALUES)


@given(
    st.fixed_dictionaries(
        {"keepalive": VALUES},
        optional={
            "mode": st.sampled_from(["enforce", "audit"]),
            "path": tables(idle_timeout=spans(365 * 86400)),
            "drift": tables(check_every=spans(86400), action=st.sampled_from(["restore", "warn"])),
            "on_stop": tables(values=st.sampled_from(["keep", "restore"])),
            "namespaces": tables(
                scope=st.sampled_from(["host", "all"]),
                custom=st.sampled_from(["keep", "override"]),
                exclude=NAMES,
                override=st.lists(OVERRIDE, max_size=3),
            ),
            "sockets": tables(rearm=st.booleans(), enable=UNITS, exclude=UNITS),
        },
    )
)
def test_both_formats_make_the_same_policy(tree: dict[str, object]) -> None:
    """Whatever is valid in one is valid in the other, and survives being stored."""
    (toml, toml_path), (yaml, yaml_path) = both(tree)

    policy = validate(toml, toml_path)

    assert validate(yaml, yaml_path) == policy
    assert Policy.from_json(json.loads(json.dumps(policy.as_json()))) == policy
