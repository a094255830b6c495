"""Sum up in words what is wrong, or what is in force."""

from collections.abc import Iterator, Sequence, Sized
from typing import NamedTuple

from kad.core.errors import PolicyError, ascii_line
from kad.core.parameters import Parameter
from kad.core.policy import Mode, Policy, describe
from kad.core.report import LEFT, Outcome, Report, State

_WORST_FIRST = (State.DEGRADED, State.DRIFTED, State.IN_FORCE)


class Elsewhere(NamedTuple):
    """What is beside kad's own parameters: the worst state there, and what it is in words.

    `failed` tells that something there is not as mode and action want it.
    """

    state: State = State.IN_FORCE
    words: str = ""
    failed: bool = False


class Summary(NamedTuple):
    """The worst state of all, what it comes from, and what is in force where nothing is wrong."""

    state: State
    troubles: tuple[str, ...]
    in_force: str

    @property
    def reason(self) -> str | None:
        """Say why not all is in force; None where it is."""
        return ascii_line("; ".join(self.troubles)) or None

    def line(self, warnings: Sequence[str] = ()) -> str:
        """Say all in one ASCII line, for systemd's STATUS=."""
        told = "; ".join(self.troubles) or self.in_force
        return ascii_line("; ".join((f"{self.state}: {told}", *warnings)))


def sum_up(
    policy: Policy, report: Report, error: PolicyError | None = None, *elsewhere: Elsewhere
) -> Summary:
    """Sum up a pass, the policy file's trouble and what is elsewhere."""
    states = {State.DEGRADED if error else report.state, *(each.state for each in elsewhere)}
    wrong = tuple(each.words for each in elsewhere if each.state is not State.IN_FORCE)
    well = (each.words for each in elsewhere if each.state is State.IN_FORCE and each.words)
    return Summary(
        next(each for each in _WORST_FIRST if each in states),
        (*troubles(policy, report, error), *wrong),
        "; ".join((_in_force(policy), *well)),
    )


def _in_force(policy: Policy) -> str:
    return describe(policy.values) + (" (audit)" if policy.mode is Mode.AUDIT else "")


def troubles(policy: Policy, report: Report, error: PolicyError | None = None) -> Iterator[str]:
    """Say what is wrong in one namespace, the worst first."""
    if error:
        yield f"policy rejected, the last good one ({policy}) stays: {error}"
    failed = tuple(report.failing.values())
    if failed:
        yield failed[0].failure + and_more(failed)
    fought = [each for each in Parameter if each in report.contended - report.failing.keys()]
    if fought:
        doing = "restored" if report.restoring else "reported"
        yield f"{', '.join(fought)} contended, {doing} less often"
    left = [each for each in report.having(LEFT) if each.parameter not in report.contended]
    if left:
        told = f"{left[0].parameter} is {left[0].now}, policy says {left[0].policy}"
        # Who only looks observes as an audit does, whatever the policy is.
        looks = left[0].outcome is Outcome.LEFT_AUDIT and policy.mode is not Mode.AUDIT
        yield told + ("" if looks else f"; {left[0].outcome}") + and_more(left)


def and_more(results: Sized) -> str:
    """Say how many there are beside the first."""
    return f" (and {len(results) - 1} more)" if len(results) > 1 else ""
