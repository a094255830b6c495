"""Try what kad can do without, and tell of it only when it fails or works anew."""

from collections.abc import Callable

from kad.core.errors import os_error_words
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
        except (OSError, MemoryError, ImportError) as error:
            self.note(what, _reason(error))
        else:
            self.note(what, None)

    def failing(self, what: str) -> str | None:
        """Give why it cannot be done; None where it can, or was not tried."""
        return self._failing.get(what)

    def failures(self, but: str) -> tuple[str, ...]:
        """Say what cannot be done, and why, `but` one thing."""
        failing = self._failing.items()
        return tuple(f"cannot {what}: {why}" for what, why in failing if what != but)

    def note(self, what: str, why: str | None) -> None:
        """Take down that it cannot be done, or with None that it can."""
        if why is None:
            if self._failing.pop(what, None) is not None:
                self._journal.event(Event(Kind.RECOVERED, f"can {what} again"))
        elif self._failing.get(what) != why:
            self._journal.say(Priority.WARNING, f"cannot {what}: {why}")
            self._failing[what] = why

    def forget(self, what: str) -> None:
        """Let go of it without a word, as nobody wants it done any more."""
        self._failing.pop(what, None)


def _reason(error: OSError | MemoryError | ImportError) -> str:
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, ImportError):  # without descriptors Python finds no module
        return f"module {error.name} is not readable"
    return os_error_words(error)
