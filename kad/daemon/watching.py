"""Keep the two watches alive, on the policy file and on the parameters, and tell of their loss."""

from collections.abc import Iterator

from kad.core.events import Event, Kind
from kad.core.reasons import Reason
from kad.daemon.edges import Edges

# So often in a row a watch that began anew has the file read once more; then the timer does.
MOST_REARMED = 10
_PARAMETERS = "the parameters for writes"


class Watching:
    """The watches, with what was said of them last; `names` are where the policy may lie."""

    def __init__(self, edges: Edges, names: tuple[str, ...]) -> None:
        self._edges = edges
        self._names = names
        self._blind: str | None = None
        self._deaf: str | None = None
        self._rearmed = 0

    def the_file(self, file: str, every_s: int) -> Iterator[Event]:
        """Keep the one alive; have the file read once more where it began only now."""
        health = self._edges.watch.refresh(self._names)
        if health.lost != self._blind and health.lost is not None:
            yield _lost(file, health.lost, every_s)
        if health.watching and (health.lost or self._blind):
            yield _again(file)
        self._blind = None if health.watching else health.lost
        # A watch that begins anew at every look would else have kad spin.
        self._rearmed = self._rearmed + 1 if health.began else 0
        if 0 < self._rearmed < MOST_REARMED:
            self._edges.inbox.nudge(Reason.FILE)

    def the_parameters(self, every_s: int) -> Iterator[Event]:
        """Keep the other alive; have the kernel looked at once more where it began only now."""
        deaf, began = None, False
        try:
            began = self._edges.writes.refresh()
        except OSError as error:
            deaf = error.strerror or str(error)
        if deaf != self._deaf:
            yield _lost(_PARAMETERS, deaf, every_s) if deaf else _again(_PARAMETERS)
        self._deaf = deaf
        if began:
            self._edges.inbox.nudge(Reason.WRITE)

    def lost(self, file: str) -> Iterator[str]:
        """Say which is lost now, and why."""
        for what, why in ((file, self._blind), (_PARAMETERS, self._deaf)):
            if why is not None:
                yield _without(what, why)


def _without(what: str, why: str) -> str:
    return f"no longer watching {what} ({why})"


def _lost(what: str, why: str, every_s: int) -> Event:
    return Event(Kind.WATCH_LOST, f"{_without(what, why)}; checking every {every_s} s instead")


def _again(what: str) -> Event:
    return Event(Kind.RECOVERED, f"watching {what} again")
