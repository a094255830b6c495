"""Remember, for one boot, what kad found before it first wrote each parameter."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from kad.atomic import read_json, write_json
from kad.core.parameters import Parameter
from kad.core.shape import take
from kad.reconcile import Kernel

VERSION = 1
_MOST = 2**31  # the three are of the kernel's type int


class _Kept(NamedTuple):
    """What the file holds."""

    version: int
    boot: str
    cookie: int
    values: Mapping[Parameter, int]


class Originals:
    """A kernel that remembers, in `originals.json`, what it had before each first write.

    Of the `directories` the first that takes the file has it: the runtime directory outlives a
    crash too, but not every stop.

    The file is written before the parameter is, so that a crash in between loses nothing.
    The values mean nothing in another boot, or in a network namespace with another cookie; a
    cookie of 0 is one that is not known, and belongs to any.
    """

    def __init__(self, kernel: Kernel, directories: Iterable[str], boot: str, cookie: int) -> None:
        self._kernel = kernel
        self._paths = tuple(f"{each}/originals.json" for each in directories)
        self._boot = boot
        self._cookie = cookie
        self._values: dict[Parameter, int] = {}
        # The files that say what cannot be understood.
        self.unusable: list[str] = []
        for path in self._paths:
            self._values |= self._stored(path)

    def read(self, parameter: Parameter) -> int:
        """Give the present value."""
        return self._kernel.read(parameter)

    def write(self, parameter: Parameter, value: int) -> None:
        """Set the value, having remembered the one before the first write of this boot."""
        if parameter in self._values:
            self._kernel.write(parameter, value)
            return
        self._values[parameter] = self._kernel.read(parameter)
        self._store()
        try:
            self._kernel.write(parameter, value)
        except OSError:
            del self._values[parameter]
            self._store()
            raise

    @property
    def values(self) -> Mapping[Parameter, int]:
        """What is to be put back."""
        return self._values

    def _stored(self, path: str) -> Mapping[Parameter, int]:
        try:
            return self._understand(read_json(path))
        except OSError:  # nothing remembered
            return {}
        except ValueError:
            self.unusable.append(path)
            return {}

    def _understand(self, plain: object) -> Mapping[Parameter, int]:
        kept = take(_Kept, plain)
        if kept.version != VERSION:
            raise ValueError("of another version of kad")
        if kept.boot != self._boot:
            return {}
        if self._cookie and kept.cookie not in {self._cookie, 0}:
            return {}
        if any(not -_MOST <= value < _MOST for value in kept.values.values()):
            raise ValueError("a value that no kernel can have had")
        return kept.values

    def _store(self) -> None:
        """Keep the values; without a place for them they are known until this process ends."""
        values = {str(parameter): value for parameter, value in self._values.items()}
        content = {
            "version": VERSION,
            "boot": self._boot,
            "cookie": self._cookie,
            "values": values,
        }
        for path in self._paths:
            with suppress(OSError):
                write_json(path, content, mode=0o600)
                return
