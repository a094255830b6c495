"""What an editor says about a policy, by the schema that kad prints."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st

from kad.cli import main
from kad.core.errors import PolicyError
from kad.core.spans import UNITS
from kad.policyfile import validate
from kad.policyfile.schema import LOCATION, describe

ROOT = Path(__file__).resolve().parent.parent.parent
SHIPPED = [ROOT / "packaging" / "policy.toml", *sorted((ROOT / "examples").iterdir())]
EDITOR = jsonschema.Draft202012Validator(describe())

Tree = Mapping[str, object]
ONE: Tree = {"keepalive": {"time": 120}}

OVERRIDES = [{"match": "db-*", "time": "1min"}, {"match": "net:[4026531833]", "probes": 5}]
GOOD: list[Tree] = [
    ONE,
    {"keepalive": {"intvl": "30s"}},
    {"keepalive": {"probes": 127}},
    {"keepalive": {"time": 32767, "intvl": "1h 30min", "probes": 1}},
    *({"keepalive": {"time": text}} for text in ("300", " 2 hours\t", "1m1s", "1h30")),
    *({**ONE, "mode": mode} for mode in ("enforce", "audit")),
    {**ONE, "path": {}, "drift": {}, "on_stop": {}},
    {**ONE, "path": {"idle_timeout": "1w 2d"}},
    {**ONE, "namespaces": {"scope": "all", "custom": "override", "exclude": ["ci-*", "a b"]}},
    {**ONE, "namespaces": {"scope": "all", "override": OVERRIDES}},
    {**ONE, "sockets": {"rearm": True, "enable": ["nginx.service", "a-*@?.scope"], "exclude": []}},
    {**ONE, "drift": {"check_every": 86400, "action": "warn"}, "on_stop": {"values": "restore"}},
]
NO_PROBES: list[object] = [0, 128, -1, "5", True, 1.5, None, [5]]
NO_TIME: list[object] = [0, 32768, -5, False, 1.5, None, [], {}]
NO_MODE: list[object] = ["audti", "", "Audit", 5, True, None]
NO_TIMEOUT: list[object] = [0, 365 * 86400 + 1, "soon", True]
NO_INTERVAL: list[object] = [0, 86401, "0.5s", None]
NO_OVERRIDE: list[object] = [
    {"match": "a"},
    {"time": 5},
    {"match": "", "time": 5},
    {"match": 5, "time": 5},
    {"match": "a", "time": 0},
    {"match": "a", "time": 5, "mode": "audit"},
    "a",
]
BAD: list[Tree] = [
    {},
    {"mode": "audit"},
    {"keepalive": {}},
    {"keepalive": 5},
    {"keepalive": None},
    {"keepalive": [ONE]},
    *({"keepalive": {"probes": wrong}} for wrong in NO_PROBES),
    *({"keepalive": {"time": wrong}} for wrong in NO_TIME),
    *({"keepalive": {"intvl": wrong}} for wrong in ("", " ", "soon", "-5s", "+5", "1.5h", "1,5")),
    *({"keepalive": {"time": wrong}} for wrong in ("5ms", "2 months", "1y", "infinity", "1M")),
    *({"keepalive": {"time": wrong}} for wrong in ("5 6", "1h 30 5s", "min", "5 Min", "1e3")),
    {"keepalive": {"time": "1" * 10}},
    {"keepalive": {"interval": 5, "time": 5}},
    {**ONE, "tmie": 5},
    *({**ONE, "mode": wrong} for wrong in NO_MODE),
    *({**ONE, "path": {"idle_timeout": wrong}} for wrong in NO_TIMEOUT),
    *({**ONE, "drift": {"check_every": wrong}} for wrong in NO_INTERVAL),
    {**ONE, "drift": {"action": "audit"}},
    {**ONE, "on_stop": {"values": "warn"}},
    {**ONE, "on_stop": "keep"},
    {**ONE, "namespaces": {"scope": "host and all"}},
    *({**ONE, "namespaces": {"exclude": wrong}} for wrong in ("a", [""], [5])),
    *({**ONE, "namespaces": {"override": [wrong]}} for wrong in NO_OVERRIDE),
    *({**ONE, "sockets": {"rearm": wrong}} for wrong in (1, "yes", None)),
    *({**ONE, "sockets": {"enable": wrong}} for wrong in ("a", [""], ["a b"], [5], ["a" * 256])),
    {**ONE, "path": {"time": 5}},
]


def accepts(tree: object) -> bool:
    """Say what an editor would of a parsed policy."""
    return bool(EDITOR.is_valid(tree))


def kad_accepts(tree: Tree) -> bool:
    """Ask kad itself; JSON is YAML."""
    try:
        validate(json.dumps(tree).encode(), "/p.yaml")
    except PolicyError:
        return False
    return True


def test_kad_schema_prints_a_sound_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """`kad schema > FILE` is what an editor reads."""
    status = main(["schema"])

    printed = json.loads(capsys.readouterr().out)
    assert status == 0
    assert printed == describe()
    jsonschema.Draft202012Validator.check_schema(printed)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.name))
def test_what_we_ship_is_accepted_and_names_the_schema(path: Path) -> None:
    """Who opens one of our policies in an editor gets its help, and no red line."""
    text = path.read_text(encoding="utf-8")
    toml = path.suffix == ".toml"

    tree = tomllib.loads(text) if toml else yaml.safe_load(text)

    assert accepts(tree)
    first = "#:schema " if toml else "# yaml-language-server: $schema="
    assert text.splitlines()[0] == first + LOCATION


@pytest.mark.parametrize("tree", GOOD, ids=json.dumps)
def test_a_good_policy_has_no_red_line(tree: Tree) -> None:
    """An editor takes what kad takes."""
    assert kad_accepts(tree)
    assert accepts(tree)


@pytest.mark.parametrize("tree", BAD, ids=json.dumps)
def test_a_mistake_is_seen_while_typing(tree: Tree) -> None:
    """Every refusal that a schema can express."""
    assert not kad_accepts(tree)
    assert not accepts(tree)


def test_every_key_says_what_it_means_and_what_it_is_by_default() -> None:
    """Completion in an editor shows both."""
    top = keys_of(describe())

    keys = {f"{table}.{key}": each for table in top for key, each in keys_of(top[table]).items()}

    assert all(each["description"] for each in (*top.values(), *keys.values()))
    defaults = {name: each["default"] for name, each in keys.items() if "default" in each}
    assert defaults == {
        "drift.check_every": 30,
        "drift.action": "restore",
        "on_stop.values": "keep",
        "namespaces.scope": "host",
        "namespaces.custom": "keep",
        "namespaces.exclude": [],
        "namespaces.override": [],
        "sockets.rearm": False,
        "sockets.enable": [],
        "sockets.exclude": [],
    }


def keys_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a table holds; nothing for a value."""
    return dict(schema.get("properties", {}))


