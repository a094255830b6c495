"""Say what one pass found and did."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from kad.core.parameters import Parameter


class Outcome(StrEnum):
    """How one parameter came out of a pass."""

    UNMANAGED = "unmanaged"  # the policy does not name it
    IN_FORCE = "in force"  # nothing was to be done
    WRITTEN = "written"  # and read back
    LEFT_AUDIT = "left (audit)"
    LEFT_WARN = "left (warn)"
    DEFERRED = "deferred"  # contended: to be restored after a pause
    REFUSED = "refused"  # the kernel did not take the write
    DIFFERENT = "different"  # the write was accepted, and yet another value is read back
    UNREADABLE = "unreadable"


AGREED = frozenset({Outcome.IN_FORCE, Outcome.WRITTEN})
LEFT = frozenset({Outcome.LEFT_AUDIT, Outcome.LEFT_WARN})
FAILED = frozenset({Outcome.REFUSED, Outcome.DIFFERENT, Outcome.UNREADABLE})
# Not as mode and action want it.
UNDONE = FAILED | {Outcome.DEFERRED}


class State(StrEnum):
    """The state of a parameter, a namespace or the daemon, as the state file names it."""

    IN_FORCE = "in-force"
    DRIFTED = "drifted"
    FAILED = "failed"
    UNMANAGED = "unmanaged"
    DEGRADED = "degraded"


class Result(NamedTuple):
    """What one pass found and did for one parameter.

    `found` is what was read first and `now` what was read last; None where it could not be.
    `drift` tells that `found` differs from a value that kad had put in force, or, in audit mode,
    from the policy. `error` is the kernel's answer where there is one.
    """

    parameter: Parameter
    outcome: Outcome
    policy: int | None = None
    found: int | None = None
    now: int | None = None
    drift: bool = False
    error: OSError | None = None

    @property
    def state(self) -> State:
        """Sum the outcome up for the state file."""
        if self.outcome is Outcome.UNMANAGED:
            return State.UNMANAGED
        if self.outcome in AGREED:
            return State.IN_FORCE
        return State.FAILED if self.outcome in FAILED else State.DRIFTED

    @property
    def reason(self) -> str:
        """Say why it failed, in the kernel's words where it spoke."""
        if self.outcome is Outcome.DEFERRED:
            return "another process keeps changing it; will retry later"
        if self.error is not None:
            return self.error.strerror or str(self.error)
        return f"the write succeeded but the value read back is {self.now}"

    @property
    def failure(self) -> str:
        """Say the failure as a sentence."""
        if self.outcome is Outcome.UNREADABLE:
            return f"cannot read {self.parameter}: {self.reason}"
        return f"cannot set {self.parameter} to {self.policy}: {self.reason}"


class Report:
    """What one pass found and did in one namespace: a result for each of the three parameters.

    `contended` names those that somebody else fights for. `failing` has the failed result of each
    that is not right since; of a single pass, those of this pass. `restoring` tells whether drift
    is undone, or only reported. `read` has what was read last, be it in an earlier pass, where
    that is known.
    """

    __slots__ = ("contended", "failing", "read", "restoring", "results")

    def __init__(
        self,
        results: Mapping[Parameter, Result],
        contended: frozenset[Parameter] = frozenset(),
        failing: Mapping[Parameter, Result] | None = None,
        *,
        restoring: bool = True,
        read: Mapping[Parameter, int] = MappingProxyType({}),
    ) -> None:
        self.results = results
        self.contended, self.restoring, self.read = contended, restoring, read
        if failing is None:
            failing = {each.parameter: each for each in self.having(FAILED)}
        self.failing = failing

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results.values())

    @property
    def found(self) -> dict[Parameter, int]:
        """Give what was read last in this pass."""
        return {each.parameter: each.now for each in self if each.now is not None}

    def having(self, outcomes: frozenset[Outcome]) -> tuple[Result, ...]:
        """Give the results with one of the outcomes."""
        return tuple(result for result in self if result.outcome in outcomes)

    @property
    def shown(self) -> object:
        """What the state file shows of it: where that is as it was, nothing is to be written."""
        values = tuple((each.policy, each.now, self.state_of(each)) for each in self)
        return values, self.contended, tuple(each.failure for each in self.failing.values())

    def state_of(self, result: Result) -> State:
        """Sum one parameter up; what failed is so until it is tried again."""
        return State.FAILED if result.parameter in self.failing else result.state

    @property
    def in_force(self) -> bool:
        """Whether every parameter of the policy has the policy's value."""
        return all(result.outcome in AGREED or result.policy is None for result in self)

    @property
    def state(self) -> State:
        """Sum the namespace up for the state file."""
        if self.contended or self.failing:
            return State.DEGRADED
        return State.IN_FORCE if self.in_force else State.DRIFTED
