"""Find systemd's unit by the id of a control group."""

import os
from collections.abc import Iterator
from contextlib import suppress

from kad.core.units import unit_in, unit_of
from kad.processes import cgroups_of


class Cgroups:
    """The control groups of this machine: found by one walk, and by another for one not met yet.

    The id that the kernel tells of a socket is the inode of the group's directory.
    """

    def __init__(self, root: str | None = None) -> None:
        self._root = root
        self._paths: dict[int, str] = {}
        self._units: dict[int, str | None] = {}
        self._walked = False

    def look_again(self) -> None:
        """Allow for one more walk, as groups come and go."""
        self._walked = False
        self._units.clear()

    @property
    def mounted(self) -> bool:
        """Whether there is a hierarchy to go by."""
        self._root = self._root or _mounted()
        return self._root is not None

    def unit(self, cgroup: int) -> str | None:
        """Give the unit, None outside of any."""
        if cgroup not in self._units:
            self._walk_for(cgroup)
            path = self._paths.get(cgroup)
            self._units[cgroup] = None if path is None else unit_of(path)
        return self._units[cgroup]

    def units(self) -> set[str]:
        """Give the units that run now."""
        self._walk_for(0)
        return {unit for path in self._paths.values() if (unit := unit_of(path)) is not None}

    def _walk_for(self, cgroup: int) -> None:
        if self._walked or cgroup in self._paths:
            return
        self._walked = True
        self._root = self._root or _mounted()
        self._paths = dict(_groups(self._root)) if self._root is not None else {}


def _groups(root: str) -> Iterator[tuple[int, str]]:
    """Give each group's inode and its path below the root, however deep they are nested."""
    ahead = [root]
    while ahead:
        with suppress(OSError), os.scandir(ahead.pop()) as entries:  # it may just have gone
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    ahead.append(entry.path)
                    yield entry.inode(), entry.path.removeprefix(root)


def _mounted() -> str | None:
    """Say where the one hierarchy of cgroups(7) version 2 is mounted: proc_pid_mountinfo(5)."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            if " - cgroup2 " in line:
                return line.split(" ")[4]
    return None


def own_unit() -> str | None:
    """Give the unit that this process runs in."""
    return unit_of_process("self")


def unit_of_process(pid: int | str) -> str | None:
    """Give the unit that a process runs in; None outside of any, and where it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return unit_in(cgroups_of(pid))
    return None
