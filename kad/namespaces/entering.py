"""Open the parameters of other network namespaces, without keeping any of them alive.

A descriptor of /proc/sys opened inside reads and writes that namespace's value from anywhere, and
lets it die. An open nsfs file, a socket made inside and a thread that stays inside all keep it
alive; so one thread enters them one after the other, and then ends.
"""

import ctypes
import errno
import os
import resource
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

from kad.core.parameters import Parameter, number
from kad.masked import signals_blocked
from kad.namespaces.finding import Found
from kad.namespaces.own import cookie_of_this_thread

_CLONE_NEWNET = 0x40000000  # <sched.h>; os.setns is there from Python 3.12 on
_Answer = TypeVar("_Answer")
_libc = ctypes.CDLL(None, use_errno=True)
# So many descriptors stay free for kad's own files, without which it could not go on.
_SPARE = 64
_PLACES = {each: place for place, each in enumerate(Parameter)}
_PATHS = {each: f"/proc/sys/{each.replace('.', '/')}" for each in Parameter}


class NamespaceFiles:
    """The three parameters of one namespace, held open.

    ENOENT on reading tells that the namespace has gone.
    """

    __slots__ = ("_files", "cookie")

    def __init__(self, cookie: int, files: tuple[int, ...]) -> None:
        self.cookie = cookie
        self._files = files

    @property
    def held(self) -> Mapping[Parameter, int]:
        """Give the descriptors."""
        return dict(zip(Parameter, self._files, strict=True))

    def has(self, values: Mapping[Parameter, int]) -> bool:
        """Whether these are in the kernel, as it writes them; a thousand take some milliseconds."""
        for each, value in values.items():
            if os.pread(self._files[_PLACES[each]], 16, 0) != b"%d\n" % value:
                return False
        return True

    def read(self, parameter: Parameter) -> int:
        """Give the present value."""
        return number(os.pread(self._files[_PLACES[parameter]], 64, 0))

    def write(self, parameter: Parameter, value: int) -> None:
        """Write plain decimal."""
        os.pwrite(self._files[_PLACES[parameter]], b"%d\n" % value, 0)

    def close(self) -> None:
        """Let go of it."""
        for file in self._files:
            os.close(file)
        self._files = ()


def enter(namespaces: Iterable[Found]) -> dict[int, NamespaceFiles | OSError]:
    """Open the parameters of each, by inode; one that has gone meanwhile is left out."""
    opened: dict[int, NamespaceFiles | OSError] = {}

    def visit() -> None:
        for each in namespaces:
            try:
                if _went_inside(each):
                    opened[each.inode] = _open_all(cookie_of_this_thread() or each.inode)
            except OSError as error:
                opened[each.inode] = error.with_traceback(None)

    try:
        _in_thread(visit)
    except Exception:
        for each in opened.values():
            if isinstance(each, NamespaceFiles):
                each.close()
        raise
    return opened


class Reading(NamedTuple):
    """What a namespace had when it was looked into, and what stands for it until the next boot."""

    cookie: int
    values: Mapping[Parameter, int]


def read_each(namespaces: Iterable[Found]) -> dict[int, Reading]:
    """Read the parameters of each, by inode, holding none open; what cannot be read is left out."""
    readings: dict[int, Reading] = {}

    def visit() -> None:
        for each in namespaces:
            with suppress(OSError):
                if _went_inside(each):
                    cookie = cookie_of_this_thread() or each.inode
                    readings[each.inode] = Reading(cookie, dict(_read_all()))

    _in_thread(visit)
    return readings


def inside(namespace: Found, ask: Callable[[], _Answer]) -> _Answer:
    """Ask from within; FileNotFoundError where it has gone, and whatever `ask` raises."""
    answers: list[_Answer] = []

    def visit() -> None:
        if _went_inside(namespace):
            answers.append(ask())

    _in_thread(visit)
    for answer in answers:
        return answer
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _in_thread(visit: Callable[[], None]) -> None:
    errors: list[Exception] = []

    def run() -> None:
        try:
            visit()
        except Exception as error:  # noqa: BLE001  # it is raised where somebody waits for it
            errors.append(error)

    thread = threading.Thread(target=run)
    try:
        with signals_blocked():
            thread.start()
    except RuntimeError as error:  # the system has no thread left
        raise OSError(errno.EAGAIN, str(error), "thread") from error
    thread.join()
    for each in errors:
        raise each


def _went_inside(namespace: Found) -> bool:
    """Enter by the first file that still leads there; tell whether one does."""
    refused: OSError | None = None
    for path in namespace.files:
        try:
            if _go_inside(path, namespace.inode):
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
        except PermissionError as error:  # another file may do: docker's directory is closed
            refused = error
    if refused is not None:
        raise refused
    return False


def _go_inside(path: str, inode: int) -> bool:
    """Enter the namespace, if the file leads to it still."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_ino != inode:
            return False
        if _libc.setns(descriptor, _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(descriptor)
    return True


def _open_all(cookie: int) -> NamespaceFiles:
    files: list[int] = []
    try:
        for path in _PATHS.values():
            files.append(os.open(path, os.O_RDWR | os.O_CLOEXEC))
            _leave_some_free(files[-1])
    except Exception:
        for file in files:
            os.close(file)
        raise
    return NamespaceFiles(cookie, tuple(files))


def _read_all() -> Iterator[tuple[Parameter, int]]:
    for parameter, path in _PATHS.items():
        with suppress(OSError), open(path, "rb", buffering=0) as file:
            yield parameter, number(file.read(64))


def _leave_some_free(file: int) -> None:
    """Refuse a descriptor near the limit, as each is the lowest number that is free."""
    if file >= resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
