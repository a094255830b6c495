"""The files that kad keeps for itself, after a crash, an upgrade, a bad disk or a bad joke."""

import json
from pathlib import Path

import jsonschema
from hypothesis import example, given
from hypothesis import strategies as st

from kad import __version__
from kad.cli.page import page
from kad.cli.terminal import Style
from kad.core.metrics import metrics
from kad.core.namespaces import Namespaces, Override, Scope
from kad.core.parameters import Parameter
from kad.core.policy import Policy, Sockets
from kad.core.report import State
from kad.core.status import Status
from kad.lastgood import LastGood
from kad.originals import VERSION, Originals
from kad.policyfile import validate
from kad.statefile import StateFile
from tests.fakes import DEFAULTS, INTVL, PROBES, TIME, WHOLE, FakeKernel
from tests.fuzz.budget import no_hang, tries
from tests.fuzz.damage import damaged

AT = "2026-01-01T00:00:00Z"
STATE = {
    "version": 1,
    "generation": 3,
    "pid": 812,
    "state": "in-force",
    "reason": None,
    "warnings": ["cannot hold the lock"],
    "mode": "enforce",
    "policy": {"file": "/p.toml", "loaded_at": AT, "last_good": False, "error": None},
    "reload": {"began_usec": 81234567, "outcome": "accepted", "error": "no\nway"},
    "checks": {"count": 12, "last_at": AT, "every_s": 30},
    "drift": {
        "count": 1,
        "last": {
            "parameter": TIME,
            "policy": 120,
            "found": 7,
            "outcome": "restored",
            "at": AT,
            "namespace": "web",
        },
    },
    "namespaces": [
        {
            "name": "host",
            "inode": 4026531833,
            "managed": True,
            "parameters": {
                TIME: {"policy": 120, "found": 7200, "state": "drifted"},
                INTVL: {"policy": 30, "found": None, "state": "failed"},
                PROBES: {"policy": None, "found": 9, "state": "unmanaged"},
            },
        }
    ],
    "advice": ["be careful"],
    "sockets": {"totals": {"stale": 2, "established": 9}, "longest_stale_s": 6000.5},
}
KEPT = {
    "version": 1,
    "kad": "0",
    "namespace": "host",
    "file": "/p.toml",
    "raw": "keepalive.time = 120\n",
    "policy": WHOLE._replace(
        namespaces=Namespaces(Scope.ALL, exclude=("a*",), overrides=(Override("b", {TIME: 9}),)),
        sockets=Sockets(rearm=True, enable=("c.service",)),
    ).as_json(),
}
ORIGINALS = {
    "version": VERSION,
    "boot": "boot",
    "cookie": 7,
    "values": {TIME: 7200, INTVL: -1},
}


