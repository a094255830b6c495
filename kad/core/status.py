"""Hold the state that kad shows, in the shape of its state file."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from kad.core.parameters import Parameter
from kad.core.policy import Mode
from kad.core.report import Report, State
from kad.core.shape import give, take

if TYPE_CHECKING:
    from datetime import datetime

VERSION = 1
_FIRST = (
    *("generation", "pid", "state", "reason", "warnings", "mode", "policy"),
    *("reload", "checks", "drift"),
)


class PolicyStatus(NamedTuple):
    """Which policy is in force; `error` is what is wrong with the file now.

    `last_good` tells that it was bad at start and the policy came from the state directory.
    """

    file: str
    loaded_at: str | None = None
    last_good: bool = False
    error: str | None = None


class ReloadStatus(NamedTuple):
    """The last answer to a SIGHUP: `accepted`, `rejected` or `failed`; CLOCK_MONOTONIC in us."""

    began_usec: int
    outcome: str
    error: str | None = None


class ChecksStatus(NamedTuple):
    """How often the kernel was compared with the policy."""

    count_: int
    last_at: str
    every_s: int


class LastDrift(NamedTuple):
    """The latest drift."""

    parameter: str
    policy: int
    found: int
    outcome: str
    at: str
    namespace: str = "host"


class DriftStatus(NamedTuple):
    """The drifts since the daemon started."""

    count_: int = 0
    last: LastDrift | None = None


class ParameterStatus(NamedTuple):
    """A parameter's two values, None where there is none, and how they compare."""

    policy: int | None
    found: int | None
    state: State


class NamespaceStatus(NamedTuple):
    """One network namespace; `reason` says why it is not managed, or cannot be.

    `cookie` tells it from one that is given the same inode later; None where it is not known.
    """

    name: str
    inode: int
    managed: bool
    parameters: Mapping[Parameter, ParameterStatus]
    reason: str | None = None
    cookie: int | None = None

    def as_json(self) -> dict[str, object]:
        """Give the state file's object; most have no reason."""
        plain = {name: give(value) for name, value in self._asdict().items()}
        return {name: value for name, value in plain.items() if value is not None}


class SocketsStatus(NamedTuple):
    """The connections by class, loopback aside; None where no timer is stale."""

    totals: Mapping[str, int]
    longest_stale_s: float | None = None


class Status(NamedTuple):
    """All that `kad status` shows; what only a daemon knows is None without one.

    `reason` says why the state is not in force, `warnings` what is wrong besides, whatever it is.
    """

    state: State
    mode: Mode
    policy: PolicyStatus
    namespaces: tuple[NamespaceStatus, ...]
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    generation: int | None = None
    pid: int | None = None
    reload: ReloadStatus | None = None
    checks: ChecksStatus | None = None
    drift: DriftStatus | None = None
    sockets: SocketsStatus | None = None

    def as_json(self) -> dict[str, object]:
        """Give the state file's object, in the order in which it reads best."""
        plain = {name: give(value) for name, value in self._asdict().items()}
        plain["namespaces"] = [each.as_json() for each in self.namespaces]
        ordered = {name: plain.pop(name) for name in _FIRST}
        return {"version": VERSION, **ordered, **plain}

    @classmethod
    def from_json(cls, plain: object) -> "Status":
        """Take back what `as_json` gave; ValueError for a damaged or newer file's content."""
        if take(_Version, plain).version != VERSION:
            raise ValueError("not a state file of this version of kad")
        status = take(cls, _with_all(plain))
        if not status.namespaces or status.namespaces[0].parameters.keys() != {*Parameter}:
            raise ValueError("not a state file: it lacks a parameter")
        if status.checks is not None:
            moment(status.checks.last_at)
        return status


def _with_all(plain: object) -> object:
    """Put back what `as_json` leaves out of most namespaces."""
    if not isinstance(plain, dict) or not isinstance(plain.get("namespaces"), list):
        return plain
    spaces = plain["namespaces"]
    rare = {"reason": None, "cookie": None}
    named = [{**rare, **each} if isinstance(each, dict) else each for each in spaces]
    return {**plain, "namespaces": named}


class _Version(NamedTuple):
    """What tells how to read the rest."""

    version: int


def moment(text: str) -> "datetime":
    """Give a time of the state file; ValueError for what is none."""
    from datetime import datetime  # noqa: PLC0415 - boot time: only who reads the file needs it

    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at


def namespace_status(report: Report, inode: int) -> NamespaceStatus:
    """Give kad's own namespace as a pass left it."""
    parameters = {
        each.parameter: ParameterStatus(each.policy, each.now, report.state_of(each))
        for each in report
    }
    return NamespaceStatus("host", inode, managed=True, parameters=parameters)
