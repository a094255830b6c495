"""Have open sockets tended once a pass, where the policy asks for it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kad.core.events import Event, Kind
from kad.core.policy import Mode, Policy
from kad.core.status import SocketsStatus

if TYPE_CHECKING:
    from kad.daemon.edges import SocketsEdge

# A look at 100,000 connections takes 0.2 s: kad rests so many times as long as it takes to look
# around, to take no more than one percent of a core.
REST = 99


class Tending:
    """The sockets as the policy wants them; `make` is called once it wants anything of them.

    `more` tells that the next pass is to follow at once.
    """

    def __init__(self, make: "Callable[[], SocketsEdge]", monotonic: Callable[[], float]) -> None:
        self._make = make
        self._monotonic = monotonic
        self._edge: SocketsEdge | None = None
        self._policy: Policy | None = None
        self._rests_until = 0.0
        # How long the last pass took for what is not to be done again.
        self._mending_s = 0.0
        self._error: Exception | None = None
        self._failed: frozenset[int] = frozenset()
        self.status: SocketsStatus | None = None
        self.more = False

    def tend(self, policy: Policy) -> Iterator[Event]:
        """Do one pass, save in audit mode; OSError where kad may not.

        A policy that is new is not made to wait.
        """
        if not policy.sockets.wanted:
            self._edge = self.status = self._policy = self._error = None
            self.more = False
            return
        began = self._monotonic()
        if policy == self._policy and began < self._rests_until and not self.more:
            if self._error is not None:
                # Without the stacks that it was raised through, which would pile up.
                raise self._error.with_traceback(None)
            return
        self._policy, self._error, self.more = policy, None, False
        self._mending_s = 0.0
        try:
            yield from self._look_and_tend(policy)
        except (OSError, MemoryError, ImportError) as error:
            self._error = error
            raise
        finally:
            now = self._monotonic()
            self._rests_until = now + REST * (now - began - self._mending_s)

    def _look_and_tend(self, policy: Policy) -> Iterator[Event]:
        from kad.core.sockets.audit import plain_totals  # noqa: PLC0415  # memory and boot time
        from kad.core.sockets.tending import sentence  # noqa: PLC0415  # memory and boot time

        self._edge = self._edge or self._make()
        look = self._edge.look(policy.sockets, policy.values)
        self.status = SocketsStatus(plain_totals(look.totals), look.longest_stale_s)
        if policy.mode is Mode.AUDIT:
            return
        tended = self._edge.tend(look)
        self._mending_s = tended.took_s
        self.more = look.more
        failed = self._failed | tended.failed
        if tended.done or tended.failed - self._failed:
            yield Event(Kind.SOCKETS_CHANGED, sentence(tended))
        if tended.done:  # what is there now, not what was
            look = self._edge.look(policy.sockets, policy.values)
            self.status = SocketsStatus(plain_totals(look.totals), look.longest_stale_s)
        self._failed = failed & self._edge.resisted
