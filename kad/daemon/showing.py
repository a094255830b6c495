"""Write the state file when it has something to say."""

from kad.core.status import Status
from kad.daemon.edges import Edges

# It is written at least this often, or at each check where those are rarer.
STATE_EVERY_S = 60


class Showing:
    """The state file as it was last written."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._written = 0.0
        self._shown: object = None

    def is_news(self, shown: object) -> bool:
        """Whether it would say something else than it did, its counts aside."""
        news, self._shown = shown != self._shown, shown
        return news

    def is_due(self, every_s: int) -> bool:
        """Whether it is not as kad wrote it, or would be a minute old at the next check."""
        old = self._edges.monotonic() + every_s - self._written > STATE_EVERY_S
        return old or not self._edges.state.intact()

    def write(self, status: Status) -> None:
        """Write it; OSError where that cannot be."""
        self._written = self._edges.monotonic()
        self._edges.state.write(status)
