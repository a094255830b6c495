"""Look after the other network namespaces of this machine: find them, open them, be told."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from kad.capabilities import missing
from kad.core.parameters import Parameter
from kad.core.reasons import Reason
from kad.namespaces.own import OwnNamespace

if TYPE_CHECKING:
    from kad.namespaces.entering import NamespaceFiles
    from kad.namespaces.finding import Found

_Answer = TypeVar("_Answer")
# What seeing and entering the namespaces of others takes.
_NEEDED = ("CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN")
_DROPIN = "with systemd, enable the drop-in namespaces.conf, see kad(8)"


class Namespaces:
    """The other network namespaces; nothing is imported or opened before it is asked for."""

    def __init__(
        self,
        own: OwnNamespace,
        listen: Callable[[int, Callable[[], Reason], int], None],
        ignore: Callable[[int], None],
    ) -> None:
        self._own = own
        self._listen, self._ignore = listen, ignore
        self._tellers: tuple[int, ...] = ()
        self._opened: dict[int, NamespaceFiles] = {}
        self._found: Mapping[int, Found] = {}
        self._left: frozenset[int] = frozenset()

    def ready(self) -> None:
        """Be told of new ones from now on; OSError says why kad cannot look after any."""
        if lacks := missing(*_NEEDED):
            raise _unable(f"{', '.join(lacks)} missing; {_DROPIN}")
        if self._own.host is not True:
            known = "kad is not in" if self._own.host is False else "cannot tell whether kad is in"
            raise _unable(f"{known} the network namespace of PID 1")
        if not self._tellers:
            from kad.namespaces.telling import tell  # noqa: PLC0415  # boot time

            self._tellers = tell(self._listen)

    def rest(self) -> None:
        """Be told of none from now on."""
        for each in self._tellers:
            self._ignore(each)
            os.close(each)
        self._tellers = ()

    def find(self) -> "Mapping[int, Found]":
        """Give those that are there, by inode."""
        from kad.namespaces.finding import find  # noqa: PLC0415  # boot time

        found = find()
        found.pop(self._own.inode, None)
        self._found = found
        return found

    def open(self, found: "Iterable[Found]") -> "Mapping[int, NamespaceFiles | OSError]":
        """Open the parameters of each; one that has gone meanwhile is left out."""
        from kad.namespaces.entering import enter  # noqa: PLC0415  # memory and boot time

        opened = enter(found)
        files = {key: each for key, each in opened.items() if not isinstance(each, OSError)}
        self._opened.update(files)
        return opened

    def drop(self, inode: int) -> None:
        """Let go of one."""
        files = self._opened.pop(inode, None)
        if files is not None:
            files.close()

    def leave(self, inodes: Iterable[int]) -> None:
        """Take down which of them are none of kad's business, their sockets neither."""
        self._left = frozenset(inodes)

    def rooms(
        self, ask: Callable[[], _Answer]
    ) -> "Iterator[tuple[Callable[[], _Answer], NamespaceFiles]]":
        """Give each of the rest with a way to ask in it."""
        from kad.namespaces.entering import inside  # noqa: PLC0415  # memory and boot time

        for inode, files in self._opened.items():
            if inode not in self._left and inode in self._found:
                yield partial(inside, self._found[inode], ask), files

    def held(self) -> dict[tuple[int, Parameter], int]:
        """Give the descriptors of all that are open, by cookie and parameter."""
        return {
            (each.cookie, parameter): file
            for each in self._opened.values()
            for parameter, file in each.held.items()
        }


def _unable(why: str) -> OSError:
    return OSError(errno.EPERM, why, "[namespaces] scope")
