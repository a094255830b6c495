"""Keep kad's own network namespace to the policy."""

from kad.core.denial import denial
from kad.core.events import Event, Kind
from kad.core.history import History
from kad.core.news import news
from kad.core.policy import Mode, Policy
from kad.core.report import Outcome, Report
from kad.daemon.edges import RememberingKernel
from kad.reconcile import reconcile


class Host:
    """The namespace with what is remembered of its earlier passes."""

    def __init__(self, kernel: RememberingKernel) -> None:
        self._kernel = kernel
        self._history = History()

    def run(self, policy: Policy, now: float, *, boot: bool) -> tuple[Report, Report]:
        """Run a pass; give the report of the one before and its own.

        DeniedError at boot where a right is missing for every write.
        """
        before = self._history.last
        report = reconcile(policy, self._kernel, self._history.judge(policy, now))
        refused = denial(report) if boot else None
        if refused is not None:
            raise refused
        return before, self._history.learn(policy, report, now)

    @property
    def report(self) -> Report:
        """The last pass's."""
        return self._history.last

    @property
    def deadline(self) -> float | None:
        """When something is due on account of a fight."""
        return self._history.deadline

    def put_back(self, policy: Policy) -> list[Event]:
        """Put back what kad found, save where somebody else has set another value since."""
        audit = policy._replace(mode=Mode.AUDIT)
        once = History().judge
        found = reconcile(audit, self._kernel, once(audit, 0))
        originals = self._kernel.values
        ours = {
            each.parameter: originals[each.parameter]
            for each in found
            if each.outcome is Outcome.IN_FORCE and each.parameter in originals
        }
        if not ours:
            return []
        restoring = Policy(values=ours)
        report = reconcile(restoring, self._kernel, once(restoring, 0))
        return [_put_back(each) for each in news(Report({}), report)]


def _put_back(event: Event) -> Event:
    """Say of a value that was set that it is none of a policy's."""
    if event.kind is not Kind.VALUE_SET:
        return event
    fields = {name: value for name, value in event.fields.items() if name != "KAD_POLICY_VALUE"}
    return Event(event.kind, event.message.replace(" set to ", " put back to "), fields)
