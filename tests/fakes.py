"""Stand-ins for the world: a kernel that can refuse, a clock that jumps, edges that remember."""

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from kad.core.errors import KadError, PolicyError
from kad.core.events import Event, Priority
from kad.core.namespaces import Known
from kad.core.neighbours.setting import Setting
from kad.core.parameters import Parameter
from kad.core.policy import Policy, Sockets
from kad.core.reasons import Reason
from kad.core.sockets.tending import Look, Tended
from kad.core.status import Status
from kad.daemon.edges import Edges
from kad.daemon.loop import Daemon
from kad.daemon.source import Loaded
from kad.watch import Health

TIME, INTVL, PROBES = Parameter
DEFAULTS = {TIME: 7200, INTVL: 75, PROBES: 9}
WANTED = {TIME: 120, INTVL: 30, PROBES: 8}
WHOLE = Policy(values=WANTED)


class FakeKernel:
    """A dict that can refuse a write, take one and ignore it, or be unreadable."""

    def __init__(self, values: Mapping[Parameter, int] = DEFAULTS) -> None:
        self.now = dict(values)
        self.refuse: dict[Parameter, int] = {}
        self.ignore: set[Parameter] = set()
        self.unusable: list[str] = []
        self.unreadable: set[Parameter] = set()
        self.writes: list[tuple[Parameter, int]] = []
        self.values: dict[Parameter, int] = {}

    def replace_unusable(self) -> list[str]:
        """Name the files that a test said cannot be understood."""
        return self.unusable

    def read(self, parameter: Parameter) -> int:
        """Give the value."""
        if parameter in self.unreadable:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return self.now[parameter]

    def write(self, parameter: Parameter, value: int) -> None:
        """Set the value as the kernel would."""
        self.writes.append((parameter, value))
        if parameter in self.refuse:
            raise OSError(self.refuse[parameter], os.strerror(self.refuse[parameter]))
        self.values.setdefault(parameter, self.now[parameter])
        if parameter not in self.ignore:
            self.now[parameter] = value


@dataclass
class FakeClock:
    """A clock that moves only when told."""

    now: float = 1000.0

    def monotonic(self) -> float:
        """Give the time."""
        return self.now


@dataclass(frozen=True)
class Step:
    """What happens next: `do` something, let `after` seconds pass (None: until the deadline)."""

    do: Callable[[], object] = lambda: None
    reasons: frozenset[Reason] = frozenset()
    after: float | None = 0.1


@dataclass
class FakeInbox:
    """Plays the steps one by one, then stops the daemon."""

    clock: FakeClock
    steps: list[Step]
    nudges: list[Reason] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def nudge(self, reason: Reason) -> None:
        """Note a reason; the steps say what wakes the loop."""
        self.nudges.append(reason)

    def wait(self, deadline: float | None) -> set[Reason]:
        """Play the next step."""
        assert deadline is not None
        self.waits.append(deadline - self.clock.now)
        if not self.steps:
            return {Reason.STOP}
        step = self.steps.pop(0)
        step.do()
        self.clock.now = deadline if step.after is None else self.clock.now + step.after
        return set(step.reasons)


@dataclass
class FakeSource:
    """A policy file that can be replaced and be bad."""

    policy: Policy = WHOLE
    error: PolicyError | None = None
    stored: Loaded | None = None
    cannot_keep: OSError | None = None
    loads: int = 0
    kept: list[Loaded] = field(default_factory=list)

    def load(self) -> Loaded:
        """Give the policy, or the error."""
        self.loads += 1
        if self.error is not None:
            raise self.error
        return Loaded("/etc/kad/policy.toml", repr(self.policy).encode(), self.policy)

    def last_good(self, error: PolicyError) -> Loaded | None:
        """Give what was stored for the file."""
        return self.stored if error.mistakes[0].file == "/etc/kad/policy.toml" else None

    def keep(self, loaded: Loaded) -> None:
        """Store it."""
        if self.cannot_keep is not None:
            raise self.cannot_keep
        self.kept.append(loaded)


@dataclass
class FakeWatch:
    """A watch whose health is given."""

    health: Health = field(default_factory=lambda: Health(None, watching=True, began=False))
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def refresh(self, paths: Iterable[str]) -> Health:
        """Give the health."""
        self.asked.append(tuple(paths))
        return self.health


