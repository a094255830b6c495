"""Keep one network namespace other than kad's own to the policy."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kad.core.events import Event, Kind
from kad.core.history import History
from kad.core.namespaces import KERNEL_DEFAULTS, YOUNG_S, Custom, Known, policy_for
from kad.core.news import news
from kad.core.parameters import Parameter
from kad.core.policy import Mode, Policy
from kad.core.report import FAILED, Outcome, Report, State
from kad.core.status import NamespaceStatus, ParameterStatus, namespace_status
from kad.core.summary import troubles
from kad.daemon.naming import Naming
from kad.reconcile import reconcile

if TYPE_CHECKING:
    from kad.daemon.edges import FoundNamespace, NamespaceKernel


class Other:
    """A namespace as kad met it, and what has become of it since.

    `known` is what an earlier kad, or this one, remembers of it. FileNotFoundError from any method:
    it has gone.
    """

    __slots__ = (
        "_appeared",
        "_custom",
        "_due",
        "_found",
        "_history",
        "_naming",
        "_policy",
        "_remembered",
        "_seen",
        "_set",
        "_young",
        "inode",
        "kernel",
        "name",
        "reason",
    )

    def __init__(self, inode: int, kernel: "NamespaceKernel", known: Known, now: float) -> None:
        self.inode, self.kernel = inode, kernel
        # What kad last read, and whether a pass is due even where that has not changed.
        self._seen, self._due = self._read(), True
        self._remembered = known.found
        self._found = self._seen if known.found is None else known.found
        # Whether somebody set them, be it to what the kernel has by default.
        self._custom = known.custom or self._found != KERNEL_DEFAULTS
        self._appeared = known.appeared
        self._young = known.appeared is not None and now < self._grown_at
        self._history = History()
        # What kad last put in force, be it of a parameter that the policy names no more.
        self._set: Mapping[Parameter, int] = {}
        self._policy = Policy(values={})
        self.name, self._naming = "", Naming()
        # Why it is left alone; None where it is not.
        self.reason: str | None = None

    def _read(self) -> Mapping[Parameter, int]:
        return {each: self.kernel.read(each) for each in Parameter}

    def follow(self, policy: Policy) -> bool:
        """Take the policy as it is for a namespace of this name; tell whether that ends kad's care.

        Values that kad has set stay there then.
        """
        before, self._policy = self.reason, policy_for(policy, self.name)
        self._due = True
        self.reason = self._reason()
        if self.reason is not None:  # what happens to it meanwhile is no drift
            self._history = History()
        return before is None and self.reason is not None and bool(self._set)

    def _reason(self) -> str | None:
        rules = self._policy.namespaces
        if rules.excludes(self.name):
            return "excluded"
        return "set on purpose" if self._custom and rules.custom is Custom.KEEP else None

    def rename(self, found: "FoundNamespace", now: float) -> bool:
        """Take its name; tell whether it is another, to which another policy may apply."""
        grown = self._appeared is None or now >= self._grown_at
        before, self.name = self.name, self._naming.name(found, grown=grown)
        return self.name != before

    @property
    def known(self) -> Known | None:
        """What is to be remembered, before a pass writes; None where there is nothing."""
        if self.reason is None and self._policy.mode is Mode.ENFORCE:
            self._remembered = self._found
        elif self.reason is not None:
            self._remembered = None
        return self._worth_knowing()

    def known_after(self, put_back: Report) -> Known | None:
        """Give what is to be remembered when it was put back, whatever of kad's is still there."""
        if all(each.now == self._found[each.parameter] for each in put_back):
            self._remembered = None
        return self._worth_knowing()

    def _worth_knowing(self) -> Known | None:
        known = Known(self._remembered, self._custom, self._appeared)
        return known if self._young or self._custom or known.found is not None else None

    @property
    def is_excluded_late(self) -> bool:
        """Whether kad met it before the name that excludes it was there."""
        return self._young and self.reason == "excluded"

    def is_due(self, now: float) -> bool:
        """Whether there is something to do or to say; a young one's change makes it left alone."""
        if self.reason is not None:
            self.kernel.read(Parameter.TIME)
            return False
        try:
            changed = not self.kernel.has(self._seen)
        except FileNotFoundError:
            raise
        except OSError:  # the pass will say why
            return True
        if changed and self._young:
            self._take_for_its_own(self._read())
        # By the first look after it, as one through another procfs wakes nobody.
        self._young = self._young and now < self._grown_at
        return changed or self._due or self._history.deadline is not None

    def _take_for_its_own(self, now: Mapping[Parameter, int]) -> None:
        """Leave it to whoever wrote what is `now` other than kad saw it last; if anybody did."""
        theirs = {each: value for each, value in now.items() if value != self._seen[each]}
        if not theirs:
            return
        self._found, self._custom = {**self._found, **theirs}, True
        self.reason = self._reason()
        if self.reason is not None:
            self.put_back()

    @property
    def _grown_at(self) -> float:
        return (self._appeared or 0.0) + YOUNG_S

    def run(self, now: float) -> tuple[Report, Report]:
        """Run a pass; give the report of the one before and its own.

        Whoever wrote since kad last looked was faster than the pass: a young one is left alone
        then, with what he wrote.
        """
        before, judge = self._history.last, self._history.judge(self._policy, now)
        report = _unless_gone(reconcile(self._policy, self.kernel, judge))
        report = self._history.learn(self._policy, report, now)
        self._set = {**self._set, **self._history.put}
        self._due = bool(report.having(FAILED | {Outcome.DEFERRED}))
        if self._young:
            self._take_for_its_own(
                {each.parameter: each.found for each in report if each.found is not None}
            )
        if self.reason is None:
            self._see(report)
        return before, report

    def _see(self, report: Report) -> None:
        """Take down what a pass left; of what it could not read, what was read last."""
        now = {each.parameter: each.now for each in report if each.now is not None}
        self._seen = {**self._seen, **now}

    def events(self, before: Report, report: Report) -> Iterator[Event]:
        """Say what is new, save that values were set: that is said for all at once."""
        for event in news(before, report):
            if event.kind is not Kind.VALUE_SET:
                fields = {**event.fields, "KAD_NAMESPACE": self.name}
                yield Event(event.kind, f"{self.name}: {event.message}", fields)

    def put_back(self) -> Report:
        """Set what kad found, save where somebody else has set another value since."""
        now = self._read()
        same = [each for each, value in self._set.items() if now[each] == value]
        restoring = Policy(values={each: self._found[each] for each in same})
        report = _unless_gone(reconcile(restoring, self.kernel, History().judge(restoring, 0)))
        self._see(report)
        return report

    @property
    def deadline(self) -> float | None:
        """When something is due though nobody wakes kad; None for never."""
        if self.reason is not None:
            return None
        due = [self._grown_at] if self._young else []
        fight = self._history.deadline
        return min(due if fight is None else [*due, fight], default=None)

    @property
    def report(self) -> Report:
        """The last pass's."""
        return self._history.last

    def trouble(self) -> str:
        """Say what is wrong here."""
        return "; ".join(troubles(self._policy, self.report))

    def status(self) -> NamespaceStatus:
        """Give it as the state file has it."""
        if self.reason is None:
            return namespace_status(self.report, self.inode)._replace(name=self.name)
        left = {
            each: ParameterStatus(None, value, State.UNMANAGED)
            for each, value in self._read().items()
        }
        return NamespaceStatus(self.name, self.inode, False, left, self.reason)  # noqa: FBT003


def _unless_gone(report: Report) -> Report:
    for each in report:
        if isinstance(each.error, FileNotFoundError):
            raise each.error
    return report
