"""Say how often a property is tried, and how long a single try may take."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hypothesis import HealthCheck, settings

HANG_S = 60  # generous, so that a busy machine is no hang


def tries(usual: int) -> settings:
    """Try so often in the usual run, and longer in longer ones."""
    slow = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
    return settings(max_examples=usual * settings().max_examples // 100, suppress_health_check=slow)


@contextmanager
def no_hang() -> Iterator[None]:
    """Turn a hang of one try into a failure."""

    def fail(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"hung for {HANG_S} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(HANG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
