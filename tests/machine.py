"""A Debian that boots: systemd as PID 1, a network namespace of its own, kad installed.

Values are read by a process outside of every unit's sandbox, in the machine's network namespace.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Self

from kad.core.parameters import Parameter
from tests.debian import (
    CHECKOUT,
    OFFLINE,
    Machine,
    debian_tarball,
    fetch_wheels,
    machine_on,
    own_codename,
)

# Where root is this machine's own /, the layers above it must not lie in it.
MEMORY = Path("/dev/shm")  # noqa: S108
PATIENCE_S = 30.0
STOP_S = 10.0
PACKAGES = ("systemd", "systemd-sysv", "dbus", "passwd", "procps", "python3-venv")
# What the package for Debian 13 depends on: a machine has no network to get it by.
MODULES = ("python3-pydantic", "python3-sdnotify", "python3-watchdog", "python3-yaml")
# The tests start what they need; a machine's own jobs, at any hour, are not among it.
MASKED = ("docker.socket", "timers.target")
ENVIRONMENT = {
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    **OFFLINE,
}
_numbers = count()


@contextmanager
def base(codename: str, *packages: str) -> Iterator[Path]:
    """Give a root of the release: this machine's own, or one with more packages, for a while."""
    if codename == own_codename():
        yield Path("/")
        return
    tarball = debian_tarball(codename, *PACKAGES, *packages)
    with tempfile.TemporaryDirectory(prefix="kad-debian-") as root:
        subprocess.run(["/usr/bin/tar", "-xf", tarball, "-C", root], check=True, timeout=300)
        yield Path(root)


@contextmanager
def bootable(root: Path) -> Iterator[Machine]:
    """Give a machine that boots fast, as it starts nothing that the tests do not need."""
    units = "/etc/systemd/system"
    links = "; ".join(f"ln -sf /dev/null {units}/{name}" for name in MASKED)
    quick = f"{links}; ln -sf /lib/systemd/system/basic.target {units}/default.target"
    # An image for containers has policy-rc.d: it forbids packages to start services. Somebody may
    # have tried kad here, and podman's services are wanted by whatever is the default target.
    alien = "/etc/machine-id /etc/fstab /var/log/journal /usr/sbin/policy-rc.d"
    alien += f" {units}/default.target.wants /etc/kad /opt/kad /var/lib/kad"
    with machine_on(root, directory=MEMORY) as machine:
        machine.told(f"{quick}; rm -rf {alien}; systemd-machine-id-setup")
        yield machine


@contextmanager
def install(root: Path) -> Iterator[Machine]:
    """Install kad over the network on a machine that can boot.

    The packages stay at hand, so that a machine can install kad again.
    """
    with bootable(root) as machine:
        done = machine.sh("/checkout/packaging/install", online=True)
        assert done.returncode == 0, done.stdout + done.stderr
        fetch_wheels(machine)
        yield machine


