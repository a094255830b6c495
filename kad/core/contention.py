"""Tell when somebody else fights for a parameter, so that kad restores it less often."""

from collections import deque

LIMIT = 5
WINDOW_S = 60.0
LONGEST_PAUSE_S = 60.0


class Contention:
    """The foreign changes of one parameter in one namespace; times are seconds, never backwards.

    More than LIMIT changes within WINDOW_S begin it. From then on each restoring write waits for a
    pause of 1 s that doubles with every further one. WINDOW_S without a change while the policy's
    value stands end it.
    """

    def __init__(self) -> None:
        self._changes: deque[float] = deque(maxlen=LIMIT + 1)
        self._pause = 0.0
        self._not_before = 0.0
        self._quiet_since = 0.0
        self._waiting = False
        self._failing = False

    @property
    def active(self) -> bool:
        """Whether the parameter is contended."""
        return self._pause > 0

    def changed(self, now: float) -> None:
        """Count a change that somebody else made."""
        self._changes.append(now)
        self._quiet_since, self._failing = now, False
        if self.active:
            if not self._waiting:
                self._wait(now, min(self._pause * 2, LONGEST_PAUSE_S))
        elif len(self._changes) > LIMIT and now - self._changes[0] <= WINDOW_S:
            self._wait(now, 1.0)

    def _wait(self, now: float, pause: float) -> None:
        self._pause = pause
        self._not_before = now + pause
        self._waiting = True

    def defers(self, now: float) -> bool:
        """Whether a restoring write has to wait."""
        return self._waiting and now < self._not_before

    def settled(self, now: float) -> None:
        """Note that nothing is left to be written: it was, or kad was told to leave it."""
        if self._waiting:
            self._waiting = False
            self._quiet_since = now

    def failed(self, now: float) -> None:
        """Note that the write after the pause failed; it waits for another, longer pause."""
        if self._waiting:
            self._failing = True
            self._wait(now, min(self._pause * 2, LONGEST_PAUSE_S))

    def calm(self, now: float) -> None:
        """End it where a window went by without a change.

        A pause is no calm: only kad's own failing makes it one.
        """
        quiet = now - self._quiet_since >= WINDOW_S
        if self.active and quiet and (self._failing or not self._waiting):
            self._pause, self._waiting = 0.0, False
            self._changes.clear()

    @property
    def deadline(self) -> float | None:
        """When something is to be done though nobody wakes kad; None for never."""
        if not self.active:
            return None
        return self._not_before if self._waiting else self._quiet_since + WINDOW_S
