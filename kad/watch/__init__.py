"""Tell when a file may have changed, in whatever way its name leads to it."""

from collections.abc import Callable, Iterable
from time import sleep
from typing import TYPE_CHECKING, NamedTuple

from kad.limits import inotify_words
from kad.masked import signals_blocked
from kad.watch.names import Directory, directories

if TYPE_CHECKING:
    from kad.watch.observer import Observer

# How often a path is resolved anew when it changes while its watch is being set up.
_TRIES = 10
# watchdog has an event through its threads within this time.
_EVENT_S = 0.05


class Health(NamedTuple):
    """How the watch is.

    `lost` is why it was found dead or cannot be had, `watching` whether all is watched now, and
    `began` whether that is so only since this look: what changed before went unseen.
    """

    lost: str | None
    watching: bool
    began: bool


class Watch:
    """Watches, not recursively, the directory of every name met while resolving the paths.

    So each rename, link swap, replaced directory and write on the way is an event in one of them.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.observer: Observer | None = None
        self._directories: dict[str, Directory] = {}
        self._lost: str | None = None

    def refresh(self, paths: Iterable[str]) -> Health:
        """Watch what the paths lead through now; find out and repair what has died since."""
        paths = tuple(paths)
        wanted = directories(paths)
        died = self._died(wanted)
        anew = bool(died or self._lost or self._ended() or wanted != self._directories)
        if anew:
            old, self.observer = self.observer, None
            self._lost = self._start(paths)
            if old is not None:  # only now: two watches for a moment, never none
                old.stop()
        watching = self._lost is None
        return Health(died or self._lost, watching=watching, began=anew and watching)

    def _ended(self) -> bool:
        return self.observer is None or self.observer.ended()

    def _died(self, wanted: dict[str, Directory]) -> str | None:
        """Say why the watch is dead though what it watches is still there."""
        if self.observer is None or self._lost or wanted != self._directories:
            return None
        died = self.observer.died()
        if died:
            # A directory made anew can look like the one before; its end is an event on the way.
            sleep(_EVENT_S)
        return None if self._ended() else died

    def close(self) -> None:
        """End the watch's threads."""
        if self.observer is not None:
            self.observer.stop()
            self.observer = None

    def _start(self, paths: tuple[str, ...]) -> str | None:
        """Start anew; say why where not all can be watched."""
        lost = None
        for _ in range(_TRIES):
            self._directories = directories(paths)
            try:
                with signals_blocked():
                    lost = self._watch_all()
            except (FileNotFoundError, NotADirectoryError) as error:
                lost = _why(error)  # a name has changed under kad's hands: look again
            else:
                return lost
        return lost

    def _watch_all(self) -> str | None:
        from kad.watch.observer import Observer  # noqa: PLC0415  # memory and boot time

        self.close()
        lost = None
        try:
            self.observer = Observer()
        except (OSError, RuntimeError) as error:  # RuntimeError: no thread can be had
            return _why(error)
        for each in self._directories.values():
            try:
                self.observer.watch(each.path, each.names, self._changed, writes=each.last)
            except (FileNotFoundError, NotADirectoryError):
                raise
            except (OSError, RuntimeError) as error:
                lost = _limit(error) or f"{each.path}: {_why(error)}"
        return lost


def _why(error: OSError | RuntimeError) -> str:
    words = error.strerror if isinstance(error, OSError) else None
    return _limit(error) or words or str(error)


def _limit(error: OSError | RuntimeError) -> str | None:
    """Give the words for a limit, which is no one path's; None for anything else."""
    return inotify_words(error.errno or 0) if isinstance(error, OSError) else None
