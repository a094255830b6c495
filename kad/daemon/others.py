"""Keep every other network namespace of the machine to the policy."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from kad.core.errors import os_error_words
from kad.core.events import Event, Kind
from kad.core.namespaces import Scope
from kad.core.parameters import Parameter
from kad.core.policy import Policy
from kad.core.report import Outcome, Report
from kad.core.status import NamespaceStatus
from kad.core.summary import Elsewhere
from kad.daemon.attempts import Attempts
from kad.daemon.crowd import count, done_in, sum_up
from kad.daemon.debts import PUT_BACK, settle
from kad.daemon.edges import FoundNamespace, NamespaceFinder, NamespaceKernel, NamespaceMemory
from kad.daemon.opening import Opening
from kad.daemon.other import Other
from kad.daemon.population import Population

_LEFT, _GIVEN_BACK = (
    f"no longer managed; {what}" for what in ("kad's values remain", "original values restored")
)
_LOOK = "manage other network namespaces"
_REMEMBER = "save which values kad set in other network namespaces"


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
        self._population = Population(finder, memory)
        self._opening = Opening(finder, attempts)
        self._policy: Policy | None = None
        self._unable: str | None = None
        self._looked = False
        # Those that this pass leaves alone, with values of kad's in them.
        self._left: list[Other] = []
        # Those of which something else may be to be remembered by now.
        self._touched: list[Other] = []
        self._changes = 0
        self.more = False

    @property
    def revision(self) -> int:
        """Give what rises with every change that the state file would show."""
        return self._changes + self._population.gone

    def run(self, policy: Policy, now: float, *, look: bool) -> Pass:
        """Bring all to the policy; where it is to `look`, find first those that are new."""
        if policy.namespaces.scope is Scope.HOST:
            return Pass(self._let_go(), [])
        self._left, self._touched = [], []
        self._policy = policy
        stale = [other for other in self._population if other.follows is not policy]
        self._population.each(partial(self._follow, policy), stale)
        grown = [other for other in self._population if other.has_grown(now)]
        self._touched += grown
        # Its unit may have come after it, of which nothing tells.
        if look or grown:
            self._look(policy, now)
        self._finder.leave(
            other.inode for other in self._population if policy.namespaces.excludes(other.name)
        )
        return self._pass(policy, now)

    def _look(self, policy: Policy, now: float) -> None:
        before, self._unable, self.more = self._unable, None, False
        try:
            self._finder.ready()
            self._meet(policy, self._finder.find(), now)
        except OSError as error:
            self._unable = os_error_words(error)
        except MemoryError:
            self._unable = "out of memory"
        self._changes += before != self._unable
        self._attempts.note(_LOOK, self._unable)

    def _meet(self, policy: Policy, found: Mapping[int, FoundNamespace], now: float) -> None:
        # An inode is used again at once: only who still reads is the one that it was.
        self._population.each(lambda other: other.kernel.read(Parameter.TIME))
        new = [each for inode, each in found.items() if inode not in self._population]
        since = now if self._looked else None
        self.more = self._opening.open(new, partial(self._begin, now=now), since)
        self._looked = self._looked or not self.more
        self._rename(policy, found.values(), now)
        self._changes += self._opening.tell(policy.namespaces)

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
        self._population.add(other)
        self._touched.append(other)
        return None

    def _appeared(self, found: FoundNamespace, now: float) -> float | None:
        """Say when it did; None where it may be of any age, as it was there before kad looked."""
        if self._opening.has_failed(found.inode):
            return self._opening.failed_first_at(found.inode)
        return now if self._looked else None

    def _rename(self, policy: Policy, found: Iterable[FoundNamespace], now: float) -> None:
        for each in found:
            other = self._population.get(each.inode)
            if other is not None and other.rename(each, now):
                self._population.each(partial(self._follow, policy), [other])

    def _follow(self, policy: Policy, other: Other) -> None:
        ends = other.follow(policy)
        self._changes += 1
        self._touched.append(other)
        if ends and not other.owe_if_late():
            self._left.append(other)

    def _pass(self, policy: Policy, now: float) -> Pass:
        due: list[Other] = []
        self._population.each(lambda other: due.append(other) if other.look(now) else None)
        for other in due:
            other.claim()
        self._population.keep((*self._touched, *due))
        done: list[tuple[Other, Report, Report]] = []
        ours = [other for other in due if other.reason is None]
        self._population.each(lambda other: done.append((other, *other.run(now))), ours)
        given_back: list[str] = []
        try:
            # Of those whose runtime was faster than the pass something else is to be remembered.
            self._population.keep(other for other, *_ in done if other.is_young)
            given_back = settle(self._population, policy, self._attempts)
        except MemoryError:  # what was written is told all the same
            self._attempts.note(_REMEMBER, "out of memory")
        else:
            self._attempts.note(_REMEMBER, self._memory.trouble)
        done = [each for each in done if each[0].reason is None]
        news = any(before.shown != report.shown for _, before, report in done)
        self._changes += news or len(done) < len(due) or bool(given_back)
        events = [event for other, *reports in done for event in other.events(*reports)]
        names = [other.name for other, _, report in done if _was_set(report)]
        return Pass(
            [
                *done_in(_LEFT, [each.name for each in self._left if each.reason is not None]),
                *done_in("policy set", names),
                *done_in(_GIVEN_BACK, given_back),
                *events,
            ],
            [(other.name, before, report) for other, before, report in done],
        )

    def _let_go(self) -> list[Event]:
        """Look after none from now on; their values stay."""
        ours = sum(other.reason is None for other in self._population)
        self._changes += bool(len(self._population) or self._opening.closed)
        self._population.clear()
        self._finder.rest()
        self._unable = self._policy = None
        self._looked = self.more = False
        self._opening.forget()
        for each in (_LOOK, _REMEMBER, PUT_BACK):
            self._attempts.forget(each)
        if not ours:
            return []
        text = f"now managing the host only; values kept in {count(ours)}"
        return [Event(Kind.NAMESPACES_SET, text)]

    def put_back(self) -> list[Event]:
        """Set in each what kad found there, save in those that are left alone."""
        done = self._population.put_back(each for each in self._population if each.reason is None)
        names = [other.name for other, report in done if _was_set(report)]
        failed = [event for other, report in done for event in other.events(Report({}), report)]
        return [*done_in("original values restored", names), *failed]

    @property
    def deadline(self) -> float | None:
        """When something is due though nobody wakes kad."""
        due = (each.deadline for each in self._population)
        return min((each for each in due if each is not None), default=None)

    def elsewhere(self) -> Elsewhere:
        """Sum all of them up; there is nothing to say where the policy is for the host alone."""
        if self._policy is None:
            return Elsewhere()
        return sum_up(self._population, self._unable or self._opening.trouble)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Say what is wrong that leaves the values in force."""
        whys = ((what, self._attempts.failing(what)) for what in (_REMEMBER, PUT_BACK))
        return tuple(f"cannot {what}: {why}" for what, why in whys if why is not None)

    def statuses(self) -> Iterator[NamespaceStatus]:
        """Give each as the state file has it."""
        statuses: list[NamespaceStatus] = []
        self._population.each(lambda other: statuses.append(other.status()))
        yield from statuses
        yield from self._opening.statuses()


def _was_set(report: Report) -> bool:
    return any(each.outcome is Outcome.WRITTEN and not each.drift for each in report)
