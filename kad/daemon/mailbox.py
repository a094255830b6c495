"""Gather the reasons for which the loop wakes."""

import os
import select
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import ceil
from time import monotonic
from typing import NamedTuple

from kad.core.reasons import READS_FILE, Reason

# What comes as several events: an editor's steps, a container's mounts and links.
_BURSTS = {Reason.FILE, Reason.NAMESPACES}


class _Source(NamedTuple):
    """A descriptor that the loop waits for, with when it woke the loop of late."""

    take: Callable[[], Reason]
    woke: deque[float]
    events: int


class Mailbox:
    """Where signal handlers and threads leave a reason, and the loop waits for one.

    Nothing here blocks or takes a lock, so that a handler may run at any point of it.
    """

    # A file's change comes as several events and is often half done at the first: wait until
    # nothing happened for SETTLE_S, but no longer than PATIENCE_S.
    SETTLE_S = 0.03
    PATIENCE_S = 0.2
    # A descriptor that wakes the loop BURST times within a second is left alone for REST_S: who
    # writes in a loop, or fights, must not keep kad busy.
    BURST = 10
    REST_S = 0.1

    def __init__(self) -> None:
        self._reasons: deque[Reason] = deque()
        self._woken, self.wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._woken, select.POLLIN)
        self._sources: dict[int, _Source] = {}
        self._resting: dict[int, float] = {}
        # The bursts that go on: when the first was heard of each, and the last.
        self._bursts: dict[Reason, tuple[float, float]] = {}

    def nudge(self, reason: Reason) -> None:
        """Wake the loop; from any thread and from a signal handler."""
        self._reasons.append(reason)
        with suppress(BlockingIOError):  # so full that the loop will wake
            os.write(self.wakeup, b"\0")

    def listen(
        self, descriptor: int, take: Callable[[], Reason], events: int = select.POLLIN
    ) -> None:
        """Wake the loop too on the poll(2) events; `take` reads what there is to be read."""
        self._sources[descriptor] = _Source(take, deque(maxlen=self.BURST), events)
        self._poll.register(descriptor, events)

    def ignore(self, descriptor: int) -> None:
        """Wait for it no more; to be called before it is closed."""
        del self._sources[descriptor]
        if self._resting.pop(descriptor, None) is None:
            self._poll.unregister(descriptor)

    def wait(self, deadline: float | None) -> set[Reason]:
        """Wait for reasons, until `deadline` on the monotonic clock; give all there are.

        What comes as a burst is left until it is over, and does not hold up anything else.
        """
        while True:
            heard = self._take(min((*self._ends(), *_known(deadline)), default=None))
            now = monotonic()
            for reason in heard & _BURSTS:
                first, _ = self._bursts.get(reason, (now, now))
                self._bursts[reason] = (first, now)
            given = heard - _BURSTS
            # What reads the file looks at all that a burst is about.
            ended = [each for each in self._bursts if given & READS_FILE or self._end(each) <= now]
            for reason in ended:
                del self._bursts[reason]
            if given or ended or (deadline is not None and now >= deadline):
                return given | set(ended)

    def _ends(self) -> Iterator[float]:
        return (self._end(reason) for reason in self._bursts)

    def _end(self, reason: Reason) -> float:
        """When a burst counts as over."""
        first, last = self._bursts[reason]
        return min(last + self.SETTLE_S, first + self.PATIENCE_S)

    def _take(self, deadline: float | None) -> set[Reason]:
        while True:
            ends = [each for each in (deadline, *self._resting.values()) if each is not None]
            reasons = self._heard(min(ends, default=None))
            if reasons or (deadline is not None and monotonic() >= deadline):
                return reasons
            self._wake_rested()

    def _heard(self, until: float | None) -> set[Reason]:
        timeout = None if until is None else max(0, ceil((until - monotonic()) * 1000))
        reasons = set()
        for descriptor, _ in self._poll.poll(timeout):
            if descriptor == self._woken:
                os.read(self._woken, 4096)
            else:
                reasons.add(self._taken(descriptor))
        while self._reasons:
            reasons.add(self._reasons.popleft())
        return reasons

    def _taken(self, descriptor: int) -> Reason:
        source = self._sources[descriptor]
        now = monotonic()
        source.woke.append(now)
        if len(source.woke) == self.BURST and now - source.woke[0] < 1:
            self._poll.unregister(descriptor)
            self._resting[descriptor] = now + self.REST_S
        return source.take()

    def _wake_rested(self) -> None:
        for descriptor, until in tuple(self._resting.items()):
            if monotonic() >= until:
                del self._resting[descriptor]
                self._poll.register(descriptor, self._sources[descriptor].events)


def _known(deadline: float | None) -> tuple[float, ...]:
    return () if deadline is None else (deadline,)
