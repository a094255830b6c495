"""Judge the values of a policy file: every key, unit, range and default is written here.

The only importer of pydantic, which costs 100 ms and 15 MB: never imported by a running daemon.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, NamedTuple, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from kad.core.namespaces import Custom, Namespaces, Override, Scope
from kad.core.parameters import Parameter
from kad.core.policy import (
    LONGEST_CHECK_S,
    LONGEST_IDLE_S,
    UNIT_NAME,
    Action,
    Mode,
    OnStop,
    Policy,
    Sockets,
)
from kad.core.spans import parse_span
from kad.policyfile.document import Path

_DEFAULT = Policy(values={})
Key = FieldInfo  # a key of the file, as pydantic describes it
NO_UNIT = "must be the name of a systemd unit (* and ? are allowed)"
NEEDS_ONE = "needs at least one of time, intvl, probes"


class Problem(NamedTuple):
    """A rule that a value breaks, as pydantic tells it."""

    path: Path
    kind: str
    message: str
    value: object


def _seconds(value: object) -> object:
    """Take text as a span; anything else but a whole number is left to `strict` to refuse."""
    return parse_span(value) if isinstance(value, str) else value


def _one_of(choices: type[StrEnum]) -> BeforeValidator:
    """Take a choice by its text; anything else is left to `strict` to refuse."""
    return BeforeValidator(lambda value: next((each for each in choices if each == value), value))


def _unit_name(value: object) -> object:
    """Take a unit's name or a pattern of such, or say what is wrong with it."""
    if not isinstance(value, str) or not re.fullmatch(UNIT_NAME, value):
        raise ValueError(NO_UNIT)
    return value


UnitName = Annotated[str, BeforeValidator(_unit_name)]

_LEFT_OUT = "If left out, kad does not set it, or in an override takes it from [keepalive]."


class Table(BaseModel):
    """A table of the file: no unknown keys, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class KeepaliveTable(Table, json_schema_extra={"minProperties": 1}):
    """What the kernel is to do; a parameter left out is none of kad's business."""

    time: Annotated[
        int | None,
        BeforeValidator(_seconds),
        Field(
            ge=1,
            le=Parameter.TIME.highest,
            description="How long a connection is idle before the first keepalive probe: whole "
            f"seconds or a span such as 2min. {_LEFT_OUT}",
        ),
    ] = None
    intvl: Annotated[
        int | None,
        BeforeValidator(_seconds),
        Field(
            ge=1,
            le=Parameter.INTVL.highest,
            description="How long to wait for an answer before the next probe: whole seconds or "
            f"a span such as 30s. {_LEFT_OUT}",
        ),
    ] = None
    probes: Annotated[
        int | None,
        Field(
            ge=1,
            le=Parameter.PROBES.highest,
            description="How many consecutive probes may go unanswered before the connection "
            f"is dropped. {_LEFT_OUT}",
        ),
    ] = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> "KeepaliveTable":
        if not self.values():
            raise ValueError(NEEDS_ONE)
        return self

    def values(self) -> dict[Parameter, int]:
        """Give what is asked for."""
        given = ((each, getattr(self, each.key)) for each in Parameter)
        return {parameter: value for parameter, value in given if value is not None}


class PathTable(Table):
    """What lies between the two ends of the connections; used for advice only."""

    idle_timeout: Annotated[
        int | None,
        BeforeValidator(_seconds),
        Field(
            ge=1,
            le=LONGEST_IDLE_S,
            description="The shortest idle timeout of the NATs, firewalls and load balancers on "
            "the path: whole seconds or a span such as 350s. If left out, kad does not compare.",
        ),
    ] = None


class DriftTable(Table):
    """How kad watches over the values."""

    check_every: Annotated[
        int,
        BeforeValidator(_seconds),
        Field(
            ge=1,
            le=LONGEST_CHECK_S,
            description="The interval at which kad compares the kernel with the policy, in "
            "addition to any other trigger: whole seconds or a span such as 30s.",
        ),
    ] = _DEFAULT.check_every
    action: Annotated[
        Action,
        _one_of(Action),
        Field(
            description="What to do when another process changed a value: restore it, or warn "
            "and leave it.",
        ),
    ] = _DEFAULT.action


class OnStopTable(Table):
    """What the daemon does when it stops."""

    values: Annotated[
        OnStop,
        _one_of(OnStop),
        Field(
            description="Whether to keep the policy's values in the kernel, or to restore those "
            "that kad found before its first write since boot. "
            "Only a value that is still the policy's is restored. This applies to every stop, "
            "including restarts and upgrades.",
        ),
    ] = _DEFAULT.on_stop


class OverrideTable(KeepaliveTable, json_schema_extra={"minProperties": 2}):
    """Other values for some network namespaces; a parameter left out is as in [keepalive]."""

    match: Annotated[
        str,
        Field(
            min_length=1,
            description="Required. The network namespaces, by name as shown by kad namespaces or "
            "by pattern with * and ?. The host's own always follows [keepalive].",
        ),
    ]


