"""Tell when somebody else fights for a parameter, so that kad restores it less often."""

from collections import deque

LIMIT = 5
WINDOW_S = 60.0
LONGEST_PAUSE_S = 60.0
# Whoever changes it more seldom than this begins no fight.
STANDS_S = WINDOW_S / LIMIT


class Contention:
    """The foreign changes of one parameter in one namespace; times are seconds, never backwards.

    More than LIMIT changes within WINDOW_S begin it. From then on each restoring write waits for a
    pause of 1 s that doubles with every further one. WINDOW_S without a change end it, of which the
    policy's value has stood STANDS_S: who writes the same again and again is not seen in a pause.
    """

    def __init__(self) -> None:
        self._changes: deque[float] = deque(maxlen=LIMIT + 1)
        self._pause = 0.0
        self._not_before = 0.0
        self._changed_at = 0.0
        self._settled_at = 0.0
        self._waiting = False
        self._failing = False

    @property
    def active(self) -> bool:
        """Whether the parameter is contended."""
        return self._pause > 0

    def changed(self, now: float) -> None:
        """Count a change that somebody else made."""
        self._changes.append(now)
        self._changed_at, self._failing = now, False
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
            self._settled_at = now

    def failed(self, now: float) -> None:
        """Note that the write after the pause failed; it waits for another, longer pause."""
        if self._waiting:
            self._failing = True
            self._wait(now, min(self._pause * 2, LONGEST_PAUSE_S))

    def calm(self, now: float) -> None:
        """End it where a window went by without a change.

        A pause is no calm: only kad's own failing makes it one.
        """
        if self._waiting:
            ended = self._failing and now >= self._changed_at + WINDOW_S
        else:
            ended = now >= self._calm_at
        if self.active and ended:
            self._pause, self._waiting = 0.0, False
            self._changes.clear()

    @property
    def deadline(self) -> float | None:
        """When something is to be done though nobody wakes kad; None for never."""
        if not self.active:
            return None
        return self._not_before if self._waiting else self._calm_at

    @property
    def _calm_at(self) -> float:
        return max(self._changed_at + WINDOW_S, self._settled_at + STANDS_S)
