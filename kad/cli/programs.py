"""Know, of common programs, how keepalive is switched on in them, from programs.toml."""

import os
import tomllib
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

_FILE = os.path.join(os.path.dirname(__file__), "programs.toml")


class Program(NamedTuple):
    """A program by patterns of its unit's or command's name, its option and where that is told."""

    names: tuple[str, ...]
    option: str
    source: str


@cache
def programs() -> tuple[Program, ...]:
    """Give all that are known."""
    with open(_FILE, "rb") as file:
        tables = tomllib.load(file)["program"]
    return tuple(Program(tuple(each["names"]), each["option"], each["source"]) for each in tables)


def options_for(unit: str) -> Program | None:
    """Give the program that a unit or command runs, by its name; None for one not known."""
    known = (one for one in programs() if any(fnmatchcase(unit, name) for name in one.names))
    return next(known, None)
