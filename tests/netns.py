"""A machine of its own for one test: namespaces in which kad meets the real kernel."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kad.core.parameters import Parameter

CHECKOUT = str(Path(__file__).resolve().parent.parent)
KAD = (sys.executable, "-m", "kad")
# What should happen within milliseconds is waited for this long on the slowest machine.
PATIENCE_S = 20.0
_SETUP = """\
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/etc
[ ! -d /etc/kad ] || mount --bind /run/etc /etc/kad
echo ready
exec sleep infinity
"""


def wait_until(holds: Callable[[], object]) -> None:
    """Wait until something holds; fail where it never does."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "what was waited for did not happen"
        time.sleep(0.005)


def child_of(pid: int) -> int:
    """Give the one child of a process: nsenter and unshare fork for a pid namespace."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return int(children.split()[0])


def can_make_namespaces(*, rootless: bool) -> bool:
    """Whether the kernel lets this user make a network namespace."""
    command = [*_unshare(rootless=rootless), "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _unshare(*, rootless: bool) -> list[str]:
    flags = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    return [*flags, "--user", "--map-root-user"] if rootless else flags


class Machine:
    """Namespaces of network, mounts and processes, with a directory for kad's files.

    `rootless` puts them into a user namespace: root inside, nobody in particular outside.
    """

    def __init__(self, directory: Path, *, rootless: bool) -> None:
        self._rootless = rootless
        self.directory = directory
        self.policy = directory / "policy.toml"
        self.state = directory / "state"
        self.state.mkdir()
        self.environ = {
            "PATH": os.environ["PATH"],
            # The machine's directory is /, and the environment may have another checkout's kad.
            "PYTHONPATH": CHECKOUT,
            "RUNTIME_DIRECTORY": str(directory / "run"),
            "STATE_DIRECTORY": str(self.state),
        }
        command = [*_unshare(rootless=rootless), "sh", "-c", _SETUP]
        self._holder = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"
        self._first = child_of(self._holder.pid)

    @property
    def root(self) -> Path:
        """Give the machine's files as they are seen from outside, its own mounts included."""
        return Path(f"/proc/{self._first}/root")

    def close(self) -> None:
        """End every process of the machine."""
        os.kill(self._first, signal.SIGKILL)
        self._holder.communicate()

    def inside(self, *command: object) -> list[str]:
        """Give the command line that runs a command in the machine."""
        user = ["--user", "--preserve-credentials"] if self._rootless else []
        flags = ["--net", "--mount", "--pid", *user]
        return ["nsenter", "--target", str(self._first), *flags, "--", *map(str, command)]

    def run(self, *command: object, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.inside(*command),
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def kad(self, *arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the kad command to its end."""
        return self.run(*KAD, *arguments, **environ)

    def write_policy(self, text: str) -> None:
        """Put a policy in place, as an editor that renames does."""
        aside = self.policy.with_suffix(".new")
        aside.write_text(text, encoding="utf-8")
        aside.chmod(0o644)
        aside.rename(self.policy)

    def get(self, parameter: Parameter) -> int:
        """Give the value as it is seen from outside kad."""
        done = self.run("cat", f"/proc/sys/{parameter.replace('.', '/')}")
        return int(done.stdout)

    def set(self, parameter: Parameter, value: int) -> None:
        """Write a value as another program does."""
        path = f"/proc/sys/{parameter.replace('.', '/')}"
        assert self.run("sh", "-c", f"echo {value} > {path}").returncode == 0

    def values(self) -> list[int]:
        """Give time, intvl and probes."""
        return [self.get(parameter) for parameter in Parameter]

    def state_file(self) -> dict[str, Any]:
        """Give the object in the daemon's state file."""
        text = (self.directory / "run/status.json").read_text(encoding="utf-8")
        plain: dict[str, Any] = json.loads(text)
        return plain

    @contextmanager
    def background(self, *command: object) -> Iterator[None]:
        """Run a command until the end of the block."""
        process = subprocess.Popen(self.inside(*command), stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            os.kill(child_of(process.pid), signal.SIGKILL)
            process.wait()

    @contextmanager
    def daemon(
        self, *arguments: object, program: Sequence[object] = (), **environ: str
    ) -> Iterator["Daemon"]:
        """Run a daemon until the end of the block, once it has said READY=1."""
        kad = (*KAD, "run", *(arguments or ("--policy", self.policy)))
        daemon = Daemon(self, program or kad, environ)
        try:
            daemon.wait_for("READY=1")
            yield daemon
        finally:
            daemon.close()


class Daemon:
    """A running `kad run`, with what it tells systemd and the journal."""

    def __init__(
        self,
        machine: Machine,
        program: Sequence[object],
        environ: dict[str, str],
        log: str = "stderr",
    ) -> None:
        # Short, as a socket's path has room for 108 bytes only.
        self.notify_socket = f"/tmp/kad-test-{os.getpid()}-{id(self)}"  # noqa: S108
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(self.notify_socket)
        os.chmod(self.notify_socket, 0o777)  # noqa: S103  # systemd's may be written by anybody
        self._manager.setblocking(False)  # noqa: FBT003  # the standard library's signature
        self.told: list[str] = []
        self.log = machine.directory / log
        with self.log.open("w", encoding="utf-8") as stderr:
            self.process = subprocess.Popen(
                machine.inside(*program),
                env={**machine.environ, "NOTIFY_SOCKET": self.notify_socket, **environ},
                stderr=stderr,
            )

    @property
    def pid(self) -> int:
        """Give the daemon's pid outside of the machine."""
        return child_of(self.process.pid)

    def heard(self) -> list[str]:
        """Give every line that systemd was told so far."""
        try:
            while True:
                self.told += self._manager.recv(4096).decode("ascii").split("\n")
        except BlockingIOError:
            return self.told

    def wait_for(self, line: str, times: int = 1) -> None:
        """Wait until systemd was told a line."""

        def came() -> bool:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            return self.heard().count(line) >= times

        wait_until(came)

    def lines(self) -> list[str]:
        """Give what was logged so far."""
        return self.log.read_text(encoding="utf-8").splitlines()

    def wait_for_line(self, line: str) -> None:
        """Wait until a line was logged."""
        wait_until(lambda: line in self.lines())

    def signal(self, number: signal.Signals) -> None:
        """Send the daemon a signal."""
        os.kill(self.pid, number)

    def stop(self) -> int:
        """Stop the daemon as systemd does; give its exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for the daemon's end; give its exit status."""

        def ended() -> bool:
            if self.process.poll() is None:
                # nsenter stops itself whenever it sees the daemon stopped, and nobody wakes it.
                self.process.send_signal(signal.SIGCONT)
            return self.process.poll() is not None

        wait_until(ended)
        return self.process.returncode

    def close(self) -> None:
        """End it, however it is."""
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.wait()
        self._manager.close()
        os.unlink(self.notify_socket)
