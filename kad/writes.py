"""Tell at once when somebody writes one of the parameters, by a raw inotify watch.

inotify shows every write through the same procfs mount, not one through another: the timer finds
those. On /proc/sys a watch dies without a word when the kernel drops the file from its cache, which
a descriptor held open prevents.
"""

import os
from collections.abc import Callable, Mapping
from functools import partial

from kad.core.parameters import Parameter
from kad.core.reasons import Reason
from kad.limits import inotify_words

# <sys/inotify.h>
_IN_MODIFY = 0x2


class Writes:
    """A watch on the files that are held open; `listen` has the loop wait for it."""

    def __init__(
        self,
        held: Callable[[], Mapping[Parameter, int]],
        listen: Callable[[int, Callable[[], Reason]], None],
    ) -> None:
        self._held = held
        self._listen = listen
        self._inotify: int | None = None
        self._watched: set[Parameter] = set()

    def refresh(self) -> bool:
        """Watch what is not watched yet; tell whether there was such, whose writes went unseen.

        OSError where the system has no watch left: then the timer is what finds a write.
        """
        missing = {each: file for each, file in self._held().items() if each not in self._watched}
        if not missing:
            return False
        if self._inotify is None:
            self._inotify = _call("inotify_init1", os.O_CLOEXEC | os.O_NONBLOCK)
            self._listen(self._inotify, partial(_drain, self._inotify))
        for parameter, file in missing.items():
            path = f"/proc/self/fd/{file}"
            _call("inotify_add_watch", self._inotify, path.encode(), _IN_MODIFY)
            self._watched.add(parameter)
        return True


def _drain(inotify: int) -> Reason:
    """Drop the events: which write it was, and how many, the next pass sees for itself."""
    os.read(inotify, 4096)
    return Reason.WRITE


def _call(name: str, *arguments: int | bytes) -> int:
    """Call a function of the C library; OSError in its words."""
    import ctypes  # noqa: PLC0415  # memory and boot time: first wanted after READY=1

    result: int = getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, inotify_words(number) or os.strerror(number), "inotify")
    return result
