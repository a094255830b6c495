"""Choose the time that the timers of open connections are held against."""

from collections.abc import Callable
from typing import NamedTuple

from kad.cli.daemons import running
from kad.cli.policies import load, named_policy
from kad.core.errors import MissingPolicyError
from kad.core.namespaces import KERNEL_DEFAULTS, Custom, Scope, policy_for
from kad.core.parameters import Parameter
from kad.core.policy import Policy
from kad.core.status import Status

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
