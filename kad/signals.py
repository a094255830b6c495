"""Turn signals into reasons for the loop."""

import signal
from collections.abc import Callable

from kad.core.reasons import Reason

_REASONS = {
    signal.SIGTERM: Reason.STOP,
    signal.SIGINT: Reason.STOP,
    signal.SIGHUP: Reason.RELOAD,
}


def install(nudge: Callable[[Reason], None]) -> None:
    """Call `nudge`, in the main thread and at any point of it, for each signal of the daemon."""
    for number, reason in _REASONS.items():
        signal.signal(number, lambda *_, reason=reason: nudge(reason))
