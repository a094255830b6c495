"""The daemons as systemd runs them: their start, and what their processes take."""

import subprocess
import time
from pathlib import Path

from tests.bench.kernel import DEFAULTS, WANTED, Kernel

RUNNING = ("kad.service", "tuned.service")
SANDBOX = "kad-sandbox.service"
# Lines of kad.service that are about kad, and not about what it may do.
OF_KAD = ("Type=", "Exec", "Watchdog", "Restart", "RuntimeDirectory", "Timeout")


def systemctl(*arguments: str) -> str:
    """Run systemctl, which must succeed."""
    command = ("systemctl", *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def show(unit: str, name: str) -> int:
    """Give a number among a unit's properties."""
    return int(systemctl("show", "--value", "-p", name, unit))


def give_sandbox() -> None:
    """Make a unit that runs /bin/true under all that restricts kad."""
    lines = systemctl("cat", "kad.service").splitlines()
    kept = "\n".join(line for line in lines if not line.startswith(OF_KAD))
    # Without the second line systemd forgets a unit that has ended, and its times.
    once = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
    path = Path("/run/systemd/system", SANDBOX)
    path.write_text(kept.replace("[Service]\n", once), encoding="utf-8")
    systemctl("daemon-reload")


def forget_starts() -> None:
    """Have systemd forget how often units were started: so many starts are over their limit."""
    systemctl("reset-failed")


def stop_all() -> None:
    """Stop both daemons."""
    systemctl("stop", *RUNNING)
    forget_starts()


def start(kernel: Kernel, unit: str) -> float:
    """Start a daemon alone, from the kernel's defaults; give when its values were there."""
    stop_all()
    kernel.set(DEFAULTS)
    systemctl("start", "--no-block", unit)
    there = kernel.until(WANTED)
    systemctl("start", unit)  # returns when it is active
    return there


def start_ms(kernel: Kernel, unit: str) -> tuple[float, float]:
    """Give the times from systemd's fork to the values in the kernel, and to the active unit."""
    there = start(kernel, unit)
    began = show(unit, "ExecMainStartTimestampMonotonic")
    active = show(unit, "ActiveEnterTimestampMonotonic")
    return there * 1000 - began / 1000, (active - began) / 1000


def sandbox_ms() -> float:
    """Give the time from fork to exit of a program that does nothing in kad's sandbox."""
    systemctl("restart", SANDBOX)
    began = show(SANDBOX, "ExecMainStartTimestampMonotonic")
    return (show(SANDBOX, "ExecMainExitTimestampMonotonic") - began) / 1000


class Process:
    """The main process of a unit that runs."""

    def __init__(self, unit: str) -> None:
        self._directory = Path(f"/proc/{show(unit, 'MainPID')}")

    def memory_mb(self) -> tuple[float, float]:
        """Give resident and proportional memory."""
        rollup = self._directory / "smaps_rollup"
        return field(rollup, "Rss") / 1024, field(rollup, "Pss") / 1024

    def wakeups(self) -> int:
        """Count how often its threads have gone to sleep."""
        return sum(field(each / "status", "voluntary_ctxt_switches") for each in self._threads())

    def cpu_ms(self) -> float:
        """Give the time that its threads have run."""
        texts = ((each / "schedstat").read_text(encoding="ascii") for each in self._threads())
        return sum(int(text.split()[0]) for text in texts) / 1e6

    def _threads(self) -> list[Path]:
        return list((self._directory / "task").iterdir())

    def at_rest(self, seconds: float) -> tuple[float, float]:
        """Watch it; give its wakeups per second, and its share of a CPU in per cent."""
        wakeups, cpu, began = self.wakeups(), self.cpu_ms(), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        return (self.wakeups() - wakeups) / took, (self.cpu_ms() - cpu) / took / 10


def field(path: Path, name: str) -> int:
    """Give the number behind `NAME:` in a file of /proc."""
    text = path.read_text(encoding="utf-8")
    return int(text.split(f"\n{name}:")[1].split()[0])
