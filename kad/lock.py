"""Hold the lock that makes a daemon the only one of its runtime directory."""

import errno
import fcntl
import os
import struct
from contextlib import suppress
from typing import Self

from kad.core.errors import DeniedError, KadError

# struct flock of fcntl(2): l_type, l_whence, l_start, l_len, l_pid, as C aligns them.
_FLOCK = "hhqqi4x"


class RuntimeLock:
    """The POSIX lock on `lock`, held until the `with` or the process ends.

    Closing any descriptor of the file would drop it, so nothing else in kad's daemon opens it.
    """

    def __init__(self, directory: str) -> None:
        """Take the lock, making the directory where it lacks; KadError where that cannot be."""
        self._directory = directory
        self._path = f"{directory}/lock"
        try:
            self._descriptor = self._take()
        except BlockingIOError as error:
            raise KadError(f"{directory}: {error.strerror}") from error
        except OSError as error:
            raise _cannot(self._path, error) from error

    def _take(self) -> int:
        """Give a descriptor that has the lock; BlockingIOError tells who else has it."""
        os.makedirs(self._directory, mode=0o755, exist_ok=True)
        try:
            return _locked(self._path)
        except BlockingIOError:
            if daemon_pid(self._directory) is not None:
                raise
        # Any user may lock what he may read: he keeps that file, and kad takes another.
        new = f"{self._path}.new"
        with suppress(FileNotFoundError):
            os.unlink(new)
        descriptor = _locked(new)
        os.replace(new, self._path)
        return descriptor

    def hold(self) -> str | None:
        """Take the lock anew where its file was removed, and name that; OSError.

        KadError where another daemon was faster: two would fight.
        """
        with suppress(FileNotFoundError):
            if os.path.samestat(os.lstat(self._path), os.fstat(self._descriptor)):
                return None
        try:
            lost, self._descriptor = self._descriptor, self._take()
        except BlockingIOError as error:
            raise KadError(f"{self._path} was deleted, and {error.strerror}") from error
        os.close(lost)
        return self._path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _locked(path: str) -> int:
    """Give a descriptor that has the lock on a file, which is made where it lacks."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        _lock(descriptor, path)
        # Only now: any user may ask who holds it, whatever umask the daemon was started with.
        os.fchmod(descriptor, 0o644)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _lock(descriptor: int, path: str) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in {errno.EACCES, errno.EAGAIN}:
            raise
        other = _holder(descriptor, fcntl.F_WRLCK)
        whose = f"pid {other}" if other else "in another pid namespace"
        why = f"another kad is already running ({whose})"
        raise BlockingIOError(errno.EAGAIN, why, path) from error


def _cannot(path: str, error: OSError) -> KadError:
    kind = DeniedError if isinstance(error, PermissionError) else KadError
    return kind(f"{path}: {error.strerror} (set RUNTIME_DIRECTORY to use another)")


def daemon_pid(directory: str) -> int | None:
    """Give the pid of the directory's daemon, None where none runs.

    Asked is for a lock that a reader could have: only who may write the file can stand against it,
    so no other user can pose as the daemon. 0 is a daemon in a pid namespace that is not visible.
    """
    try:
        # Neither a link nor a fifo: the directory may be another user's.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(f"{directory}/lock", flags)
    except OSError:
        return None
    try:
        return _holder(descriptor, fcntl.F_RDLCK)
    finally:
        os.close(descriptor)


def _holder(descriptor: int, kind: int) -> int | None:
    asked = struct.pack(_FLOCK, kind, os.SEEK_SET, 0, 0, 0)
    answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, asked)
    found, _whence, _start, _length, pid = struct.unpack(_FLOCK, answer)
    return None if found == fcntl.F_UNLCK else int(pid)
