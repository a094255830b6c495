"""Take away what the kernel grants a process, for the length of a block."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.scene import OTHER_POLICY, Scene
from tests.netns import wait_until


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


def _memory_cgroup() -> tuple[Path, Path]:
    """Make a memory cgroup with a limit; give it and its limit's file."""
    first = Path("/sys/fs/cgroup/memory")  # version 1, where it is there
    group = (first if first.is_dir() else first.parent) / f"kad-test-{os.getpid()}"
    limit = group / ("memory.limit_in_bytes" if first.is_dir() else "memory.max")
    try:
        if not first.is_dir():
            (first.parent / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
        group.mkdir()
        limit.write_text("16M", encoding="ascii")
    except OSError as error:
        pytest.skip(f"needs a memory cgroup that can be made: {error}")
    return group, limit


@contextmanager
def killed_for_want_of_memory(scene: Scene) -> Iterator[None]:
    """Limit its memory cgroup to 16 MiB, and change the policy."""
    group, limit = _memory_cgroup()
    (group / "cgroup.procs").write_text(str(scene.running.pid), encoding="ascii")
    scene.machine.write_policy(OTHER_POLICY)
    yield
    limit.write_text("1G", encoding="ascii")
    # Out of the cgroup, which can then be removed.
    for pid in (group / "cgroup.procs").read_text("ascii").split():
        (group.parent / "cgroup.procs").write_text(pid, encoding="ascii")
    group.rmdir()


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

    scene.seen("/run/clock").write_text("+0\n", encoding="ascii")
    real = year()
    scene.seen("/run/clock").write_text(f"{years:+}y\n", encoding="ascii")
    wait_until(lambda: year() == real + years)
    yield
    scene.seen("/run/clock").write_text("+0\n", encoding="ascii")
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
