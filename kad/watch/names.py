"""Tell which directories decide what a path leads to."""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# Linux limits a path's resolution to 40 symbolic links: path_resolution(7).
_MOST_LINKS = 40


class Directory(NamedTuple):
    """A directory to watch: which one it is, and which names in it matter.

    `last` tells that one of the names is a file's own, so that writes to it matter too.
    """

    path: str
    identity: tuple[int, int]
    names: frozenset[str]
    last: bool


def directories(paths: Iterable[str]) -> dict[str, Directory]:
    """Give the directory of every name met while resolving the paths, that exist now."""
    names: dict[str, set[str]] = {}
    last: set[str] = set()
    for path in paths:
        met = list(names_met(path))
        for directory, name in met:
            names.setdefault(directory, set()).add(name)
        last.update(directory for directory, name in met[-1:])
    found = (_directory(path, frozenset(each), last=path in last) for path, each in names.items())
    return {each.path: each for each in found if each is not None}


def _directory(path: str, names: frozenset[str], *, last: bool) -> Directory | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Directory(path, (status.st_dev, status.st_ino), names, last)


def names_met(path: str) -> Iterator[tuple[str, str]]:
    """Give each (directory, name) that the kernel meets on the way, links included."""
    pending = path.split("/")[::-1]
    current = "/"
    links = 0
    while pending and links <= _MOST_LINKS:
        name = pending.pop()
        if name in {"", "."}:
            continue
        if name == "..":
            current = os.path.dirname(current)
            continue
        yield current, name
        full = os.path.join(current, name)
        try:
            target = os.readlink(full)
        except OSError:  # no link; what does not exist is found out by looking below it
            current = full
            continue
        links += 1
        current = "/" if target.startswith("/") else current
        pending += target.split("/")[::-1]
