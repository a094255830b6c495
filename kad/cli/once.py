"""Run one pass without a daemon: plan and apply."""

import argparse
import os
import sys

from kad import policyfile
from kad.cli.daemons import running
from kad.cli.policies import load
from kad.core.denial import denial
from kad.core.errors import DeniedError, KadError, os_error_words, printable
from kad.core.history import History
from kad.core.namespaces import Scope
from kad.core.policy import Action, Mode, Policy
from kad.core.report import FAILED, LEFT, Outcome, Report
from kad.core.sockets.tending import Tended, sentence
from kad.core.status import Status
from kad.procfs import Procfs
from kad.reconcile import reconcile
from kad.sockets.diag import open_diag
from kad.sockets.looking import Room
from kad.sockets.tending import Tender

_OTHERS = "only `kad run` sets those"


def one_pass(policy: Policy) -> Report:
    """Run one pass over this namespace; in audit mode it writes nothing."""
    return reconcile(policy, Procfs(), History().judge(policy, 0))


def plan(arguments: argparse.Namespace) -> int:
    """Print what apply would change."""
    _, policy = load(arguments.argument, arguments.policy)
    if policy.namespaces.scope is Scope.ALL:
        sys.stderr.write(f"kad: other network namespaces are not looked at: {_OTHERS}\n")
    return _show_plan(policy)


def _show_plan(policy: Policy) -> int:
    report = one_pass(policy._replace(mode=Mode.AUDIT))
    for each in report.having(LEFT):
        print(f"{each.parameter}: {each.found} -> {each.policy}")
    failed = [each for each in report if each.outcome in FAILED]
    if failed:
        denied = all(isinstance(each.error, PermissionError) for each in failed)
        raise (DeniedError if denied else KadError)("; ".join(each.failure for each in failed))
    return 0 if report.in_force else 1


def apply(arguments: argparse.Namespace) -> int:
    """Put the policy in force."""
    _, policy = load(arguments.argument, arguments.policy)
    if policy.mode is Mode.AUDIT:
        sys.stderr.write("kad: audit mode: nothing is written\n")
        return _show_plan(policy)
    report = one_pass(policy)
    for each in report:
        if each.outcome is Outcome.WRITTEN:
            print(f"{each.parameter}: {each.found} -> {each.now}")
    denied = denial(report)
    if denied is not None:
        raise denied
    for each in report.having(FAILED):
        sys.stderr.write(f"kad: {each.failure}\n")
    if policy.namespaces.scope is Scope.ALL:
        sys.stderr.write(f"kad: other network namespaces are unchanged: {_OTHERS}\n")
    daemon = _other_daemon()
    if daemon is not None and _undoes(daemon, policy):
        sys.stderr.write(
            f"kad: the daemon (pid {daemon.pid}) runs another policy, {daemon.policy.file}, "
            "and will undo this\n"
        )
    tended = not policy.sockets.wanted or _tend_sockets(policy)
    return 0 if report.in_force and tended else 1


def _tend_sockets(policy: Policy) -> bool:
    """Do to open sockets what the policy asks for, and say it; tell whether kad could."""
    tender = Tender(lambda: [Room(open_diag, Procfs().read)])
    more = True
    try:
        while more:
            look = tender.look(policy.sockets, policy.values)
            _say(tender.tend(look))
            more = look.more
        # What resisted, and is still there: none that ended meanwhile.
        last = tender.tend(tender.look(policy.sockets, policy.values))
        _say(last)
    except OSError as error:
        why = f"cannot apply [sockets]: {os_error_words(error)}"
        if isinstance(error, PermissionError):
            raise DeniedError(why) from error
        sys.stderr.write(f"kad: {why}\n")
        return False
    return not last.failed


def _say(tended: Tended) -> None:
    said = printable(sentence(tended))
    if tended.failed:
        sys.stderr.write(f"kad: {said}\n")
    elif said:
        print(said)


def _other_daemon() -> Status | None:
    try:
        return running()
    except KadError:  # its state cannot be read: the policy is in force all the same
        return None


def _undoes(daemon: Status, policy: Policy) -> bool:
    """Whether a daemon restores other values than those just written."""
    wanted = daemon.namespaces[0].parameters
    differs = any(
        parameter in wanted and wanted[parameter].policy not in {None, value}
        for parameter, value in policy.values.items()
    )
    return differs and daemon.mode == Mode.ENFORCE and not _only_warns(daemon.policy.file)


def _only_warns(file: str) -> bool:
    """Whether a daemon's policy leaves drift alone; where it cannot be read, it does not."""
    try:
        where = policyfile.PolicyPath(file, named=True)
        policy = policyfile.validate(policyfile.read(where, os.environ), file)
    except KadError:
        return False
    return policy.action is Action.WARN
