"""Try what kad can do without, and tell of it only when it fails or works anew."""

from collections.abc import Callable

from kad.core.events import Event, Kind, Priority
from kad.daemon.edges import Teller


class Attempts:
    """Things that may fail; each check tries them again."""

    def __init__(self, journal: Teller) -> None:
        self._journal = journal
        self._failing: dict[str, str] = {}

    def make(self, what: str, action: Callable[[], object]) -> None:
        """Do it; say once that it failed, and why, and once that it works again."""
        try:
            action()
        except (OSError, MemoryError) as error:
            why = _reason(error)
            if self._failing.get(what) != why:
                self._journal.say(Priority.WARNING, f"cannot {what}: {why}")
            self._failing[what] = why
        else:
            if self._failing.pop(what, None) is not None:
                self._journal.event(Event(Kind.RECOVERED, f"can {what} again"))


def _reason(error: OSError | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return "out of memory"
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
