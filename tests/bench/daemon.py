"""Measure kad's start, memory, wakeups and reactions, as root, in namespaces of its own.

"Cold" is a start without saved state, "warm" one with it; the files are in the page cache in both.
"""

import argparse
import ctypes
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

CLONE_NEWNET, CLONE_NEWNS = 0x40000000, 0x00020000
ROOT = Path(__file__).resolve().parents[2]
ROOMS = "/mnt"
PROC = Path("/proc/sys/net/ipv4")
NAMES = ("tcp_keepalive_time", "tcp_keepalive_intvl", "tcp_keepalive_probes")
KERNEL_DEFAULTS = (7200, 75, 9)
WANTED = (120, 30, 8)
BESIDE = Path(sys.executable).with_name("kad")
KAD = (str(BESIDE),) if BESIDE.exists() else (sys.executable, "-m", "kad")
PATIENCE = 10.0

Values = tuple[int, int, int]
Rows = Iterator[tuple[str, list[float]]]


class Kernel:
    """The three sysctls of this namespace, held open: a reading costs about a microsecond."""

    def __init__(self) -> None:
        self._files = [os.open(PROC / name, os.O_RDWR) for name in NAMES]

    def has(self, values: Values) -> bool:
        """Say whether all three hold these values."""
        pairs = zip(self._files, values, strict=True)
        return all(int(os.pread(file, 16, 0)) == value for file, value in pairs)

    def reset(self) -> None:
        """Put back the kernel's own defaults."""
        for file, value in zip(self._files, KERNEL_DEFAULTS, strict=True):
            os.pwrite(file, b"%d\n" % value, 0)


