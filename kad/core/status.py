"""Hold the state that kad shows, in the shape of its state file."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kad.core.errors import PolicyError, ascii_line
from kad.core.parameters import Parameter
from kad.core.policy import Mode, Policy, describe
from kad.core.report import LEFT, Outcome, Report, State
from kad.core.shape import give, take

if TYPE_CHECKING:
    from datetime import datetime

VERSION = 1
_FIRST = ("generation", "pid", "state", "reason", "mode", "policy", "reload", "checks", "drift")


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
    """One network namespace; `reason` says why it is not managed, or cannot be."""

    name: str
    inode: int
    managed: bool
    parameters: Mapping[Parameter, ParameterStatus]
    reason: str | None = None

    def as_json(self) -> dict[str, object]:
        """Give the state file's object; most have no reason."""
        plain = {name: give(value) for name, value in self._asdict().items()}
        return {name: value for name, value in plain.items() if value is not None}


class Elsewhere(NamedTuple):
    """The other network namespaces, summed up: the worst state, and what it is in words."""

    state: State = State.IN_FORCE
    words: str = ""


class SocketsStatus(NamedTuple):
    """The connections by class, loopback aside; None where no timer is stale."""

    totals: Mapping[str, int]
    longest_stale_s: float | None = None


class Status(NamedTuple):
    """All that `kad status` shows; what only a daemon knows is None without one.

    `reason` says what is wrong, be it that all values are in force.
    """

    state: State
    mode: Mode
    policy: PolicyStatus
    namespaces: tuple[NamespaceStatus, ...]
    reason: str | None = None
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
        status = take(cls, _with_reasons(plain))
        if not status.namespaces or status.namespaces[0].parameters.keys() != {*Parameter}:
            raise ValueError("not a state file: it lacks a parameter")
        if status.checks is not None:
            moment(status.checks.last_at)
        return status


def _with_reasons(plain: object) -> object:
    """Put back what `as_json` leaves out of most namespaces."""
    if not isinstance(plain, dict) or not isinstance(plain.get("namespaces"), list):
        return plain
    spaces = plain["namespaces"]
    named = [{"reason": None, **each} if isinstance(each, dict) else each for each in spaces]
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


class Summary(NamedTuple):
    """The worst state of all, and what it is in words; where all is in force, what is.

    `ails` is what is wrong besides, whatever the state.
    """

    state: State
    words: str
    ails: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Say it in one ASCII line, for systemd's STATUS=."""
        return ascii_line(f"{self.state}: {'; '.join((self.words, *self.ails))}")

    @property
    def reason(self) -> str | None:
        """Say what is wrong; None where nothing is."""
        why = () if self.state is State.IN_FORCE else (self.words,)
        return ascii_line("; ".join((*why, *self.ails))) or None


def sum_up(
    policy: Policy,
    report: Report,
    error: PolicyError | None = None,
    elsewhere: Elsewhere = Elsewhere(),  # noqa: B008  # a tuple
    ails: tuple[str, ...] = (),
) -> Summary:
    """Sum up a pass, the policy file's trouble, the other namespaces and what ails kad besides."""
    own = State.DEGRADED if error else report.state
    states = {own, elsewhere.state}
    worst = next(each for each in (State.DEGRADED, State.DRIFTED, State.IN_FORCE) if each in states)
    told = elsewhere.words if worst is not own else trouble(policy, report, error)
    others = f"; {elsewhere.words}" if worst is State.IN_FORCE and elsewhere.words else ""
    return Summary(worst, told + others, ails)


def trouble(policy: Policy, report: Report, error: PolicyError | None = None) -> str:
    """Say what is wrong in one namespace; where nothing is, what is in force."""
    if error:
        return f"policy rejected, {policy} stays: {error}"
    failed = tuple(report.failing.values())
    if failed:
        return failed[0].failure + and_more(failed)
    if report.contended:
        names = ", ".join(each for each in Parameter if each in report.contended)
        looks = any(report.results[each].outcome in LEFT for each in report.contended)
        return f"{names} contended, {'reported' if looks else 'restored'} less often"
    left = report.having(LEFT)
    if left:
        told = f"{left[0].parameter} is {left[0].now}, policy says {left[0].policy}"
        # Who only looks observes as an audit does, whatever the policy is.
        looks = left[0].outcome is Outcome.LEFT_AUDIT and policy.mode is not Mode.AUDIT
        return told + ("" if looks else f"; {left[0].outcome}") + and_more(left)
    audit = " (audit)" if policy.mode is Mode.AUDIT else ""
    return describe(policy.values) + audit


def and_more(results: Sequence[object]) -> str:
    """Say how many there are beside the first."""
    return f" (and {len(results) - 1} more)" if len(results) > 1 else ""
