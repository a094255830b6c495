"""Take the audit of one network namespace."""

import socket
from collections import Counter
from contextlib import suppress
from typing import NamedTuple

from kad.core.sockets.audit import Audit, Process, Seen, grouped
from kad.core.sockets.connection import ESTABLISHED, Class, Connection, classify, is_loopback
from kad.sockets.borrowing import borrowed, refuse_without_rights
from kad.sockets.cgroups import Cgroups
from kad.sockets.diag import dump
from kad.sockets.owners import holder_of, owners


class Bounds(NamedTuple):
    """What is looked at, and how closely.

    `policy_s` is what a timer is held against, `kernel_s` what a socket without a TCP_KEEPIDLE of
    its own follows. `named` has the commands found of those outside of any unit.
    """

    policy_s: int
    kernel_s: int
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
        kind, unit = classify(connection, bounds.policy_s), cgroups.unit(connection.cgroup)
        if unit is None or kind is Class.STALE or bounds.listed:
            puzzles.append((connection, kind, unit))
        else:
            counts[unit, kind] += 1
    may_look = _may_look()
    seen = _solved(puzzles, bounds, may_look=may_look)
    counts.update((each.unit, each.kind) for each in seen)
    stale = (each.connection.expires for each in seen if each.kind is Class.STALE)
    longest = max(stale, default=None)
    return Audit(
        grouped(counts),
        None if longest is None else longest / 1000,
        tuple(seen) if bounds.listed else (),
        untold=any(not each.cgroup for each, _, _ in puzzles),
        unlooked=longest is not None and not may_look,
    )


def _solved(
    puzzles: list[tuple[Connection, Class, str | None]], bounds: Bounds, *, may_look: bool
) -> list[Seen]:
    """Find the commands of those without a unit, and whose timers are long by their own wish."""
    found: dict[int, Process] = {}
    with suppress(OSError):  # a kernel that does not tell the holders
        found = owners(
            {
                each.inode
                for each, kind, _ in puzzles
                if bounds.named or (may_look and kind is Class.STALE)
            }
        )
    seen = []
    for connection, known, unit in puzzles:
        process, kind = found.get(connection.inode), known
        if may_look and kind is Class.STALE and process is not None:
            kind = _looked_into(connection, process, bounds.kernel_s)
        whose = unit or (process and holder_of(process)) or f"of user {connection.uid}"
        seen.append(Seen(connection, kind, whose, process, bounds.namespace))
    return seen


def _may_look() -> bool:
    try:
        refuse_without_rights()
    except OSError:
        return False
    return True


def _looked_into(connection: Connection, process: Process, kernel_s: int) -> Class:
    try:
        with borrowed(process, connection) as found:
            if found is None:
                return Class.STALE
            idle = found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    except OSError:
        return Class.STALE
    return Class.STALE if idle == kernel_s else Class.OWN
