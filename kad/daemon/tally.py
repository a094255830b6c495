"""Count what a daemon did since it started, for its state file."""

from kad.core.errors import PolicyError, UncheckedPolicyError
from kad.core.news import DRIFT_OUTCOME, drifted
from kad.core.report import UNDONE, Outcome, Report, Result
from kad.core.status import ChecksStatus, DriftStatus, LastDrift, ReloadStatus
from kad.core.summary import Elsewhere


class Tally:
    """The counts, with the latest of each kind."""

    def __init__(self) -> None:
        self.generation = 0
        self.reload: ReloadStatus | None = None
        self.drift = DriftStatus()
        self._checks = 0
        self._last_at = ""

    def checks(self, every_s: int) -> ChecksStatus:
        """Give how often the kernel was compared."""
        return ChecksStatus(self._checks, self._last_at, every_s)

    def take(self, before: Report, report: Report, at: str) -> None:
        """Count one pass that ended `at`."""
        self._checks += 1
        self._last_at = at
        self.drifts(before, report, at)

    def drifts(self, before: Report, report: Report, at: str, namespace: str = "host") -> None:
        """Count the drifts of a pass over one namespace."""
        new = drifted(before, report)
        for result in report:
            # What was put off is noted once more, uncounted, when it has been restored.
            if result in new or (result.drift and result.outcome is Outcome.WRITTEN):
                self.drift = DriftStatus(
                    self.drift.count_ + (result in new), _last(result, at, namespace)
                )

    def answer(
        self, began_usec: int, error: PolicyError | None, report: Report, *elsewhere: Elsewhere
    ) -> None:
        """Note how a SIGHUP was answered."""
        self.generation += 1
        failures = [each.failure for each in report.having(UNDONE)]
        failures += [each.words for each in elsewhere if each.failed]
        if error is not None:
            unchecked = isinstance(error, UncheckedPolicyError)
            outcome, told = "failed" if unchecked else "rejected", error.lines()
        else:
            outcome, told = "failed" if failures else "accepted", tuple(failures)
        self.reload = ReloadStatus(began_usec, outcome, "\n".join(told) or None)


def _last(result: Result, at: str, namespace: str) -> LastDrift:
    return LastDrift(
        parameter=str(result.parameter),
        policy=result.policy or 0,
        found=result.found or 0,
        outcome=DRIFT_OUTCOME[result.outcome],
        at=at,
        namespace=namespace,
    )
