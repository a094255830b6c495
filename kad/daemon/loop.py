"""Wait for any reason and run the same pass."""

from collections.abc import Callable, Iterable
from functools import partial

from kad.core.denial import denial
from kad.core.events import Event, Kind, Priority
from kad.core.history import History
from kad.core.news import news
from kad.core.policy import Mode, OnStop, Policy
from kad.core.reasons import READS_FILE, Reason
from kad.core.report import Outcome, Report
from kad.core.status import Status, namespace_status, overall, status_line
from kad.daemon.advisor import Advisor
from kad.daemon.attempts import Attempts
from kad.daemon.edges import Edges
from kad.daemon.held import HeldPolicy
from kad.daemon.tally import Tally
from kad.reconcile import reconcile

# The state file is written at least this often, or at each check where those are rarer.
STATE_EVERY_S = 60
# So often in a row a watch that began anew has the file read once more; then the timer does.
MOST_REARMED = 10


class Daemon:
    """One loop over kad's own network namespace.

    `watched` are the names under which the policy may lie, `inode` is the namespace's and `host`
    whether it is PID 1's, None where that is not known.
    """

    def __init__(
        self, edges: Edges, watched: tuple[str, ...], *, pid: int, inode: int, host: bool | None
    ) -> None:
        self._edges = edges
        self._watched = watched
        self._pid = pid
        self._inode = inode
        self._held = HeldPolicy(edges.source, edges.utc)
        self._history = History()
        self._tally = Tally()
        self._advisor = Advisor(edges.neighbours, host=host)
        self._next_check = 0.0
        self._check_every = 0
        self._state_written = 0.0
        self._shown: object = None
        self._unwatched: str | None = None
        self._rearmed = 0
        self._attempts = Attempts(edges.journal)

    def run(self) -> None:
        """Run until a reason to stop; PolicyError or DeniedError before READY=1 only."""
        self._pass({Reason.BOOT})
        for file in self._edges.kernel.unusable:
            lost = "is damaged, or another kad's: what kad found at first is not known"
            self._edges.journal.say(Priority.WARNING, f"{file} {lost}")
        while True:
            reasons = self._edges.inbox.wait(self._deadline())
            if Reason.STOP in reasons:
                break
            reasons |= self._due()
            if reasons:
                self._attempts.make("finish a check", partial(self._pass, reasons))
            if self._edges.manager.watchdog_s is not None:
                self._tell_manager(self._edges.manager.watchdog)
        self._stop()

    def _deadline(self) -> float:
        now = self._edges.monotonic()
        ping = self._edges.manager.watchdog_s
        fight = self._history.deadline
        return min(
            self._next_check,
            self._next_check if ping is None else now + ping,
            self._next_check if fight is None else fight,
        )

    def _due(self) -> set[Reason]:
        now = self._edges.monotonic()
        fight = self._history.deadline
        timer = {Reason.TIMER} if now >= self._next_check else set()
        return timer | ({Reason.PAUSE} if fight is not None and now >= fight else set())

    def _pass(self, reasons: set[Reason]) -> None:
        began = self._edges.monotonic()
        reload, boot = Reason.RELOAD in reasons, Reason.BOOT in reasons
        if reload:
            self._tell_manager(partial(self._edges.manager.reloading, int(began * 1e6)))
        loads = bool(reasons & READS_FILE)
        if loads:
            self._attempts.make("hold the lock", self._hold_lock)
            # Here already, so that what ends this pass early is not tried again at once.
            self._next_check = began + self._check_every
        events = self._load(began, boot=boot) if loads else []
        before, report = self._reconcile(began, boot=boot)
        if reload:
            self._tally.answer(int(began * 1e6), self._held.error, report)
        self._tell([*events, *news(before, report), *self._held.news(report)])
        if self._shows_news(report) or reload or self._state_is_due():
            self._write_state(report)
        self._inform(report, ready=boot or reload)
        if loads:
            self._attempts.make("keep the last good policy", self._held.keep)
            self._watch()
            self._attempts.make("see writes to the parameters at once", self._watch_writes)
            # Last, and so after READY=1: it reads a dozen files.
            if self._advisor.look_around(self._held.policy):
                self._write_state(report)

    def _load(self, began: float, *, boot: bool) -> list[Event]:
        events = list(self._held.boot() if boot else self._held.load())
        self._check_every = self._held.policy.check_every
        self._next_check = began + self._check_every
        return events

    def _reconcile(self, began: float, *, boot: bool) -> tuple[Report, Report]:
        """Run the pass; give the report of the one before and its own."""
        policy, before = self._held.policy, self._history.last
        report = reconcile(policy, self._edges.kernel, self._history.judge(policy, began))
        refused = denial(report) if boot else None
        if refused is not None:
            raise refused
        report = self._history.learn(policy, report, began)
        self._tally.take(before, report, self._edges.utc())
        return before, report

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            fields = {"KAD_NAMESPACE": "host"} if "KAD_PARAMETER" in event.fields else {}
            self._edges.journal.event(event, KAD_POLICY_FILE=self._held.file, **fields)

    def _inform(self, report: Report, *, ready: bool) -> None:
        line = status_line(self._held.policy, report, self._held.error)
        tell = self._edges.manager.ready if ready else self._edges.manager.status
        self._tell_manager(partial(tell, line))

    def _tell_manager(self, action: Callable[[], None]) -> None:
        self._attempts.make("tell systemd the state", action)

    def _hold_lock(self) -> None:
        lost = self._edges.lock.hold()
        if lost is not None:
            self._edges.journal.say(Priority.WARNING, f"{lost} was removed; made anew")

    def _state_is_due(self) -> bool:
        """Whether the file is not as kad wrote it, or would be a minute old at the next check."""
        until = self._edges.monotonic() + self._check_every
        old = until - self._state_written > STATE_EVERY_S
        return old or not self._edges.state.intact()

    def _shows_news(self, report: Report) -> bool:
        """Whether the state file would say something else than it did, its counts aside."""
        values = tuple((each.policy, each.now, each.state) for each in report)
        shown = (self._held.status, values, report.contended, self._tally.drift)
        news, self._shown = shown != self._shown, shown
        return news

    def _write_state(self, report: Report) -> None:
        self._state_written = self._edges.monotonic()
        status = self._status(report)
        self._attempts.make("write the state file", lambda: self._edges.state.write(status))

    def _status(self, report: Report) -> Status:
        policy = self._held.policy
        return Status(
            state=overall(report, self._held.error),
            mode=policy.mode,
            policy=self._held.status,
            namespaces=(namespace_status(report, self._inode),),
            advice=self._advisor.advice(policy, report),
            generation=self._tally.generation,
            pid=self._pid,
            reload=self._tally.reload,
            checks=self._tally.checks(policy.check_every),
            drift=self._tally.drift,
        )

    def _watch(self) -> None:
        """Keep the watch alive; read the file once more where it began only now."""
        health = self._edges.watch.refresh(self._watched)
        if health.lost != self._unwatched and health.lost is not None:
            every = f"checking every {self._held.policy.check_every} s instead"
            text = f"no longer watching {self._held.file} ({health.lost}); {every}"
            self._tell([Event(Kind.WATCH_LOST, text)])
        if health.watching and (health.lost or self._unwatched):
            self._tell([Event(Kind.RECOVERED, f"watching {self._held.file} again")])
        self._unwatched = None if health.watching else health.lost
        # A watch that begins anew at every look would else have kad spin.
        self._rearmed = self._rearmed + 1 if health.began else 0
        if 0 < self._rearmed < MOST_REARMED:
            self._edges.inbox.nudge(Reason.FILE)

    def _watch_writes(self) -> None:
        if self._edges.writes.refresh():
            self._edges.inbox.nudge(Reason.WRITE)

    def _stop(self) -> None:
        self._tell_manager(self._edges.manager.stopping)
        policy = self._held.policy
        if policy.on_stop is OnStop.RESTORE and policy.mode is Mode.ENFORCE:
            self._tell(self._put_back(policy))
        self._edges.state.remove()

    def _put_back(self, policy: Policy) -> list[Event]:
        """Put back what kad found, save where somebody else has set another value since."""
        audit = policy._replace(mode=Mode.AUDIT)
        once = History().judge
        found = reconcile(audit, self._edges.kernel, once(audit, 0))
        originals = self._edges.kernel.values
        ours = {
            each.parameter: originals[each.parameter]
            for each in found
            if each.outcome is Outcome.IN_FORCE and each.parameter in originals
        }
        if not ours:
            return []
        restoring = Policy(values=ours)
        report = reconcile(restoring, self._edges.kernel, once(restoring, 0))
        return list(news(Report({}), report))
