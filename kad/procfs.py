"""Read and write the three parameters of one network namespace in /proc/sys."""

import errno
import os
from collections.abc import Mapping

from kad.core.parameters import Parameter, number

# sd_listen_fds(3): the first descriptor that systemd passes.
_FIRST_PASSED = 3


class Procfs:
    """The parameters of the caller's namespace below `root`, which is /proc/sys save in tests.

    Each is opened once, to be written only when it first is, and then held: a reading is one system
    call, and the kernel keeps the file in its cache, without which no watch on it lives.
    """

    def __init__(self, root: str = "/proc/sys") -> None:
        self._paths = {each: f"{root}/{each.replace('.', '/')}" for each in Parameter}
        self.held: dict[Parameter, int] = {}
        self._writable: set[Parameter] = set()

    def read(self, parameter: Parameter) -> int:
        """Give the value; OSError where it cannot be read or is no number."""
        if parameter not in self.held:
            self._hold(parameter, os.O_RDONLY)
        return number(os.pread(self.held[parameter], 64, 0))

    def write(self, parameter: Parameter, value: int) -> None:
        """Write plain decimal; without O_TRUNC, which would make a second inotify event."""
        if parameter not in self._writable:
            self._hold(parameter, os.O_RDWR)
            self._writable.add(parameter)
        os.pwrite(self.held[parameter], b"%d\n" % value, 0)

    def _hold(self, parameter: Parameter, flags: int) -> None:
        descriptor = os.open(self._paths[parameter], flags | os.O_CLOEXEC)
        before, self.held[parameter] = self.held.get(parameter), descriptor
        if before is not None:  # only now: closed first, its watch might not survive
            os.close(before)

    def __del__(self) -> None:
        """Let go of the files: a command that redraws itself makes one of these each time."""
        for descriptor in self.held.values():
            os.close(descriptor)


class PassedFiles:
    """The parameters as descriptors that somebody else opened, in whatever namespace that was.

    One that is missing is an error: a path would lead to another namespace's value.
    """

    def __init__(self, descriptors: Mapping[Parameter, int]) -> None:
        self.held = descriptors

    def read(self, parameter: Parameter) -> int:
        """Give the value; OSError where it cannot be read or is no number."""
        return number(os.pread(self._descriptor(parameter), 64, 0))

    def write(self, parameter: Parameter, value: int) -> None:
        """Write plain decimal."""
        os.pwrite(self._descriptor(parameter), b"%d\n" % value, 0)

    def _descriptor(self, parameter: Parameter) -> int:
        try:
            return self.held[parameter]
        except KeyError:
            raise OSError(errno.EBADF, "not among the files that systemd passed") from None


def passed_files(environ: Mapping[str, str]) -> PassedFiles | None:
    """Give the parameters' files that OpenFile= in the unit opened, by name; None without any."""
    passed = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not passed.isdecimal():
        return None
    names = environ.get("LISTEN_FDNAMES", "").split(":")[: int(passed)]
    numbers = {name: _FIRST_PASSED + index for index, name in enumerate(names)}
    named = {each: each.removeprefix("net.ipv4.") for each in Parameter}
    found = {each: numbers[name] for each, name in named.items() if name in numbers}
    return PassedFiles(found) if found else None
