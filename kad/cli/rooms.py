"""Choose the network namespaces to look at, and the time that timers in each are held against."""

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import NamedTuple

from kad.capabilities import missing
from kad.cli.daemons import running
from kad.cli.once import load
from kad.core.errors import DeniedError, KadError, MissingPolicyError
from kad.core.namespaces import KERNEL_DEFAULTS, Custom, Scope, policy_for
from kad.core.parameters import Parameter
from kad.core.policy import Policy
from kad.core.status import Status
from kad.namespaces.entering import inside
from kad.namespaces.finding import Found, find
from kad.namespaces.own import own_namespace
from kad.procfs import Procfs
from kad.sockets.diag import open_diag
from kad.sockets.looking import Room

_SHOWN = 3  # so many namespaces with a time of their own are named


class Measure(NamedTuple):
    """What timers are held against, and the file that it comes from.

    `time_s` is for kad's own namespace, `elsewhere` gives that for another by its name, its inode
    and the time that stands there. None is for what stands there, whatever that is.
    """

    time_s: int | None
    file: str | None
    elsewhere: Callable[[str, int, int], int | None]

    def told(self, others: dict[str, int]) -> str:
        """Say it in words, with what it is in other namespaces."""
        time = "the kernel's time" if self.time_s is None else f"time {self.time_s} s"
        differing = [f"{s} s in {name}" for name, s in others.items() if s != self.time_s]
        more = ["..."] if len(differing) > _SHOWN else []
        return ", ".join((f"{self.file or 'none'}: {time}", *differing[:_SHOWN], *more))


def named_policy(option: str | None) -> str | None:
    """Give the policy that the caller names."""
    return option or os.environ.get("KAD_POLICY")


def measured_by(option: str | None) -> Measure:
    """Take the daemon's policy, or the one that is named, or without any the kernel's own time."""
    named = named_policy(option)
    daemon = None if named else running()
    if daemon is not None:
        told = {each.inode: each.parameters[Parameter.TIME].policy for each in daemon.namespaces}
        host = daemon.namespaces[0].parameters[Parameter.TIME].policy
        return Measure(host, daemon.policy.file, lambda _, inode, __: told.get(inode))
    try:
        path, policy = load(None, option)
    except MissingPolicyError:
        if named:
            raise
        return Measure(None, None, lambda *_: None)
    return measured_by_policy(policy, path, None)


def measured_by_policy(policy: Policy, path: str, daemon: Status | None) -> Measure:
    """Take what the policy would put in force: nothing where it leaves a namespace alone."""
    told = {} if daemon is None else {each.inode: each.managed for each in daemon.namespaces}
    rules = policy.namespaces

    def elsewhere(name: str, inode: int, stands_s: int) -> int | None:
        if rules.scope is Scope.HOST or rules.excludes(name):
            return None
        default = stands_s == KERNEL_DEFAULTS[Parameter.TIME]
        managed = told.get(inode, default or rules.custom is Custom.OVERRIDE)
        return policy_for(policy, name).values.get(Parameter.TIME) if managed else None

    return Measure(policy.values.get(Parameter.TIME), path, elsewhere)


def rooms(
    namespace: str | None, measure: Measure, meant: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[str, Room]]:
    """Go through kad's own namespace, the one that is named, or with `all` every one that is meant.

    KadError where the one that is named is not there, or is closed.
    """
    if namespace in {None, "host"}:
        yield "host", _host(measure)
        return
    found = find()
    own = found.pop(own_namespace().inode, None)
    here = own is not None and namespace == own.own_name()
    if here or namespace == "all":
        yield "host", _host(measure)
    if here:
        return
    for right in missing("CAP_SYS_PTRACE") if namespace == "all" else ():
        _say_once(f"kad: namespaces of others' processes alone are not seen: kad needs {right}")
    names = [(each.own_name(), each) for each in found.values()]
    asked = [(name, each) for name, each in names if namespace in {"all", name}]
    if not asked and namespace != "all":
        raise KadError(f"{namespace}: no such network namespace; see: kad namespaces")
    for name, each in sorted((name, each) for name, each in asked if meant(name)):
        try:
            room = _room(name, each, measure)
        except OSError as error:
            pass_over(name, namespace, error)
        else:
            yield name, room


def _host(measure: Measure) -> Room:
    return Room(open_diag, Procfs().read, policy_s=measure.time_s)


def _room(name: str, found: Found, measure: Measure) -> Room:
    """Open a namespace's parameters from within: then they can be read from anywhere."""
    kernel = Procfs()

    def opened() -> int:
        kernel.read(Parameter.INTVL)
        return kernel.read(Parameter.TIME)

    policy_s = measure.elsewhere(name, found.inode, inside(found, opened))
    return Room(partial(inside, found, open_diag), kernel.read, policy_s, other=True)


def pass_over(name: str, namespace: str | None, error: OSError) -> None:
    """Go on without it where all are meant, and name one that is refused; else raise KadError."""
    if isinstance(error, PermissionError):
        why = f"{name}: {error.strerror}: to enter a network namespace kad needs CAP_SYS_ADMIN"
        if namespace != "all":
            raise DeniedError(why) from error
        _say_once(f"kad: {why}")
    elif not isinstance(error, FileNotFoundError):
        raise error
    elif namespace != "all":
        raise KadError(f"{name}: this network namespace has gone") from error


@cache
def _say_once(line: str) -> None:
    """Say it on stderr, by --watch not each second."""
    print(line, file=sys.stderr)