@dataclass
class FakeWrites:
    """A watch on the kernel that begins when told, or cannot."""

    begins: bool = False
    error: OSError | None = None

    def refresh(self) -> bool:
        """Tell whether it began."""
        if self.error is not None:
            raise self.error
        return self.begins


class FakeNamespace(FakeKernel):
    """Another namespace: by its inode, what ip-netns(8) calls it, and its values."""

    def __init__(
        self, inode: int, name: str | None = None, values: Mapping[Parameter, int] = DEFAULTS
    ) -> None:
        super().__init__(values)
        self.inode = self.cookie = inode
        self.name = name
        self.pids: tuple[int, ...] = ()
        self.gone = False
        self.error: OSError | None = None

    def own_name(self) -> str:
        """Give the name that is shown."""
        return self.name or f"net:[{self.inode}]"

    def read(self, parameter: Parameter) -> int:
        """Give the value, while the namespace is there."""
        if self.gone:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        if self.error is not None:
            raise self.error
        return super().read(parameter)

    def has(self, values: Mapping[Parameter, int]) -> bool:
        """Compare."""
        return all(self.read(each) == value for each, value in values.items())


@dataclass
class FakeNamespaces:
    """The other namespaces of a machine."""

    there: list[FakeNamespace] = field(default_factory=list)
    unable: OSError | None = None
    unseen: OSError | None = None
    broken: BaseException | None = None
    closed: dict[int, OSError] = field(default_factory=dict)
    opened: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    at_once: list[int] = field(default_factory=list)

    def ready(self) -> None:
        """Begin, or say why not."""
        if self.unable is not None:
            raise self.unable

    def rest(self) -> None:
        """Be told of none: the steps say what wakes the loop."""

    def find(self) -> dict[int, FakeNamespace]:
        """Give those that are there."""
        if self.unseen is not None:
            raise self.unseen
        return {each.inode: each for each in self.there if not each.gone}

    def open(self, found: Iterable[FakeNamespace]) -> dict[int, FakeNamespace | OSError]:
        """Open each that can be."""
        opened = {each.inode: self.closed.get(each.inode, each) for each in found}
        self.at_once.append(len(opened))
        self.opened |= {each for each in opened if each not in self.closed}
        return opened

    def drop(self, inode: int) -> None:
        """Let go of one."""
        self.opened.remove(inode)

    def leave(self, inodes: Iterable[int]) -> None:
        """Take down which are excluded."""
        if self.broken is not None:
            raise self.broken
        self.left = set(inodes)


@dataclass
class FakeMemory:
    """What was remembered, which outlives a daemon."""

    known: dict[int, Known] = field(default_factory=dict)
    meanwhile: Callable[[Iterable[int]], object] = lambda _: None
    trouble: str | None = None
    unusable: list[str] = field(default_factory=list)

    def __getitem__(self, cookie: int) -> Known | None:
        """Give what is known."""
        return self.known.get(cookie)

    def keep(self, values: Mapping[int, Known | None]) -> None:
        """Remember, or forget; what else happens meanwhile is for the test to say."""
        self.meanwhile(values)
        for cookie, now in values.items():
            if now is None:
                self.known.pop(cookie, None)
            else:
                self.known[cookie] = now

    def replace_unusable(self) -> list[str]:
        """Name the files that a test said cannot be understood."""
        unusable, self.unusable = self.unusable, []
        return unusable


@dataclass
class FakeManager:
    """systemd, taking down what it is told, unless it is deaf."""

    watchdog_s: float | None = None
    deaf: OSError | None = None
    lines: list[str] = field(default_factory=list)

    def ready(self, status: str) -> None:
        """Take down READY."""
        self.lines += ["READY", status]

    def status(self, status: str) -> None:
        """Take down a status that is new."""
        if self.deaf is not None:
            raise self.deaf
        if self.lines[-1:] != [status]:
            self.lines.append(status)

    def reloading(self, began_usec: int) -> None:
        """Take down RELOADING."""
        self.lines.append(f"RELOADING {began_usec}")

    def stopping(self) -> None:
        """Take down STOPPING."""
        self.lines.append("STOPPING")

    def watchdog(self) -> None:
        """Take down a sign of life, where one is waited for."""
        if self.watchdog_s is not None:
            self.lines.append("WATCHDOG")


