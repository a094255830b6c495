"""Remember, for one boot, what kad found before it first wrote each parameter."""

from collections.abc import Mapping
from contextlib import suppress

from kad.atomic import read_json, write_json
from kad.core.parameters import Parameter
from kad.reconcile import Kernel

VERSION = 1


class Originals:
    """A kernel that remembers, in `originals.json`, what it had before each first write.

    The file is written before the parameter is, so that a crash in between loses nothing.
    `boot` is the boot id with the namespace's key: the values mean nothing after a reboot.
    """

    def __init__(self, kernel: Kernel, directory: str, boot: str) -> None:
        self._kernel = kernel
        self._path = f"{directory}/originals.json"
        self._boot = boot
        self._values = dict(self._stored())

    def read(self, parameter: Parameter) -> int:
        """Give the present value."""
        return self._kernel.read(parameter)

    def write(self, parameter: Parameter, value: int) -> None:
        """Set the value, having remembered the one before the first write of this boot."""
        if parameter not in self._values:
            self._values[parameter] = self._kernel.read(parameter)
            # Without a place to keep it, it is still known until this process ends.
            with suppress(OSError):
                self._store()
        self._kernel.write(parameter, value)

    @property
    def values(self) -> Mapping[Parameter, int]:
        """What is to be put back."""
        return self._values

    def _stored(self) -> Mapping[Parameter, int]:
        try:
            plain = read_json(self._path)
            if isinstance(plain, dict) and plain["boot"] == self._boot:
                return {Parameter(name): int(value) for name, value in plain["values"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # nothing remembered, or nothing usable: as after a reboot
        return {}

    def _store(self) -> None:
        values = {str(parameter): value for parameter, value in self._values.items()}
        content = {"version": VERSION, "boot": self._boot, "values": values}
        write_json(self._path, content, mode=0o600)
