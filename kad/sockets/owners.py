"""Find the processes that hold sockets open.

By /proc/PID/fdinfo, which takes CAP_SYS_PTRACE alone; /proc/PID/fd belongs to the process's user.
"""

import errno
import os
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

from kad.core.sockets.audit import Process
from kad.sockets.cgroups import unit_of_process

Heed = Callable[[], None]


def owners(inodes: Collection[int], heed: Heed = lambda: None) -> dict[int, Process]:
    """Give one holder for each inode, where kad may look; the walk ends when all are found.

    `heed` is called now and then, and may raise.
    """
    found = dict[int, Process]()
    for inode, process in _holders(inodes, heed):
        found.setdefault(inode, process)
        if len(found) == len(inodes):
            break
    return found


def all_owners(inodes: Collection[int], heed: Heed) -> dict[int, list[Process]]:
    """Give every holder of each inode, where kad may look."""
    found = dict[int, list[Process]]()
    for inode, process in _holders(inodes, heed):
        found.setdefault(inode, []).append(process)
    return found


def holder_of(process: Process) -> str:
    """Give the unit of a process, whose socket's own has gone or is none, else its command."""
    return unit_of_process(process.pid) or process.command


def _holders(inodes: Collection[int], heed: Heed) -> Iterator[tuple[int, Process]]:
    if not inodes:
        return
    marks = _marks()
    for name in filter(str.isdigit, os.listdir("/proc")):
        for descriptor, inode in _sockets(name, marks, heed):
            if inode in inodes:
                yield inode, Process(int(name), _command(name), descriptor)


def _sockets(pid: str, marks: bytes, heed: Heed) -> Iterator[tuple[int, int]]:
    """Give a process's sockets, as descriptor and inode."""
    directory = f"/proc/{pid}/fdinfo"
    with suppress(OSError):  # ended, or another user's
        for name in os.listdir(directory):
            heed()
            with suppress(OSError):  # closed
                text = _read(f"{directory}/{name}")
                _, mark, rest = text.partition(marks)
                if mark and not _only_names(text):
                    yield int(name), int(rest.partition(b"\n")[0])


def _only_names(text: bytes) -> bool:
    """Whether it was opened by O_PATH, which whoever may name a descriptor can do: proc(5)."""
    flags = text.partition(b"flags:\t")[2].partition(b"\n")[0]
    return bool(int(flags, 8) & os.O_PATH)


def _marks() -> bytes:
    """Give what stands before a socket's inode: all sockets are of one mount, the kernel's own."""
    with socket.socket(socket.AF_UNIX) as any_socket:
        text = _read(f"/proc/self/fdinfo/{any_socket.fileno()}")
    if b"\nino:\t" not in text:
        why = "this kernel does not report the inodes of descriptors (needs Linux 5.14)"
        raise OSError(errno.ENOTSUP, why, "/proc/PID/fdinfo")
    mount = next(line for line in text.split(b"\n") if line.startswith(b"mnt_id:"))
    return mount + b"\nino:\t"


def _command(pid: str) -> str:
    with suppress(OSError):
        return _read(f"/proc/{pid}/comm").decode(errors="replace").rstrip("\n")
    return "?"


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 512)
    finally:
        os.close(descriptor)