class Daemon:
    """A `kad run` whose policy, directories, notify socket and stderr are in a room of its own."""

    def __init__(self, kernel: Kernel, room: Path, check_every: str) -> None:
        self.kernel, self.policy, self.check_every = kernel, room / "policy.toml", check_every
        self._stderr = room / "stderr"
        for name in ("run", "state"):
            (room / name).mkdir(exist_ok=True)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        (room / "notify").unlink(missing_ok=True)
        self._notify.bind(str(room / "notify"))
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "RUNTIME_DIRECTORY": str(room / "run"),
            "STATE_DIRECTORY": str(room / "state"),
            "NOTIFY_SOCKET": str(room / "notify"),
        }
        self.save(WANTED)
        command = (*KAD, "run", "--policy", str(self.policy))
        with self._stderr.open("wb") as stderr:
            self.began = time.perf_counter()
            self.process = subprocess.Popen(command, env=self.environment, stderr=stderr)

    def save(self, values: Values) -> None:
        """Save a policy as an editor does: a new file, renamed over the old one."""
        text = "[keepalive]\ntime = {}\nintvl = {}\nprobes = {}\n".format(*values)
        fresh = self.policy.with_suffix(".new")
        fresh.write_text(f'{text}[drift]\ncheck_every = "{self.check_every}"\n', encoding="ascii")
        fresh.chmod(0o644)
        fresh.replace(self.policy)

    def told_ready(self) -> bool:
        """Empty the notify socket, and say whether READY=1 was in it."""
        ready = False
        try:
            while True:
                ready = b"READY=1" in self._notify.recv(8192).split(b"\n") or ready
        except BlockingIOError:
            return ready

    def wait(self, what: str, condition: Callable[[], bool], since: float) -> float:
        """Poll without sleeping until the condition holds; give the milliseconds since then."""
        while not condition():
            if self.process.poll() is not None or time.perf_counter() - since > PATIENCE:
                self.fail(what)
        return (time.perf_counter() - since) * 1000

    def start(self) -> tuple[float, float]:
        """Give the milliseconds from exec to the values in the kernel, and to READY=1."""
        in_force = self.wait("set the values", lambda: self.kernel.has(WANTED), self.began)
        return in_force, self.wait("get ready", self.told_ready, self.began)

    def settle(self, seconds: float = 0.3) -> None:
        """Let what was set off come to rest, and read what kad told about it."""
        time.sleep(seconds)
        self.told_ready()

    def edit(self, values: Values) -> float:
        """Give the milliseconds from saving a policy to its values in the kernel."""
        began = time.perf_counter()
        self.save(values)
        took = self.wait("follow its file", lambda: self.kernel.has(values), began)
        self.settle()
        return took

    def reload(self) -> float:
        """Give the milliseconds that the command `kad reload` takes."""
        began = time.perf_counter()
        done = subprocess.run((*KAD, "reload"), env=self.environment, check=False)
        took = (time.perf_counter() - began) * 1000
        self.told_ready()
        if done.returncode:
            self.fail(f"answer the reload, which ended with {done.returncode}")
        return took

    def tasks(self) -> list[Path]:
        """Give the /proc directories of all its threads."""
        return list(Path(f"/proc/{self.process.pid}/task").iterdir())

    def memory(self) -> str:
        """Say VmRSS and Pss once all is at rest; a child would not be in them, so count those."""
        self.settle(1)
        process, tasks = Path(f"/proc/{self.process.pid}"), self.tasks()
        resident = field(process / "status", "VmRSS") / 1024
        share = field(process / "smaps_rollup", "Pss") / 1024
        children = sum(len((task / "children").read_text().split()) for task in tasks)
        counts = f"{len(tasks)} threads, {children} children"
        return f"RSS {resident:5.1f} MB   Pss {share:5.1f} MB   {counts}"

    def switches(self) -> int:
        """Count how often its threads have gone to sleep or been put aside."""
        kinds = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
        return sum(field(task / "status", kind) for task in self.tasks() for kind in kinds)

    def fail(self, what: str) -> NoReturn:
        """End the benchmark with kad's own words."""
        said = self._stderr.read_text(encoding="utf-8", errors="replace")
        sys.exit(f"kad did not {what}; exit status {self.process.poll()}; it said:\n{said}")

    def stop(self) -> None:
        """Send SIGTERM, which must end it with status 0."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.fail("stop")
        if self.process.returncode:
            self.fail("stop cleanly")

    def close(self) -> None:
        """Leave nothing behind, whatever happened."""
        self.process.kill()
        self.process.wait()
        self._notify.close()


@contextmanager
def running(kernel: Kernel, room: Path, check_every: str = "1d") -> Iterator[Daemon]:
    """Start a kad on a kernel at its defaults, and stop it afterwards."""
    kernel.reset()
    daemon = Daemon(kernel, room, check_every)
    try:
        yield daemon
        daemon.stop()
    finally:
        daemon.close()


@contextmanager
def new_room() -> Iterator[Path]:
    """Give an empty directory for a daemon's files."""
    with tempfile.TemporaryDirectory(dir=ROOMS) as room:
        yield Path(room)


def field(path: Path, name: str) -> int:
    """Give the number behind `NAME:` in a file of /proc."""
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return next(int(words[1]) for words in lines if words and words[0] == f"{name}:")


def until_set(kernel: Kernel, command: Sequence[str]) -> float:
    """Give the milliseconds from exec to the values in the kernel, for any other program."""
    kernel.reset()
    began = time.perf_counter()
    process = subprocess.Popen(command)
    while not kernel.has(WANTED):
        if time.perf_counter() - began > PATIENCE:
            sys.exit(f"{command[0]} did not set the values; exit status {process.poll()}")
    took = (time.perf_counter() - began) * 1000
    process.wait()
    return took


