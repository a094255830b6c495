"""Remember, for one boot, what each network namespace was when kad met it."""

import errno
from collections.abc import Iterable, Mapping
from itertools import count
from math import isfinite
from typing import NamedTuple

from kad.atomic import read_json, write_json
from kad.core.namespaces import Known
from kad.core.parameters import Parameter
from kad.core.shape import give, take

VERSION = 2
# What ended while no kad looked is never seen to go. The lowest cookies are the oldest.
MOST = 10_000
_MOST = 2**31  # the three are of the kernel's type int

Values = tuple[int | None, ...]


class _Head(NamedTuple):
    """What tells whether the rest matters: it does not in another boot, nor under a newer file."""

    boot: str
    serial: int


class _Entry(NamedTuple):
    """A namespace; the values are in the kernel's order, None where kad put none."""

    found: Values
    put: Values
    custom: bool
    appeared: float | None


class _Kept(NamedTuple):
    """The rest; the namespaces by their cookies."""

    version: int
    namespaces: Mapping[str, _Entry]


class Memory:
    """`namespaces.json` in the first of the directories that takes it.

    It is written before the kernel is: a value of kad's own must never be taken for somebody's, be
    it after a restart or under another policy. Of two that are there the one written last counts.
    """

    def __init__(self, directories: Iterable[str], boot: str) -> None:
        self._paths = tuple(f"{each}/namespaces.json" for each in directories)
        self._boot = boot
        self._read: dict[int, Known] | None = None
        self._serials = count()
        self._stored = True
        self._unusable: list[str] = []
        self.trouble: str | None = None

    def __getitem__(self, cookie: int) -> Known | None:
        """Give what is known of a namespace."""
        return self._known().get(cookie)

    def keep(self, values: Mapping[int, Known | None]) -> None:
        """Remember these; forget those that are None. What could not be stored is tried again."""
        known = self._known()
        before = dict(known)
        for cookie, now in values.items():
            if now is None:
                known.pop(cookie, None)
            else:
                known[cookie] = now
        if known != before or not self._stored:
            self._store(known)

    def replace_unusable(self) -> list[str]:
        """Name the files that cannot be understood, and put what is known in their place."""
        unusable, self._unusable = self._unusable, []
        if unusable:
            self._store(self._known())
        return unusable

    def _known(self) -> dict[int, Known]:
        if self._read is None:
            files = sorted(filter(None, map(self._file, self._paths)), key=lambda each: each[0])
            last, known = files[-1] if files else (0, {})
            self._serials = count(last + 1)
            self._read = dict(known)
        return self._read

    def _file(self, path: str) -> tuple[int, Mapping[int, Known]] | None:
        """Give what a file of this boot says, with its serial number."""
        try:
            plain = read_json(path)
            head = take(_Head, plain)
            return (head.serial, _understood(plain)) if head.boot == self._boot else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError):
            self._unusable.append(path)
            return None

    def _store(self, known: dict[int, Known]) -> None:
        """Put it into the first file that takes it; none is no failure where none can be there."""
        for oldest in sorted(known)[: max(0, len(known) - MOST)]:
            del known[oldest]
        entries = {str(cookie): _entry(each) for cookie, each in known.items()}
        head = _Head(self._boot, next(self._serials))
        content = {**head._asdict(), **take(dict, give(_Kept(VERSION, entries)))}
        self._stored, self.trouble = True, None
        for path in self._paths:
            try:
                write_json(path, content, mode=0o600, indent=None)
            except OSError as error:
                if error.errno not in {errno.ENOENT, errno.EROFS}:
                    # One that another directory takes may not outlive a stop.
                    self._stored = False
                    self.trouble = self.trouble or f"{path}: {error.strerror}"
            else:
                return


def _understood(plain: object) -> dict[int, Known]:
    """Take back what `_store` gave; ValueError for what it cannot have given."""
    kept = take(_Kept, plain)
    if kept.version != VERSION:
        raise ValueError("of another version of kad")
    return {int(cookie): _known(each) for cookie, each in kept.namespaces.items()}


def _entry(known: Known) -> _Entry:
    found, put = (tuple(map(each.get, Parameter)) for each in (known.found, known.put))
    return _Entry(found, put, known.custom, known.appeared)


def _known(entry: _Entry) -> Known:
    found, put = _values(entry.found), _values(entry.put)
    if len(found) != len(Parameter) or not isfinite(entry.appeared or 0.0):
        raise ValueError("lacks a value, or has one that nothing can have had")
    return Known(found, put, entry.custom, entry.appeared)


def _values(stored: Values) -> dict[Parameter, int]:
    if len(stored) != len(Parameter) or any(not -_MOST <= each < _MOST for each in stored if each):
        raise ValueError("a value that no kernel can have had")
    pairs = zip(Parameter, stored, strict=True)
    return {parameter: value for parameter, value in pairs if value is not None}
