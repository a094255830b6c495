"""Keep signals for the main thread, where Python runs their handlers."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_FOR_THE_LOOP = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Have every thread and process that is started here be born deaf to the daemon's signals.

    The kernel may hand a signal to any thread that takes it; the main thread would go on waiting.
    And a terminal, or systemd, sends it to each process of kad's.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_LOOP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
