"""Choose the values that the timers of open connections are held against."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kad.cli.daemons import running
from kad.cli.policies import load, named_policy
from kad.core.errors import MissingPolicyError
from kad.core.namespaces import KERNEL_DEFAULTS, Custom, Scope, policy_for
from kad.core.parameters import Parameter
from kad.core.policy import Policy
from kad.core.status import NamespaceStatus, Status

Values = Mapping[Parameter, int]
_SHOWN = 3  # so many namespaces with a time of their own are named


class Measure(NamedTuple):
    """What timers are held against, and the file that it comes from.

    `here` are the values wanted in kad's own namespace, `elsewhere` gives those for another by its
    name, its inode and the time that stands there. What they lack is as it stands there.
    """

    here: Values
    file: str | None
    elsewhere: Callable[[str, int, int], Values]

    def told(self, others: dict[str, int]) -> str:
        """Say it in words, with what it is in other namespaces."""
        time_s = self.here.get(Parameter.TIME)
        time = "the kernel's time" if time_s is None else f"time {time_s} s"
        intvl_s = self.here.get(Parameter.INTVL, 0)
        if time_s is not None and intvl_s > time_s:  # an answered probe arms a timer by it
            time += f", intvl {intvl_s} s"
        differing = [f"{s} s in {name}" for name, s in others.items() if s != time_s]
        more = ["..."] if len(differing) > _SHOWN else []
        return ", ".join((f"{self.file or 'none'}: {time}", *differing[:_SHOWN], *more))


def measured_by(option: str | None) -> Measure:
    """Take the daemon's policy, or the one that is named, or without any what the kernel has."""
    named = named_policy(option)
    daemon = None if named else running()
    if daemon is not None:
        told = {each.inode: wanted(each) for each in daemon.namespaces}
        here = wanted(daemon.namespaces[0])
        return Measure(here, daemon.policy.file, lambda _, inode, __: told.get(inode, {}))
    try:
        path, policy = load(None, option)
    except MissingPolicyError:
        if named:
            raise
        return Measure({}, None, lambda *_: {})
    return measured_by_policy(policy, path, None)


def wanted(namespace: NamespaceStatus) -> Values:
    """Give the values of the policy there."""
    values = {name: each.policy for name, each in namespace.parameters.items()}
    return {name: value for name, value in values.items() if value is not None}


def measured_by_policy(policy: Policy, path: str, daemon: Status | None) -> Measure:
    """Take what the policy would put in force: nothing where it leaves a namespace alone."""
    told = {} if daemon is None else {each.inode: each.managed for each in daemon.namespaces}
    rules = policy.namespaces

    def elsewhere(name: str, inode: int, stands_s: int) -> Values:
        if rules.scope is Scope.HOST or rules.excludes(name):
            return {}
        default = stands_s == KERNEL_DEFAULTS[Parameter.TIME]
        managed = told.get(inode, default or rules.custom is Custom.OVERRIDE)
        return policy_for(policy, name).values if managed else {}

    return Measure(policy.values, path, elsewhere)
