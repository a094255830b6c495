"""Damage JSON files as crashes, disks, upgrades and people do."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from kad.policyfile.document import Path
from tests.fuzz.statements import Draw

_SCALARS = st.one_of(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    st.integers(-2, 130) | st.sampled_from([2**31, 2**63, 10**400, -(10**4000)]),
    st.sampled_from(["", "host", "7", "1e999", "\ud800", "\n\x1b[2J", "in-force", "x" * 300]),
)
# What json.dumps() would not write; the marks are replaced in the text.
_RAW = ("1e999", "1" * 5000, "[" * 700 + "]" * 700, '{"a":' * 700 + "1" + "}" * 700, "[" * 10**5)
_MARKS = st.integers(0, len(_RAW) - 1).map("<{}>".format)
_LEAVES = _SCALARS | _MARKS
VALUES = _LEAVES | st.recursive(
    _LEAVES,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=4,
)


def _text(plain: object) -> str:
    text = json.dumps(plain)
    for number, raw in enumerate(_RAW):
        text = text.replace(f'"<{number}>"', raw)
    return text


def _places(plain: object, base: Path = ()) -> Iterator[Path]:
    """Give the path of everything in JSON."""
    yield base
    items = plain.items() if isinstance(plain, dict) else ()
    for key, inner in enumerate(plain) if isinstance(plain, list) else items:
        yield from _places(inner, (*base, key))


@st.composite
def changed(draw: Draw, good: object) -> bytes:
    """Put something else in the place of a value or two, or leave them out."""
    root = {"root": json.loads(json.dumps(good))}
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from([*_places(root["root"], ("root",))]))
        at: Any = root
        for key in way:
            at = at[key]
        if way and draw(st.integers(0, 4)) == 4:
            del at[last]
        else:
            at[last] = draw(VALUES)
    return _text(root["root"]).encode()


@st.composite
def cut(draw: Draw, good: object) -> bytes:
    """Cut the text, or put bytes into it."""
    raw = json.dumps(good).encode()
    start, end = sorted((draw(st.integers(0, len(raw))), draw(st.integers(0, len(raw)))))
    return raw[:start] + draw(st.binary(max_size=3)) + raw[end:]


def damaged(good: object) -> st.SearchStrategy[bytes]:
    """Give what may be left of a file that held this."""
    anything = VALUES.map(_text).map(str.encode)
    return st.one_of(changed(good), changed(good), cut(good), anything, st.binary(max_size=40))
