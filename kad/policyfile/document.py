"""Hold what a policy file says, with the place of every word of it."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

Path = tuple[str | int, ...]  # keys from the outermost in; a number counts a list's elements

DEEPEST = 16  # a policy needs three levels; tomllib and PyYAML get slow or give up far below
REFUSED = object()  # stands for a value that is wrong already; no rule of the model lets it pass


class Spot(NamedTuple):
    """Where a key and its value stand, in characters from 0; the end is the first one after."""

    key: int
    value: int
    end: int


class Flaw(NamedTuple):
    """Something wrong, told with the path's name before it.

    `refused` when it is the path's value that is wrong, so that nobody judges it again.
    """

    at: int
    path: Path
    why: str
    refused: bool = False


class UnreadableError(Exception):
    """The text is no TOML or YAML, or none that kad takes, from this character on."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(at, why)
        self.at = at
        self.why = why


class TooDeepError(UnreadableError):
    """The nesting ends any policy, and would soon end the parser."""

    def __init__(self, at: int) -> None:
        super().__init__(at, f"nested more than {DEEPEST} levels deep")


class Document(NamedTuple):
    """A text that could be parsed: plain values, where they stand, what is wrong already."""

    text: str
    tree: Mapping[str, object]
    spots: Mapping[Path, Spot]
    flaws: tuple[Flaw, ...]


class Lines:
    """Turn a character's number into a place as editors count: line and column from 1."""

    def __init__(self, text: str) -> None:
        lengths = (len(line) + 1 for line in text.split("\n"))
        self._starts = [0, *accumulate(lengths)]

    def place(self, at: int) -> tuple[int, int]:
        """Give line and column; columns count characters, a line ends at its newline."""
        line = bisect_right(self._starts, at)
        return line, at - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Give the number of the character at a place."""
        return self._starts[line - 1] + column - 1
