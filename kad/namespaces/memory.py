"""Remember, for one boot, what each network namespace was when kad met it."""

import errno
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from kad.atomic import read_json, write_json
from kad.core.namespaces import Known
from kad.core.parameters import Parameter
from kad.core.shape import give, take

VERSION = 1


class _Boot(NamedTuple):
    """What tells that the file is of another boot: what else is in it then does not matter."""

    boot: str


class _Kept(NamedTuple):
    """The file; the namespaces by their cookies, `namespaces` those of which values were found.

    The last two came later: a file without them is as good, and a kad that does not know them
    passes them over.
    """

    version: int
    boot: str
    namespaces: Mapping[str, Mapping[Parameter, int]]
    custom: tuple[str, ...]
    appeared: Mapping[str, float]

    @property
    def known(self) -> dict[int, Known]:
        """Give all that it holds; ValueError for half of it, and for what is no cookie."""
        if any(found.keys() != {*Parameter} for found in self.namespaces.values()):
            raise ValueError("lacks a parameter")
        custom = {*self.custom}
        return {
            int(each): Known(self.namespaces.get(each), each in custom, self.appeared.get(each))
            for each in self.namespaces.keys() | custom | self.appeared.keys()
        }


def _kept(boot: str, known: Mapping[int, Known]) -> _Kept:
    each = {str(cookie): every for cookie, every in known.items()}
    return _Kept(
        VERSION,
        boot,
        {name: every.found for name, every in each.items() if every.found is not None},
        tuple(name for name, every in each.items() if every.custom),
        {name: every.appeared for name, every in each.items() if every.appeared is not None},
    )


class Memory:
    """`namespaces.json` in the first of the directories that takes it.

    It is written before the kernel is: a value of kad's own must never be taken for somebody's, be
    it after a restart or under another policy.
    """

    def __init__(self, directories: Iterable[str], boot: str) -> None:
        self._paths = tuple(f"{each}/namespaces.json" for each in directories)
        self._boot = boot
        self._read: dict[int, Known] | None = None
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

    def only(self, cookies: Iterable[int]) -> None:
        """Forget all others."""
        known = self._known()
        gone = known.keys() - {*cookies}
        for each in gone:
            del known[each]
        if gone:
            self._store(known)

    def replace_unusable(self) -> list[str]:
        """Name the files that cannot be understood, and put what is known in their place."""
        unusable, self._unusable = self._unusable, []
        if unusable:
            self._store(self._known())
        return unusable

    def _known(self) -> dict[int, Known]:
        if self._read is None:
            self._read = {}
            for path in reversed(self._paths):
                self._read |= self._known_to(path)
        return self._read

    def _known_to(self, path: str) -> Mapping[int, Known]:
        try:
            return self._understand(read_json(path))
        except OSError:  # nothing remembered
            return {}
        except ValueError:
            self._unusable.append(path)
            return {}

    def _understand(self, plain: object) -> Mapping[int, Known]:
        if take(_Boot, plain).boot != self._boot:
            return {}
        kept = take(_Kept, {"custom": [], "appeared": {}, **take(dict, plain)})
        if kept.version != VERSION:
            raise ValueError("of another version of kad")
        return kept.known

    def _store(self, known: Mapping[int, Known]) -> None:
        """Put it into the first file that takes it; none is no failure where none can be there."""
        content = give(_kept(self._boot, known))
        self._stored, self.trouble = False, None
        for path in self._paths:
            try:
                write_json(path, content, mode=0o600)
            except OSError as error:
                if error.errno not in {errno.ENOENT, errno.EROFS}:
                    self.trouble = self.trouble or f"{path}: {error.strerror}"
            else:
                self._remove_all_but(path)
                self._stored, self.trouble = True, None
                return

    def _remove_all_but(self, kept: str) -> None:
        """Have nothing that is forgotten come back from where it was written once."""
        for path in self._paths:
            if path != kept:
                with suppress(OSError):
                    os.unlink(path)
