"""One machine on which a fault happens, seen from where the fault does not reach."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from kad.core.parameters import Parameter
from tests.kernel.conftest import POLICY
from tests.netns import KAD, Daemon, Machine, wait_until

WANTED = (120, 30, 8)
DEFAULTS = (7200, 75, 9)
EVERY_SECOND = POLICY.replace("1d", "1s")
OTHER_POLICY = EVERY_SECOND.replace("2min", "90s").replace("30s", "20s").replace("8", "10")
# A second procfs: what hides the first one does not hide it. Drift is made and seen there; no event
# tells kad of it.
PROC = "/run/other-proc"
_FILES = tuple(f"{PROC}/sys/{each.replace('.', '/')}" for each in Parameter)


class Scene:
    """A machine, and the daemon on it once there is one.

    The runtime and the state directory are filesystems of their own, so that they can be full.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.policy = machine.policy = machine.directory / "etc/policy.toml"
        self.run_directory = machine.directory / "run"
        self.state_directory = machine.state
        self.daemon: Daemon | None = None
        self.log = machine.directory / "stderr"
        # Whether systemd's socket is left as it is, which is else read all the time.
        self.deaf = False
        self.run_directory.mkdir()
        for name in ("etc.1", "etc.2"):
            (machine.directory / name).mkdir()
            self.turn_to(name)
            machine.write_policy(EVERY_SECOND)
        for directory in (self.run_directory, self.state_directory):
            self.must("mount", "-t", "tmpfs", "-o", "size=32k,mode=777", "tmpfs", directory)
        self.must("mkdir", PROC)
        self.must("mount", "-t", "proc", "proc", PROC)

    def turn_to(self, name: str) -> None:
        """Have the policy's directory be another one: it is a symbolic link."""
        aside = self.machine.directory / "etc.new"
        aside.symlink_to(name)
        aside.rename(self.machine.directory / "etc")

    def must(self, *command: object) -> str:
        """Run a command in the machine that has to succeed; give what it prints."""
        done = self.machine.run(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def seen(self, path: object) -> Path:
        """Give the path by which a file of the machine is reached from outside."""
        return Path(f"{self.machine.root}{path}")

    def limit(self, *limits: str) -> None:
        """Set limits of the running daemon: prlimit(1)."""
        pid = self.running.pid
        owner = str(os.stat(f"/proc/{pid}").st_uid)
        # Another's limits take CAP_SYS_RESOURCE, which root in a container may lack.
        user = ["setpriv", "--reuid", owner, "--regid", owner, "--clear-groups"]
        subprocess.run([*user, "prlimit", "--pid", str(pid), *limits], check=True, timeout=60)

    @property
    def running(self) -> Daemon:
        """Give the daemon, where there has to be one."""
        assert self.daemon is not None
        return self.daemon

    def values(self) -> tuple[int, ...]:
        """Give time, intvl and probes as the kernel has them."""
        return tuple(int(line) for line in self.must("cat", *_FILES).split())

    def drift(self, seconds: int) -> None:
        """Set the time behind kad's back."""
        self.must("sh", "-c", f"echo {seconds} > {_FILES[0]}")

    def sentences(self, lines: Sequence[str]) -> list[str]:
        """Give a row's lines as they read on this machine."""
        names = {"policy": self.policy, "run": self.run_directory, "state": self.state_directory}
        notify = self.daemon.notify_socket if self.daemon else ""
        return [line.format(**names, notify=notify, pid=self._pid_inside()) for line in lines]

    def _pid_inside(self) -> int:
        """Give the daemon's pid as its machine has it; 0 where none runs."""
        if self.daemon is None:
            return 0
        status = Path(f"/proc/{self.daemon.pid}/status").read_text("ascii").splitlines()
        return int(next(line for line in status if line.startswith("NSpid")).split()[-1])

    def status(self) -> subprocess.CompletedProcess[str]:
        """Run `kad status`."""
        return self.machine.kad("status", "--policy", self.policy)

    def start_once(self) -> None:
        """Run a daemon until it has kept its policy; then all is as before the first."""
        with self.started((), {}, "status.json") as daemon:
            daemon.stop()
        self.must(
            "sh",
            "-c",
            "".join(
                f"echo {value} > {file};" for value, file in zip(DEFAULTS, _FILES, strict=True)
            ),
        )

    def check_now(self, answers: str) -> None:
        """Have the daemon check once more, and wait until it has, by what it still can tell."""
        count = {
            "status.json": self._generation,
            "READY=1": lambda: self.running.heard().count("READY=1"),
            "": self._sleeps,
        }[answers]
        before = count()
        self.running.signal(signal.SIGHUP)
        wait_until(lambda: self._hear() and count() > before + (not answers))

    def _hear(self) -> bool:
        self._assert_alive()
        return self.deaf or bool(self.running.heard()) or True

    def _generation(self) -> int:
        path = self.seen(self.run_directory / "status.json")
        try:
            return int(json.loads(path.read_text("utf-8"))["generation"])
        except (OSError, ValueError):
            return -1

    def _sleeps(self) -> int:
        """Give how often the loop has gone to sleep."""
        lines = Path(f"/proc/{self.running.pid}/status").read_text("ascii").splitlines()
        return int(next(line for line in lines if line.startswith("voluntary")).split()[1])

    @contextmanager
    def started(
        self, prefix: Sequence[object], environ: Mapping[str, str], answers: str
    ) -> Iterator[Daemon]:
        """Run a daemon to the block's end, once it has settled down to wait."""
        program = (*prefix, *KAD, "run", "--policy", self.policy)
        self.log.touch()
        stream = f"{self.log.stat().st_dev}:{self.log.stat().st_ino}"
        named = {name: value.format(stream=stream) for name, value in environ.items()}
        self.daemon = Daemon(self.machine, program, named)
        try:
            wait_until(self._is_up)
            self.check_now(answers)
            self.check_now(answers)  # the first may have been the end of its start
            yield self.daemon
        finally:
            self.daemon.close()
            self.daemon = None

    def _is_up(self) -> bool:
        self._assert_alive()
        return f"policy {self.policy} in force" in self.running.log.read_text("utf-8")

    def _assert_alive(self) -> None:
        assert self.running.process.poll() is None, self.running.log.read_text("utf-8")


@contextmanager
def scene_for(*, rootless: bool = False) -> Iterator[Scene]:
    """Give a scene with a policy that is checked every second."""
    if os.geteuid():
        pytest.skip("needs root to make faults")
    with tempfile.TemporaryDirectory(prefix="kad-test-") as directory:
        os.chmod(directory, 0o755)  # noqa: S103  # as /etc/kad is
        machine = Machine(Path(directory), rootless=rootless)
        try:
            yield Scene(machine)
        finally:
            machine.close()
