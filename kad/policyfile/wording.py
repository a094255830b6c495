"""Say in one line each what is wrong with a policy file."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kad.core.errors import Mistake
from kad.policyfile.document import REFUSED, Document, Lines, Path

if TYPE_CHECKING:
    from kad.policyfile.judging import Fault

_WIDTH = 40
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_NOWHERE = -1  # the file alone, which comes before any place in it


def mistakes(file: str, document: Document, faults: Iterable["Fault"]) -> list[Mistake]:
    """List what the parser and the model found, in the file's order."""
    lines = Lines(document.text)
    found = sorted({*_of_flaws(document), *_of_faults(document, faults)})
    return [
        Mistake(file, *((0, 0) if at == _NOWHERE else lines.place(at)), text) for at, text in found
    ]


def _of_flaws(document: Document) -> Iterator[tuple[int, str]]:
    for flaw in document.flaws:
        shown = flaw.refused and _value(document, flaw.path) is REFUSED
        got = _got(document, flaw.path) if shown else ""
        yield flaw.at, _named(flaw.path, flaw.why + got)


def _of_faults(document: Document, faults: Iterable["Fault"]) -> Iterator[tuple[int, str]]:
    refused = {flaw.path for flaw in document.flaws if flaw.refused}
    for fault in faults:
        if fault.path in refused and not fault.by_key:
            continue  # the parser said better what is wrong with this value
        spot = document.spots.get(fault.path)
        at = _NOWHERE if spot is None else spot.key if fault.by_key else spot.value
        got = _got(document, fault.path) + fault.hint if fault.shown else ""
        yield at, _named(fault.path, fault.why + got)


def _named(path: Path, text: str) -> str:
    """Put the key in front, as it would be written: keepalive.time, a."b c", exclude[0]."""
    name = ""
    for key in path:
        if isinstance(key, int):
            name += f"[{key}]"
        else:
            name += "." * bool(name) + _cut(key if _BARE_KEY.fullmatch(key) else f'"{key}"')
    return f"{name}: {text}" if name else text


def _got(document: Document, path: Path) -> str:
    """Show a value as it stands in the file."""
    value = _value(document, path)
    spot = document.spots.get(path)
    if isinstance(value, dict | list) or spot is None:
        return f", got a {'list' if isinstance(value, list) else 'table'}"
    return f", got {_cut(document.text[spot.value : spot.end].strip()) or 'nothing'}"


def _value(document: Document, path: Path) -> object:
    value: object = document.tree
    for key in path:
        value = value[key]  # type: ignore[index]
    return value


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
