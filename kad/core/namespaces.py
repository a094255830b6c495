"""Say what the policy wants of network namespaces other than kad's own."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from kad.core.parameters import Parameter

if TYPE_CHECKING:
    from kad.core.policy import Policy

# What every network namespace starts with, whatever its parent has: linux/include/net/tcp.h.
KERNEL_DEFAULTS = {Parameter.TIME: 7200, Parameter.INTVL: 75, Parameter.PROBES: 9}
# Container runtimes show a namespace before they write its values.
YOUNG_S = 10.0


class Scope(StrEnum):
    """Which network namespaces kad looks after."""

    HOST = "host"  # its own
    ALL = "all"  # of this machine


class Custom(StrEnum):
    """What becomes of a namespace whose values somebody set on purpose."""

    KEEP = "keep"
    OVERRIDE = "override"


class Override(NamedTuple):
    """Other values for the namespaces of a name; a parameter not named comes from the policy."""

    match: str
    values: Mapping[Parameter, int]


class Namespaces(NamedTuple):
    """The policy's part on network namespaces; of the overrides the first match wins."""

    scope: Scope = Scope.HOST
    custom: Custom = Custom.KEEP
    exclude: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()

    def excludes(self, name: str) -> bool:
        """Whether a namespace of the name is none of kad's business."""
        return any(matches(pattern, name) for pattern in self.exclude)


class Known(NamedTuple):
    """What is remembered of a namespace for as long as it lives.

    `found` is what it had when kad first met it; `put` what of kad's may be there since, the last
    being what was wanted last, and none for nothing; `custom` whether somebody set it on purpose,
    be it to the kernel's defaults; `appeared` when kad met it, by CLOCK_MONOTONIC in seconds, None
    where it may be older; `owed` whether what kad set is still to be put back; `excluded` whether a
    policy kept kad from it.
    """

    found: Mapping[Parameter, int]
    put: Mapping[Parameter, tuple[int, ...]] = MappingProxyType({})
    custom: bool = False
    appeared: float | None = None
    owed: bool = False
    excluded: bool = False


def policy_for(policy: "Policy", name: str) -> "Policy":
    """Give the policy as it is for the namespace of a name."""
    for each in policy.namespaces.overrides:
        if matches(each.match, name):
            return policy._replace(values={**policy.values, **each.values})
    return policy


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern in which * stands for any text and ? for any character.

    No [...]: names like net:[4026531833] have brackets of their own.
    """
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in pattern)
    return re.fullmatch("".join(parts), name, re.DOTALL) is not None
