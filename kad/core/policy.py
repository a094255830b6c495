"""Hold a valid policy: what the operator wants."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from kad.core.namespaces import Namespaces
from kad.core.parameters import Parameter
from kad.core.shape import give, take

# systemd.unit(5)'s characters and lengths, with the two of a pattern.
UNIT_NAME = r"[A-Za-z0-9:_.\\@*?-]{1,255}"
LONGEST_IDLE_S = 365 * 86400
LONGEST_CHECK_S = 86400


class Mode(StrEnum):
    """Whether kad writes at all."""

    ENFORCE = "enforce"
    AUDIT = "audit"


class Action(StrEnum):
    """What happens to a value that somebody changed after kad had put it in force."""

    RESTORE = "restore"
    WARN = "warn"


class OnStop(StrEnum):
    """What a stopping daemon leaves in the kernel."""

    KEEP = "keep"
    RESTORE = "restore"


class Sockets(NamedTuple):
    """What kad may do to open sockets; units by name, with * and ?, and none unless asked for."""

    rearm: bool = False
    enable: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def wanted(self) -> bool:
        """Whether kad is to touch any socket at all."""
        return self.rearm or bool(self.enable)


class Policy(NamedTuple):
    """A policy that passed every check; times in whole seconds.

    `values` holds at least one parameter; one left out of it is none of kad's business.
    """

    values: Mapping[Parameter, int]
    mode: Mode = Mode.ENFORCE
    idle_timeout: int | None = None
    check_every: int = 30
    action: Action = Action.RESTORE
    on_stop: OnStop = OnStop.KEEP
    namespaces: Namespaces = Namespaces()
    sockets: Sockets = Sockets()

    def __str__(self) -> str:
        return describe(self.values)

    def as_json(self) -> dict[str, object]:
        """Give the plain values that `from_json` takes back."""
        return {name: give(value) for name, value in self._asdict().items()}

    @classmethod
    def from_json(cls, plain: object) -> "Policy":
        """Take back what `as_json` gave; ValueError for anything that no policy file could be."""
        stored = take(cls, plain)
        idle = LONGEST_IDLE_S if stored.idle_timeout is None else stored.idle_timeout
        bounds = [
            (idle, LONGEST_IDLE_S),
            (stored.check_every, LONGEST_CHECK_S),
            *((value, parameter.highest) for parameter, value in stored.values.items()),
            *(
                (value, parameter.highest)
                for each in stored.namespaces.overrides
                for parameter, value in each.values.items()
            ),
        ]
        if not stored.values or any(not 1 <= value <= highest for value, highest in bounds):
            raise ValueError("not a stored policy: a value is missing or out of bounds")
        overrides = stored.namespaces.overrides
        names = (*stored.namespaces.exclude, *(each.match for each in overrides))
        units = (*stored.sockets.enable, *stored.sockets.exclude)
        named = (re.fullmatch(UNIT_NAME, unit) for unit in units)
        if not all((*names, *(each.values for each in overrides), *named)):
            raise ValueError("not a stored policy: a name is none")
        return stored


def describe(values: Mapping[Parameter, int]) -> str:
    """Say values in the kernel's order: `time 120 s, intvl 30 s, probes 8`."""
    return ", ".join(each.describe(values[each]) for each in Parameter if each in values)
