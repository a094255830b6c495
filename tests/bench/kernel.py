"""The three sysctls of this network namespace, held open: a reading costs about a microsecond."""

import os
import time

Values = tuple[int, int, int]

NAMES = ("tcp_keepalive_time", "tcp_keepalive_intvl", "tcp_keepalive_probes")
DEFAULTS: Values = (7200, 75, 9)
WANTED: Values = (120, 30, 8)
FOREIGN: Values = (999, 99, 19)
PATIENCE_S = 20.0
# Between two looks at what takes milliseconds: who is measured may have both of two CPUs.
PAUSE_S = 50e-6


class Kernel:
    """What every program here is measured by; times are seconds on the monotonic clock."""

    def __init__(self) -> None:
        self._files = [os.open(f"/proc/sys/net/ipv4/{name}", os.O_RDWR) for name in NAMES]

    def read(self, index: int) -> int:
        """Give one value."""
        return int(os.pread(self._files[index], 16, 0))

    def write(self, index: int, value: int) -> None:
        """Write one value as another program does, which inotify shows."""
        os.pwrite(self._files[index], b"%d\n" % value, 0)

    def set(self, values: tuple[int, ...]) -> None:
        """Write all three."""
        for index, value in enumerate(values):
            self.write(index, value)

    def has(self, values: Values) -> bool:
        """Tell whether all three hold these values."""
        return all(self.read(index) == value for index, value in enumerate(values))

    def until(self, values: Values) -> float:
        """Wait until they hold; give when that was seen."""
        late = time.monotonic() + PATIENCE_S
        while not self.has(values):
            if time.monotonic() > late:
                raise TimeoutError(f"the values did not become {values}")
            time.sleep(PAUSE_S)
        return time.monotonic()

    def heals(self, index: int, value: int, within: float) -> float:
        """Wait, without sleeping, for a value to come back; give when, infinity for not at all."""
        late = time.monotonic() + within
        while time.monotonic() < late:
            if self.read(index) == value:
                return time.monotonic()
        return float("inf")
