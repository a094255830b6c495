"""Remember, for one boot, what each network namespace was when kad met it."""

import errno
from collections.abc import Iterable, Mapping
from itertools import count
from math import isfinite
from typing import NamedTuple

from kad.atomic import read_json, write_json
from kad.core.namespaces import Known
from kad.core.parameters import KERNEL_INT, PARAMETERS, Parameter
from kad.core.shape import take

VERSION = 2
# What ended while no kad looked is never seen to go.
MOST = 10_000


class _Head(NamedTuple):
    """What tells whether the rest matters: it does not in another boot, nor under a newer file."""

    boot: str
    serial: int


class _Entry(NamedTuple):
    """A namespace; the values are in the kernel's order, with what kad may have put there."""

    found: tuple[int, ...]
    put: tuple[tuple[int, ...], ...]
    custom: bool
    appeared: float | None
    owed: bool
    excluded: bool


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
        # Those that were asked for, and so are there, or were a moment ago.
        self._met: set[int] = set()
        self._stored = True
        self._unusable: list[str] = []
        self.trouble: str | None = None

    def __getitem__(self, cookie: int) -> Known | None:
        """Give what is known of a namespace that is there."""
        self._met.add(cookie)
        return self._known().get(cookie)

    def keep(self, values: Mapping[int, Known | None]) -> None:
        """Remember these; forget those that are None. What could not be stored is tried again."""
        known = self._known()
        for cookie, now in values.items():
            self._stored = self._stored and known.get(cookie) == now
            if now is None:
                known.pop(cookie, None)
                self._met.discard(cookie)
            else:
                known[cookie] = now
        if not self._stored:
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
        # Until it is: a lack of memory may end this anywhere.
        self._stored, self.trouble = False, None
        unseen = [cookie for cookie in known if cookie not in self._met]
        for oldest in unseen[: max(0, len(known) - MOST)]:
            del known[oldest]
        # As JSON has it: there may be very many.
        entries = {str(cookie): _entry(each)._asdict() for cookie, each in known.items()}
        head = _Head(self._boot, next(self._serials))
        content = {**head._asdict(), "version": VERSION, "namespaces": entries}
        for path in self._paths:
            try:
                write_json(path, content, mode=0o600, indent=None)
            except OSError as error:
                if error.errno not in {errno.ENOENT, errno.EROFS}:
                    # One that another directory takes may not outlive a stop.
                    self.trouble = self.trouble or f"{path}: {error.strerror}"
            else:
                break
        self._stored = self.trouble is None


def _understood(plain: object) -> dict[int, Known]:
    """Take back what `_store` gave; ValueError for what it cannot have given."""
    kept = take(_Kept, plain)
    if kept.version != VERSION:
        raise ValueError("of another version of kad")
    return {int(cookie): _known(each) for cookie, each in kept.namespaces.items()}


def _entry(known: Known) -> _Entry:
    found = tuple([known.found[each] for each in PARAMETERS])
    put = tuple([known.put.get(each, ()) for each in PARAMETERS])
    return _Entry(found, put, *known[2:])


def _known(entry: _Entry) -> Known:
    values = [*entry.found, *(value for each in entry.put for value in each)]
    if not len(entry.found) == len(entry.put) == len(Parameter):
        raise ValueError("lacks a value")
    if not isfinite(entry.appeared or 0.0) or any(each not in KERNEL_INT for each in values):
        raise ValueError("a value that nothing can have had")
    found = dict(zip(Parameter, entry.found, strict=True))
    put = {each: values for each, values in zip(Parameter, entry.put, strict=True) if values}
    return Known(found, put, *entry[2:])