GAPS = st.text(" \t\r\n", max_size=2)
TERMS = st.tuples(GAPS, st.integers(0, 200).map(str), GAPS, st.sampled_from([*UNITS, "x", "ms"]))
SPANS = st.lists(TERMS.map("".join), min_size=1, max_size=3).map("".join)
ODD = st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False), st.none(), st.text())
WORDS = st.sampled_from(["enforce", "audit", "restore", "warn", "keep"])


def mostly(*good: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Draw what is often right, so that whole trees are."""
    return st.one_of(*good, *good, SPANS, WORDS, ODD)


def tables(**keys: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Leave out whatever may be left out."""
    return st.one_of(st.fixed_dictionaries({}, optional=keys), st.just({}), ODD)


TREES = st.fixed_dictionaries(
    {
        "keepalive": st.fixed_dictionaries(
            {"probes": st.integers(1, 127)},
            optional={"time": mostly(st.integers(1, 40000)), "intvl": mostly(st.integers(1, 99))},
        )
    },
    optional={
        "mode": mostly(WORDS),
        "path": tables(idle_timeout=mostly(st.integers(1, 400 * 86400))),
        "drift": tables(check_every=mostly(st.integers(1, 90000)), action=mostly(WORDS)),
        "on_stop": tables(values=mostly(WORDS)),
    },
)


@given(SPANS)
def test_a_span_that_kad_takes_has_no_red_line(text: str) -> None:
    """And only the range of what it comes to is beyond the schema."""
    tree = {"keepalive": {"time": text}}

    if kad_accepts(tree):
        assert accepts(tree)
    elif accepts(tree):
        with pytest.raises(PolicyError, match="must be 1 to 32767 s"):
            validate(json.dumps(tree).encode(), "/p.yaml")


@given(TREES)
def test_whatever_kad_takes_the_editor_takes(tree: Tree) -> None:
    """Help that is wrong is worse than none."""
    taken = kad_accepts(tree)

    event("taken" if taken else "refused")
    assert accepts(tree) or not taken


def test_an_override_takes_what_it_leaves_out_from_keepalive() -> None:
    """No key of an override claims that the kernel's value is left alone; `match` is required."""
    namespaces = describe()["properties"]["namespaces"]["properties"]  # type: ignore[index]
    override = namespaces["override"]["items"]
    described = {name: key["description"] for name, key in override["properties"].items()}

    assert not any("left alone" in each for each in described.values())
    assert all("[keepalive]" in described[name] for name in ("time", "intvl", "probes"))
    assert override["required"] == ["match"]
    assert "Required" in described["match"]
