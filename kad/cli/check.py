"""Validate a policy, and say in words what it means."""

import argparse
import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from kad import policyfile
from kad.cli.advising import advised
from kad.cli.policies import load
from kad.cli.timeline import timeline
from kad.cli.values import own_values
from kad.core.errors import printable
from kad.core.namespaces import Custom, Namespaces, Scope
from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, OnStop, Policy, Sockets, describe
from kad.core.spans import format_span
from kad.core.words import complete, dead_peer

# The user that the unit runs as.
SERVICE_USER = "kad"


def check(arguments: argparse.Namespace) -> int:
    """Print what the policy means; PolicyError tells all its mistakes."""
    path, policy = load(arguments.argument, arguments.policy)
    found = own_values()
    print(f"{printable(path)}: valid")
    for line in _meaning(policy, found):
        print(line)
    for each in advised(policy, found):
        print(f"advice: {each}")
    if arguments.argument is None and arguments.policy is None:
        _check_service_user(path)
    return 0


def _meaning(policy: Policy, found: Mapping[Parameter, int]) -> Iterator[str]:
    every = format_span(policy.check_every)
    if policy.mode is Mode.AUDIT:
        yield f"audit mode: every {every} kad reports differences from {policy}; it writes nothing"
    else:
        yield f"kad sets {policy} and checks every {every}"
        yield _on_drift(policy)
        if policy.on_stop is OnStop.RESTORE:
            yield "when it stops, kad restores the values it found before its first write"
        yield from _on_sockets(policy.sockets)
    yield from _on_namespaces(policy.namespaces)
    left_out = [each for each in Parameter if each not in policy.values]
    for parameter in left_out:
        has = f" (now {parameter.describe(found[parameter])})" if parameter in found else ""
        yield f"keepalive.{parameter.key} is not set: the kernel's value is left alone{has}"
    values = {**found, **policy.values}
    if complete(values):
        yield f"a dead peer is {dead_peer(values)}:"
        yield ""
        yield from (f"  {line}" for line in timeline(values, policy.idle_timeout))
        yield ""


def _on_namespaces(wish: Namespaces) -> Iterator[str]:
    if wish.scope is Scope.HOST:
        return
    where = "except" if wish.custom is Custom.KEEP else "even"
    yield (
        "the same applies in every network namespace of this machine, "
        f"{where} where values were set on purpose"
    )
    for each in wish.overrides:
        yield f"namespaces matching {printable(each.match)} get {describe(each.values)}"
    if wish.exclude:
        yield f"namespaces matching {printable(', '.join(wish.exclude))} are left alone"


def _on_sockets(wish: Sockets) -> Iterator[str]:
    if wish.rearm:
        yield "connections with more left on their timer than the policy's time are re-armed"
    if wish.enable:
        yield f"SO_KEEPALIVE is turned on for sockets of {', '.join(wish.enable)}"
    if wish.wanted and wish.exclude:
        yield f"sockets of {', '.join(wish.exclude)} are never touched"


def _on_drift(policy: Policy) -> str:
    if policy.action is Action.WARN:
        return "if another process changes a value, kad logs it and leaves it"
    return "if another process changes a value, kad logs it and restores the value"


def _check_service_user(path: str) -> None:
    """Say whether the unit's user can read the file; PolicyError in its words where it cannot.

    Only root can find that out; for others, and without such a user, there is nothing to say.
    """
    try:
        user = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return
    if os.geteuid() == 0:
        # A container's root mostly lacks the capabilities to become somebody else.
        with suppress(PermissionError), _acting_as(user):
            policyfile.read(policyfile.PolicyPath(path, named=False), os.environ)
            print(f"user {SERVICE_USER} can read the file")


@contextmanager
def _acting_as(user: pwd.struct_passwd) -> Iterator[None]:
    """Have the user's rights, and no others, for a while."""
    groups, group = os.getgroups(), os.getegid()
    try:
        os.initgroups(user.pw_name, user.pw_gid)
        os.setegid(user.pw_gid)
        os.seteuid(user.pw_uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)