def competitors(room: Path) -> dict[str, list[str]]:
    """Give the least that Python can do, and the least there is, to set the three values."""
    pairs = list(zip(NAMES, WANTED, strict=True))
    writes = "; ".join(f"open('{PROC / name}', 'w').write('{value}')" for name, value in pairs)
    found = {"bare python -I": [sys.executable, "-I", "-c", writes]}
    sysctl = shutil.which("sysctl", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if sysctl:
        (room / "sysctl.conf").write_text("".join(f"net.ipv4.{n}={v}\n" for n, v in pairs))
        found["sysctl -p"] = [sysctl, "-q", "-p", str(room / "sysctl.conf")]
    return found


def starts(kernel: Kernel, runs: int) -> Rows:
    """Measure all kinds of start in turn, so that noise meets each alike."""
    rows: dict[str, list[float]] = {}
    with new_room() as kept:
        with running(kernel, kept) as daemon:
            daemon.start()
        for _ in range(runs):
            for name, command in competitors(kept).items():
                rows.setdefault(name, []).append(until_set(kernel, command))
            with new_room() as fresh:
                for kind, room in (("cold", fresh), ("warm", kept)):
                    with running(kernel, room) as daemon:
                        in_force, ready = daemon.start()
                    rows.setdefault(f"kad, {kind}: exec to values", []).append(in_force)
                    rows.setdefault(f"kad, {kind}: exec to READY=1", []).append(ready)
    yield from rows.items()


def reactions(kernel: Kernel, runs: int) -> Rows:
    """Measure how long a running kad takes to follow its file, and to answer `kad reload`."""
    with new_room() as room, running(kernel, room) as daemon:
        daemon.start()
        daemon.settle()
        yield "policy saved to values", [daemon.edit((90 + run % 2, 20, 6)) for run in range(runs)]
        yield "kad reload, whole command", [daemon.reload() for _ in range(runs)]


def memories(kernel: Kernel) -> Iterator[tuple[str, str]]:
    """Look at the memory after a cold start, an edit, and a warm start."""
    with new_room() as room:
        with running(kernel, room) as daemon:
            daemon.start()
            yield "after a cold start", daemon.memory()
            daemon.edit((90, 20, 6))
            yield "after one edit", daemon.memory()
            daemon.edit(WANTED)
        with running(kernel, room) as daemon:
            daemon.start()
            yield "after a warm start", daemon.memory()


def wakeups(kernel: Kernel, check_every: str, idle: float) -> str:
    """Count the context switches of a daemon that has nothing to do."""
    with new_room() as room, running(kernel, room, check_every) as daemon:
        daemon.start()
        daemon.settle(2)
        before = daemon.switches()
        time.sleep(idle)
        return f"{daemon.switches() - before} context switches in {idle:g} idle seconds"


def print_times(rows: Rows, base: float | None = None) -> float | None:
    """Print a line a row, with the ratio of its median to the base, or to the first row's."""
    for name, took in rows:
        median = statistics.median(took)
        base = base or median
        numbers = (median, min(took), max(took), median / base)
        print(f"{name:<30}", *(f"{number:8.1f}" for number in numbers), flush=True)
    return base


def header() -> str:
    """Say what is measured, and on what."""
    version = subprocess.run((*KAD, "--version"), capture_output=True, text=True, check=False)
    if version.returncode:
        sys.exit(f"{' '.join(KAD)} --version: {version.stderr}")
    models = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("model name\t: ")[1:]
    machine = models[0].splitlines()[0] if models else platform.machine()
    machine += f", {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    python = f"Python {platform.python_version()}"
    return f"{machine}; Linux {os.uname().release}; {python}; {version.stdout.strip()}"


def go_private() -> None:
    """Leave the host's sysctls alone, and have a directory where nobody else wakes a watch."""
    # os.unshare is from 3.12 on.
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET | CLONE_NEWNS):
        sys.exit(f"unshare: {os.strerror(ctypes.get_errno())} (run it as root)")
    mount = shutil.which("mount") or "/bin/mount"
    subprocess.run((mount, "--make-rprivate", "/"), check=True)
    subprocess.run((mount, "-t", "tmpfs", "kad-bench", ROOMS), check=True)


def main() -> None:
    """Run all measurements, and print them as they come."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="repetitions of each (15)")
    parser.add_argument("--idle", type=float, default=30, help="idle seconds to watch (30)")
    options = parser.parse_args()
    go_private()
    os.chdir(ROOT)  # for -m kad
    kernel = Kernel()
    print(header(), f"\n\n{f'ms, {options.runs} runs':<30}   median      min      max    ratio")
    base = print_times(starts(kernel, options.runs))
    print_times(reactions(kernel, options.runs), base)
    for name, memory in memories(kernel):
        print(f"{name:<30}   {memory}", flush=True)
    for every in ("1d", "10s"):
        print(f"check_every = {every:<16}   {wakeups(kernel, every, options.idle)}", flush=True)


if __name__ == "__main__":
    main()
