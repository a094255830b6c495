"""Take away what the kernel grants a process, for the length of a block."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.faults.scene import OTHER_POLICY, Scene
from tests.netns import wait_until

# A memory cgroup's files for its limit and for its swap, of version 1 and of version 2.
_FILES_1 = ("memory.limit_in_bytes", "memory.swappiness")
_FILES_2 = ("memory.max", "memory.swap.max")


@contextmanager
def no_descriptors(scene: Scene) -> Iterator[None]:
    """Run `prlimit --nofile=3` on the daemon."""
    scene.limit("--nofile=3:1024")
    yield
    scene.limit("--nofile=1024:1024")


@contextmanager
def no_processes(scene: Scene) -> Iterator[None]:
    """Run `prlimit --nproc=1` on the daemon, which is not root, and change the policy."""
    scene.limit("--nproc=1:")
    scene.machine.write_policy(OTHER_POLICY)
    yield
    scene.limit("--nproc=1000:")


@contextmanager
def _memory_cgroup(pid: int) -> Iterator[None]:
    """Have a process in a memory cgroup of 16 MiB, of version 1 or 2, and then back in its own."""
    first = Path("/sys/fs/cgroup/memory").is_dir()
    top = Path("/sys/fs/cgroup", "memory" if first else "")
    home = _cgroup_of(pid, top, "memory" if first else "")
    if not first and "memory" not in (top / "cgroup.subtree_control").read_text("ascii").split():
        # Refused where the top is a container's, with processes right in it.
        (top / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
    group = top / f"kad-test-{os.getpid()}"
    group.mkdir()
    try:
        with _limited(group, *(_FILES_1 if first else _FILES_2)):
            (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
            yield
    finally:
        for each in (group / "cgroup.procs").read_text("ascii").split():
            (home / "cgroup.procs").write_text(each, encoding="ascii")
        group.rmdir()


@contextmanager
def _limited(group: Path, limit: str, swap: str) -> Iterator[None]:
    (group / limit).write_text("16M", encoding="ascii")
    if (group / swap).exists():
        (group / swap).write_text("0", encoding="ascii")
    yield
    (group / limit).write_text("1G", encoding="ascii")


def _cgroup_of(pid: int, top: Path, controller: str) -> Path:
    """Give the directory of a process in the hierarchy that is mounted at top."""
    lines = Path(f"/proc/{pid}/cgroup").read_text("ascii").splitlines()
    paths = (line.split(":", 2)[2] for line in lines if line.split(":")[1] == controller)
    home = top / next(paths, "absent").lstrip("/")
    (home / "cgroup.procs").read_text("ascii")  # as proof that it is one
    return home


@contextmanager
def _killed_when_started(pid: int) -> Iterator[None]:
    """Have each child of a process killed in front of its program, as the kernel does it."""
    inject = ("-e", "trace=execve", "-e", "inject=execve:signal=KILL")
    command = ["strace", "-f", "-qq", "-o", os.devnull, *inject, "-p", str(pid)]
    with subprocess.Popen(command) as tracer:
        status = Path(f"/proc/{pid}/status")
        try:
            wait_until(lambda: f"TracerPid:\t{tracer.pid}\n" in status.read_text("ascii"))
            yield
        finally:
            tracer.terminate()


@contextmanager
def killed_for_want_of_memory(scene: Scene) -> Iterator[None]:
    """Limit its memory cgroup to 16 MiB (else kill it by strace(1)), and change the policy."""
    with ExitStack() as lasting:
        try:
            lasting.enter_context(_memory_cgroup(scene.running.pid))
        except OSError:  # as in a container: no memory cgroup can be made
            lasting.enter_context(_killed_when_started(scene.running.pid))
        scene.machine.write_policy(OTHER_POLICY)
        yield


@contextmanager
def _inotify_limit(scene: Scene, which: str) -> Iterator[None]:
    path = f"/proc/sys/user/max_inotify_{which}"
    before = scene.must("cat", path).strip()
    scene.must("sh", "-c", f"echo 0 > {path}")
    scene.turn_to("etc.1")
    yield
    scene.must("sh", "-c", f"echo {before} > {path}")


@contextmanager
def no_inotify_instances(scene: Scene) -> Iterator[None]:
    """Set a user namespace's user.max_inotify_instances to 0, and turn a link on the way."""
    with _inotify_limit(scene, "instances"):
        yield


@contextmanager
def no_inotify_watches(scene: Scene) -> Iterator[None]:
    """Set a user namespace's user.max_inotify_watches to 0, and turn a link on the way."""
    with _inotify_limit(scene, "watches"):
        yield


@contextmanager
def _clock(scene: Scene, years: int) -> Iterator[None]:
    def year() -> int:
        scene.check_now("status.json")
        text = scene.seen(scene.run_directory / "status.json").read_text("utf-8")
        return int(json.loads(text)["checks"]["last_at"][:4])

    def turn_to(offset: str) -> None:
        # libfaketime ends the process whose first look at the file finds it empty.
        aside = scene.seen("/run/clock.new")
        aside.write_text(f"{offset}\n", encoding="ascii")
        aside.rename(scene.seen("/run/clock"))

    real = year()
    turn_to(f"{years:+}y")
    wait_until(lambda: year() == real + years)
    yield
    turn_to("+0")
    wait_until(lambda: year() == real)


@contextmanager
def clock_set_back(scene: Scene) -> Iterator[None]:
    """Use libfaketime, as Linux has one CLOCK_REALTIME for all namespaces: a year back."""
    with _clock(scene, -1):
        yield


@contextmanager
def clock_set_forth(scene: Scene) -> Iterator[None]:
    """Use libfaketime: a year forth."""
    with _clock(scene, 1):
        yield
