"""Watch directories with watchdog, waking for as little as can be."""

from collections.abc import Callable
from typing import Any

from watchdog import events
from watchdog.observers.inotify import InotifyEmitter, InotifyObserver

_IN_MOVED_FROM = 0x40  # <sys/inotify.h>

# Names that come and go: enough for the directories on the way to a file.
_NAMES = [
    events.FileCreatedEvent,
    events.DirCreatedEvent,
    events.FileDeletedEvent,
    events.DirDeletedEvent,
]
# A file's own writes and its mode. What opens or reads it is not asked for: kad itself does.
_WRITES = [
    events.FileModifiedEvent,
    events.FileClosedEvent,
    # From 7.0 on a change of mode is an event of its own.
    getattr(events, "FileAttribEvent", events.FileModifiedEvent),
]


class _PromptEmitter(InotifyEmitter):
    """Does without IN_MOVED_FROM, which watchdog holds back, with all after it, for half a second.

    It waits for the other half of a move. What moves in is an event of its own, and what moves away
    for good leaves the policy in force, so nothing is lost.
    """

    def get_event_mask_from_filter(self) -> Any:  # noqa: ANN401  # differs between versions
        mask = super().get_event_mask_from_filter()
        return mask & ~_IN_MOVED_FROM


class _Handler(events.FileSystemEventHandler):
    """Passes on events of some names in a directory."""

    def __init__(self, paths: frozenset[str], changed: Callable[[], None]) -> None:
        self._paths = paths
        self._changed = changed

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        """Tell, without a word what it was: the next pass looks for itself."""
        if event.src_path in self._paths:
            self._changed()


class Observer(InotifyObserver):
    """watchdog's threads; they end with stop(), or with the process."""

    def __init__(self) -> None:
        super().__init__()
        self._emitter_class = _PromptEmitter

    def watch(
        self, directory: str, names: frozenset[str], changed: Callable[[], None], *, writes: bool
    ) -> None:
        """Call `changed`, in a thread, when one of the names changes; OSError where it cannot."""
        paths = frozenset({directory, *(f"{directory.rstrip('/')}/{name}" for name in names)})
        wanted = [*_NAMES, *_WRITES] if writes else _NAMES
        self.schedule(_Handler(paths, changed), directory, event_filter=wanted)
