"""The programs that are compared, each with its own way to be told the three values."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.kernel import DEFAULTS, NAMES, WANTED, Kernel, Values

KAD_POLICY = "[keepalive]\ntime = {}\nintvl = {}\nprobes = {}\n"
SYSCTLS = "".join(f"net.ipv4.{name} = {{}}\n" for name in NAMES)
PROFILE = "[main]\nsummary=The same three values\n[sysctl]\n" + SYSCTLS
WRITES = "; ".join(
    f"open('/proc/sys/net/ipv4/{name}', 'w').write('{value}')"
    for name, value in zip(NAMES, WANTED, strict=True)
)
ENDS_S = 3.0
# Apart from the service's own, which belong to its user.
KAD_PLACES = {"RUNTIME_DIRECTORY": "/run/kad-bench", "STATE_DIRECTORY": "/var/lib/kad-bench"}


class Rival(NamedTuple):
    """A program: where its configuration lies, what starts it, and what has it read a new one."""

    name: str
    unit: str
    start: tuple[str, ...]
    files: tuple[str, ...] = ()
    text: str = ""
    adopt: tuple[str, ...] = ()

    def save(self, values: Values) -> None:
        """Save a configuration as an editor does: a new file, renamed over the old one."""
        for name in self.files:
            new = Path(f"{name}.new")
            new.write_text(self.text.format(*values), encoding="ascii")
            new.replace(name)

    @contextmanager
    def told(self, values: Values) -> Iterator[None]:
        """Have its configuration in place; for that time only, as others would read it too."""
        self.save(values)
        yield
        for name in self.files:
            os.unlink(name)


KAD = Rival(
    name="kad",
    unit="kad.service",
    start=("/opt/kad/bin/kad", "run"),
    files=("/etc/kad/policy.toml",),
    text=KAD_POLICY,
)
COLD = KAD._replace(name="kad, cold")
TUNED = Rival(
    name="TuneD",
    unit="tuned.service",
    start=("/usr/sbin/tuned", "-l", "-P"),  # as in its unit
    files=("/etc/tuned/same/tuned.conf", "/etc/tuned/profiles/same/tuned.conf"),
    text=PROFILE,
    adopt=("tuned-adm", "profile", "same"),
)
SYSTEMD = Rival(
    name="systemd-sysctl",
    unit="systemd-sysctl.service",
    start=("/usr/lib/systemd/systemd-sysctl",),
    files=("/etc/sysctl.d/99-same.conf",),
    text=SYSCTLS,
    adopt=("systemctl", "restart", "systemd-sysctl"),
)
PROCPS = SYSTEMD._replace(
    name="sysctl --system", start=("sysctl", "--system"), adopt=("sysctl", "--system")
)
PYTHON = Rival(name="bare python", unit="", start=(sys.executable, "-I", "-c", WRITES))


def set_up() -> None:
    """Make the directories, and TuneD's choice of the profile."""
    for file in (*KAD.files, *TUNED.files, *SYSTEMD.files):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    for place in KAD_PLACES.values():
        Path(place).mkdir(exist_ok=True)
    Path("/etc/tuned/active_profile").write_text("same\n", encoding="ascii")
    Path("/etc/tuned/profile_mode").write_text("manual\n", encoding="ascii")


def quiet(*command: str) -> "subprocess.Popen[bytes]":
    """Start a command that says nothing here."""
    return subprocess.Popen(
        command,
        env=os.environ | KAD_PLACES,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def forget() -> None:
    """Take away what the bare kad kept of former starts."""
    for path in Path(KAD_PLACES["STATE_DIRECTORY"]).iterdir():
        path.unlink()


def start_ms(kernel: Kernel, rival: Rival) -> float:
    """Give the time from the exec of the bare program to its values in the kernel."""
    kernel.set(DEFAULTS)
    with rival.told(WANTED):
        began = time.monotonic()
        process = quiet(*rival.start)
        took = (kernel.until(WANTED) - began) * 1000
        end(process)
    return took


def end(process: "subprocess.Popen[bytes]") -> None:
    """Have a program end that may be starting still: TuneD then misses the signal now and then."""
    process.terminate()
    try:
        process.wait(ENDS_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def edit_ms(kernel: Kernel, rival: Rival, values: Values) -> float:
    """Give the time from a saved configuration to its values in the kernel."""
    began = time.monotonic()
    rival.save(values)
    process = quiet(*rival.adopt) if rival.adopt else None
    took = (kernel.until(values) - began) * 1000
    if process is not None:
        process.wait()
    return took
