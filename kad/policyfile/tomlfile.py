"""Parse a policy written in TOML."""

import re
import tomllib

from kad.policyfile.document import Document, Flaw, Lines, TooDeepError, UnreadableError
from kad.policyfile.tomlplaces import Locator, Repeat

# How tomllib ends its sentences; its exceptions have attributes for that only from Python 3.14 on.
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")
_BARE_SPAN = re.compile(r"[^=#]*=[ \t]*([0-9]+ ?[a-z][0-9a-z ]*?)[ \t\r]*(?:#|$)")
_LONG_NUMBER = re.compile(r"[0-9_]{4300,}")  # sys.int_info.default_max_str_digits


def parse(text: str) -> Document:
    """Give values, places and repeated keys; UnreadableError for what is no TOML."""
    locator = _locate(text)
    repeats: list[Repeat] = []
    try:
        tree = _load(text)
    except UnreadableError:
        repeats = locator.repeats
        if not repeats:
            raise
        tree = _load(_without(text, repeats))
    lines = Lines(text)
    flaws = []
    for repeat in repeats:
        line, _ = lines.place(locator.spots[repeat.path].key)
        flaws.append(Flaw(repeat.at, repeat.path, f"given twice (first on line {line})"))
    return Document(text, tree, locator.spots, tuple(flaws))


def _locate(text: str) -> Locator:
    """Walk first, parse then: tomllib takes minutes for a key of thousands of parts."""
    try:
        return Locator(text)
    except TooDeepError:
        raise
    except UnreadableError:
        _load(text)  # tomllib is lost there or earlier, and can say why
        raise


def _load(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        why = str(error)
        at = _place_in(text, why)
        what = f"not TOML: {_PLACE.sub('', why)}{_hint(text, at)}"
        raise UnreadableError(at, what) from error
    except ValueError as error:  # int() of a number of thousands of digits
        match = _LONG_NUMBER.search(text)
        raise UnreadableError(match.start() if match else 0, "a number is too long") from error


def _hint(text: str, at: int) -> str:
    """Tell who wrote `time = 2min` what is missing."""
    start = text.rfind("\n", 0, at) + 1
    span = _BARE_SPAN.match(text[start:].split("\n", 1)[0])
    return f' (quote the span: "{span[1]}")' if span else ""


def _place_in(text: str, why: str) -> int:
    match = _PLACE.search(why)
    if match is None or match[1] is None:
        return len(text.rstrip("\r\n"))
    return Lines(text).offset(int(match[1]), int(match[2]))


def _without(text: str, repeats: list[Repeat]) -> str:
    """Blank the repeated keys out; everything else stays where it is."""
    for repeat in repeats:
        blank = re.sub(r"[^\r\n]", " ", text[repeat.start : repeat.end])
        text = text[: repeat.start] + blank + text[repeat.end :]
    return text
