"""Tell systemd's unit by a control group's path, and whether a pattern means it."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

UNTOLD = "this kernel does not tell the units of sockets; Linux 5.8 does"
# systemd.unit(5), without slices, which hold units
_SUFFIXES = (".service", ".scope", ".socket", ".mount", ".swap")


def unit_of(path: str) -> str | None:
    """Give the unit that systemctl would: the outermost that is no slice; None outside of any."""
    return next((each for each in path.split("/") if each.endswith(_SUFFIXES)), None)


def is_meant(unit: str, patterns: Iterable[str]) -> bool:
    """Tell whether a unit is meant; like systemctl, `nginx` is taken for `nginx.service`."""
    return any(fnmatchcase(unit, whole_name(each)) for each in patterns)


def whole_name(pattern: str) -> str:
    """Complete a name as systemctl does, and leave a pattern as it is."""
    return pattern if set(pattern) & set("*?.") else f"{pattern}.service"
