"""Remember, for one boot, what kad found in each network namespace before it first wrote there."""

import errno
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from kad.atomic import read_json, write_json
from kad.core.parameters import Parameter
from kad.core.shape import give, take

VERSION = 1

Values = Mapping[Parameter, int]


class _Kept(NamedTuple):
    """The file; the namespaces by their cookies."""

    version: int
    boot: str
    namespaces: Mapping[str, Values]


class Memory:
    """`namespaces.json` in the first of the directories that takes it.

    It is written before the kernel is: a value of kad's own must never be taken for somebody's, be
    it after a restart or under another policy.
    """

    def __init__(self, directories: Iterable[str], boot: str) -> None:
        self._paths = tuple(f"{each}/namespaces.json" for each in directories)
        self._mine = (VERSION, boot)
        self._found: dict[str, Values] | None = None
        self._stored = True
        self.trouble: str | None = None

    def __getitem__(self, cookie: int) -> Values | None:
        """Give what is known of a namespace."""
        return self._known().get(str(cookie))

    def keep(self, values: Mapping[int, Values | None]) -> None:
        """Remember these; forget those that are None. What could not be stored is tried again."""
        known = self._known()
        before = dict(known)
        for cookie, found in values.items():
            if found is None:
                known.pop(str(cookie), None)
            else:
                known[str(cookie)] = found
        if known != before or not self._stored:
            self._store(known)

    def only(self, cookies: Iterable[int]) -> None:
        """Forget all others."""
        known = self._known()
        gone = known.keys() - {str(each) for each in cookies}
        for each in gone:
            del known[each]
        if gone:
            self._store(known)

    def _known(self) -> dict[str, Values]:
        if self._found is None:
            self._found = {}
            for path in reversed(self._paths):
                self._found |= self._read(path)
        return self._found

    def _read(self, path: str) -> Mapping[str, Values]:
        try:
            kept = take(_Kept, read_json(path))
        except (OSError, ValueError):
            return {}  # nothing remembered, or nothing usable
        whole = all(each.keys() == {*Parameter} for each in kept.namespaces.values())
        return kept.namespaces if whole and (kept.version, kept.boot) == self._mine else {}

    def _store(self, found: Mapping[str, Values]) -> None:
        """Put it into the first file that takes it; none is no failure where none can be there."""
        content = give(_Kept(*self._mine, found))
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
