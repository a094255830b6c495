"""Bring one namespace to the policy: read, compare, write what differs, read back, report."""

from collections.abc import Callable
from typing import Protocol

from kad.core.history import Verdict
from kad.core.parameters import PARAMETERS, Parameter
from kad.core.plan import Change, plan
from kad.core.policy import Policy
from kad.core.report import Outcome, Report, Result


class Kernel(Protocol):
    """The three parameters of one namespace.

    Both calls are repeated at every pass, so neither may have an effect beyond the one value.
    """

    def read(self, parameter: Parameter) -> int:
        """Give the present value; OSError where there is none."""
        ...

    def write(self, parameter: Parameter, value: int) -> None:
        """Set the value; OSError where the kernel refuses; only `read` tells what it took."""
        ...


def reconcile(policy: Policy, kernel: Kernel, judge: Callable[[Change], Verdict]) -> Report:
    """Run one pass; `judge` says of each change whether it may be written.

    One parameter's failure is data in the report and does not stop the others.
    """
    found = {parameter: _observe(kernel, parameter) for parameter in PARAMETERS}
    readable = {each: value for each, value in found.items() if isinstance(value, int)}
    changes = {change.parameter: change for change in plan(policy.values, readable)}
    results = {}
    for parameter, value in found.items():
        wanted = policy.values.get(parameter)
        if parameter in changes:
            results[parameter] = _settle(kernel, changes[parameter], judge(changes[parameter]))
        else:
            results[parameter] = _unchanged(parameter, wanted, value)
    return Report(results)


def _observe(kernel: Kernel, parameter: Parameter) -> int | OSError:
    try:
        return kernel.read(parameter)
    except OSError as error:
        return _without_frames(error)


def _without_frames(error: OSError) -> OSError:
    """Let go of the stack: through it a report would keep every report before it alive."""
    return error.with_traceback(None)


def _unchanged(parameter: Parameter, wanted: int | None, value: int | OSError) -> Result:
    found = None if isinstance(value, OSError) else value
    if wanted is None:
        return Result(parameter, Outcome.UNMANAGED, found=found, now=found)
    if isinstance(value, OSError):
        return Result(parameter, Outcome.UNREADABLE, wanted, error=value)
    return Result(parameter, Outcome.IN_FORCE, wanted, found, found)


def _settle(kernel: Kernel, change: Change, verdict: Verdict) -> Result:
    if verdict.leave is not None:
        return _result(change, verdict.leave, change.found, verdict)
    try:
        kernel.write(change.parameter, change.policy)
    except OSError as error:
        return _result(change, Outcome.REFUSED, change.found, verdict, _without_frames(error))
    now = _observe(kernel, change.parameter)
    if isinstance(now, OSError):
        return _result(change, Outcome.UNREADABLE, None, verdict, now)
    agreed = now == change.policy
    return _result(change, Outcome.WRITTEN if agreed else Outcome.DIFFERENT, now, verdict)


def _result(
    change: Change,
    outcome: Outcome,
    now: int | None,
    verdict: Verdict,
    error: OSError | None = None,
) -> Result:
    return Result(
        parameter=change.parameter,
        outcome=outcome,
        policy=change.policy,
        found=change.found,
        now=now,
        drift=verdict.drift,
        error=error,
    )
