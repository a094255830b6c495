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
    """Whether the value, or what it is compared with, has changed since it was read last.

    What kad failed to set, and was no drift, is one now that it is only looked at.
    """
    earlier = before.results.get(result.parameter)
    if earlier is None or earlier.policy != result.policy:
        return True
    tried = earlier.outcome in FAILED and earlier.found is not None and not earlier.drift
    changed = before.read.get(result.parameter) != result.found
    return changed or (tried and result.outcome in LEFT)


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
    doing = "restoring" if report.restoring else "reporting"
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
            f"{result.parameter} was not changed by another process for {WINDOW_S:.0f} s; "
            f"{doing} it at once again",
            result,
        )


def _of_one(before: Report, report: Report, result: Result) -> Iterator[Event]:
    contended = result.parameter in report.contended
    # What changed during a fight was not said one by one; when it is over, say what is left of it.
    new = _is_new(before, result) or result.parameter in before.contended
    failed = before.failing.get(result.parameter)
    drifted = result.drift and new and not contended
    if drifted:
        yield _drift(result)
    if report.failing.get(result.parameter) is result:
        yield from _failure(failed, result)
    elif failed is not None:
        yield from _recovery(failed, result)
    elif result.outcome in AGREED and not drifted:
        yield from _agreement(before, report, result)


def _failure(told: Result | None, result: Result) -> Iterator[Event]:
    if told is None or told.failure != result.failure:
        yield about(Kind.WRITE_FAILED, result.failure, result)


def _drift(result: Result) -> Event:
    what = f"drift: {result.parameter} is {result.found}, policy says {result.policy}"
    outcome = DRIFT_OUTCOME[result.outcome]
    done = str(result.outcome) if result.outcome in LEFT else outcome
    return about(Kind.DRIFT, f"{what}; {done}", result, KAD_OUTCOME=outcome)


def _recovery(failed: Result, result: Result) -> Iterator[Event]:
    if result.outcome in AGREED:
        yield _right(result)
    elif failed.outcome is Outcome.UNREADABLE and result.outcome in LEFT:
        yield about(Kind.RECOVERED, f"{result.parameter} can be read again", result)


def _agreement(before: Report, report: Report, result: Result) -> Iterator[Event]:
    earlier = before.results.get(result.parameter)
    left = earlier is not None and earlier.outcome in LEFT
    fought = result.parameter in report.contended
    watched = result.parameter in before.contended and not report.restoring
    if result.outcome is Outcome.IN_FORCE:
        if (left or watched) and not fought:
            yield _right(result)
    elif not (result.drift and fought):
        text = f"{result.parameter} set to {result.policy} (was {result.found})"
        yield about(Kind.VALUE_SET, text, result)


def _right(result: Result) -> Event:
    was = f" (was {result.found})" if result.outcome is Outcome.WRITTEN else ""
    return about(Kind.RECOVERED, f"{result.parameter} is {result.now} as policy says{was}", result)
