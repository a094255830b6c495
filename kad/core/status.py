"""Hold the state that kad shows, in the shape of its state file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kad.core.errors import PolicyError, ascii_line
from kad.core.parameters import Parameter
from kad.core.policy import Mode, Policy, describe
from kad.core.report import FAILED, LEFT, Report, State
from kad.core.shape import field_name, take

if TYPE_CHECKING:
    from datetime import datetime

VERSION = 1


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
    """One network namespace."""

    name: str
    inode: int
    managed: bool
    parameters: Mapping[Parameter, ParameterStatus]


class Status(NamedTuple):
    """All that `kad status` shows; what only a daemon knows is None without one."""

    state: State
    mode: Mode
    policy: PolicyStatus
    namespaces: tuple[NamespaceStatus, ...]
    advice: tuple[str, ...] = ()
    generation: int | None = None
    pid: int | None = None
    reload: ReloadStatus | None = None
    checks: ChecksStatus | None = None
    drift: DriftStatus | None = None

    def as_json(self) -> dict[str, object]:
        """Give the state file's object, in the order in which it reads best."""
        plain: dict[str, object] = {name: _plain(value) for name, value in _items(self)}
        first = ("generation", "pid", "state", "mode", "policy", "reload", "checks", "drift")
        ordered = {name: plain.pop(name) for name in first}
        return {"version": VERSION, **ordered, **plain}

    @classmethod
    def from_json(cls, plain: object) -> "Status":
        """Take back what `as_json` gave; ValueError for a damaged or newer file's content."""
        if take(_Version, plain).version != VERSION:
            raise ValueError("not a state file of this version of kad")
        status = take(cls, plain)
        if not status.namespaces or status.namespaces[0].parameters.keys() != {*Parameter}:
            raise ValueError("not a state file: it lacks a parameter")
        if status.checks is not None:
            moment(status.checks.last_at)
        return status


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


def _items(value: tuple[object, ...]) -> Iterator[tuple[str, object]]:
    """Give the fields as the state file names them."""
    names: tuple[str, ...] = value._fields  # type: ignore[attr-defined]
    return ((field_name(name), getattr(value, name)) for name in names)


def _plain(value: object) -> object:
    """Make objects of named tuples, at any depth."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if not isinstance(value, tuple):
        return value
    if hasattr(value, "_fields"):
        return {name: _plain(each) for name, each in _items(value)}
    return [_plain(each) for each in value]


def namespace_status(report: Report, inode: int) -> NamespaceStatus:
    """Give kad's own namespace as a pass left it."""
    parameters = {
        each.parameter: ParameterStatus(each.policy, each.now, each.state) for each in report
    }
    return NamespaceStatus("host", inode, managed=True, parameters=parameters)


def overall(report: Report, error: PolicyError | None) -> State:
    """Sum up a pass and the policy file's trouble."""
    return State.DEGRADED if error else report.state


def status_line(policy: Policy, report: Report, error: PolicyError | None) -> str:
    """Say the present state in one ASCII line, the worst first, for systemd's STATUS=."""
    return ascii_line(f"{overall(report, error)}: {_trouble(policy, report, error)}")


def _trouble(policy: Policy, report: Report, error: PolicyError | None) -> str:
    if error:
        return f"policy rejected, {policy} stays: {error}"
    failed = report.having(FAILED)
    if failed:
        return failed[0].failure + _and_more(failed)
    if report.contended:
        names = ", ".join(each for each in Parameter if each in report.contended)
        return f"{names} contended, restored less often"
    left = report.having(LEFT)
    if left:
        told = f"{left[0].parameter} is {left[0].now}, policy says {left[0].policy}"
        return f"{told}; {left[0].outcome}{_and_more(left)}"
    audit = " (audit)" if policy.mode is Mode.AUDIT else ""
    return describe(policy.values) + audit


def _and_more(results: Sequence[object]) -> str:
    return f" (and {len(results) - 1} more)" if len(results) > 1 else ""
