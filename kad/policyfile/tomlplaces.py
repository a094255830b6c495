"""Find where the keys and values of a TOML document stand.

No TOML parser on PyPI that keeps positions is both well kept and in Debian, hence this one. It
takes every document that tomllib takes, and many that tomllib refuses: that is tomllib's job.
"""

import re
import tomllib
from typing import NamedTuple

from kad.policyfile.document import DEEPEST, Path, Spot, TooDeepError, UnreadableError
from kad.policyfile.tomlnames import Names, Part, RepeatedError

_TRIVIA = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_HEADER_START = re.compile(r"\[{1,2}[ \t]*")
_HEADER_END = re.compile(r"[ \t]*\]{1,2}")
_COMMA = re.compile(",?")
_SCALAR = re.compile(
    r'''
      """ (?:[^"\\]|\\.|"(?!""))* """ "{0,2}  # the content may end in one or two quotes
    | \'\'\' (?:[^']|'(?!''))* \'\'\' '{0,2}
    | "(?:[^"\\\n]|\\.)*"
    | '[^'\n]*'
    | [0-9]{4}-[0-9]{2}-[0-9]{2}[ ][0-9]{2}:[0-9:.Zz+-]*   # a date, a space, a time of day
    | [^\s,\[\]{}#"'=]+
    ''',
    re.VERBOSE | re.DOTALL,
)


class Repeat(NamedTuple):
    """A name taken again, and the stretch of text to take out so that it no longer is."""

    path: Path
    at: int
    start: int
    end: int


class Locator:
    """Walk through a document, once; UnreadableError where even this locator is lost."""

    def __init__(self, text: str) -> None:
        self.repeats: list[Repeat] = []
        self._names = Names()
        self._text = text
        self._at = 0
        self._assignments(())
        while self._more():
            self._section()

    @property
    def spots(self) -> dict[Path, Spot]:
        """The place of every name."""
        return self._names.spots

    def _section(self) -> None:
        start = self._at
        try:
            self._assignments(self._header())
        except RepeatedError as repeated:
            self._assignments(None)
            self.repeats.append(Repeat(repeated.path, repeated.at, start, self._at))

    def _header(self) -> Path:
        start = self._at
        is_array = self._take(_HEADER_START).startswith("[[")
        parts = self._key()
        self._take(_HEADER_END)
        path = self._names.array(parts) if is_array else self._names.table(parts)
        spot = Spot(parts[-1].at, start, self._at)
        if is_array:
            self.spots[path] = spot
        table = path[:-1] if is_array else path
        if self.spots[table].key == spot.key:  # seen here for the first time
            self.spots[table] = spot
        return path

    def _assignments(self, base: Path | None) -> None:
        """Read up to the next header; without a base, only to pass by."""
        while self._more() and not self._next_is("["):
            self._assignment(base, self._at, 1)

    def _assignment(self, base: Path | None, start: int, depth: int) -> None:
        parts = self._key()
        self._take(_EQUALS)
        try:
            path = None if base is None else self._names.assign(base, parts)
        except RepeatedError as repeated:
            self._value(None, depth)
            self.repeats.append(Repeat(repeated.path, repeated.at, start, self._at))
            return
        value = self._at
        self._value(path, depth)
        if path is not None:
            self.spots[path] = Spot(parts[-1].at, value, self._at)

    def _key(self) -> list[Part]:
        parts = [self._part()]
        while _DOT.match(self._text, self._at):
            self._take(_DOT)
            parts.append(self._part())
            self._limit(len(parts))
        return parts

    def _part(self) -> Part:
        at = self._at
        raw = self._take(_KEY)
        if "\\" not in raw:
            return Part(raw.strip(raw[0]) if raw[0] in "\"'" else raw, at)
        try:
            (name,) = tomllib.loads(f"{raw} = 0")
        except tomllib.TOMLDecodeError as error:
            raise UnreadableError(at, "not TOML: invalid key") from error
        return Part(name, at)

    def _value(self, path: Path | None, depth: int) -> None:
        self._limit(depth)
        if self._next_is("["):
            self._array(path, depth)
        elif self._next_is("{"):
            self._inline_table(path, depth)
        else:
            self._take(_SCALAR)

    def _array(self, path: Path | None, depth: int) -> None:
        self._at += 1
        index = 0
        while self._more() and not self._next_is("]"):
            element = None if path is None else (*path, index)
            at = self._at
            self._value(element, depth + 1)
            if element is not None:
                self.spots[element] = Spot(at, at, self._at)
            self._more()
            self._take(_COMMA)
            index += 1
        self._at += 1

    def _inline_table(self, path: Path | None, depth: int) -> None:
        self._at += 1
        comma = self._at
        while self._more() and not self._next_is("}"):
            self._assignment(path, comma, depth + 1)
            self._more()
            comma = self._at
            self._take(_COMMA)
        self._at += 1

    def _more(self) -> bool:
        """Pass over blanks, newlines and comments; tell whether anything follows."""
        self._take(_TRIVIA)
        return self._at < len(self._text)

    def _next_is(self, character: str) -> bool:
        return self._text.startswith(character, self._at)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise UnreadableError(self._at, "not TOML: syntax error")
        self._at = match.end()
        return match[0]

    def _limit(self, depth: int) -> None:
        if depth > DEEPEST:
            raise TooDeepError(self._at)
