"""Say which line of which file sets a parameter to what."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from kad.core.errors import ascii_line
from kad.core.parameters import Parameter

# What proc_dointvec() takes, as strtoul() with base 0 does; what follows a space is left unread.
_NUMBER = re.compile(
    r"[ \t\n\v\f\r]*"
    r"(?P<word>-?(?:0[xX](?P<hex>[0-9a-fA-F]+)|(?P<oct>0[0-7]*)|(?P<dec>[1-9][0-9]*)))"
    r"(?:[ \t\n]|\Z)"
)
_LONGEST = 20


class Text(NamedTuple):
    """A file with its content."""

    file: str
    text: str

    def lines(self) -> Iterator[tuple[int, str]]:
        """Give the lines as editors count them, from 1."""
        return enumerate(self.text.split("\n"), 1)


class Setting(NamedTuple):
    """A line that sets a parameter; key and value as they are written there."""

    file: str
    line: int
    parameter: Parameter
    key: str
    value: str

    @property
    def place(self) -> str:
        """Where it stands, as an editor can jump to it."""
        return ascii_line(f"{self.file}:{self.line}")

    @property
    def words(self) -> str:
        """The line itself."""
        return ascii_line(f"{self.key} = {self.value}")

    @property
    def number(self) -> int | None:
        """The value as the kernel reads it, which takes `010` for 8; None for what is no number."""
        match = _NUMBER.match(self.value)
        if match is None or len(match["word"]) > _LONGEST:
            return None
        bases = ((match["hex"], 16), (match["oct"], 8), (match["dec"], 10))
        value = next(int(digits, base) for digits, base in bases if digits is not None)
        return -value if match["word"].startswith("-") else value


def proc_path(key: str) -> str:
    """Give the path below /proc/sys that a key names, by the rule of sysctl.d(5).

    Where the first separator is a dot, dots and slashes change places; else it is a path already.
    """
    separator = re.search(r"[./]", key)
    if separator is not None and separator[0] == ".":
        key = key.translate(str.maketrans("./", "/."))
    return re.sub("/+", "/", key).lstrip("/")


PATHS = {proc_path(parameter): parameter for parameter in Parameter}
