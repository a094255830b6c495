"""Keep one network namespace other than kad's own to the policy."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kad.core.events import Event, Kind
from kad.core.history import History
from kad.core.namespaces import YOUNG_S, Custom, Known, policy_for
from kad.core.news import news
from kad.core.parameters import Parameter
from kad.core.policy import Mode, Policy
from kad.core.report import UNDONE, Outcome, Report, State
from kad.core.status import NamespaceStatus, ParameterStatus, namespace_status
from kad.core.summary import troubles
from kad.daemon.claims import Claims
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
        "_claims",
        "_due",
        "_followed",
        "_history",
        "_naming",
        "_policy",
        "_young",
        "follows",
        "inode",
        "kernel",
        "name",
        "reason",
    )

    def __init__(
        self, inode: int, kernel: "NamespaceKernel", known: Known | None, appeared: float | None
    ) -> None:
        self.inode, self.kernel = inode, kernel
        self._claims = Claims(self._read(), known)
        self._appeared = appeared if known is None else known.appeared
        # Until a kad has looked after its ten seconds.
        self._young = self._appeared is not None
        # Whether a pass is due even where nothing has changed.
        self._due, self._followed = True, False
        self._history = History()
        self._policy = Policy(values={})
        self.name, self._naming = "", Naming()
        # The whole policy, of which `_policy` is what it is here.
        self.follows: Policy | None = None
        # Why it is left alone; None where it is not.
        self.reason = _EXCLUDED if known is not None and known.excluded else None

    def _read(self) -> Mapping[Parameter, int]:
        return {each: self.kernel.read(each) for each in Parameter}

    def follow(self, policy: Policy) -> bool:
        """Take the policy as it is for a namespace of this name; tell whether that ends kad's care.

        Values that kad has set stay there then. OSError where it cannot be read: it is to be called
        again.
        """
        before, kept = self.reason, self._followed and self.reason is None
        now = None if before is None else self._read()
        self._policy, self._followed, self.follows = policy_for(policy, self.name), True, policy
        self.reason, self._due = self._reason(), True
        if (
            before is not None or self.reason is not None
        ):  # what happens to it meanwhile is no drift
            self._history = History()
        if self.reason is None and now is not None:
            self._meet_again(now, excluded=before == _EXCLUDED)
        self._claims.owed = self._claims.owed and self.reason is not None
        return kept and self.reason is not None and bool(self._claims.put)

    def _meet_again(self, now: Mapping[Parameter, int], *, excluded: bool) -> None:
        """Take in what happened while it was left alone; who was excluded is met only now."""
        claims = self._claims
        if excluded and claims.cede(claims.foreign(now)):
            self.reason = self._reason()
        elif not claims.put:
            claims.found = now
        claims.see(now)

    def _reason(self) -> str | None:
        rules = self._policy.namespaces
        if rules.excludes(self.name):
            return _EXCLUDED
        return "set on purpose" if self._claims.custom and rules.custom is Custom.KEEP else None

    def rename(self, found: "FoundNamespace", now: float) -> bool:
        """Take its name; tell whether it is another, to which another policy may apply."""
        grown = self._appeared is None or now >= self._grown_at
        before, self.name = self.name, self._naming.name(found, grown=grown)
        if self.name != before:
            self.follows = None
        return self.name != before

    def claim(self) -> None:
        """Take down what a pass is going to put there, which is to be remembered before it is."""
        if self.reason is None and self._policy.mode is Mode.ENFORCE:
            self._claims.claim(self._policy.values)

    @property
    def is_young(self) -> bool:
        """Whether what somebody else writes there is still taken for its own."""
        return self._young

    @property
    def known(self) -> Known | None:
        """What is to be remembered; None where it is none of kad's business."""
        claims, excluded = self._claims, self.reason == _EXCLUDED
        if excluded and not (claims.put or claims.custom or self._young):
            return None
        appeared = self._appeared if self._young else None
        marks = (claims.custom, appeared, claims.owed, excluded)
        return Known(claims.found, claims.put, *marks)

    def owe_if_late(self) -> bool:
        """Owe it what kad found where the name that excludes it came late; tell whether it did."""
        late = self._young and self.reason == _EXCLUDED
        self._claims.owed = self._claims.owed or late
        return late

    def has_grown(self, now: float) -> bool:
        """Whether it is young no more by now: its name is to be asked for once more first."""
        return self._young and now >= self._grown_at

    @property
    def _grown_at(self) -> float:
        return (self._appeared or 0.0) + YOUNG_S

    def look(self, now: float) -> bool:
        """Look at it; tell whether there is something to do or to say.

        A young one that somebody has changed is left alone from now on.
        """
        # By the first look after it, as one through another procfs wakes nobody.
        young, self._young = self._young, self._young and now < self._grown_at
        if self.reason is not None:
            self.kernel.read(Parameter.TIME)
            return False
        due = self._due or self._history.deadline is not None
        if due and not young:
            return True
        try:
            changed = not self.kernel.has(self._claims.seen)
        except FileNotFoundError:
            raise
        except OSError:  # the pass will say why
            return True
        if changed and young and self._take_for_its_own(self._read()):
            # What is overridden was set, and is no drift; somebody may fight for it all the same.
            self._history.begin_anew()
        return changed or due

    def _take_for_its_own(self, now: Mapping[Parameter, int]) -> bool:
        """Leave it to whoever wrote what is `now` other than kad saw it last; tell if anybody did.

        kad owes it then what was there before.
        """
        claims = self._claims
        if not claims.cede(claims.changed(now)):
            return False
        self.reason = self._reason()
        claims.owed = self.reason is not None and bool(claims.put)
        return True

    @property
    def is_owed(self) -> bool:
        """Whether what kad found is still to be put back."""
        return self._claims.owed

    def run(self, now: float) -> tuple[Report, Report]:
        """Run a pass; give the report of the one before and its own.

        Whoever wrote since kad last looked was faster than the pass: a young one is left alone
        then, with what he wrote.
        """
        before, judge = self._history.last, self._history.judge(self._policy, now)
        report = _unless_gone(reconcile(self._policy, self.kernel, judge))
        report = self._history.learn(self._policy, report, now)
        self._due = bool(report.having(UNDONE))
        if self._young:
            self._take_for_its_own(dict(_written_by_others(report)))
        if self.reason is None:
            self._see(report)
        return before, report

    def _see(self, report: Report) -> None:
        self._claims.see(report.found)

    def events(self, before: Report, report: Report) -> Iterator[Event]:
        """Say what is new, save that values were set: that is said for all at once."""
        for event in news(before, report):
            if event.kind is not Kind.VALUE_SET:
                fields = {**event.fields, "KAD_NAMESPACE": self.name}
                yield Event(event.kind, f"{self.name}: {event.message}", fields)

    def put_back(self) -> Report:
        """Set what kad found, save where somebody else has set another value since."""
        restoring = Policy(values=self._claims.to_be_put_back(self._read()))
        report = _unless_gone(reconcile(restoring, self.kernel, History().judge(restoring, 0)))
        self._see(report)
        self._claims.release()
        return report

    @property
    def left(self) -> Known | None:
        """What is to be remembered when it was put back: what of kad's is still there."""
        claims = self._claims
        return self.known if claims.put or claims.custom or self._young else None

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
            each: ParameterStatus(None, self._value(each), State.UNMANAGED) for each in Parameter
        }
        status = NamespaceStatus(self.name, self.inode, managed=False, parameters=left)
        return status._replace(reason=self.reason, cookie=self.kernel.cookie)

    def _value(self, parameter: Parameter) -> int | None:
        try:
            return self.kernel.read(parameter)
        except FileNotFoundError:
            raise
        except OSError:
            return None


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
