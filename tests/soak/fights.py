"""Count somebody else's changes, so that a soak knows when kad would take them for a fight."""

import time
from collections import deque

from kad.core.contention import LIMIT, WINDOW_S
from kad.core.parameters import Parameter


class Fights:
    """When each parameter was changed; kad saw a change between its write and its line."""

    def __init__(self) -> None:
        self._changes: dict[Parameter, deque[tuple[float, float]]] = {}

    def changed(self, parameter: Parameter, written: float) -> None:
        """Note a change that kad has told by now."""
        changes = self._changes.setdefault(parameter, deque(maxlen=LIMIT))
        changes.append((written, time.monotonic()))

    def forget(self, parameter: Parameter) -> None:
        """Note that kad has let the parameter go, with its history."""
        self._changes.pop(parameter, None)

    def near(self, parameter: Parameter) -> bool:
        """Whether one more change may begin a fight."""
        changes = self._changes.get(parameter)
        if changes is None or len(changes) < LIMIT:
            return False
        return time.monotonic() - changes[0][1] <= WINDOW_S

    def missing(self, parameter: Parameter) -> int:
        """Give how many more changes begin a fight for certain; 0 where time may run out."""
        changes = self._changes.get(parameter, ())
        if any(time.monotonic() - written > WINDOW_S / 2 for written, _ in changes):
            return 0
        return LIMIT + 1 - len(changes)