class Booted:
    """A machine on top of one that has kad; at the end of its `with` it is off, its disk gone."""

    def __init__(self, machine: Machine) -> None:
        self._disk = machine.copy()
        self._layers = ":".join(map(str, self._disk.layers))
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self.name = f"kad-test-{os.getpid()}-{next(_numbers)}"
        self.console = self._disk.layers[0].parent / "console"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._disk:
            if self._process is not None:
                self.off()

    # The disk

    def path(self, path: str) -> Path:
        """Give a file of the machine as it lies in its layer; written while it is off only."""
        return self._disk.layers[0] / path.lstrip("/")

    def write(self, path: str, text: str) -> None:
        """Put a file in place, with rename when the machine runs."""
        if not self._leader:
            file = self.path(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            file.chmod(0o644)
            return
        script = f"mkdir -p {Path(path).parent}; cat >{path}.new; mv {path}.new {path}"
        self.told("sh", "-c", script, stdin=text)

    def drop_in(self, unit: str, text: str, name: str = "test") -> None:
        """Change a unit; where the machine runs, after a daemon-reload."""
        self.write(f"/etc/systemd/system/{unit}.d/{name}.conf", text)

    # On and off

    def boot(self, *, wait: bool = True) -> None:
        """Boot and, where it is wanted, wait until systemd has nothing more to start."""
        self._start()
        if wait:
            self.run("systemctl", "is-system-running", "--wait")

    def reboot(self) -> None:
        """Shut down, and boot from the same disk."""
        self.off()
        self.boot()

    def _start(self) -> None:
        work = self._disk.layers[0].parent / f"boot-{next(_numbers)}"
        work.mkdir()
        script = CHECKOUT / "tests/boot-machine"
        options = map(str, (script, self._layers, work, self.name, CHECKOUT))
        # Nothing of a machine outlives the tests, however they end.
        mortal = ["/usr/bin/setpriv", "--pdeathsig", "KILL"]
        command = [*mortal, "/usr/bin/unshare", "--mount", *options]
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )
        self._wait(self._find_leader, "the machine did not start")
        self._wait(lambda: self._state() not in {"", "offline"}, "systemd does not answer")

    def _state(self) -> str:
        return self.run("systemctl", "is-system-running").stdout.strip()

    def _find_leader(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.console.read_text(encoding="utf-8")
        for pid in _children(self._process.pid):
            with suppress(OSError):
                status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
                lines = dict(line.split(":\t", 1) for line in status.splitlines())
                if lines["Name"] == "systemd" and lines["NSpid"].split()[1:] == ["1"]:
                    self._leader = pid
        return bool(self._leader)

    def off(self) -> None:
        """Shut it down as its console's power key would; kill it where it does not end."""
        assert self._process is not None
        if self._leader:
            with suppress(ProcessLookupError):
                os.kill(self._leader, signal.SIGRTMIN + 4)
        else:  # no systemd to ask yet; and 0 would be the group of these tests
            self._process.kill()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.kill(self._leader or self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_S)
        self._leader, self._process = 0, None
        self._wait(self._remove_cgroups, "a process of the machine is left")

    # Inside

    def inside(self, *command: object) -> list[str]:
        """Give the command line that runs a command in the machine, outside of every unit."""
        spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"]
        return ["/usr/bin/nsenter", "--target", str(self._leader), *spaces, *map(str, command)]

    def run(self, *command: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.inside(*command),
            env=ENVIRONMENT,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def told(self, *command: object, stdin: str = "") -> str:
        """Run a command, which must succeed, and give what it printed."""
        done = self.run(*command, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def values(self) -> list[int]:
        """Give time, intvl and probes."""
        paths = [f"/proc/sys/{parameter.replace('.', '/')}" for parameter in Parameter]
        return [int(value) for value in self.told("cat", *paths).split()]

    def show(self, name: str, unit: str = "kad.service") -> str:
        """Give one property of a unit."""
        return self.told("systemctl", "show", "--value", "-p", name, unit).strip()

    def journal(self, *matches: str) -> list[dict[str, str]]:
        """Give the entries of this boot that match."""
        self.told("journalctl", "--sync")
        lines = self.told("journalctl", "-b", "-o", "json", *matches).splitlines()
        return [json.loads(line) for line in lines]

    def _remove_cgroups(self) -> bool:
        """Remove the cgroups that the ended machine left; say whether all are gone.

        What is in them had no systemd yet to end it, and does not end with the launcher.
        """
        tops = [Path("/sys/fs/cgroup", each, self.name) for each in ("", "unified", "systemd")]
        for top in tops:
            if (top / "cgroup.kill").exists():
                (top / "cgroup.kill").write_text("1", encoding="ascii")
            for folder, _, _ in os.walk(top, topdown=False):
                with suppress(OSError):
                    os.rmdir(folder)
        return not any(top.exists() for top in tops)

    def _wait(self, holds: Callable[[], object], why: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < until, why + self.console.read_text(encoding="utf-8")
            time.sleep(0.005)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in text.split()]
