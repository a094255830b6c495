"""Take the audit of one network namespace."""

import socket
from collections import Counter
from typing import NamedTuple

from kad.core.sockets.audit import Audit, Process, Seen, grouped
from kad.core.sockets.connection import ESTABLISHED, Class, Connection, classify, is_loopback
from kad.sockets import options
from kad.sockets.borrowing import borrowed, refuse_without_rights
from kad.sockets.cgroups import Cgroups
from kad.sockets.diag import dump
from kad.sockets.owners import holder_of, owners


class Bounds(NamedTuple):
    """What is looked at, and how closely.

    `limit_s` is the most that is left on a timer under the time that is wanted; `read` gives what a
    socket without times of its own follows. `named` has the commands found of those
    outside of any unit.
    """

    limit_s: int
    read: options.Read
    loopback: bool = False
    listed: bool = False
    named: bool = True
    namespace: str = "host"


def survey(diag: socket.socket, bounds: Bounds, cgroups: Cgroups) -> Audit:
    """Count the connections; list them where that is wanted."""
    counts: Counter[tuple[str, Class]] = Counter()
    puzzles: list[tuple[Connection, Class, str | None]] = []
    for connection in dump(diag, 1 << ESTABLISHED):
        if not bounds.loopback and is_loopback(connection):
            continue
        kind, unit = classify(connection, bounds.limit_s), cgroups.unit(connection.cgroup)
        if unit is None or kind is Class.STALE or bounds.listed:
            puzzles.append((connection, kind, unit))
        else:
            counts[unit, kind] += 1
    seen, unlooked = _solved(puzzles, bounds)
    counts.update((each.unit, each.kind) for each in seen)
    stale = (each.connection.expires for each in seen if each.kind is Class.STALE)
    longest = max(stale, default=None)
    return Audit(
        grouped(counts),
        None if longest is None else longest / 1000,
        tuple(seen) if bounds.listed else (),
        untold=any(not each.cgroup for each, _, _ in puzzles),
        unlooked=None if longest is None else unlooked,
    )


def _solved(
    puzzles: list[tuple[Connection, Class, str | None]], bounds: Bounds
) -> tuple[list[Seen], str | None]:
    """Find the commands of those without a unit, and whose timers are long by their own wish.

    Give also why kad could not look into one.
    """
    why = _refusal()
    may_look = why is None
    found: dict[int, Process] = {}
    try:
        found = owners(
            {
                each.inode
                for each, kind, _ in puzzles
                if bounds.named or (may_look and kind is Class.STALE)
            }
        )
    except OSError as error:  # a kernel that does not tell the holders
        why = error.strerror
    seen = []
    for connection, known, unit in puzzles:
        process, kind = found.get(connection.inode), known
        if may_look and kind is Class.STALE and process is not None:
            try:
                kind = _looked_into(connection, process, bounds.read)
            except OSError as error:
                why = error.strerror
        whose = unit or (process and holder_of(process)) or f"of user {connection.uid}"
        seen.append(Seen(connection, kind, whose, process, bounds.namespace))
    return seen, why


def _refusal() -> str | None:
    try:
        refuse_without_rights()
    except OSError as error:
        return error.strerror
    return None


def _looked_into(connection: Connection, process: Process, read: options.Read) -> Class:
    """Tell whose wish a long timer is; OSError where kad may not look."""
    with borrowed(process, connection) as found:
        if found is None:
            return Class.STALE
        own = options.made_its_timer_long(found, read, connection.expires)
        return Class.OWN if own else Class.STALE
