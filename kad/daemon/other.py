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
        "_followed",
        "_found",
        "_history",
        "_naming",
        "_owed",
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
        self,
        inode: int,
        kernel: "NamespaceKernel",
        known: Known | None,
        appeared: float | None,
        now: float,
    ) -> None:
        self.inode, self.kernel = inode, kernel
        values = self._read()
        known = known or Known(values, appeared=appeared)
        self._found, self._appeared, self._owed = known.found, known.appeared, known.owed
        # What of kad's may be there, be it of a parameter that the policy names no more.
        self._put = dict(known.put)
        # Whether somebody set the values, be it to what the kernel has by default.
        self._custom = known.custom or self._found != KERNEL_DEFAULTS
        self._young = known.appeared is not None and now < self._grown_at
        # What kad last saw, and whether a pass is due even where that has not changed. What is
        # neither kad's nor was there before kad was, somebody wrote while no kad looked.
        foreign = self._foreign(values)
        self._seen: Mapping[Parameter, int] = {
            each: self._last_put(each) if each in foreign else value
            for each, value in values.items()
        }
        self._due, self._followed = True, False
        self._history = History()
        self._policy = Policy(values={})
        self.name, self._naming = "", Naming()
        # Why it is left alone; None where it is not.
        self.reason: str | None = None

    def _foreign(self, values: Mapping[Parameter, int]) -> Mapping[Parameter, int]:
        """Give those of the values that are neither what kad found nor what it put there."""
        return {
            each: value
            for each, value in values.items()
            if value != self._found[each] and value not in self._put.get(each, ())
        }

    def _last_put(self, parameter: Parameter) -> int:
        return (self._found[parameter], *self._put.get(parameter, ()))[-1]

    def _read(self) -> Mapping[Parameter, int]:
        return {each: self.kernel.read(each) for each in Parameter}

    def follow(self, policy: Policy) -> bool:
        """Take the policy as it is for a namespace of this name; tell whether that ends kad's care.

        Values that kad has set stay there then.
        """
        before, self._policy = self.reason, policy_for(policy, self.name)
        kept, self._followed = self._followed and before is None, True
        self._due = True
        self.reason = self._reason()
        if self.reason is not None:  # what happens to it meanwhile is no drift
            self._history = History()
        elif before is not None:
            self._meet_again(excluded=before == _EXCLUDED)
        self._owed = self._owed and self.reason is not None
        return kept and self.reason is not None and bool(self._put)

    def _meet_again(self, *, excluded: bool) -> None:
        """Take in what happened while it was left alone; who was excluded is met only now."""
        now = self._read()
        foreign = self._foreign(now)
        if excluded and foreign:
            self._found, self._custom = {**self._found, **foreign}, True
            self.reason = self._reason()
        elif not self._put:
            self._found = now
        self._seen = now

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
        if self.reason is not None or self._policy.mode is not Mode.ENFORCE:
            return
        for each, value in self._policy.values.items():
            before = self._put.get(each, ())
            if before[-1:] != (value,):
                # What of kad's is there stays kad's, should the new value not get there.
                there = tuple(earlier for earlier in before if earlier == self._seen[each])
                self._put[each] = (*there, value)

    @property
    def known(self) -> Known | None:
        """What is to be remembered; None where it is none of kad's business."""
        if self.reason == _EXCLUDED and not self._put and not self._custom:
            return None
        appeared = self._appeared if self._young else None
        return Known(self._found, dict(self._put), self._custom, appeared, self._owed)

    def owe_if_late(self) -> bool:
        """Owe it what kad found where the name that excludes it came late; tell whether it did."""
        late = self._young and self.reason == _EXCLUDED
        self._owed = self._owed or late
        return late

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
        if changed and young and self._take_for_its_own(self._read()):
            self._history = History()  # what is overridden was set, and is no drift
        return changed or self._due or self._history.deadline is not None

    def _take_for_its_own(self, now: Mapping[Parameter, int]) -> bool:
        """Leave it to whoever wrote what is `now` other than kad saw it last; tell if anybody did.

        kad owes it then what was there before.
        """
        theirs = {each: value for each, value in now.items() if value != self._seen[each]}
        if theirs:
            self._found, self._custom = {**self._found, **theirs}, True
            self.reason = self._reason()
            self._owed = self.reason is not None and bool(self._put)
        return bool(theirs)

    @property
    def is_owed(self) -> bool:
        """Whether what kad found is to be put back now."""
        return self._owed and self._policy.mode is Mode.ENFORCE

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
        if self._owed:  # nor is that what was there by chance
            self._found = {**self._found, **self._foreign(now)}
        same = [each for each, values in self._put.items() if now[each] in values]
        restoring = Policy(values={each: self._found[each] for each in same})
        report = _unless_gone(reconcile(restoring, self.kernel, History().judge(restoring, 0)))
        self._see(report)
        if all(each.now == self._found[each.parameter] for each in report):
            self._put, self._owed = {}, False
        return report

    @property
    def left(self) -> Known | None:
        """What is to be remembered when it was put back: what of kad's is still there."""
        return self.known if self._put or self._custom or self._young else None

    @property
    def deadline(self) -> float | None:
        """When something is due though nobody wakes kad; None for never."""
        if self.reason not in {None, _EXCLUDED}:
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
