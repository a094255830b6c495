"""Watch directories with watchdog, waking for as little as can be."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from watchdog import events
from watchdog.observers.inotify import InotifyObserver

try:  # from 7.0 on
    from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper as _Holder
except ImportError:
    from watchdog.observers.inotify_buffer import (  # type: ignore[import-not-found,no-redef]
        InotifyBuffer as _Holder,
    )

# It would tell stderr that it met its own end, which kad brought about; a watch that died though
# nobody stopped it, kad finds out itself.
logging.getLogger("watchdog").addHandler(logging.NullHandler())
# What moves away is held back, with all that comes after it, for half a second, in case its new
# name follows. kad does not ask where a name went, only that it did.
_Holder.delay = 0.0

# Names that come and go: enough for the directories on the way to a file.
_NAMES = [
    events.FileCreatedEvent,
    events.DirCreatedEvent,
    events.FileDeletedEvent,
    events.DirDeletedEvent,
    events.FileMovedEvent,
    events.DirMovedEvent,
]
# A file's own writes and its mode. What opens or reads it is not asked for: kad itself does.
_WRITES = [
    events.FileModifiedEvent,
    events.FileClosedEvent,
    # From 7.0 on a change of mode is an event of its own.
    getattr(events, "FileAttribEvent", events.FileModifiedEvent),
]


class _Handler(events.FileSystemEventHandler):
    """Passes on events of some names in a directory."""

    def __init__(self, paths: frozenset[str], changed: Callable[[], None]) -> None:
        self._paths = paths
        self._changed = changed

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        """Tell, without a word what it was: the next pass looks for itself."""
        if event.src_path in self._paths or event.dest_path in self._paths:
            self._changed()


class Observer:
    """watchdog's threads; they end with stop(), or with the process."""

    def __init__(self) -> None:
        """Start; OSError or RuntimeError where the system has no descriptor or thread left."""
        before = set(threading.enumerate())
        self._others = kernel_watches()
        self._observer = InotifyObserver()
        self._observer.start()
        self._threads = set(threading.enumerate()) - before
        self._watches: frozenset[str] = frozenset()

    def watch(
        self, directory: str, names: frozenset[str], changed: Callable[[], None], *, writes: bool
    ) -> None:
        """Call `changed`, in a thread, when one of the names changes; OSError where it cannot."""
        # watchdog says nothing where inotify_add_watch(2) fails for want of the right to read.
        os.close(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        paths = frozenset({directory, *(f"{directory.rstrip('/')}/{name}" for name in names)})
        wanted = [*_NAMES, *_WRITES] if writes else _NAMES
        before = set(threading.enumerate())
        self._observer.schedule(_Handler(paths, changed), directory, event_filter=wanted)
        self._threads |= set(threading.enumerate()) - before
        there, others = kernel_watches(), self._others
        # Where it is not known which are others', the end of one says nothing.
        self._watches = frozenset() if there is None or others is None else there - others

    def ended(self) -> bool:
        """Whether a watched directory has gone, and a part of this with it."""
        return any(not each.should_keep_running() for each in self._observer.emitters)

    def died(self) -> str | None:
        """Say what has ended though nobody stopped it."""
        if not all(thread.is_alive() for thread in self._threads):
            return "a watching thread has exited"
        there = kernel_watches()
        lost = there is not None and self._watches - there
        return "the kernel dropped a watch" if lost else None

    def stop(self) -> None:
        """End the threads."""
        self._observer.stop()


def kernel_watches() -> frozenset[str] | None:
    """Give this process's inotify watches as the kernel lists them: proc(5), fdinfo.

    None where it does not say: /proc is hidden, or no descriptor is left to read it with.
    """
    try:
        with _directory("/proc/self") as process, _directory("fd", process) as descriptors:
            return frozenset(_watches(process, descriptors))
    except OSError:
        return None


@contextmanager
def _directory(path: str, parent: int | None = None) -> Iterator[int]:
    """Hold a directory of /proc: a mount over it meanwhile does not make files look closed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _watches(process: int, descriptors: int) -> Iterator[str]:
    """Read them, given /proc/self and /proc/self/fd."""

    def open_beneath(path: str, flags: int) -> int:
        return os.open(path, flags, dir_fd=process)

    for number in os.listdir(descriptors):
        try:
            if os.readlink(number, dir_fd=descriptors) != "anon_inode:inotify":
                continue
            with open(f"fdinfo/{number}", encoding="ascii", opener=open_beneath) as file:
                yield from (f"{number} {line}" for line in file if line.startswith("inotify"))
        except FileNotFoundError:  # closed by another thread meanwhile
            continue
