"""Wait for any reason and run the same pass."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from kad.core.errors import DeniedError, StoppedError
from kad.core.events import Event, Priority
from kad.core.namespaces import Scope
from kad.core.news import news
from kad.core.policy import Mode, OnStop
from kad.core.reasons import READS_FILE, Reason
from kad.core.report import Report
from kad.daemon.account import MANAGER, OTHERS, TENDING, Account, Parts
from kad.daemon.advisor import Advisor
from kad.daemon.attempts import Attempts
from kad.daemon.edges import Edges
from kad.daemon.held import HeldPolicy
from kad.daemon.host import Host
from kad.daemon.tally import Tally
from kad.daemon.tending import Tending
from kad.daemon.watching import Watching

if TYPE_CHECKING:
    from kad.daemon.others import Others

_CHECK, _LOOK = "finish a check", "finish comparing with the kernel"


class Daemon:
    """One loop over kad's own network namespace and, where the policy asks for it, the others.

    `watched` are the names under which the policy may lie, `inode` is the namespace's and `host`
    whether it is PID 1's, None where that is not known.
    """

    def __init__(
        self, edges: Edges, watched: tuple[str, ...], *, pid: int, inode: int, host: bool | None
    ) -> None:
        self._edges = edges
        self._watching = Watching(edges, watched)
        self._held = HeldPolicy(edges.source, edges.utc)
        self._host = Host(edges.kernel)
        self._tally = Tally()
        self._tending = Tending(edges.sockets, edges.monotonic)
        self._advisor = Advisor(edges.neighbours, edges.units, edges.monotonic, host=host)
        self._attempts, self._duties = Attempts(edges.journal), Attempts(edges.journal)
        self._next_check = 0.0
        self._check_every = 0
        self._others: Others | None = None
        parts = (self._tending, self._advisor, self._attempts, self._duties)
        self._account = Account(
            edges, Parts(pid, inode, self._held, self._tally, self._watching, *parts)
        )

    def run(self) -> None:
        """Run until a reason to stop; KadError before READY=1, or where another has the lock."""
        report = self._pass({Reason.BOOT})
        with suppress(StoppedError):  # the inbox has the reason
            self._attempts.make(_CHECK, partial(self._finish, report, {Reason.BOOT}))
        self._tell_lost(self._edges.kernel.replace_unusable())
        self._account.warn(self._host.report)
        while True:
            reasons = self._edges.inbox.wait(self._deadline())
            if Reason.STOP in reasons:
                break
            reasons |= self._due()
            # With the policy in hand first: a file that is being changed does not hold it up.
            first = {Reason.WRITE} & reasons if reasons & READS_FILE else set()
            with suppress(StoppedError):
                for each in (first, reasons - first):
                    if each:
                        # One that reads no file does not do all that another could not.
                        what = _CHECK if each & READS_FILE else _LOOK
                        self._attempts.make(what, partial(self._check, each))
                if reasons & READS_FILE and self._attempts.failing(_CHECK) is None:
                    self._attempts.note(_LOOK, None)
            self._account.warn(self._host.report)
            if self._edges.manager.watchdog_s is not None:
                self._tell_manager(self._edges.manager.watchdog)
        self._stop()

    def _tell_lost(self, files: Iterable[str]) -> None:
        for file in files:
            lost = "is damaged or from another version of kad: the original values are lost"
            self._edges.journal.say(Priority.WARNING, f"{file} {lost}")

    def _deadline(self) -> float:
        now = self._edges.monotonic()
        ping = self._edges.manager.watchdog_s
        fight = self._fight
        return min(
            self._next_check,
            self._next_check if ping is None else now + ping,
            self._next_check if fight is None else fight,
        )

    @property
    def _fight(self) -> float | None:
        """When something is due on account of a fight, in whatever namespace.

        What could not be done has to wait for the timer.
        """
        if self._attempts.failing(_LOOK) is not None:
            return None
        unable = self._others is None or self._duties.failing(OTHERS) is not None
        others = None if self._others is None or unable else self._others.deadline
        due = [each for each in (self._host.deadline, others) if each is not None]
        return min(due, default=None)

    def _due(self) -> set[Reason]:
        now, fight = self._edges.monotonic(), self._fight
        timer = {Reason.TIMER} if now >= self._next_check else set()
        return timer | ({Reason.PAUSE} if fight is not None and now >= fight else set())

    def _pass(self, reasons: set[Reason]) -> Report:
        began = self._edges.monotonic()
        reload, boot = Reason.RELOAD in reasons, Reason.BOOT in reasons
        if reload:
            self._tell_manager(partial(self._edges.manager.reloading, int(began * 1e6)))
        loads = bool(reasons & READS_FILE)
        if loads:
            self._attempts.make("hold the lock", self._hold_lock)
            # Here already, so that what ends this pass early is not tried again at once.
            self._next_check = began + self._check_every
            self._tell(self._load(began, boot=boot))
            if not self._held.policy.sockets.wanted:
                self._duties.forget(TENDING)
        before, report = self._run_host(began, boot=boot)
        self._tally.take(before, report, self._edges.utc())
        # Before anything that may be cut short: what was written is told.
        self._tell(news(before, report))
        look = loads or Reason.NAMESPACES in reasons
        self._duties.make(OTHERS, lambda: self._tell(self._run_others(began, look=look)))
        if reload:
            others = self._account.others_summed_up
            self._tally.answer(int(began * 1e6), self._held.error, report, *others)
        self._tell(self._held.news(report))
        self._account.show(report, anyway=reload, ready=boot or reload)
        return report

    def _check(self, reasons: set[Reason]) -> None:
        self._finish(self._pass(reasons), reasons)

    def _finish(self, report: Report, reasons: set[Reason]) -> None:
        """Do what a pass has no need to wait for, and READY=1 neither."""
        loads, every_s = bool(reasons & READS_FILE), self._check_every
        self._tend_sockets(report)
        if loads:
            self._attempts.make("keep the last good policy", self._held.keep)
            self._tell(self._watching.the_file(self._held.file, every_s))
        if loads or Reason.NAMESPACES in reasons:
            self._tell(self._watching.the_parameters(every_s))
        # It reads a dozen files, and the control groups where the policy names units.
        if loads and self._advisor.look_around(self._held.policy):
            self._account.write(report)

    def _tend_sockets(self, report: Report) -> None:
        """Do what the policy wants of open sockets: after READY=1, as there may be very many."""
        before = self._duties.failing(TENDING), self._tending.status
        tend = partial(self._tending.tend, self._held.policy)
        self._duties.make(TENDING, lambda: self._tell(tend()))
        if self._tending.more:
            self._edges.inbox.nudge(Reason.SOCKETS)
        if (self._duties.failing(TENDING), self._tending.status) != before:
            self._account.write(report)
            self._account.inform(report)

    def _load(self, began: float, *, boot: bool) -> list[Event]:
        events = list(self._held.boot() if boot else self._held.load())
        self._check_every = self._held.policy.check_every
        self._next_check = began + self._check_every
        return events

    def _run_host(self, began: float, *, boot: bool) -> tuple[Report, Report]:
        try:
            return self._host.run(self._held.policy, began, boot=boot)
        except DeniedError as error:
            error.fields = {**error.fields, **self._fields(error.fields)}
            raise

    def _run_others(self, began: float, *, look: bool) -> list[Event]:
        """Run the pass over the other namespaces, where the policy wants one."""
        policy = self._held.policy
        if self._others is None:
            if policy.namespaces.scope is Scope.HOST:
                return []
            from kad.daemon.others import Others  # noqa: PLC0415  # memory and boot time

            self._others = Others(self._edges.namespaces, self._edges.memory, self._duties)
            self._account.others = self._others
        events, reports = self._others.run(policy, began, look=look)
        self._tell_lost(self._edges.memory.replace_unusable())
        if self._others.more:
            self._edges.inbox.nudge(Reason.NAMESPACES)
        for name, before, report in reports:
            self._tally.drifts(before, report, self._edges.utc(), name)
        return events

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._edges.journal.event(event, **self._fields(event.fields))

    def _fields(self, known: Mapping[str, str]) -> dict[str, str]:
        """Give the journal's fields that are wanted besides."""
        host = {"KAD_NAMESPACE": "host"} if "KAD_PARAMETER" in known else {}
        fields = {"KAD_POLICY_FILE": self._held.file, **host}
        return {name: value for name, value in fields.items() if name not in known}

    def _tell_manager(self, action: Callable[[], None]) -> None:
        self._attempts.make(MANAGER, action)

    def _hold_lock(self) -> None:
        lost = self._edges.lock.hold()
        if lost is not None:
            self._edges.journal.say(
                Priority.WARNING, f"{lost} was deleted by another process; created again"
            )

    def _stop(self) -> None:
        self._tell_manager(self._edges.manager.stopping)
        policy = self._held.policy
        if policy.on_stop is OnStop.RESTORE and policy.mode is Mode.ENFORCE:
            self._tell(self._host.put_back(policy))
            if self._others is not None:
                self._tell(self._others.put_back())
        self._edges.state.remove()
