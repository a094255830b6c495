"""Remember, for one boot, what kad found before it first wrote each parameter."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from kad.atomic import read_json, write_json
from kad.core.parameters import KERNEL_INT, Parameter
from kad.core.shape import take
from kad.reconcile import Kernel

VERSION = 2


class _Boot(NamedTuple):
    """What tells that the file is of another boot: what else is in it then does not matter."""

    boot: str


class _Kept(NamedTuple):
    """What the file holds."""

    version: int
    boot: str
    cookie: int
    values: Mapping[Parameter, int]


class Originals:
    """A kernel that remembers, in `originals.json`, what it had before each first write.

    Of the `directories` the first that takes the file has it, and no other: the runtime directory
    outlives a crash too, but not every stop.

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
        self._unusable: list[str] = []
        for path in reversed(self._paths):
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

    def replace_unusable(self) -> list[str]:
        """Name the files that cannot be understood, and put what is known in their place."""
        unusable, self._unusable = self._unusable, []
        if unusable:
            self._store()
        return unusable

    def _stored(self, path: str) -> Mapping[Parameter, int]:
        try:
            return self._understand(read_json(path))
        except OSError:  # nothing remembered
            return {}
        except ValueError:
            self._unusable.append(path)
            return {}

    def _understand(self, plain: object) -> Mapping[Parameter, int]:
        if take(_Boot, plain).boot != self._boot:
            return {}
        kept = take(_Kept, plain)
        if kept.version != VERSION:
            raise ValueError("of another version of kad")
        if self._cookie and kept.cookie not in {self._cookie, 0}:
            return {}
        if any(value not in KERNEL_INT for value in kept.values.values()):
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
                self._remove_all_but(path)
                return

    def _remove_all_but(self, path: str) -> None:
        for other in self._paths:
            if other != path:
                with suppress(OSError):
                    os.unlink(other)
