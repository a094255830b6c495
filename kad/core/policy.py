"""Hold a valid policy: what the operator wants."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from kad.core.parameters import Parameter


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

    def __str__(self) -> str:
        return describe(self.values)

    def as_json(self) -> dict[str, object]:
        """Give the plain values that `from_json` takes back."""
        return {
            "values": {str(parameter): value for parameter, value in self.values.items()},
            "mode": str(self.mode),
            "idle_timeout": self.idle_timeout,
            "check_every": self.check_every,
            "action": str(self.action),
            "on_stop": str(self.on_stop),
        }

    @classmethod
    def from_json(cls, plain: object) -> "Policy":
        """Take back what `as_json` gave; ValueError for anything else, a damaged file's content."""
        try:
            return cls._from_fields(**plain)  # type: ignore[arg-type]
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a stored policy: {error}") from error

    @classmethod
    def _from_fields(
        cls,
        *,
        values: Mapping[str, int],
        mode: str,
        idle_timeout: int | None,
        check_every: int,
        action: str,
        on_stop: str,
    ) -> "Policy":
        known = {Parameter(name): int(value) for name, value in values.items()}
        if not known or any(not 1 <= known[each] <= each.highest for each in known):
            raise ValueError(f"not a stored policy: values {values}")
        return cls(
            values=known,
            mode=Mode(mode),
            idle_timeout=None if idle_timeout is None else int(idle_timeout),
            check_every=max(1, int(check_every)),
            action=Action(action),
            on_stop=OnStop(on_stop),
        )


def describe(values: Mapping[Parameter, int]) -> str:
    """Say values in the kernel's order: `time 120 s, intvl 30 s, probes 8`."""
    return ", ".join(each.describe(values[each]) for each in Parameter if each in values)
