"""Another program that changes the values: how soon they are back, and what a fight costs."""

import random
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread

from tests.bench.kernel import FOREIGN, NAMES, WANTED, Kernel
from tests.bench.rivals import KAD, Rival
from tests.bench.units import Process, start

# kad restores one that is changed more often within a minute after a pause.
CHANGES_EACH = 5
# So long apart kad has come to rest, and does not count as woken without end.
APART_S = (0.25, 0.35)
NEVER_S = 40.0  # longer than kad's timer
SETTLED_S = 3.0


def restored_ms(kernel: Kernel, runs: int) -> list[float]:
    """Give the times from foreign writes to kad's, which is started anew again and again."""
    found: list[float] = []
    while len(found) < runs:
        start(kernel, KAD.unit)
        time.sleep(SETTLED_S)
        found += list(_one_life(kernel))
    return found[:runs]


def _one_life(kernel: Kernel) -> Iterator[float]:
    for turn in range(CHANGES_EACH * len(NAMES)):
        time.sleep(random.uniform(*APART_S))  # noqa: S311
        index = turn % len(NAMES)
        began = time.monotonic()
        kernel.write(index, FOREIGN[index])
        yield (kernel.heals(index, WANTED[index], NEVER_S) - began) * 1000


def left_ms(kernel: Kernel, rival: Rival) -> float:
    """Write one value beside a daemon that ought not to notice; infinity where it did not."""
    start(kernel, rival.unit)
    time.sleep(SETTLED_S)
    kernel.write(0, FOREIGN[0])
    began = time.monotonic()
    while time.monotonic() < began + NEVER_S:
        if kernel.read(0) != FOREIGN[0]:
            return (time.monotonic() - began) * 1000
        time.sleep(0.1)
    return float("inf")


def write_back(kernel: Kernel, ended: Event) -> None:
    """Write a value whenever it is another, as an enforcer does."""
    while not ended.is_set():
        if kernel.read(0) != FOREIGN[0]:
            kernel.write(0, FOREIGN[0])
        time.sleep(0)


def write_blindly(kernel: Kernel, ended: Event) -> None:
    """Write a value in a loop, whatever it is."""
    while not ended.is_set():
        kernel.write(0, FOREIGN[0])


def cpu_during(
    kernel: Kernel, stranger: Callable[[Kernel, Event], None], seconds: float = 10
) -> float:
    """Give kad's share of a CPU, in per cent, while a stranger is at work."""
    start(kernel, KAD.unit)
    time.sleep(SETTLED_S)
    ended = Event()
    thread = Thread(target=stranger, args=(kernel, ended))
    thread.start()
    _, cpu = Process(KAD.unit).at_rest(seconds)
    ended.set()
    thread.join()
    return cpu
