"""See all that a daemon says and holds, in little time."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.netns import PATIENCE_S, Daemon, Machine

# The operations wait for milliseconds, and are many.
_POLL_S = 0.0005
# So often in a row the same is seen of a daemon at rest.
_LOOKS = 50


class Footprint(NamedTuple):
    """What a process holds; children are its main thread's."""

    rss_kb: int
    descriptors: int
    threads: int
    children: int

    @property
    def held(self) -> int:
        """Sum up what can be counted."""
        return self.descriptors + self.threads + self.children


class Witness:
    """Reads a daemon's log from where it was read last, and its state file."""

    def __init__(self, machine: Machine, daemon: Daemon) -> None:
        self._machine, self._daemon = machine, daemon
        self._pid = daemon.pid
        self._log = daemon.log.open(encoding="utf-8")
        self._part = ""
        self._read: list[str] = []
        self.generation = 0
        self.lines = 0

    def close(self) -> None:
        """Read no more."""
        self._log.close()

    def expect(self, lines: list[str]) -> None:
        """Wait for as many lines as are expected, and compare; fail where any other came."""
        self._wait(lambda: len(self._unread()) >= len(lines), lines)
        assert self._read == lines, f"expected {lines}, kad logged {self._read}"
        self.lines += len(lines)
        self._read = []

    def _unread(self) -> list[str]:
        *whole, self._part = (self._part + self._log.read()).split("\n")
        self._read += whole
        return self._read

    def hang_up(self, lines: list[str]) -> None:
        """Send SIGHUP; at the answer exactly these lines must be logged."""
        os.kill(self._pid, signal.SIGHUP)
        self.answered(lines)

    def answered(self, lines: list[str]) -> None:
        """Wait for the answer to one more SIGHUP, and compare what was logged until then."""
        self.generation += 1
        self._wait(lambda: self._machine.state_file()["generation"] == self.generation, lines)
        self.expect(lines)

    def state(self) -> dict[str, object]:
        """Give what the state file says, in the oracle's words."""
        found = self._machine.state_file()
        return {
            "state": found["state"],
            "mode": found["mode"],
            "mistaken": found["policy"]["error"] is not None,
            "reload": found["reload"]["outcome"],
            "drifts": found["drift"]["count"],
            "parameters": found["namespaces"][0]["parameters"],
        }

    def _wait(self, holds: Callable[[], bool], lines: list[str]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not holds():
            assert self._daemon.process.poll() is None, f"kad ended, having logged {self._read}"
            assert time.monotonic() < until, f"expected {lines}, kad logged {self._unread()}"
            time.sleep(_POLL_S)
        # What nobody reads would fill the socket that systemd has.
        self._daemon.heard().clear()

    def at_rest(self) -> Footprint:
        """Measure when nothing comes and goes for some looks in a row."""
        looks = [self.footprint()]
        while len(looks) < _LOOKS:
            time.sleep(_POLL_S)
            look = self.footprint()
            looks = [*looks, look] if look.held == looks[0].held else [look]
        return looks[-1]

    def footprint(self) -> Footprint:
        """Measure the daemon as it is now."""
        process = Path(f"/proc/{self._pid}")
        words = (process / "status").read_text(encoding="ascii").split()
        return Footprint(
            rss_kb=int(words[words.index("VmRSS:") + 1]),
            descriptors=len(list((process / "fd").iterdir())),
            threads=int(words[words.index("Threads:") + 1]),
            children=len((process / f"task/{self._pid}/children").read_text("ascii").split()),
        )
