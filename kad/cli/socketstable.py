"""Lay out the audit of connections as a table."""

from collections.abc import Iterator

from kad.cli.programs import options_for
from kad.cli.terminal import Style
from kad.core.errors import printable
from kad.core.report import State
from kad.core.sockets.audit import Audit, Group, Seen
from kad.core.sockets.connection import Class, address, timer_left
from kad.core.spans import format_span
from kad.core.units import UNTOLD

_BAR = 20
_NARROWEST = 12
_WIDEST = 40
_MARKS = {
    Class.UNPROTECTED: ("!", State.FAILED),
    Class.STALE: ("~", State.DRIFTED),
    Class.OWN: ("o", State.UNMANAGED),
    Class.PROTECTED: ("=", State.IN_FORCE),
    Class.BUSY: (".", State.UNMANAGED),
}
_HELP = {
    Class.UNPROTECTED: "SO_KEEPALIVE is off, so no sysctl applies: turn it on in the program, "
    "or for a unit with [sockets] enable",
    Class.STALE: "the timer was armed under a longer time: [sockets] rearm = true fixes this",
    Class.OWN: "the program set a longer time itself; kad leaves it alone",
    Class.PROTECTED: "keepalive is on and within the policy's time; nothing to do",
    Class.BUSY: "data or probes are in flight: check again when idle",
}


def table(audit: Audit, told_by: str, style: Style) -> list[str]:
    """Give the lines: the totals, the units, what helps, and the connections where listed.

    `told_by` says what the timers are held against.
    """
    lines = [f"sockets    {totals(audit.totals, audit.longest_stale_s)}"]
    lines.append(f"policy     {printable(told_by)}")
    if audit.groups:
        lines += ["", *_units(audit, style), "", *_advice(audit, style)]
    if audit.connections:
        lines += ["", *_connections(audit.connections, style)]
    return lines


def totals(counts: dict[Class, int], longest_stale_s: float | None) -> str:
    """Say the totals in one line, what is worst first."""
    left = "" if longest_stale_s is None else f" (up to {format_span(int(longest_stale_s))} left)"
    parts = [
        f"{counts[each]} {each}{left if each is Class.STALE else ''}"
        for each in _MARKS
        if counts.get(each)
    ]
    return f"{sum(counts.values())} established" + (f": {', '.join(parts)}" if parts else "")


def _units(audit: Audit, style: Style) -> Iterator[str]:
    width = _width(group.unit for group in audit.groups)
    digits = max(len(str(group.total)) for group in audit.groups)
    heads = " ".join(f"{each:>{digits}}" for each in ("total", *_MARKS))
    yield style.bold(f"{'unit':<{width}} {heads}")
    for group in audit.groups:
        columns = [("total", group.total), *((each, group.counts.get(each, 0)) for each in _MARKS)]
        numbers = " ".join(f"{count or '-':>{max(len(head), digits)}}" for head, count in columns)
        yield f"{_cut(group.unit, width):<{width}} {numbers}  {_bar(group, style)}"


def _bar(group: Group, style: Style) -> str:
    """Draw the shares; what is there at all has a mark at least."""
    drawn, cells = [], _BAR
    shares = [(each, group.counts[each]) for each in _MARKS if group.counts.get(each)]
    for index, (each, count) in enumerate(shares):
        others = len(shares) - index - 1
        wide = min(cells - others, max(1, round(_BAR * count / group.total)))
        wide = wide if others else cells
        mark, state = _MARKS[each]
        drawn.append(style.state(state, mark * wide))
        cells -= wide
    return "".join(drawn)


def _advice(audit: Audit, style: Style) -> Iterator[str]:
    counts = audit.totals
    for each, (mark, state) in _MARKS.items():
        if counts[each]:
            yield f"{style.state(state, mark)} {each}: {_HELP[each]}"
            if each is Class.STALE and audit.unlooked:
                yield f"    or the program set a longer time itself; cannot tell: {audit.unlooked}"
            if each in {Class.UNPROTECTED, Class.OWN}:
                yield from _options(audit, each)
    if audit.untold:
        yield f"grouped by command: {UNTOLD}"


def _options(audit: Audit, kind: Class) -> Iterator[str]:
    """Name the option of each known program that has connections of the class."""
    told = set()
    for group in audit.groups:
        known = options_for(group.unit) if group.counts.get(kind) else None
        if known is not None and known not in told:
            told.add(known)
            yield f"    {printable(group.unit)}: {known.option}"
            yield f"        {known.source}"


def _connections(connections: tuple[Seen, ...], style: Style) -> Iterator[str]:
    width = _width(each.unit for each in connections)
    yield style.bold(
        f"{'class':<11}  {'left':>9}  {'unit':<{width}}  {'process':<16}  {'local':<24} remote"
    )
    order = {each: index for index, each in enumerate(_MARKS)}
    for seen in sorted(connections, key=lambda each: (order[each.kind], each.unit)):
        yield _line(seen, width, style)


def _line(seen: Seen, width: int, style: Style) -> str:
    each, process = seen.connection, seen.process
    kind = style.state(_MARKS[seen.kind][1], f"{seen.kind:<11}")
    left = timer_left(each)
    shown = "-" if left is None else f"{left:.1f} s"
    holder = f"{printable(process.command)} {process.pid}" if process else "-"
    local = address(each.family, each.local, each.local_port)
    remote = address(each.family, each.remote, each.remote_port)
    where = "" if seen.namespace == "host" else f"  in {printable(seen.namespace)}"
    unit = _cut(seen.unit, width)
    return f"{kind}  {shown:>9}  {unit:<{width}}  {holder:<16}  {local:<24} {remote}{where}"


def _width(names: Iterator[str]) -> int:
    return min(_WIDEST, max((len(printable(each)) for each in names), default=_NARROWEST))


def _cut(name: str, width: int) -> str:
    name = printable(name)
    return name if len(name) <= width else f"{name[: width - 3]}..."
