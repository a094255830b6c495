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


_EXCLUDED = "excluded"


class Other:
    """A namespace as kad met it, and what has become of it since.

    `known` is what an earlier kad, or this one, remembers of it, None where it is met for the first
    time: it is young then where it `appeared` of late. FileNotFoundError from any method: it has
    gone.
    """

    __slots__ = (
        "_appeared",
        "_custom",
        "_due",
        "_found",
        "_history",
        "_naming",
        "_policy",
        "_put",
        "_seen",
        "_young",
        "inode",
        "kernel",
        "name",
        "reason",
    )

    def __init__(
        self, inode: int, kernel: "NamespaceKernel", known: Known | None, appeared: float | None
    ) -> None:
        self.inode, self.kernel = inode, kernel
        now = self._read()
        known = known or Known(now, appeared=appeared)
        self._found, self._appeared = known.found, known.appeared
        # What kad has put in force, be it of a parameter that the policy names no more.
        self._put = dict(known.put)
        # Whether somebody set the values, be it to what the kernel has by default.
        self._custom = known.custom or self._found != KERNEL_DEFAULTS
        self._young = known.appeared is not None
        # What kad last saw, and whether a pass is due even where that has not changed. What is
        # neither kad's nor was there before kad was, somebody wrote while no kad looked.
        self._seen: Mapping[Parameter, int] = {
            each: value if value == self._found[each] else self._put.get(each, self._found[each])
            for each, value in now.items()
        }
        self._due = True
        self._history = History()
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
        elif before is not None and not self._put:
            self._meet_again(excluded=before == _EXCLUDED)
        return before is None and self.reason is not None and bool(self._put)

    def _meet_again(self, *, excluded: bool) -> None:
        """Take what is there for what kad found; who was excluded is met only now."""
        self._found = self._seen = self._read()
        if excluded:
            self._custom = self._custom or self._found != KERNEL_DEFAULTS
            self.reason = self._reason()

    def _reason(self) -> str | None:
        rules = self._policy.namespaces
        if rules.excludes(self.name):
            return _EXCLUDED
        return "set on purpose" if self._custom and rules.custom is Custom.KEEP else None

    def rename(self, found: "FoundNamespace", now: float) -> bool:
        """Take its name; tell whether it is another, to which another policy may apply."""
        grown = self._appeared is None or now >= self._grown_at
        before, self.name = self.name, self._naming.name(found, grown=grown)
        return self.name != before

    def is_about_to_write(self) -> None:
        """Take down what a pass is going to put there, which is to be remembered before it is."""
        if self.reason is None and self._policy.mode is Mode.ENFORCE:
            self._put.update(self._policy.values)

    @property
    def known(self) -> Known | None:
        """What is to be remembered; None where it is none of kad's business."""
        if self.reason == _EXCLUDED and not self._put:
            return None
        appeared = self._appeared if self._young else None
        return Known(self._found, dict(self._put), self._custom, appeared)

    @property
    def is_excluded_late(self) -> bool:
        """Whether kad met it before the name that excludes it was there."""
        return self._young and self.reason == _EXCLUDED

    def has_grown(self, now: float) -> bool:
        """Whether it is young no more by now: its name is to be asked for once more first."""
        return self._young and now >= self._grown_at

    def is_due(self, now: float) -> bool:
        """Whether there is something to do or to say; a young one's change makes it left alone."""
        # By the first look after it, as one through another procfs wakes nobody.
        young, self._young = self._young, self._young and now < self._grown_at
        if self.reason is not None:
            self.kernel.read(Parameter.TIME)
            return False
        try:
            changed = not self.kernel.has(self._seen)
        except FileNotFoundError:
            raise
        except OSError:  # the pass will say why
            return True
        if changed and young:
            self._take_for_its_own(self._read())
        return changed or self._due or self._history.deadline is not None

    def _take_for_its_own(self, now: Mapping[Parameter, int]) -> None:
        """Leave it to whoever wrote what is `now` other than kad saw it last; if anybody did."""
        theirs = {each: value for each, value in now.items() if value != self._seen[each]}
        if theirs:
            self._found, self._custom = {**self._found, **theirs}, True
            self.reason = self._reason()

    @property
    def is_to_be_given_back(self) -> bool:
        """Whether kad's values are in what turned out to be somebody's."""
        writes = self._policy.mode is Mode.ENFORCE
        return writes and self.reason is not None and bool(self._put)

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
        self._due = bool(report.having(FAILED | {Outcome.DEFERRED}))
        if self._young:
            self._take_for_its_own(dict(_written_by_others(report)))
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
        same = [each for each, value in self._put.items() if now[each] == value]
        restoring = Policy(values={each: self._found[each] for each in same})
        report = _unless_gone(reconcile(restoring, self.kernel, History().judge(restoring, 0)))
        self._see(report)
        if all(each.now == self._found[each.parameter] for each in report):
            self._put = {}
        return report

    @property
    def left(self) -> Known | None:
        """What is to be remembered when it was put back: what of kad's is still there."""
        return self.known if self._put or self._custom or self._young else None

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
            status = namespace_status(self.report, self.inode)
            return status._replace(name=self.name, cookie=self.kernel.cookie)
        left = {
            each: ParameterStatus(None, value, State.UNMANAGED)
            for each, value in self._read().items()
        }
        status = NamespaceStatus(self.name, self.inode, managed=False, parameters=left)
        return status._replace(reason=self.reason, cookie=self.kernel.cookie)


def _unless_gone(report: Report) -> Report:
    for each in report:
        if isinstance(each.error, FileNotFoundError):
            raise each.error
    return report


def _written_by_others(report: Report) -> Iterator[tuple[Parameter, int]]:
    """Give what was there when kad looked, or has come since kad's own write."""
    for each in report:
        value = each.now if each.outcome is Outcome.DIFFERENT else each.found
        if value is not None:
            yield each.parameter, value
