"""Keep account of the names that a TOML document defines."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from kad.policyfile.document import Path, Spot


class _Kind(Enum):
    """How a name came to be, which decides what may be added to it."""

    VALUE = auto()  # name = ..., inline tables and arrays too
    HEADER = auto()  # [name]
    ARRAY = auto()  # [[name]]
    DOTTED = auto()  # name.key = ...
    IMPLIED = auto()  # [name.table]


_GROWS_BY_KEY = {_Kind.DOTTED, _Kind.IMPLIED}
_GROWS_BY_HEADER = {*_Kind} - {_Kind.VALUE}


class Part(NamedTuple):
    """One key of a dotted key."""

    name: str
    at: int


class RepeatedError(Exception):
    """The name is taken; `at` is the key that takes it again."""

    def __init__(self, path: Path, at: int) -> None:
        super().__init__(path, at)
        self.path = path
        self.at = at


class Names:
    """The names so far, each with the place where it was first seen."""

    def __init__(self) -> None:
        self.spots: dict[Path, Spot] = {}
        self._kinds: dict[Path, _Kind] = {}
        self._lengths: dict[Path, int] = {}  # of the arrays of tables

    def assign(self, base: Path, parts: Sequence[Part]) -> Path:
        """Take in `a.b.c = ...` below `base`; RepeatedError when that is not allowed."""
        parent = self._walk(base, parts[:-1], _GROWS_BY_KEY, _Kind.DOTTED)
        return self._define((*parent, parts[-1].name), parts[-1].at, _Kind.VALUE)

    def table(self, parts: Sequence[Part]) -> Path:
        """Take in `[a.b.c]`, give its path; RepeatedError when that is not allowed."""
        path = (*self._walk_header(parts), parts[-1].name)
        if self._kinds.get(path) is _Kind.IMPLIED:  # [a.b] came first
            del self._kinds[path]
        return self._define(path, parts[-1].at, _Kind.HEADER)

    def array(self, parts: Sequence[Part]) -> Path:
        """Take in `[[a.b.c]]`, give the new element's path; RepeatedError where not allowed."""
        path = (*self._walk_header(parts), parts[-1].name)
        if self._kinds.get(path) is not _Kind.ARRAY:
            self._define(path, parts[-1].at, _Kind.ARRAY)
        self._lengths[path] = self._lengths.get(path, 0) + 1
        return self._inside(path)

    def _walk_header(self, parts: Sequence[Part]) -> Path:
        return self._walk((), parts[:-1], _GROWS_BY_HEADER, _Kind.IMPLIED)

    def _walk(self, path: Path, parts: Sequence[Part], grows: set[_Kind], new: _Kind) -> Path:
        for part in parts:
            path = (*path, part.name)
            if path not in self._kinds:
                self._define(path, part.at, new)
            elif self._kinds[path] not in grows:
                raise RepeatedError(path, part.at)
            path = self._inside(path)
        return path

    def _inside(self, path: Path) -> Path:
        """Give the last element of an array of tables; a table is its own inside."""
        return (*path, self._lengths[path] - 1) if path in self._lengths else path

    def _define(self, path: Path, at: int, kind: _Kind) -> Path:
        if path in self._kinds:
            raise RepeatedError(path, at)
        self._kinds[path] = kind
        self.spots.setdefault(path, Spot(at, at, at))
        return path
