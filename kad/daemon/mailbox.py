"""Gather the reasons for which the loop wakes."""

import os
import select
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic

from kad.core.reasons import Reason


class Mailbox:
    """Where signal handlers and threads leave a reason, and the loop waits for one.

    A SimpleQueue, as it is the only primitive whose put() may run in a signal handler while the
    same thread waits in get(): Event.set() and Queue.put() can hang there. But no get() that waits:
    it sleeps over a signal that came in the moment before, until the next one comes. `bell` is a
    pipe, which the signal itself rings: signal.set_wakeup_fd().
    """

    # A file's change comes as several events and is often half done at the first: wait until
    # nothing happened for SETTLE_S, but no longer than PATIENCE_S.
    SETTLE_S = 0.03
    PATIENCE_S = 0.2

    def __init__(self) -> None:
        self._queue: SimpleQueue[Reason] = SimpleQueue()
        self._ear, self.bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._rung = select.poll()
        self._rung.register(self._ear, select.POLLIN)

    def nudge(self, reason: Reason) -> None:
        """Wake the loop; from any thread and from a signal handler."""
        self._queue.put(reason)
        with suppress(BlockingIOError):  # it rings already
            os.write(self.bell, b"\0")

    def wait(self, deadline: float | None) -> set[Reason]:
        """Wait for reasons, until `deadline` on the monotonic clock; give all there are."""
        reasons = self._take(deadline)
        patience = monotonic() + self.PATIENCE_S
        while reasons == {Reason.FILE}:
            more = self._take(min(patience, monotonic() + self.SETTLE_S))
            if not more or monotonic() >= patience:
                return reasons | more
            reasons |= more
        return reasons

    def _take(self, deadline: float | None) -> set[Reason]:
        if self._rung.poll(None if deadline is None else max(0.0, deadline - monotonic()) * 1000):
            # Before the queue is looked at: what is put there later rings anew.
            os.read(self._ear, select.PIPE_BUF)
        reasons = set()
        with suppress(Empty):
            while True:
                reasons.add(self._queue.get_nowait())
        return reasons
