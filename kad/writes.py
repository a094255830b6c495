"""Tell at once when somebody writes one of the parameters, by a raw inotify watch.

inotify shows every write through the same procfs mount, not one through another: the timer finds
those. On /proc/sys a watch dies without a word when the kernel drops the file from its cache, which
a descriptor held open prevents.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING

from kad.core.parameters import Parameter
from kad.core.reasons import Reason
from kad.limits import inotify_words

if TYPE_CHECKING:
    from ctypes import CDLL

# <sys/inotify.h>
_IN_MODIFY = 0x2


class Writes:
    """A watch on the files that are held open; `listen` has the loop wait for it.

    `held` gives them by what they are, as a number that was closed is soon another file's.
    """

    def __init__(
        self,
        held: Callable[[], Mapping[tuple[int, Parameter], int]],
        listen: Callable[[int, Callable[[], Reason]], None],
    ) -> None:
        self._held = held
        self._listen = listen
        self._inotify: int | None = None
        self._watched: dict[tuple[int, Parameter], int] = {}

    def refresh(self) -> bool:
        """Watch what is not watched yet; tell whether there was such, whose writes went unseen.

        OSError where the system has no watch left: then the timer is what finds a write.
        """
        held = self._held()
        for gone in self._watched.keys() - held.keys():
            self._forget(self._watched.pop(gone))
        missing = held.keys() - self._watched.keys()
        if not missing:
            return False
        if self._inotify is None:
            self._inotify = _call("inotify_init1", os.O_CLOEXEC | os.O_NONBLOCK)
            self._listen(self._inotify, partial(_drain, self._inotify))
        for each in sorted(missing):  # kad's own first, where there are too few
            path = f"/proc/self/fd/{held[each]}".encode()
            with suppress(FileNotFoundError):  # its namespace has just gone
                self._watched[each] = _call("inotify_add_watch", self._inotify, path, _IN_MODIFY)
        return not missing.isdisjoint(self._watched)

    def _forget(self, watch: int) -> None:
        with suppress(OSError):  # the kernel dropped it with the file
            _call("inotify_rm_watch", self._inotify or 0, watch)


def _drain(inotify: int) -> Reason:
    """Drop the events: which write it was, and how many, the next pass sees for itself."""
    os.read(inotify, 4096)
    return Reason.WRITE


@cache
def _library() -> "CDLL":
    """Load it once, as thousands of watches may be wanted, and not before READY=1."""
    from ctypes import CDLL  # noqa: PLC0415  # memory and boot time

    return CDLL(None, use_errno=True)


def _call(name: str, *arguments: int | bytes) -> int:
    """Call a function of the C library; OSError in its words."""
    result: int = getattr(_library(), name)(*arguments)
    if result < 0:
        from ctypes import get_errno  # noqa: PLC0415  # as above

        number = get_errno()
        raise OSError(number, inotify_words(number) or os.strerror(number), "inotify")
    return result