@dataclass
class FakeJournal:
    """A journal that is read by the test."""

    events: list[Event] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def event(self, event: Event, **fields: str) -> None:
        """Keep the event, all fields in it."""
        self.events.append(Event(event.kind, event.message, {**event.fields, **fields}))

    def say(self, priority: Priority, message: str) -> None:
        """Keep the sentence."""
        self.said.append(f"{priority.name} {message}")

    @property
    def messages(self) -> list[str]:
        """What was said of events, and forget it: the next look shows what is new."""
        messages = [event.message for event in self.events]
        self.events.clear()
        return messages


@dataclass
class FakeState:
    """A state file that can fail."""

    written: list[Status] = field(default_factory=list)
    error: OSError | None = None
    removed: bool = False
    damaged: bool = False

    def write(self, status: Status) -> None:
        """Keep the status."""
        self.damaged = self.error is not None
        if self.error is not None:
            raise self.error
        self.written.append(status)

    def intact(self) -> bool:
        """Tell whether the last write worked, and the file was left alone."""
        return not self.damaged

    def remove(self) -> None:
        """Note it."""
        self.removed = True


@dataclass
class FakeNeighbours:
    """What other files set."""

    settings: tuple[Setting, ...] = ()
    reads: int = 0
    error: MemoryError | OSError | None = None

    def read(self) -> tuple[Setting, ...]:
        """Give the lines."""
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.settings


@dataclass
class FakeLock:
    """A lock whose file can be removed."""

    removed: str | None = None
    taken: KadError | OSError | None = None

    def hold(self) -> str | None:
        """Take it anew."""
        if self.taken is not None:
            raise self.taken
        removed, self.removed = self.removed, None
        return removed


@dataclass
class FakeSockets:
    """Open sockets that lack something, or cannot be reached."""

    found: Look = field(default_factory=lambda: Look({}))
    left: Look | None = None
    tended: Tended = field(default_factory=lambda: Tended({}))
    error: OSError | None = None
    takes: Callable[[], object] = lambda: None
    looks: list[tuple[Sockets, Mapping[Parameter, int]]] = field(default_factory=list)
    acting_takes: Callable[[], object] = lambda: None
    acts: int = 0
    resisted: frozenset[int] = frozenset()  # and are still there

    def look(self, wish: Sockets, policy: Mapping[Parameter, int]) -> Look:
        """Give what was found."""
        self.looks.append((wish, policy))
        self.takes()
        return self.found if self.left is None or not self.acts else self.left

    def tend(self, _: Look) -> Tended:
        """Give what was done."""
        if self.error is not None:
            raise self.error
        self.acts += 1
        self.acting_takes()
        self.resisted |= self.tended.failed
        return self.tended


class World:
    """A daemon with all its edges replaced."""

    def __init__(self, policy: Policy = WHOLE) -> None:
        self.lock = FakeLock()
        self.kernel = FakeKernel()
        self.clock = FakeClock()
        self.source = FakeSource(policy)
        self.watch = FakeWatch()
        self.writes = FakeWrites()
        self.namespaces = FakeNamespaces()
        self.memory = FakeMemory()
        self.manager = FakeManager()
        self.journal = FakeJournal()
        self.state = FakeState()
        self.inbox = FakeInbox(self.clock, [])
        self.neighbours = FakeNeighbours()
        self.units: tuple[str, ...] = ()
        self.sockets = FakeSockets()
        self.host: bool | None = True

    def run(self, *steps: Step) -> None:
        """Boot a daemon, play the steps, stop it."""
        self.inbox.steps = list(steps)
        edges = Edges(
            inbox=self.inbox,
            lock=self.lock,
            kernel=self.kernel,
            source=self.source,
            watch=self.watch,
            writes=self.writes,
            namespaces=self.namespaces,
            memory=self.memory,
            manager=self.manager,
            journal=self.journal,
            state=self.state,
            sockets=lambda: self.sockets,
            neighbours=self.neighbours.read,
            units=lambda: self.units,
            monotonic=self.clock.monotonic,
            utc=lambda: "2026-01-01T00:00:00Z",
        )
        Daemon(edges, ("/etc/kad/policy.toml",), pid=812, inode=1, host=self.host).run()
