"""Control groups named like systemd's units, for programs with sockets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.netns import wait_until


def hierarchy() -> Path:
    """Give the mount of cgroups(7) version 2."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return Path(next(line for line in lines if " - cgroup2 " in line).split()[4])


@contextmanager
def unit(name: str) -> Iterator[Path]:
    """Give a group that looks like a unit of that name until its last process has ended."""
    group = hierarchy() / f"kad-test-{os.getpid()}.slice" / name
    group.mkdir(parents=True)
    try:
        yield group
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text(encoding="ascii"))
        group.rmdir()
        if not any(each.is_dir() for each in group.parent.iterdir()):
            group.parent.rmdir()


def within(group: Path, *command: object) -> tuple[object, ...]:
    """Give the command line that runs a command in a group."""
    return ("sh", "-c", 'echo 0 > "$0/cgroup.procs" && exec "$@"', group, *command)
