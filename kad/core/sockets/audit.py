"""Count connections by class and unit."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kad.core.sockets.connection import Class, Connection, address, timer_left

VERSION = 1


class Process(NamedTuple):
    """One that holds a socket open, by its descriptor there."""

    pid: int
    command: str
    descriptor: int


class Seen(NamedTuple):
    """A connection with what was found out about it."""

    connection: Connection
    kind: Class
    unit: str
    process: Process | None = None
    namespace: str = "host"

    def as_json(self) -> dict[str, object]:
        """Give it as one of `connections`."""
        each = self.connection
        return {
            "namespace": self.namespace,
            "unit": self.unit,
            "class": str(self.kind),
            "local": address(each.family, each.local, each.local_port),
            "remote": address(each.family, each.remote, each.remote_port),
            "pid": self.process and self.process.pid,
            "command": self.process and self.process.command,
            "timer_s": timer_left(each),
        }


class Group(NamedTuple):
    """The connections of one unit, or of one command outside of any, by their class."""

    unit: str
    counts: Mapping[Class, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


class Audit(NamedTuple):
    """Who keeps the promise: the groups, most unprotected first, and the connections if wanted.

    `longest_stale_s` is None where no timer is stale. `untold` tells that the kernel does not say
    which control groups sockets belong to; `unlooked` says why kad could not look into a stale one,
    which may be so by its program's own wish.
    """

    groups: tuple[Group, ...]
    longest_stale_s: float | None = None
    connections: tuple[Seen, ...] = ()
    untold: bool = False
    unlooked: str | None = None

    @property
    def totals(self) -> dict[Class, int]:
        """Give the count of each class, none left out."""
        return {each: sum(group.counts.get(each, 0) for group in self.groups) for each in Class}

    def as_json(self) -> dict[str, object]:
        """Give what `kad sockets --json` prints."""
        return {
            "version": VERSION,
            "totals": plain_totals(self.totals),
            "units": [
                {"unit": group.unit, **{str(each): group.counts.get(each, 0) for each in Class}}
                for group in self.groups
            ],
            "connections": [each.as_json() for each in self.connections],
        }


def merged(audits: Iterable[Audit]) -> Audit:
    """Put the audits of several namespaces into one."""
    audits = tuple(audits)
    counts: Counter[tuple[str, Class]] = Counter()
    for group in (group for audit in audits for group in audit.groups):
        counts.update({(group.unit, kind): count for kind, count in group.counts.items()})
    stale = (each.longest_stale_s for each in audits if each.longest_stale_s is not None)
    seen = tuple(each for audit in audits for each in audit.connections)
    untold = any(audit.untold for audit in audits)
    unlooked = next((audit.unlooked for audit in audits if audit.unlooked), None)
    return Audit(grouped(counts), max(stale, default=None), seen, untold, unlooked)


def plain_totals(totals: Mapping[Class, int]) -> dict[str, int]:
    """Give the totals as JSON has them."""
    counts = {str(each): totals.get(each, 0) for each in Class}
    return {**counts, "established": sum(counts.values())}


def grouped(counts: Mapping[tuple[str, Class], int]) -> tuple[Group, ...]:
    """Sort by what is most in need: unprotected, then stale, then by number and name."""
    groups: dict[str, dict[Class, int]] = {}
    for (unit, kind), count in counts.items():
        groups.setdefault(unit, {})[kind] = count
    return tuple(sorted((Group(*each) for each in groups.items()), key=_need))


def _need(group: Group) -> tuple[int, int, int, str]:
    counts = group.counts
    unprotected, stale = counts.get(Class.UNPROTECTED, 0), counts.get(Class.STALE, 0)
    return -unprotected, -stale, -group.total, group.unit
