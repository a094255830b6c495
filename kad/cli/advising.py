"""Advise on a policy by what this machine has."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from kad.core.parameters import Parameter
from kad.core.policy import Policy
from kad.daemon.advisor import Advisor
from kad.namespaces.own import own_namespace

if TYPE_CHECKING:
    from kad.core.neighbours.setting import Setting


def neighbours() -> "tuple[Setting, ...]":
    """Give the lines of other files that set the parameters."""
    from kad import neighbours  # noqa: PLC0415  # boot time: first wanted after READY=1

    return neighbours.read().in_effect()


def units() -> Collection[str]:
    """Give the units that run; none where systemd runs none that kad can see."""
    from kad.sockets.cgroups import Cgroups  # noqa: PLC0415  # boot time: where the policy asks

    with suppress(OSError):
        return Cgroups().units()
    return ()


def advised(policy: Policy, found: Mapping[Parameter, int]) -> tuple[str, ...]:
    """Give the advice on a policy that no daemon may have in force."""
    advisor = Advisor(neighbours, units, monotonic, host=own_namespace().host)
    advisor.look_around(policy)
    return advisor.advice(policy, found)
