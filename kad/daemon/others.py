"""Keep every other network namespace of the machine to the policy."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import NamedTuple

from kad.core.events import Event, Kind
from kad.core.namespaces import Known, Scope
from kad.core.parameters import Parameter
from kad.core.policy import Mode, Policy
from kad.core.report import Outcome, Report, State
from kad.core.status import NamespaceStatus
from kad.core.summary import Elsewhere
from kad.daemon.attempts import Attempts
from kad.daemon.edges import FoundNamespace, NamespaceFinder, NamespaceKernel, NamespaceMemory
from kad.daemon.opening import Opening
from kad.daemon.other import Other

# So many names stand in a line; the state file has all.
_NAMED = 3
_LEFT, _GIVEN_BACK = (
    f"left alone from now on: what kad set {what}" for what in ("stays", "is put back")
)
_LOOK = "look after the other network namespaces"
_REMEMBER = "remember what is kad's own in other network namespaces"
_PUT_BACK = "put back what kad has set in another network namespace"


class Pass(NamedTuple):
    """What a pass over all of them brought."""

    events: list[Event]
    reports: list[tuple[str, Report, Report]]


class Others:
    """The other namespaces, from the first look to the last.

    `more` tells that a look is to follow at once.
    """

    def __init__(
        self, finder: NamespaceFinder, memory: NamespaceMemory, attempts: Attempts
    ) -> None:
        self._finder = finder
        self._memory = memory
        self._attempts = attempts
        self._known: dict[int, Other] = {}
        self._opening = Opening(finder, attempts)
        self._policy: Policy | None = None
        self._unable: str | None = None
        self._looked = False
        # Those that this pass leaves alone, with values of kad's in them.
        self._left: list[Other] = []
        # Those of which something else may be to be remembered by now.
        self._touched: list[Other] = []
        # Why what is owed could not be put back.
        self._owing: str | None = None
        # Rises with every change that the state file would show.
        self.revision = 0
        self.more = False

    def run(self, policy: Policy, now: float, *, look: bool) -> Pass:
        """Bring all to the policy; where it is to `look`, find first those that are new."""
        if policy.namespaces.scope is Scope.HOST:
            return Pass(self._let_go(), [])
        self._left, self._touched = [], []
        self._policy = policy
        stale = [other for other in self._known.values() if other.follows is not policy]
        self._each(partial(self._follow, policy), stale)
        grown = [other for other in self._known.values() if other.has_grown(now)]
        self._touched += grown
        # Its unit may have come after it, of which nothing tells.
        if look or grown:
            self._look(policy, now)
        self._finder.leave(
            inode for inode, other in self._known.items() if policy.namespaces.excludes(other.name)
        )
        return self._pass(policy, now)

    def _look(self, policy: Policy, now: float) -> None:
        before, self._unable, self.more = self._unable, None, False
        try:
            self._finder.ready()
            self._meet(policy, self._finder.find(), now)
        except OSError as error:
            self._unable = ": ".join(each for each in (error.filename, error.strerror) if each)
        except MemoryError:
            self._unable = "out of memory"
        self.revision += before != self._unable
        self._attempts.note(_LOOK, self._unable)

    def _meet(self, policy: Policy, found: Mapping[int, FoundNamespace], now: float) -> None:
        # An inode is used again at once: only who still reads is the one that it was.
        self._each(lambda other: other.kernel.read(Parameter.TIME))
        new = [each for inode, each in found.items() if inode not in self._known]
        since = now if self._looked else None
        self.more = self._opening.open(new, partial(self._begin, now=now), since)
        self._looked = self._looked or not self.more
        self._rename(policy, found.values(), now)
        self.revision += self._opening.tell(policy.namespaces)

    def _begin(
        self, found: FoundNamespace, kernel: NamespaceKernel, *, now: float
    ) -> OSError | None:
        """Look after one from now on; give why it cannot be read, None where it has just gone."""
        try:
            known = self._memory[kernel.cookie]
            other = Other(found.inode, kernel, known, self._appeared(found, now))
        except Exception as error:
            self._finder.drop(found.inode)
            if not isinstance(error, OSError):
                raise
            return None if isinstance(error, FileNotFoundError) else error.with_traceback(None)
        self._known[found.inode] = other
        self._touched.append(other)
        return None

    def _appeared(self, found: FoundNamespace, now: float) -> float | None:
        """Say when it did; None where it may be of any age, as it was there before kad looked."""
        if self._opening.has_failed(found.inode):
            return self._opening.failed_first_at(found.inode)
        return now if self._looked else None

    def _rename(self, policy: Policy, found: Iterable[FoundNamespace], now: float) -> None:
        for each in found:
            other = self._known.get(each.inode)
            if other is not None and other.rename(each, now):
                self._each(partial(self._follow, policy), [other])

    def _follow(self, policy: Policy, other: Other) -> None:
        ends = other.follow(policy)
        self.revision += 1
        self._touched.append(other)
        if ends and not other.owe_if_late():
            self._left.append(other)

    def _pass(self, policy: Policy, now: float) -> Pass:
        due: list[Other] = []
        self._each(lambda other: due.append(other) if other.is_due(now) else None)
        for other in due:
            other.is_about_to_write()
        self._keep((*self._touched, *due))
        done: list[tuple[Other, Report, Report]] = []
        ours = [other for other in due if other.reason is None]
        self._each(lambda other: done.append((other, *other.run(now))), ours)
        given_back: list[str] = []
        try:
            # Of those whose runtime was faster than the pass something else is to be remembered.
            self._keep(other for other, *_ in done if other.is_young)
            given_back = self._give_back(policy)
        except MemoryError:  # what was written is told all the same
            self._attempts.note(_REMEMBER, "out of memory")
        else:
            self._attempts.note(_REMEMBER, self._memory.trouble)
        done = [each for each in done if each[0].reason is None]
        news = any(before.shown != report.shown for _, before, report in done)
        self.revision += news or len(done) < len(due) or bool(given_back)
        events = [event for other, *reports in done for event in other.events(*reports)]
        names = [other.name for other, _, report in done if _was_set(report)]
        return Pass(
            [
                *_about(_LEFT, [other.name for other in self._left]),
                *_about("policy set", names),
                *_about(_GIVEN_BACK, given_back),
                *events,
            ],
            [(other.name, before, report) for other, before, report in done],
        )

    def _keep(self, others: Iterable[Other]) -> None:
        """Remember what is known of those that are still there."""
        there = (other for other in others if self._known.get(other.inode) is other)
        self._memory.keep({other.kernel.cookie: other.known for other in there})

    def _give_back(self, policy: Policy) -> list[str]:
        """Put back what is owed; give the names of those that have it, and tell of the others."""
        owed = [other for other in self._known.values() if other.is_owed]
        if owed and policy.mode is Mode.AUDIT:  # which never writes
            self._attempts.forget(_PUT_BACK)
            return []
        done = dict(self._restore(owed))
        left = (other for other in owed if other.is_owed and self._known.get(other.inode) is other)
        self._owing = next((_why_owed(other, done.get(other)) for other in left), None)
        self._attempts.note(_PUT_BACK, self._owing)
        return [other.name for other in done if not other.is_owed]

    def _each(self, do: Callable[[Other], object], others: Iterable[Other] | None = None) -> None:
        """Do something with each, and let go of those that turn out to have gone."""
        gone: dict[int, Known | None] = {}
        for other in list(self._known.values()) if others is None else others:
            try:
                do(other)
            except FileNotFoundError:
                self._finder.drop(other.inode)
                del self._known[other.inode]
                gone[other.kernel.cookie] = None
            except OSError:
                continue  # no matter of the others'; what cannot be read is told by its own pass
        if gone:
            self.revision += 1
            self._memory.keep(gone)

    def _let_go(self) -> list[Event]:
        """Look after none from now on; their values stay."""
        ours = sum(other.reason is None for other in self._known.values())
        for inode in self._known:
            self._finder.drop(inode)
        self._finder.rest()
        self.revision += bool(self._known or self._opening.closed)
        self._known, self._unable, self._policy = {}, None, None
        self._looked = self.more = False
        self._opening.forget()
        for each in (_LOOK, _REMEMBER, _PUT_BACK):
            self._attempts.forget(each)
        if not ours:
            return []
        text = f"looking after the host alone; the values in {_count(ours)} stay as they are"
        return [Event(Kind.NAMESPACES_SET, text)]

    def put_back(self) -> list[Event]:
        """Set in each what kad found there, save in those that are left alone."""
        done = self._restore(each for each in self._known.values() if each.reason is None)
        names = [other.name for other, report in done if _was_set(report)]
        failed = [event for other, report in done for event in other.events(Report({}), report)]
        return [*_about("values put back", names), *failed]

    def _restore(self, others: Iterable[Other]) -> list[tuple[Other, Report]]:
        """Set what kad found; what of kad's is there all the same stays remembered."""
        done: list[tuple[Other, Report]] = []
        self._each(lambda other: done.append((other, other.put_back())), list(others))
        self._memory.keep({other.kernel.cookie: other.left for other, _ in done})
        return done

    @property
    def deadline(self) -> float | None:
        """When something is due though nobody wakes kad."""
        due = [each.deadline for each in self._known.values() if each.deadline is not None]
        return min(due, default=None)

    def elsewhere(self) -> Elsewhere:
        """Sum all of them up; there is nothing to say where the policy is for the host alone."""
        if self._policy is None:
            return Elsewhere()
        ours = [other for other in self._known.values() if other.reason is None]
        states = {other.report.state for other in ours}
        why = self._unable or self._opening.trouble
        if why or State.DEGRADED in states:
            return Elsewhere(State.DEGRADED, "; ".join(_worst(ours, why)))
        if State.DRIFTED in states:
            return Elsewhere(State.DRIFTED, "; ".join(_worst(ours, None)))
        return Elsewhere(State.IN_FORCE, _count(len(ours)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Say what is wrong that leaves the values in force."""
        if self._policy is None:
            return ()
        whys = ((_REMEMBER, self._memory.trouble), (_PUT_BACK, self._owing))
        return tuple(f"cannot {what}: {why}" for what, why in whys if why is not None)

    def statuses(self) -> Iterator[NamespaceStatus]:
        """Give each as the state file has it."""
        statuses: list[NamespaceStatus] = []
        self._each(lambda other: statuses.append(other.status()))
        yield from statuses
        yield from self._opening.statuses()


def _why_owed(other: Other, report: Report | None) -> str:
    failures = () if report is None else report.failing.values()
    return f"{other.name}: {next((each.failure for each in failures), 'cannot be read')}"


def _worst(ours: Iterable[Other], why: str | None) -> Iterator[str]:
    """Say why not all are looked after, what is wrong in the worst of them, and how many more."""
    if why:
        yield why
    troubled = [other for other in ours if other.report.state is not State.IN_FORCE]
    troubled.sort(key=lambda other: other.report.state is not State.DEGRADED)
    for other in troubled[:1]:
        yield f"{other.name}: {other.trouble()}"
    if troubled[1:]:
        yield f"something in {_count(len(troubled) - 1)} more"


def _was_set(report: Report) -> bool:
    return any(each.outcome is Outcome.WRITTEN and not each.drift for each in report)


def _about(what: str, names: list[str]) -> Iterator[Event]:
    if names:
        shown = ", ".join(islice(names, _NAMED)) + (", ..." if len(names) > _NAMED else "")
        yield Event(Kind.NAMESPACES_SET, f"{what} in {_count(len(names))} ({shown})")


def _count(number: int) -> str:
    return f"{number} namespace{'' if number == 1 else 's'}"
