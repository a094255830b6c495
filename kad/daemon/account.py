"""Give an account of the daemon to whoever wants to know how it is."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from kad.core.errors import ascii_line
from kad.core.report import Report, State
from kad.core.status import Status, namespace_status
from kad.core.summary import Elsewhere, Summary, sum_up
from kad.daemon.advisor import Advisor
from kad.daemon.attempts import Attempts
from kad.daemon.edges import Edges
from kad.daemon.held import HeldPolicy
from kad.daemon.tally import Tally
from kad.daemon.tending import Tending
from kad.daemon.watching import Watching

if TYPE_CHECKING:
    from kad.daemon.others import Others

# The state file is written at least this often, or at each check where those are rarer.
STATE_EVERY_S = 60
OTHERS, TENDING = "apply the policy to other network namespaces", "apply [sockets]"
# The two ways to show it.
_FILE, MANAGER = "write the state file", "report the state to systemd"


class Parts(NamedTuple):
    """What there is to tell of.

    `attempts` are what kad can do without, `duties` what it must be able to do, or is degraded.
    """

    pid: int
    inode: int
    held: HeldPolicy
    tally: Tally
    watching: Watching
    tending: Tending
    advisor: Advisor
    attempts: Attempts
    duties: Attempts


class Account:
    """The state file and systemd's STATUS=; `others` are the other namespaces once there are any.

    Neither says of itself that it cannot be written: whoever reads it sees that it was.
    """

    def __init__(self, edges: Edges, parts: Parts) -> None:
        self._edges = edges
        self._parts = parts
        self.others: Others | None = None
        self._written = 0.0
        self._shown: object = None
        # What was wrong besides when each was written last.
        self._warned: dict[str, tuple[str, ...]] = {}

    def show(self, report: Report, *, anyway: bool, ready: bool) -> None:
        """Tell systemd, and write the file where it would say something else, counts aside."""
        parts = self._parts
        revision = None if self.others is None else self.others.revision
        held, warnings = parts.held, self._warnings(_FILE)
        shown = held.status, held.policy, report.shown, parts.tally.drift, revision, warnings
        news, self._shown = shown != self._shown, shown
        if news or anyway or self._is_due():
            self.write(report)
        self.inform(report, ready=ready)

    def _is_due(self) -> bool:
        """Whether the file is not as kad wrote it, or would be a minute old at the next check."""
        every_s = self._parts.held.policy.check_every
        old = self._edges.monotonic() + every_s - self._written > STATE_EVERY_S
        return old or not self._edges.state.intact()

    def write(self, report: Report) -> None:
        """Write the state file."""
        self._written = self._edges.monotonic()
        self._warned[_FILE] = self._warnings(_FILE)
        self._parts.attempts.make(_FILE, lambda: self._edges.state.write(self._status(report)))

    def inform(self, report: Report, *, ready: bool = False) -> None:
        """Tell systemd."""
        tell = self._edges.manager.ready if ready else self._edges.manager.status
        self._warned[MANAGER] = self._warnings(MANAGER)
        line = self._summary(report).line(self._warned[MANAGER])
        self._parts.attempts.make(MANAGER, partial(tell, line))

    def warn(self, report: Report) -> None:
        """Show what is wrong besides as soon as it is, and no longer."""
        if self._warned.get(_FILE) != self._warnings(_FILE):
            self.write(report)
        if self._warned.get(MANAGER) != self._warnings(MANAGER):
            self.inform(report)

    def _warnings(self, where: str) -> tuple[str, ...]:
        """Say what is wrong that leaves the values in force."""
        parts = self._parts
        others = () if self.others is None else self.others.warnings
        lost = parts.watching.lost(parts.held.file)
        return (*lost, *parts.attempts.failures(but=where), *others)

    @property
    def others_summed_up(self) -> tuple[Elsewhere, ...]:
        """Sum up the other namespaces."""
        others = Elsewhere() if self.others is None else self.others.elsewhere()
        return (others, *self._failing(OTHERS))

    def _failing(self, duty: str) -> Iterator[Elsewhere]:
        why = self._parts.duties.failing(duty)
        if why is not None:
            yield Elsewhere(State.DEGRADED, f"cannot {duty}: {why}", failed=True)

    def _summary(self, report: Report) -> Summary:
        held = self._parts.held
        elsewhere = (*self.others_summed_up, *self._failing(TENDING))
        return sum_up(held.policy, report, held.error, *elsewhere)

    def _status(self, report: Report) -> Status:
        parts, summary = self._parts, self._summary(report)
        policy = parts.held.policy
        others = () if self.others is None else self.others.statuses()
        return Status(
            state=summary.state,
            reason=summary.reason,
            warnings=tuple(map(ascii_line, self._warned[_FILE])),
            mode=policy.mode,
            policy=parts.held.status,
            namespaces=(namespace_status(report, parts.inode), *others),
            advice=parts.advisor.advice(policy, report.found),
            generation=parts.tally.generation,
            pid=parts.pid,
            reload=parts.tally.reload,
            checks=parts.tally.checks(policy.check_every),
            drift=parts.tally.drift,
            sockets=parts.tending.status,
        )
