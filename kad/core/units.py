"""Tell systemd's unit by a control group's path, and whether a pattern means it."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

UNTOLD = "this kernel does not report the unit of a socket (needs Linux 5.8)"
# systemd.unit(5), without slices, which hold units
_SUFFIXES = (".service", ".scope", ".socket", ".mount", ".swap")


def unit_of(path: str) -> str | None:
    """Give the unit that systemctl would, by a path from the hierarchy's root; None outside of any.

    The outermost that is no slice. What lies in anything else, as in a container's own group, is
    none of the host's units, whatever its name.
    """
    for each in path.strip("/").split("/"):
        if each.endswith(_SUFFIXES):
            return each
        if not each.endswith(".slice"):
            return None
    return None


def unit_in(cgroups: str) -> str | None:
    """Give the unit that proc_pid_cgroup(5) tells of."""
    return next(filter(None, map(unit_of, _paths(cgroups))), None)


def unit_started_in(cgroups: str) -> str | None:
    """Give the same, but of a user's own manager the unit that this has started."""
    for path in _paths(cgroups):
        unit = unit_of(path)
        if unit is not None:
            within = path.partition(unit)[2] if unit.startswith("user@") else ""
            return unit_of(within) or unit
    return None


def _paths(cgroups: str) -> Iterator[str]:
    """Give the path in the unified hierarchy, and in systemd's own beside the old ones."""
    # Not splitlines(): a group's name may hold what that takes for the end of a line.
    split = (line.split(":", 2) for line in cgroups.split("\n") if line.count(":") > 1)
    paths = {hierarchy: path for _, hierarchy, path in split}
    yield paths.get("", "")
    yield paths.get("name=systemd", "")


def is_meant(unit: str, patterns: Iterable[str]) -> bool:
    """Tell whether a unit is meant: `ssh` by its whole name, ssh.service or ssh.socket.

    Sockets that systemd made for a service are those of the socket unit.
    """
    return any(fnmatchcase(unit, name) for each in patterns for name in _whole_names(each))


def _whole_names(pattern: str) -> tuple[str, ...]:
    """Complete a name without a unit's suffix, as systemctl(1) does; leave a pattern as it is."""
    if set(pattern) & set("*?") or pattern.endswith(_SUFFIXES):
        return (pattern,)
    return (f"{pattern}.service", f"{pattern}.socket")
