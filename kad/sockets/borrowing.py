"""Get at another process's socket, and make sure that it is the one that is meant."""

import ctypes
import errno
import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from kad.capabilities import missing
from kad.core.sockets.audit import Process
from kad.core.sockets.connection import Connection

# <asm-generic/unistd.h>, Linux 5.6
_SYS_PIDFD_GETFD = 438
# <asm-generic/socket.h>; the socket module has no name for it.
_SO_COOKIE = 57
# <linux/in.h>; socket.IPPROTO_MPTCP is there where Python was built with it.
_IPPROTO_MPTCP = 262

DROP_IN = "with systemd, enable the drop-in sockets.conf, see kad(8)"


def refuse_without_rights() -> None:
    """Raise OSError, in words that name what is missing, where kad may not look into sockets."""
    for name in missing("CAP_SYS_PTRACE"):
        raise _denied(f"kad needs {name}; {DROP_IN}")


@contextmanager
def borrowed(process: Process, wanted: Connection) -> Iterator[socket.socket | None]:
    """Give a copy of the process's descriptor; None where it is not that socket any more.

    OSError, in words that name what is missing, where the kernel refuses.
    """
    copy = _copy(process)
    if copy is None:
        yield None
        return
    status = os.fstat(copy)
    if not stat.S_ISSOCK(status.st_mode) or status.st_ino != wanted.inode:
        os.close(copy)  # the number was reused meanwhile
        yield None
        return
    # With all three given, Python has nothing to find out.
    with socket.socket(wanted.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, copy) as found:
        yield found if _is_the_same(found, wanted) else None


def _is_the_same(found: socket.socket, wanted: Connection) -> bool:
    """Compare the cookies too, save those of MPTCP: each of its flows has one of its own."""
    if found.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == _IPPROTO_MPTCP:
        return True
    raw = found.getsockopt(socket.SOL_SOCKET, _SO_COOKIE, 8)
    return struct.unpack("=Q", raw) == (wanted.cookie,)


def _copy(process: Process) -> int | None:
    """Copy the descriptor by pidfd_getfd(2); None where process or descriptor is gone."""
    try:
        pidfd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    try:
        return _pidfd_getfd(pidfd, process.descriptor)
    except OSError as error:
        if error.errno in {errno.EBADF, errno.ESRCH}:
            return None
        raise _explained(error) from error
    finally:
        os.close(pidfd)


def _pidfd_getfd(pidfd: int, descriptor: int) -> int:
    copy: int = _libc().syscall(_SYS_PIDFD_GETFD, pidfd, descriptor, 0)
    if copy < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return copy


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _explained(error: OSError) -> OSError:
    if error.errno == errno.ENOSYS:
        return OSError(error.errno, "this kernel has no pidfd_getfd(2) (needs Linux 5.6)")
    if error.errno != errno.EPERM:
        return OSError(error.errno, error.strerror, "pidfd_getfd")
    if _yama() == "3":
        return _denied("kernel.yama.ptrace_scope is 3, which only a reboot can change")
    return _denied(f"kad needs CAP_SYS_PTRACE and this system call; {DROP_IN}")


def _denied(why: str) -> PermissionError:
    return PermissionError(errno.EPERM, why, "pidfd_getfd")


def _yama() -> str:
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as scope:
            return scope.read().strip()
    except OSError:
        return ""
