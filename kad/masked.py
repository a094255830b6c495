"""Hold signals off for a while."""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_FOR_THE_LOOP = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}
# What a terminal, systemd, another program or a timer may send. Not valid_signals(): Python takes
# 0.1 ms for all of them.
_USUAL = {
    *_FOR_THE_LOOP,
    *(signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGABRT),
    *(signal.SIGPIPE, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2),
}


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Hold the daemon's signals off, to which each thread and process started here is born deaf.

    The kernel may hand a signal to any thread that takes it; the main thread would go on waiting.
    And a terminal, or systemd, sends it to each process of kad's.
    """
    with _blocked(_FOR_THE_LOOP):
        yield


@contextmanager
def all_signals_blocked() -> Iterator[None]:
    """Hold off all that may come and can be held off, for what must not be left half done."""
    with _blocked(_USUAL):
        yield


@contextmanager
def _blocked(signals: Iterable[int]) -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        # Here, as the handler of one that came just before may raise, in a command, from within.
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
