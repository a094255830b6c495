"""List the network namespaces of this machine."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kad.cli.daemons import running
from kad.cli.page import WORDS
from kad.cli.terminal import Style
from kad.cli.values import own_values, values_in
from kad.core.errors import printable
from kad.core.fresh import afresh
from kad.core.parameters import Parameter
from kad.core.report import State
from kad.core.status import NamespaceStatus
from kad.namespaces.finding import find
from kad.namespaces.own import own_namespace

_HEADINGS = ("name", "inode", "processes", "time", "intvl", "probes", "state")


class _Row(NamedTuple):
    """A namespace as it is shown."""

    name: str
    inode: int
    processes: str
    values: tuple[str, ...]
    state: str


def namespaces(_: argparse.Namespace) -> int:
    """Print a table, kad's own namespace first."""
    daemon = running()
    told = {each.inode: each for each in daemon.namespaces} if daemon is not None else {}
    rows = sorted(_rows(told), key=lambda row: (row.name != "host", row.name, row.inode))
    print("\n".join(_lines(rows, Style.of(sys.stdout))))
    return 0


def _rows(told: Mapping[int, NamespaceStatus]) -> Iterable[_Row]:
    found, own = find(), own_namespace()
    # Whom the kernel does not show PID 1's it does not show most processes either.
    sees_all = own.host is not None
    readings = values_in(each for inode, each in found.items() if inode != own.inode)
    for inode, each in found.items():
        processes = str(len(each.pids)) if sees_all else "-"
        if inode == own.inode:
            yield _row("host", inode, processes, own_values(), told.get(inode))
            continue
        reading, known = readings.get(inode), told.get(inode)
        if reading is not None and known is not None and known.cookie not in {None, reading.cookie}:
            known = None  # the daemon's word is on one that has gone
        values = None if reading is None else reading.values
        yield _row(each.own_name(), inode, processes, values, known)
    for inode in set() if sees_all else told.keys() - found.keys():
        yield _row(told[inode].name, inode, "-", None, told[inode])


def _row(
    name: str,
    inode: int,
    processes: str,
    values: Mapping[Parameter, int] | None,
    told: NamespaceStatus | None,
) -> _Row:
    """Give the values of now, else those that the daemon saw last."""
    found: Mapping[Parameter, int | None] = values or {}
    if told is not None:
        told = told if values is None else afresh(told, values)
        name, found = told.name, {key: each.found for key, each in told.parameters.items()}
    shown = (found.get(each) for each in Parameter)
    cells = tuple("-" if value is None else str(value) for value in shown)
    return _Row(name, inode, processes, cells, _state(told))


def _state(told: NamespaceStatus | None) -> str:
    if told is None:
        return "-"
    if not told.managed:
        return f"left alone: {told.reason}"
    states = {each.state for each in told.parameters.values()}
    worst = (State.FAILED, State.DRIFTED, State.IN_FORCE)
    word = WORDS[next((each for each in worst if each in states), State.UNMANAGED)]
    return f"{word}: {told.reason}" if told.reason else word


def _lines(rows: Iterable[_Row], style: Style) -> Iterable[str]:
    table: list[tuple[str, ...]] = [_HEADINGS]
    table += [
        (printable(row.name), str(row.inode), row.processes, *row.values, printable(row.state))
        for row in rows
    ]
    widths = [max(len(line[column]) for line in table) for column in range(len(_HEADINGS))]
    for number, line in enumerate(table):
        name, *numbers, state = (
            cell.rjust(width) if 0 < column < len(line) - 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        text = "  ".join((name, *numbers, state)).rstrip()
        yield style.bold(text) if number == 0 else text
