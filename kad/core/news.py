"""Put into words what one pass changed since the one before: what did not change is not said."""

from collections.abc import Iterator

from kad.core.contention import LIMIT, WINDOW_S
from kad.core.events import Event, Kind, about
from kad.core.report import AGREED, FAILED, LEFT, Outcome, Report, Result

# The values of KAD_OUTCOME and of the state file's drift.last.outcome.
DRIFT_OUTCOME = {
    Outcome.WRITTEN: "restored",
    Outcome.LEFT_AUDIT: "warned",
    Outcome.LEFT_WARN: "warned",
    Outcome.DEFERRED: "deferred",
    **dict.fromkeys(FAILED, "failed"),
}


def drifted(before: Report, report: Report) -> tuple[Result, ...]:
    """Give the drifts that are new in this pass, those that are only counted included."""
    return tuple(each for each in report if each.drift and _is_new(before, each))


def _is_new(before: Report, result: Result) -> bool:
    """Whether the value, or what it is compared with, has changed since the pass before."""
    earlier = before.results.get(result.parameter)
    return earlier is None or (earlier.now, earlier.policy) != (result.found, result.policy)


def news(before: Report, report: Report) -> Iterator[Event]:
    """Give the events of a pass, parameter by parameter."""
    for result in report:
        yield from _fight(before, report, result)
        yield from _of_one(before, report, result)


def _fight(before: Report, report: Report, result: Result) -> Iterator[Event]:
    contended = result.parameter in report.contended
    if contended == (result.parameter in before.contended):
        return
    if result.outcome is Outcome.UNMANAGED:  # no end of the fight: kad has left it
        return
    doing = "reporting" if result.outcome in LEFT else "restoring"
    if contended:
        yield about(
            Kind.CONTENTION,
            f"{result.parameter} was changed {LIMIT + 1} times in {WINDOW_S:.0f} s "
            f"by somebody else; {doing} it less often",
            result,
        )
    else:
        yield about(
            Kind.RECOVERED,
            f"{result.parameter} was not changed by anybody else for {WINDOW_S:.0f} s; "
            f"{doing} it at once again",
            result,
        )


def _of_one(before: Report, report: Report, result: Result) -> Iterator[Event]:
    contended = result.parameter in report.contended
    # What changed during a fight was not said one by one; when it is over, say what is left of it.
    new = _is_new(before, result) or result.parameter in before.contended
    failed = before.failing.get(result.parameter)
    if result.drift and new and not contended:
        yield _drift(result)
    if report.failing.get(result.parameter) is result:
        yield from _failure(failed, result)
    said = contended and failed is None
    if result.outcome in AGREED and not (result.drift and (said or (new and not contended))):
        yield from _agreement(before, result)


def _failure(told: Result | None, result: Result) -> Iterator[Event]:
    if told is None or told.failure != result.failure:
        yield about(Kind.WRITE_FAILED, result.failure, result)


def _drift(result: Result) -> Event:
    what = f"drift: {result.parameter} is {result.found}, policy says {result.policy}"
    outcome = DRIFT_OUTCOME[result.outcome]
    done = str(result.outcome) if result.outcome in LEFT else outcome
    return about(Kind.DRIFT, f"{what}; {done}", result, KAD_OUTCOME=outcome)


def _agreement(before: Report, result: Result) -> Iterator[Event]:
    earlier = before.results.get(result.parameter)
    written = result.outcome is Outcome.WRITTEN
    failed = result.parameter in before.failing
    left = earlier is not None and earlier.outcome in LEFT
    was = f" (was {result.found})" if written else ""
    if failed or (left and not written):
        yield about(
            Kind.RECOVERED, f"{result.parameter} is {result.now} as policy says{was}", result
        )
    elif written:
        yield about(Kind.VALUE_SET, f"{result.parameter} set to {result.policy}{was}", result)
