"""Put back what kad has set where it should not have."""

from kad.core.policy import Mode, Policy
from kad.core.report import Report
from kad.daemon.attempts import Attempts
from kad.daemon.other import Other
from kad.daemon.population import Population

PUT_BACK = "restore the original values in another network namespace"


def settle(population: Population, policy: Policy, attempts: Attempts) -> list[str]:
    """Put back what is owed; give the names of those that have it, and note what is left."""
    owed = [other for other in population if other.is_owed]
    if owed and policy.mode is Mode.AUDIT:  # which never writes
        attempts.forget(PUT_BACK)
        return []
    done = dict(population.put_back(owed))
    left = (other for other in population if other.is_owed)
    attempts.note(PUT_BACK, next((_why(other, done.get(other)) for other in left), None))
    return [other.name for other in done if not other.is_owed]


def _why(other: Other, report: Report | None) -> str:
    failures = () if report is None else report.failing.values()
    return f"{other.name}: {next((each.failure for each in failures), 'cannot be read')}"
