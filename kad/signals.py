"""Turn signals into reasons for the loop."""

import signal
from collections.abc import Callable

from kad.core.reasons import Reason

_REASONS = {
    signal.SIGTERM: Reason.STOP,
    signal.SIGINT: Reason.STOP,
    signal.SIGHUP: Reason.RELOAD,
}


def install(nudge: Callable[[Reason], None], bell: int) -> None:
    """Call `nudge`, in the main thread and at any point of it, for each signal of the daemon.

    `bell` is a descriptor that each is written to at once, before Python comes to call anything.
    """
    signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
    for number, reason in _REASONS.items():
        signal.signal(number, lambda *_, reason=reason: nudge(reason))
