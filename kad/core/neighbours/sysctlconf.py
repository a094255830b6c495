"""Understand the lines of sysctl.d(5) and sysctl.conf(5)."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kad.core.neighbours.globs import is_pattern, matches
from kad.core.neighbours.setting import PATHS, Setting, Text, proc_path
from kad.core.parameters import Parameter

_SPACE = " \t"
_ENDS = re.compile("[\r\0]")  # a line ends at these too: read_line() in systemd's fileio.c


class _Line(NamedTuple):
    """An assignment; with None as value a key that no pattern is to reach."""

    file: str
    number: int
    key: str
    value: str | None

    @property
    def path(self) -> str:
        return proc_path(self.key)

    def settings(self) -> Iterator[Setting]:
        """Give what it sets as long as it stands alone."""
        if self.value is None:
            return
        for parameter in self._parameters():
            yield Setting(self.file, self.number, parameter, self.key, self.value)

    def _parameters(self) -> Iterator[Parameter]:
        pattern = is_pattern(self.key)
        for path, parameter in PATHS.items():
            if matches(self.path, path) if pattern else self.path == path:
                yield parameter


def all_settings(texts: Iterable[Text]) -> tuple[Setting, ...]:
    """Give every line that sets a parameter, whether or not another line wins over it."""
    return tuple(setting for line in _lines(texts) for setting in line.settings())


def winners(texts: Iterable[Text]) -> dict[Parameter, Setting]:
    """Give the lines that win when the files are applied in this order, as systemd-sysctl does.

    A key in full wins over any pattern and is kept from all of them by `-key`; else the later wins.
    """
    entries: dict[str, _Line] = {}
    for line in _lines(texts):
        before = entries.get(line.path)
        # What is the same keeps its turn, what differs comes last: parse_file() in sysctl.c.
        if before is not None and before.value != line.value:
            del entries[line.path]
        entries[line.path] = line
    return {
        setting.parameter: setting
        for line in entries.values()
        for setting in line.settings()
        if not is_pattern(line.key) or proc_path(setting.parameter) not in entries
    }


def _lines(texts: Iterable[Text]) -> Iterator[_Line]:
    for text in texts:
        for number, line in text.lines():
            for part in _ENDS.split(line):
                read = _line(text.file, number, part.strip(_SPACE))
                if read is not None:
                    yield read


def _line(file: str, number: int, line: str) -> _Line | None:
    """Read a line; None for a comment, and for what systemd-sysctl ignores with a warning."""
    if line.startswith(("#", ";")):
        return None
    key, equals, value = line.partition("=")
    if not equals and not line.startswith("-"):
        return None
    # Before an assignment the dash means that its failure is none.
    key = key.removeprefix("-").strip(_SPACE)
    return _Line(file, number, key, value.strip(_SPACE) if equals else None)
