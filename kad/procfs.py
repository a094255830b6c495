"""Read and write the three parameters of the caller's network namespace in /proc/sys."""

import os

from kad.core.parameters import Parameter


class Procfs:
    """The parameters below `root`, which is /proc/sys save in tests.

    /proc/sys/net shows the namespace of the process that looks, at each look.
    """

    def __init__(self, root: str = "/proc/sys") -> None:
        self._paths = {each: f"{root}/{each.replace('.', '/')}" for each in Parameter}

    def read(self, parameter: Parameter) -> int:
        """Give the value; OSError where it cannot be read or is no number."""
        descriptor = os.open(self._paths[parameter], os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = os.read(descriptor, 64)
        finally:
            os.close(descriptor)
        try:
            return int(text)
        except ValueError as error:
            raise OSError(f"holds {text!r}, which is no number") from error

    def write(self, parameter: Parameter, value: int) -> None:
        """Write plain decimal; without O_TRUNC, which would make a second inotify event."""
        descriptor = os.open(self._paths[parameter], os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, b"%d\n" % value)
        finally:
            os.close(descriptor)
