"""Keep every other network namespace of the machine to the policy."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from kad.core.events import Event, Kind
from kad.core.namespaces import Known, Scope
from kad.core.parameters import Parameter
from kad.core.policy import Policy
from kad.core.report import Outcome, Report, State
from kad.core.status import Elsewhere, NamespaceStatus, ParameterStatus
from kad.daemon.edges import FoundNamespace, NamespaceFinder, NamespaceKernel, NamespaceMemory
from kad.daemon.other import Other

# So many names stand in a line; the state file has all.
_NAMED = 3
_LEFT = "left alone from now on: what kad set stays"
# So many are opened at once: thousands take seconds, in which nothing else is heard.
AT_ONCE = 200
_LOOK, _OPEN = "look after the other network namespaces", "open every network namespace"
_REMEMBER = "remember what is kad's own in other network namespaces"


class Pass(NamedTuple):
    """What a pass over all of them brought."""

    events: list[Event]
    reports: list[tuple[str, Report, Report]]


class Others:
    """The other namespaces, from the first look to the last.

    `note` says once that something cannot be done and why, and once that it can again; `forget`
    has it told anew. `more` tells that a look is to follow at once.
    """

    def __init__(
        self,
        finder: NamespaceFinder,
        memory: NamespaceMemory,
        note: Callable[[str, str | None], None],
        forget: Callable[[str], None],
    ) -> None:
        self._finder = finder
        self._memory = memory
        self._note, self._forget = note, forget
        self._known: dict[int, Other] = {}
        # Those that could not be opened: the name, and why.
        self._closed: dict[int, tuple[str, OSError]] = {}
        # What was tried in looks of which another is to follow, and what of it failed.
        self._tried: set[int] = set()
        self._failed: dict[int, OSError] = {}
        self._policy: Policy | None = None
        self._unable: str | None = None
        self._looked = False
        # Those that this pass leaves alone, with values of kad's in them.
        self._left: list[Other] = []
        # Rises with every change that the state file would show.
        self.revision = 0
        self.more = False

    def run(self, policy: Policy, now: float, *, look: bool) -> Pass:
        """Bring all to the policy; where it is to `look`, find first those that are new."""
        if policy.namespaces.scope is Scope.HOST:
            return Pass(self._let_go(), [])
        self._left = []
        if policy is not self._policy:
            self._policy = policy
            self._each(lambda other: self._follow(policy, other))
        if look:
            self._look(policy, now)
        self._finder.leave(
            inode for inode, other in self._known.items() if policy.namespaces.excludes(other.name)
        )
        return self._pass(now)

    def _look(self, policy: Policy, now: float) -> None:
        before, self._unable = self._unable, None
        self.more = False
        try:
            self._finder.ready()
            self._meet(policy, self._finder.find(), now)
        except OSError as error:
            self._unable = ": ".join(each for each in (error.filename, error.strerror) if each)
        except MemoryError:
            self._unable = "out of memory"
        self.revision += before != self._unable
        self._note(_LOOK, self._unable)

    def _meet(self, policy: Policy, found: Mapping[int, FoundNamespace], now: float) -> None:
        # An inode is used again at once: only who still reads is the one that it was.
        self._each(lambda other: other.kernel.read(Parameter.TIME))
        met = self._known.keys() | self._tried
        new = [each for inode, each in found.items() if inode not in met]
        for inode, kernel in self._finder.open(new[:AT_ONCE]).items():
            error = kernel if isinstance(kernel, OSError) else self._begin(inode, kernel, now)
            if error is not None:
                self._failed[inode] = error
        self._tried.update(each.inode for each in new[:AT_ONCE])
        self.more = len(new) > AT_ONCE
        self._rename(policy, found.values(), now)
        if not self.more:
            self._have_met_all(policy, found)

    def _have_met_all(self, policy: Policy, found: Mapping[int, FoundNamespace]) -> None:
        """Tell of those that could not be opened; the next look tries them again."""
        if not self._failed:  # what ended while no kad looked is remembered no longer
            self._memory.only(each.kernel.cookie for each in self._known.values())
        closed = {
            inode: (found[inode].own_name(), error)
            for inode, error in self._failed.items()
            if inode in found
        }
        excludes = policy.namespaces.excludes
        self._tell_closed({key: each for key, each in closed.items() if not excludes(each[0])})
        self._looked, self._tried, self._failed = True, set(), {}

    def _begin(self, inode: int, kernel: NamespaceKernel, now: float) -> OSError | None:
        """Look after one from now on; give why it cannot be read, None where it has just gone."""
        known = self._memory[kernel.cookie]
        if known is None:
            # What is there at the first look, or was not opened at once, may be of any age.
            young = self._looked and inode not in self._closed
            known = Known(appeared=now if young else None)
        try:
            self._known[inode] = Other(inode, kernel, known, now)
        except Exception as error:
            self._finder.drop(inode)
            if not isinstance(error, OSError):
                raise
            return None if isinstance(error, FileNotFoundError) else error.with_traceback(None)
        return None

    def _rename(self, policy: Policy, found: Iterable[FoundNamespace], now: float) -> None:
        for each in found:
            other = self._known.get(each.inode)
            if other is not None and other.rename(each, now):
                self.revision += 1
                self._follow(policy, other)

    def _follow(self, policy: Policy, other: Other) -> None:
        if not other.follow(policy):
            return
        if other.is_excluded_late:
            self._restore([other])
        else:
            self._left.append(other)

    def _tell_closed(self, closed: dict[int, tuple[str, OSError]]) -> None:
        self.revision += closed.keys() != self._closed.keys()
        self._closed = closed
        self._note(_OPEN, self._why_closed())

    def _why_closed(self) -> str | None:
        for name, error in self._closed.values():
            more = f" (and {len(self._closed) - 1} more)" if len(self._closed) > 1 else ""
            return f"{name}: {error.strerror}{more}"
        return None

    def _pass(self, now: float) -> Pass:
        due: list[Other] = []
        self._each(lambda other: due.append(other) if other.is_due(now) else None)
        self._memory.keep({each.kernel.cookie: each.known for each in due})
        done: list[tuple[Other, Report, Report]] = []
        ours = [other for other in due if other.reason is None]
        self._each(lambda other: done.append((other, *other.run(now))), ours)
        left = [other for other, *_ in done if other.reason is not None]
        self._memory.keep({other.kernel.cookie: other.known for other in left})
        self._note(_REMEMBER, self._memory.trouble)
        done = [each for each in done if each[0].reason is None]
        news = any(before.shown != report.shown for _, before, report in done)
        self.revision += news or len(done) < len(due)
        events = [event for other, *reports in done for event in other.events(*reports)]
        names = [other.name for other, _, report in done if _was_set(report)]
        left_late = [other.name for other in self._left]
        return Pass(
            [*_about(_LEFT, left_late), *_about("policy set", names), *events],
            [(other.name, before, report) for other, before, report in done],
        )

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
        self.revision += bool(self._known or self._closed)
        self._known, self._closed, self._unable, self._policy = {}, {}, None, None
        self._looked = self.more = False
        self._tried, self._failed = set(), {}
        for each in (_LOOK, _OPEN, _REMEMBER):
            self._forget(each)
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
        """Forget only those without a value that the next start would take for somebody's."""
        done: list[tuple[Other, Report]] = []
        self._each(lambda other: done.append((other, other.put_back())), list(others))
        self._memory.keep(
            {other.kernel.cookie: other.known_after(report) for other, report in done}
        )
        return done

    @property
    def deadline(self) -> float | None:
        """When something is due though nobody wakes kad."""
        due = [each.deadline for each in self._known.values() if each.deadline is not None]
        return min(due, default=None)

    def elsewhere(self) -> Elsewhere:
        """Sum all of them up."""
        if self._unable or self._closed:
            return Elsewhere(State.DEGRADED, self._unable or f"cannot open {self._why_closed()}")
        ours = [other for other in self._known.values() if other.reason is None]
        for state in (State.DEGRADED, State.DRIFTED):
            for other in ours:
                if other.report.state is state:
                    return Elsewhere(state, f"{other.name}: {other.trouble()}")
        forgetful = f"; cannot {_REMEMBER}: {why}" if (why := self._memory.trouble) else ""
        return Elsewhere(State.IN_FORCE, _count(len(ours)) + forgetful)

    def statuses(self) -> Iterator[NamespaceStatus]:
        """Give each as the state file has it."""
        statuses: list[NamespaceStatus] = []
        self._each(lambda other: statuses.append(other.status()))
        yield from statuses
        for inode, (name, error) in self._closed.items():
            values = {each: ParameterStatus(None, None, State.FAILED) for each in Parameter}
            yield NamespaceStatus(name, inode, True, values, error.strerror)  # noqa: FBT003


def _was_set(report: Report) -> bool:
    return any(each.outcome is Outcome.WRITTEN and not each.drift for each in report)


def _about(what: str, names: list[str]) -> Iterator[Event]:
    if names:
        shown = ", ".join(islice(names, _NAMED)) + (", ..." if len(names) > _NAMED else "")
        yield Event(Kind.NAMESPACES_SET, f"{what} in {_count(len(names))} ({shown})")


def _count(number: int) -> str:
    return f"{number} namespace{'' if number == 1 else 's'}"
