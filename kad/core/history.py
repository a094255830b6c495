"""Remember what kad left in one namespace, to tell drift from news and a fight from drift."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeGuard

from kad.core.contention import Contention
from kad.core.parameters import Parameter
from kad.core.plan import Change
from kad.core.policy import Action, Mode, Policy
from kad.core.report import AGREED, FAILED, LEFT, Outcome, Report, Result


class Verdict(NamedTuple):
    """What is to be done about a change: write it, or leave it with the outcome `leave`."""

    leave: Outcome | None
    drift: bool


class History:
    """What one daemon knows of one namespace from its earlier passes; empty for a single pass.

    `put` holds the policy's value that was last seen in force for each parameter.
    """

    def __init__(self) -> None:
        self.last = Report({})
        self.put: dict[Parameter, int] = {}
        self.fights: dict[Parameter, Contention] = {}

    def begin_anew(self) -> None:
        """Take what is found next for no drift, though somebody may go on fighting for it."""
        self.put.clear()

    def judge(self, policy: Policy, now: float) -> Callable[[Change], Verdict]:
        """Give the judge for one pass that begins at `now`, in seconds that never go backwards."""
        return partial(self._verdict, policy, now)

    def _verdict(self, policy: Policy, now: float, change: Change) -> Verdict:
        foreign = self._foreign(change)
        if foreign:
            self._fight(change.parameter).changed(now)
        fight = self.fights.get(change.parameter)
        fought = fight is not None and fight.active
        same = self.put.get(change.parameter) == change.policy
        # Somebody may have been faster than a new policy; in a fight the policy is the news.
        drift = same or (foreign and change.parameter in self.put and not fought)
        if policy.mode is Mode.AUDIT:
            return Verdict(Outcome.LEFT_AUDIT, drift=True)
        if same and policy.action is Action.WARN:
            return Verdict(Outcome.LEFT_WARN, drift=True)
        deferred = fight is not None and fight.defers(now)
        return Verdict(Outcome.DEFERRED if deferred else None, drift)

    def _foreign(self, change: Change) -> bool:
        """Whether somebody else wrote the value since kad last looked."""
        before = self.last.results.get(change.parameter)
        return before is not None and before.now not in {None, change.found}

    def learn(self, policy: Policy, report: Report, now: float) -> Report:
        """Take in a pass; give its report back with the parameters that are contended."""
        for result in report:
            if result.policy is None:
                self._forget(result.parameter)
                continue
            self._fight_on(result.parameter, result.outcome, now)
            # In audit mode a value may agree that kad never put there.
            if result.outcome in AGREED and policy.mode is Mode.ENFORCE:
                self.put[result.parameter] = result.policy
        contended = frozenset(each for each, fight in self.fights.items() if fight.active)
        restoring = policy.mode is Mode.ENFORCE and policy.action is Action.RESTORE
        failing = self._failing(report, contended)
        read = {**self.last.read, **report.found}
        self.last = Report(report.results, contended, failing, restoring=restoring, read=read)
        return self.last

    def _failing(self, report: Report, contended: frozenset[Parameter]) -> dict[Parameter, Result]:
        """Give what failed now, or before a pause that is not over."""
        failing = dict(report.failing)
        for result in report:
            parameter, earlier = result.parameter, self.last.failing.get(result.parameter)
            if result.outcome is Outcome.DIFFERENT and parameter in contended:
                del failing[parameter]  # somebody was faster: no failure of the kernel's
            elif result.outcome is Outcome.DEFERRED and _still_fails(earlier, result):
                failing[parameter] = earlier
        return failing

    def _fight(self, parameter: Parameter) -> Contention:
        """Give what counts its changes; where nobody ever changes it there is none to be had."""
        if parameter not in self.fights:
            self.fights[parameter] = Contention()
        return self.fights[parameter]

    def _forget(self, parameter: Parameter) -> None:
        self.put.pop(parameter, None)
        self.fights.pop(parameter, None)

    def _fight_on(self, parameter: Parameter, outcome: Outcome, now: float) -> None:
        if outcome is not Outcome.DIFFERENT and parameter not in self.fights:
            return
        fight = self._fight(parameter)
        if outcome in AGREED | LEFT:
            fight.settled(now)
        elif outcome is Outcome.DIFFERENT:
            # An enforcer that writes back before kad has read its own write looks like this.
            fight.settled(now)
            fight.changed(now)
        elif outcome in FAILED:
            fight.failed(now)
        if outcome is not Outcome.DEFERRED:  # which leaves something to be done
            fight.calm(now)

    @property
    def deadline(self) -> float | None:
        """When the next pass is due on account of a fight; None for never."""
        due = [fight.deadline for fight in self.fights.values() if fight.deadline is not None]
        return min(due, default=None)


def _still_fails(earlier: Result | None, now: Result) -> TypeGuard[Result]:
    """Whether what failed once is the same as what is put off now, and was the kernel's doing."""
    if earlier is None or earlier.outcome is Outcome.DIFFERENT:
        return False
    return earlier.policy == now.policy
