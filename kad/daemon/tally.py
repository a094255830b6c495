"""Count what a daemon did since it started, for its state file."""

from kad.core.errors import PolicyError
from kad.core.news import DRIFT_OUTCOME, drifted
from kad.core.report import FAILED, Outcome, Report, Result
from kad.core.status import ChecksStatus, DriftStatus, LastDrift, ReloadStatus


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
        new = drifted(before, report)
        # What was put off is noted once more, uncounted, when it has been restored.
        done = (each for each in report if each.drift and each.outcome is Outcome.WRITTEN)
        for result in (*new, *done):
            self.drift = DriftStatus(self.drift.count, _last(result, at))
        self.drift = DriftStatus(self.drift.count + len(new), self.drift.last)

    def answer(self, began_usec: int, error: PolicyError | None, report: Report) -> None:
        """Note how a SIGHUP was answered."""
        self.generation += 1
        failures = [each.failure for each in report.having(FAILED)]
        if error is not None:
            self.reload = ReloadStatus(began_usec, "rejected", "\n".join(error.lines()))
        elif failures:
            self.reload = ReloadStatus(began_usec, "failed", "\n".join(failures))
        else:
            self.reload = ReloadStatus(began_usec, "accepted")


def _last(result: Result, at: str) -> LastDrift:
    return LastDrift(
        parameter=str(result.parameter),
        policy=result.policy or 0,
        found=result.found or 0,
        outcome=DRIFT_OUTCOME[result.outcome],
        at=at,
    )
