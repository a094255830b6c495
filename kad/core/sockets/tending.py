"""Plan what is to be done to sockets by the policy, and say what was done."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from kad.core.parameters import Parameter
from kad.core.policy import Sockets
from kad.core.sockets.connection import LISTEN, Class, Connection, classify
from kad.core.units import is_meant

_NAMED = 3  # so many units are named of what was done


class Deed(StrEnum):
    """What is done to a socket."""

    REARM = "re-arm"
    ENABLE = "enable"


_CURE = {Class.STALE: Deed.REARM, Class.UNPROTECTED: Deed.ENABLE}


def allowed(wish: Sockets, unit: str | None) -> frozenset[Deed]:
    """Tell what may be done to the sockets of a unit, None being those outside of any."""
    if unit is not None and is_meant(unit, wish.exclude):
        return frozenset()
    enable = unit is not None and is_meant(unit, wish.enable)
    chosen = {Deed.REARM: wish.rearm, Deed.ENABLE: enable}
    return frozenset(each for each in Deed if chosen[each])


def needed(connection: Connection, time_s: int) -> Deed | None:
    """Tell what a socket lacks, as far as the kernel shows it.

    Whether one that listens has SO_KEEPALIVE on is seen only by looking into it.
    """
    if connection.state == LISTEN:
        return Deed.ENABLE
    return _CURE.get(classify(connection, time_s))


class Task(NamedTuple):
    """A socket with what it needs; `read` gives what its namespace has now.

    `unit` is None outside of any.
    """

    connection: Connection
    deed: Deed
    unit: str | None
    read: Callable[[Parameter], int]


class Look(NamedTuple):
    """What one look found: how many there are of each class, loopback aside, and what to do.

    `more` tells that there is more to do than was taken on at once; `exclude` whose processes are
    to be left alone whichever unit made their sockets.
    """

    totals: Mapping[Class, int]
    longest_stale_s: float | None = None
    tasks: tuple[Task, ...] = ()
    more: bool = False
    exclude: tuple[str, ...] = ()


class Tended(NamedTuple):
    """What was done in one pass, by deed and unit or command, and how long that alone took.

    `failed` are the cookies of the sockets that could not be reached.
    """

    done: Mapping[tuple[Deed, str], int]
    failed: frozenset[int] = frozenset()
    took_s: float = 0.0


def sentence(tended: Tended) -> str:
    """Say what was done: `re-armed 37 connections of 3 units (nginx.service 30, ...)`.

    Empty where nothing was.
    """
    return "; ".join(sentences(tended))


def sentences(tended: Tended, *, would: bool = False) -> tuple[str, ...]:
    """Say it in parts, or what would be done: then every unit is named."""
    parts = [*_parts(tended.done, would=would)]
    if tended.failed:
        parts.append(f"{len(tended.failed)} could not be" if parts else _nothing(tended))
    return tuple(parts)


def _nothing(tended: Tended) -> str:
    return f"{_count(len(tended.failed), 'socket')} could not be reached"


def _parts(done: Mapping[tuple[Deed, str], int], *, would: bool) -> Iterator[str]:
    verbs = {
        Deed.REARM: ("re-armed", "would re-arm", "connection"),
        Deed.ENABLE: ("switched keepalive on for", "would switch keepalive on for", "socket"),
    }
    for each, (past, conditional, noun) in verbs.items():
        units = Counter({unit: count for (deed, unit), count in done.items() if deed is each})
        if units:
            total = _count(units.total(), noun)
            verb = conditional if would else past
            names = _names(units, len(units) if would else _NAMED)
            yield f"{verb} {total} of {_count(len(units), 'unit')} ({names})"


def _names(units: Counter[str], most: int) -> str:
    named = [f"{unit} {count}" for unit, count in units.most_common(most)]
    return ", ".join([*named, "..."] if len(units) > most else named)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def unmatched(wish: Sockets, running: Iterable[str]) -> Iterator[str]:
    """Advise on the names in the policy that mean none of the units that run."""
    units = tuple(running)
    if not units:  # where none is known to run, a name that means none says nothing
        return
    for key, patterns in (("enable", wish.enable), ("exclude", wish.exclude)):
        for pattern in patterns:
            if not any(is_meant(unit, (pattern,)) for unit in units):
                yield f'sockets.{key}: "{pattern}" matches no running unit'
