"""Find the network namespaces of this machine: those with a name, and those with a process."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kad.core.units import unit_started_in
from kad.processes import cgroups_of

# ip-netns(8) binds each namespace to a file of its name here; /var/run leads to /run.
_NAMED = ("/run/netns/", "/var/run/netns/")
# proc_pid_stat(5): the 22nd field, of which the second may hold spaces and parentheses.
_START_TIME = 19


class Found(NamedTuple):
    """A namespace that was seen: its inode, files that lead to it, and what it is known by.

    `name` is ip-netns(8)'s, None without; `pids` are its processes, in no order.
    """

    inode: int
    files: tuple[str, ...]
    name: str | None
    pids: tuple[int, ...]

    def own_name(self) -> str:
        """Give the name: ip-netns(8)'s, the unit of the oldest process, else net:[INODE]."""
        return self.name or _unit_of_oldest(self.pids) or f"net:[{self.inode}]"


def find() -> dict[int, Found]:
    """Give every namespace by its inode; of processes only those whose namespace may be seen."""
    files: dict[int, list[str]] = {}
    names: dict[int, str] = {}
    for inode, path in _mounts():
        files.setdefault(inode, []).append(path)
        for directory in _NAMED:
            if path.startswith(directory) and path != f"{directory}host":  # that name is kad's own
                names.setdefault(inode, path.removeprefix(directory))
    pids = _processes()
    return {
        inode: Found(
            inode,
            (*files.get(inode, ()), *(f"/proc/{pid}/ns/net" for pid in pids.get(inode, ())[:3])),
            names.get(inode),
            tuple(pids.get(inode, ())),
        )
        for inode in files.keys() | pids.keys()
    }


def _mounts() -> Iterator[tuple[int, str]]:
    """Go through the namespaces that are bound to a file: proc_pid_mountinfo(5)."""
    with open("/proc/self/mountinfo", "rb") as file:
        content = file.read()
    for line in content.splitlines():
        if b" - nsfs " not in line:
            continue
        fields = line.split(b" ")
        if fields[3].startswith(b"net:["):
            path = fields[4].decode("unicode_escape").encode("latin-1")
            yield int(fields[3][5:-1]), os.fsdecode(path)


def _processes() -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            inode = os.stat(f"/proc/{name}/ns/net").st_ino
        except OSError:  # it has ended, or kad may not look
            continue
        found.setdefault(inode, []).append(int(name))
    return found


def _unit_of_oldest(pids: Iterable[int]) -> str | None:
    ages = ((_start_time(pid), pid) for pid in pids)
    oldest = min(((age, pid) for age, pid in ages if age is not None), default=None)
    return None if oldest is None else _unit_of(oldest[1])


def _start_time(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b") ")[2].split()[_START_TIME])
    except (OSError, IndexError, ValueError):
        return None


def _unit_of(pid: int) -> str | None:
    try:
        return unit_started_in(cgroups_of(pid))
    except OSError:
        return None