class NamespacesTable(Table):
    """Which network namespaces kad manages."""

    scope: Annotated[
        Scope,
        _one_of(Scope),
        Field(
            description="Which network namespaces kad manages: host is only the one that kad "
            "itself runs in; all is every one on this machine, including those created later. all "
            "needs additional capabilities, which a drop-in gives to the unit.",
        ),
    ] = _DEFAULT.namespaces.scope
    custom: Annotated[
        Custom,
        _one_of(Custom),
        Field(
            description="What to do with a network namespace whose values were set on purpose: "
            "keep them, or override them with the policy's.",
        ),
    ] = _DEFAULT.namespaces.custom
    exclude: Annotated[
        list[Annotated[str, Field(min_length=1)]],
        Field(
            description="Network namespaces to leave alone, by name or by pattern with * and ?. "
            "The host's own cannot be excluded.",
        ),
    ] = []
    override: Annotated[
        list[OverrideTable],
        Field(
            description="Different values for some network namespaces. The first match wins. Each "
            "needs match and at least one of time, intvl and probes. A parameter left out has the "
            "value from [keepalive]. The host's own always follows [keepalive].",
        ),
    ] = []


class SocketsTable(Table):
    """What kad may do to connections that are open; nothing unless it is asked for."""

    rearm: Annotated[
        bool,
        Field(
            description="Whether to re-arm, in every pass, each keepalive timer that has more left "
            "than the policy's time, no matter what lowered that time or when.",
        ),
    ] = _DEFAULT.sockets.rearm
    enable: Annotated[
        list[UnitName],
        Field(
            description="The systemd units, by name or by pattern with * and ?, for whose "
            "connections and listening sockets kad turns SO_KEEPALIVE on.",
        ),
    ] = []
    exclude: Annotated[
        list[UnitName],
        Field(
            description="The systemd units, by name or by pattern with * and ?, whose sockets kad "
            "never touches.",
        ),
    ] = []


class PolicyModel(Table):
    """What the operator wants of this host's TCP keepalive."""

    mode: Annotated[
        Mode,
        _one_of(Mode),
        Field(
            description="Whether to enforce the policy, or only to audit: report and never write."
        ),
    ] = _DEFAULT.mode
    keepalive: Annotated[
        KeepaliveTable,
        Field(description="The values to put in force; at least one of the three."),
    ]
    path: Annotated[
        PathTable,
        Field(description="What is between the two ends of the connections; used for advice only."),
    ] = PathTable()
    drift: Annotated[DriftTable, Field(description="How kad checks the values.")] = DriftTable()
    on_stop: Annotated[OnStopTable, Field(description="What the daemon does when it stops.")] = (
        OnStopTable()
    )
    namespaces: Annotated[
        NamespacesTable, Field(description="Which network namespaces kad manages.")
    ] = NamespacesTable()
    sockets: Annotated[
        SocketsTable, Field(description="What kad may change on open sockets; nothing by default.")
    ] = SocketsTable()

    def as_policy(self) -> Policy:
        """Give kad's own value, which knows nothing of pydantic."""
        return Policy(
            values=self.keepalive.values(),
            mode=self.mode,
            idle_timeout=self.path.idle_timeout,
            check_every=self.drift.check_every,
            action=self.drift.action,
            on_stop=self.on_stop.values,
            namespaces=Namespaces(
                scope=self.namespaces.scope,
                custom=self.namespaces.custom,
                exclude=tuple(self.namespaces.exclude),
                overrides=tuple(
                    Override(each.match, each.values()) for each in self.namespaces.override
                ),
            ),
            sockets=Sockets(
                rearm=self.sockets.rearm,
                enable=tuple(self.sockets.enable),
                exclude=tuple(self.sockets.exclude),
            ),
        )


def judge(tree: Mapping[str, object]) -> Policy | list[Problem]:
    """Give the policy, or every rule that the values break."""
    try:
        return PolicyModel.model_validate(tree).as_policy()
    except ValidationError as error:
        details = error.errors(include_url=False)
        return [Problem(each["loc"], each["type"], each["msg"], each["input"]) for each in details]


def is_table(field: Key) -> bool:
    """Tell a table from a value."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, Table)


def is_span(field: Key) -> bool:
    """Tell a span of time from a mere number."""
    return any(getattr(each, "func", None) is _seconds for each in field.metadata)


def is_list(field: Key) -> bool:
    """Tell a list from a single value."""
    return get_origin(field.annotation) is list


def lists_units(field: Key) -> bool:
    """Tell a list of systemd units from one of other names."""
    return get_args(field.annotation)[0] is UnitName


def table_in(field: Key) -> "type[Table] | None":
    """Give the table that a key holds, once or, in a list, several times; None for a value."""
    kind = get_args(field.annotation)[0] if is_list(field) else field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Table) else None


def bounds(field: Key) -> tuple[int, int]:
    """Give the lowest and the highest number that a field takes."""
    lowest = next(int(each.ge) for each in field.metadata if hasattr(each, "ge"))
    highest = next(int(each.le) for each in field.metadata if hasattr(each, "le"))
    return lowest, highest
