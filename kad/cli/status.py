"""Show the state: as a page, as JSON, as metrics, or redrawn."""

import argparse
import json
import os
import sys
from time import gmtime, sleep, strftime

from kad.cli.advising import advised
from kad.cli.daemons import running
from kad.cli.measure import wanted
from kad.cli.once import one_pass
from kad.cli.page import page
from kad.cli.policies import load, named_policy
from kad.cli.terminal import Style
from kad.cli.values import own_values, values_in
from kad.core.errors import KadError, PolicyError
from kad.core.fresh import refreshed
from kad.core.metrics import metrics
from kad.core.parameters import Parameter
from kad.core.policy import Mode
from kad.core.report import State
from kad.core.sockets.audit import plain_totals
from kad.core.status import (
    PolicyStatus,
    SocketsStatus,
    Status,
    namespace_status,
)
from kad.core.summary import sum_up
from kad.namespaces.finding import find
from kad.namespaces.own import own_namespace
from kad.procfs import Procfs
from kad.sockets.cgroups import Cgroups
from kad.sockets.diag import open_diag
from kad.sockets.looking import limit_s
from kad.sockets.survey import Bounds, survey

_REDRAW_S = 1.0


def status(arguments: argparse.Namespace) -> int:
    """Show the state; the exit status says it too."""
    if arguments.watch:
        return _watch(arguments)
    if arguments.metrics:
        return _metrics(arguments)
    now = with_sockets(gather(arguments.policy))
    if arguments.json:
        print(json.dumps(now.as_json(), indent=1))
    else:
        print("\n".join(page(now, Style.of(sys.stdout))))
    return _exit_status(now)


def _exit_status(now: Status) -> int:
    in_force = now.state == State.IN_FORCE
    if now.pid is None:
        return 3 if in_force else 1
    return 0 if in_force else 1


def _metrics(arguments: argparse.Namespace) -> int:
    """Print numbers even where there is no valid policy: that is when an alarm is wanted most."""
    try:
        now = gather(arguments.policy)
    except PolicyError:
        print(metrics(None), end="")
        raise
    print(metrics(now), end="")
    return _exit_status(now)


def _watch(arguments: argparse.Namespace) -> int:
    """Redraw in place; on what is no terminal, print page after page."""
    style = Style.of(sys.stdout)
    last = 0
    try:
        while True:
            try:
                now = with_sockets(gather(arguments.policy))
                lines, last = page(now, style), _exit_status(now)
            except KadError as error:
                lines, last = [f"kad: {line}" for line in error.lines()], error.exit_status
            style.redraw(sys.stdout, lines)
            sleep(_REDRAW_S)
    except KeyboardInterrupt:
        return last


def gather(option: str | None) -> Status:
    """Give the state with the kernel's values as they are now.

    With a daemon it is the daemon's, save where the caller names another policy.
    """
    daemon = running()
    named = named_policy(option)
    if daemon is not None and (not named or os.path.abspath(named) == daemon.policy.file):
        return _refreshed(daemon)
    alone = _without_daemon(option)
    if daemon is None:
        return alone
    other = f"the daemon (pid {daemon.pid}) runs another policy: {daemon.policy.file}"
    return alone._replace(advice=(*alone.advice, other))


def with_sockets(status: Status) -> Status:
    """Add the count of connections as it is now; where kad may not look, the daemon's stays."""
    own, read = status.namespaces[0], Procfs().read
    if own.parameters[Parameter.TIME].found is None:
        return status
    try:
        bounds = Bounds(limit_s(wanted(own), read), read, named=False)
        with open_diag() as diag:
            found = survey(diag, bounds, Cgroups())
    except OSError:
        return status
    return status._replace(sockets=SocketsStatus(plain_totals(found.totals), found.longest_stale_s))


def _without_daemon(option: str | None) -> Status:
    path, policy = load(None, option)
    report = one_pass(policy._replace(mode=Mode.AUDIT))
    namespace = own_namespace()
    summary = sum_up(policy, report)
    return Status(
        state=summary.state,
        reason=summary.reason,
        mode=policy.mode,
        policy=PolicyStatus(path, strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())),
        namespaces=(namespace_status(report, namespace.inode),),
        advice=advised(policy, report.found),
    )


def _refreshed(daemon: Status) -> Status:
    """Put the kernel's present values into the daemon's own account of itself."""
    told = {each.inode for each in daemon.namespaces[1:]}
    others = [each for inode, each in find().items() if inode in told] if told else []
    # By cookie, as an inode may be another's by now.
    values = {each.cookie: each.values for each in values_in(others).values()}
    return refreshed(daemon, own_values(), values)