def _object(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _or_null(shape: object) -> dict[str, object]:
    return {"anyOf": [{"type": "null"}, shape]}


WORD, FLAG = {"type": "string"}, {"type": "boolean"}
NUMBER = {"type": "integer", "minimum": -(2**64), "maximum": 2**64 - 1}
ANY_NUMBER = {"type": "number"}
STATES = {"enum": ["in-force", "drifted", "failed", "unmanaged", "degraded"]}
PARAMETER = _object(policy=_or_null(NUMBER), found=_or_null(NUMBER), state=STATES)
OWN = _object(**dict.fromkeys(Parameter, PARAMETER))
NAMESPACE = _object(name=WORD, inode=NUMBER, managed=FLAG, parameters=OWN)
LAST = _object(parameter=WORD, policy=NUMBER, found=NUMBER, outcome=WORD, at=WORD, namespace=WORD)
# What README and kad(8) promise of status.json.
SHAPE = _object(
    version={"const": 1},
    generation=_or_null(NUMBER),
    pid=_or_null(NUMBER),
    state=STATES,
    reason=_or_null(WORD),
    warnings={"type": "array", "items": WORD},
    mode={"enum": ["enforce", "audit"]},
    policy=_object(file=WORD, loaded_at=_or_null(WORD), last_good=FLAG, error=_or_null(WORD)),
    reload=_or_null(_object(began_usec=NUMBER, outcome=WORD, error=_or_null(WORD))),
    checks=_or_null(_object(count=NUMBER, last_at=WORD, every_s=NUMBER)),
    drift=_or_null(_object(count=NUMBER, last=_or_null(LAST))),
    namespaces={"type": "array", "items": NAMESPACE, "minItems": 1},
    advice={"type": "array", "items": WORD},
    sockets=_or_null(_object(totals={"type": "object"}, longest_stale_s=_or_null(ANY_NUMBER))),
)


def lay(directory: Path, name: str, raw: bytes) -> str:
    """Put a file in place; give its directory."""
    (directory / name).write_bytes(raw)
    return str(directory)


def spoiled(good: object, word: str, by: str) -> bytes:
    """Put one thing in the place of another."""
    text = json.dumps(good)
    assert word in text
    return text.replace(word, by, 1).encode()


OURS = {**KEPT, "kad": __version__}


@given(damaged(KEPT) | damaged(OURS))
@example(spoiled(OURS, "120,", "1e999,"))
@example(spoiled(OURS, ": null", ": false"))
@example(spoiled(OURS, "30,", "100000,"))
@tries(300)
def test_a_damaged_last_good_policy_is_none_or_one_that_could_be_valid(
    tmp_path: Path, raw: bytes
) -> None:
    """Nothing comes out of it into the kernel that could not have come out of a policy file."""
    with no_hang():
        saved = LastGood(lay(tmp_path, "policy.json", raw), "host").read()

    if saved is not None and saved.policy is not None:
        assert validate(as_toml(saved.policy), "/p.toml") == saved.policy
    if saved is not None:
        assert (isinstance(saved.file, str), isinstance(saved.raw, bytes)) == (True, True)


def as_toml(policy: Policy) -> bytes:
    """Write a policy as an operator would."""
    values = "".join(f"{each.key} = {value}\n" for each, value in policy.values.items())
    rules, sockets = policy.namespaces, policy.sockets
    overrides = ", ".join(
        f"{{match = {json.dumps(each.match)}, "
        f"{', '.join(f'{name.key} = {value}' for name, value in each.values.items())}}}"
        for each in rules.overrides
    )
    path = f"path.idle_timeout = {policy.idle_timeout}\n" if policy.idle_timeout is not None else ""
    return (
        f'mode = "{policy.mode}"\n{path}on_stop.values = "{policy.on_stop}"\n[keepalive]\n{values}'
        f'[drift]\ncheck_every = {policy.check_every}\naction = "{policy.action}"\n'
        f'[namespaces]\nscope = "{rules.scope}"\ncustom = "{rules.custom}"\n'
        f"exclude = {json.dumps(rules.exclude)}\noverride = [{overrides}]\n"
        f"[sockets]\nrearm = {str(sockets.rearm).lower()}\n"
        f"enable = {json.dumps(sockets.enable)}\nexclude = {json.dumps(sockets.exclude)}\n"
    ).encode()


@given(damaged(ORIGINALS))
@example(spoiled(ORIGINALS, "7200", "1e999"))
@example(spoiled(ORIGINALS, "7200", "2147483648.0"))
@tries(300)
def test_damaged_originals_are_none_or_values_that_a_kernel_can_have(
    tmp_path: Path, raw: bytes
) -> None:
    """A daemon starts all the same, and puts back nothing that was never there."""
    with no_hang():
        values = Originals(
            FakeKernel(DEFAULTS), [lay(tmp_path, "originals.json", raw)], "boot", 7
        ).values

    for parameter, value in values.items():
        assert isinstance(parameter, Parameter)
        assert type(value) is int
        assert -(2**31) <= value < 2**31


@given(damaged(STATE))
@example(spoiled(STATE, "1", "true"))
@example(spoiled(STATE, '"in-force"', "null"))
@example(spoiled(STATE, '"last_at": "2026', '"last_at": "'))
@tries(400)
def test_a_damaged_state_is_none_or_one_that_can_be_shown(tmp_path: Path, raw: bytes) -> None:
    """`kad status` has no traceback for anybody, whatever shape it is asked for."""
    with no_hang():
        status = StateFile(lay(tmp_path, "status.json", raw)).read()

        if status is not None:
            jsonschema.validate(json.loads(raw), SHAPE)
            assert page(status, Style(terminal=True, colour=True))
            assert metrics(status)
            assert Status.from_json(json.loads(json.dumps(status.as_json()))) == status


ALONE = {"pid": None, "reload": None, "checks": None, "drift": None}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "generation": st.integers(1, 2**62),
            "state": st.sampled_from(State),
            "reason": st.text(),
            "advice": st.lists(st.text(), max_size=2),
        },
    ),
    st.sampled_from([{}, ALONE]),
)
@tries(100)
def test_a_whole_state_is_understood(
    tmp_path: Path, said: dict[str, object], alone: dict[str, None]
) -> None:
    """What a daemon writes comes back as it was, and so does what a newer one adds to."""
    whole = {**STATE, **said, **alone, "new": {"a": [1]}}

    status = StateFile(lay(tmp_path, "status.json", json.dumps(whole).encode())).read()

    assert status is not None
    assert json.loads(json.dumps(status.as_json())) | {"new": {"a": [1]}} == whole
