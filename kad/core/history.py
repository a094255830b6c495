"""Remember what kad left in one namespace, to tell drift from news and a fight from drift."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from kad.core.contention import Contention
from kad.core.parameters import Parameter
from kad.core.plan import Change
from kad.core.policy import Action, Mode, Policy
from kad.core.report import AGREED, FAILED, LEFT, Outcome, Report, Result


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done about a change: write it, or leave it with the outcome `leave`."""

    leave: Outcome | None
    drift: bool


@dataclass(slots=True)
class History:
    """What one daemon knows of one namespace from its earlier passes; empty for a single pass.

    `put` holds the policy's value that was last seen in force for each parameter.
    """

    last: Report = field(default_factory=lambda: Report({}))
    put: dict[Parameter, int] = field(default_factory=dict)
    fights: dict[Parameter, Contention] = field(default_factory=dict)

    def judge(self, policy: Policy, now: float) -> Callable[[Change], Verdict]:
        """Give the judge for one pass that begins at `now`, in seconds that never go backwards."""
        return partial(self._verdict, policy, now)

    def _verdict(self, policy: Policy, now: float, change: Change) -> Verdict:
        fight = self.fights.setdefault(change.parameter, Contention())
        if self._foreign(change):
            fight.changed(now)
        drift = self.put.get(change.parameter) == change.policy
        if policy.mode is Mode.AUDIT:
            return Verdict(Outcome.LEFT_AUDIT, drift=True)
        if drift and policy.action is Action.WARN:
            return Verdict(Outcome.LEFT_WARN, drift=True)
        return Verdict(Outcome.DEFERRED if fight.defers(now) else None, drift)

    def _foreign(self, change: Change) -> bool:
        """Whether somebody else wrote the value since kad last looked."""
        before = self.last.results.get(change.parameter)
        return before is not None and before.now not in {None, change.found}

    def learn(self, report: Report, now: float) -> Report:
        """Take in a pass; give its report back with the parameters that are contended."""
        for result in report:
            self._learn(result, now)
        contended = frozenset(each for each, fight in self.fights.items() if fight.active)
        self.last = replace(report, contended=contended)
        return self.last

    def _learn(self, result: Result, now: float) -> None:
        fight = self.fights.setdefault(result.parameter, Contention())
        if result.outcome is Outcome.UNMANAGED:
            self.put.pop(result.parameter, None)
            del self.fights[result.parameter]
        if result.outcome in AGREED and result.policy is not None:
            self.put[result.parameter] = result.policy
        if result.outcome in AGREED | LEFT:
            fight.settled(now)
        elif result.outcome is Outcome.DIFFERENT:
            # An enforcer that writes back before kad has read its own write looks like this.
            fight.settled(now)
            fight.changed(now)
        elif result.outcome in FAILED:
            fight.failed(now)
        fight.calm(now)

    @property
    def deadline(self) -> float | None:
        """When the next pass is due on account of a fight; None for never."""
        due = [fight.deadline for fight in self.fights.values() if fight.deadline is not None]
        return min(due, default=None)
