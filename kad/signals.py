"""Turn signals into reasons for the loop."""

import signal
from collections.abc import Callable

from kad.core.reasons import Reason

_REASONS: dict[int, Reason] = {
    signal.SIGTERM: Reason.STOP,
    signal.SIGINT: Reason.STOP,
    signal.SIGHUP: Reason.RELOAD,
}


def install(nudge: Callable[[Reason], None], wakeup: int) -> Callable[[], bool]:
    """Call `nudge`, in the main thread and at any point of it, for each signal of the daemon.

    `wakeup` can be read then: a signal that comes just before the loop begins to wait is not
    handled until something ends the wait. What is given tells whether one was to stop.
    """
    heard = set()

    def hear(number: int, _: object) -> None:
        heard.add(_REASONS[number])
        nudge(_REASONS[number])

    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    for number in _REASONS:
        signal.signal(number, hear)
    return lambda: Reason.STOP in heard
