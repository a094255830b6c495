"""Lay out `kad status` as a page."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from kad.cli.socketstable import totals
from kad.cli.terminal import Style
from kad.core.errors import printable
from kad.core.parameters import Parameter
from kad.core.report import State
from kad.core.sockets.connection import Class
from kad.core.spans import format_span
from kad.core.status import NamespaceStatus, ParameterStatus, SocketsStatus, Status
from kad.core.words import complete, dead_peer

WORDS = {
    State.IN_FORCE: "in force",
    State.DRIFTED: "drifted",
    State.FAILED: "failed",
    State.UNMANAGED: "not in the policy",
    State.DEGRADED: "degraded",
}


def page(status: Status, style: Style) -> list[str]:
    """Give the lines: what is wrong stands first, what is known in addition last."""
    own = status.namespaces[0]
    return [
        *_head(status, style),
        "",
        *_table(own.parameters, style),
        *_others(status.namespaces[1:], style),
        "",
        *_meaning(own),
        *_drift(status),
        *_sockets(status.sockets),
        *(f"advice     {each}" for each in status.advice),
    ]


def _head(status: Status, style: Style) -> Iterator[str]:
    word = WORDS[State(status.state)]
    audit = ", audit: nothing is written" if status.mode == "audit" else ""
    yield f"{style.bold('kad')}        {style.state(status.state, word)}{audit}"
    if status.reason is not None:
        yield f"           {style.state(status.state, status.reason)}"
    for each in status.warnings:
        yield f"           {style.state(State.DRIFTED, each)}"
    good = ", the last good one" if status.policy.last_good else ""
    yield f"policy     {printable(status.policy.file)}{good}, read {status.policy.loaded_at}"
    mistakes = (status.policy.error or "").splitlines()
    for line in mistakes if len(mistakes) > 1 else ():  # one alone stands above
        yield f"           {style.state(State.DEGRADED, line)}"
    yield f"daemon     {_daemon(status)}"


def _daemon(status: Status) -> str:
    if status.pid is None or status.checks is None:
        return "not running with this policy"
    checks = status.checks
    every = format_span(checks.every_s)
    count = f"{checks.count_} check{'s' if checks.count_ != 1 else ''}"
    return f"pid {status.pid}, checking every {every}; {count}, last at {checks.last_at}"


def _table(parameters: Mapping[Parameter, ParameterStatus], style: Style) -> Iterator[str]:
    width = max(len(name) for name in Parameter)
    yield style.bold(f"{'parameter':<{width}} {'policy':>8} {'kernel':>8}  state")
    for name in Parameter:
        each = parameters[name]
        unit = "" if name is Parameter.PROBES else " s"
        policy, found = _value(each.policy, unit), _value(each.found, unit)
        word = style.state(each.state, WORDS[State(each.state)])
        yield f"{name:<{width}} {policy:>8} {found:>8}  {word}"


def _others(others: Sequence[NamespaceStatus], style: Style) -> Iterator[str]:
    """Show each that is not in force, and count the rest."""
    if not others:
        return
    troubled = [each for each in others if each.managed and not _in_force(each)]
    for each in troubled:
        yield ""
        why = f": {printable(each.reason)}" if each.reason else ""
        yield f"namespace {style.bold(printable(each.name))}{why}"
        yield from _table(each.parameters, style)
    left = Counter(each.reason for each in others if not each.managed)
    counts = [f"{sum(each.managed for each in others) - len(troubled)} in force"]
    counts += [f"{count} left alone ({reason})" for reason, count in sorted(left.items(), key=str)]
    yield ""
    yield f"others     {', '.join(counts)}; see: kad namespaces"


def _in_force(namespace: NamespaceStatus) -> bool:
    states = {each.state for each in namespace.parameters.values()}
    return states <= {State.IN_FORCE, State.UNMANAGED}


def _value(value: int | None, unit: str) -> str:
    return "-" if value is None else f"{value}{unit}"


def _meaning(own: NamespaceStatus) -> Iterator[str]:
    """Say what a dead peer means, by the kernel's values and, where it differs, the policy's."""
    found = {name: own.parameters[name].found for name in Parameter}
    wanted = {name: own.parameters[name].policy or found[name] for name in Parameter}
    now, then = _dead_peer(found), _dead_peer(wanted)
    if now is not None:
        yield f"dead peer  {now}"
    if then is not None and then != now:
        yield f"by policy  {then}"


def _dead_peer(values: Mapping[Parameter, int | None]) -> str | None:
    known = {name: value for name, value in values.items() if value is not None}
    return dead_peer(known) if complete(known) else None


def _sockets(found: SocketsStatus | None) -> Iterator[str]:
    if found is not None:
        counts = {each: found.totals.get(each, 0) for each in Class}
        yield f"sockets    {totals(counts, found.longest_stale_s)}"


def _drift(status: Status) -> Iterator[str]:
    if status.drift is None or status.drift.last is None:
        return
    last = status.drift.last
    where = "" if last.namespace == "host" else f"{printable(last.namespace)}: "
    yield (
        f"drift      {status.drift.count_} so far, last at {last.at}: {where}{last.parameter} "
        f"was {last.found}, policy says {last.policy}; {last.outcome}"
    )
