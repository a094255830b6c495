"""Say what the loop needs of the world around it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from kad.core.errors import PolicyError
from kad.core.events import Event, Priority
from kad.core.namespaces import Known
from kad.core.parameters import Parameter
from kad.core.policy import Sockets
from kad.core.reasons import Reason
from kad.core.status import Status
from kad.daemon.source import Loaded
from kad.reconcile import Kernel
from kad.watch import Health

if TYPE_CHECKING:
    from kad.core.neighbours.setting import Setting
    from kad.core.sockets.tending import Look, Tended


class Inbox(Protocol):
    """Where the reasons come from."""

    def nudge(self, reason: Reason) -> None:
        """Leave a reason."""
        ...

    def wait(self, deadline: float | None) -> set[Reason]:
        """Give the reasons that came until the deadline; none when it passed."""
        ...


class RememberingKernel(Kernel, Protocol):
    """The kernel, with what it had before kad's first write, so far as that can be read back."""

    @property
    def values(self) -> Mapping[Parameter, int]:
        """What is to be put back."""
        ...

    def replace_unusable(self) -> list[str]:
        """Name the files in which that cannot be read, for the last time."""
        ...


class PolicySource(Protocol):
    """Where the policy comes from."""

    def load(self) -> Loaded:
        """Give the present policy; PolicyError for a bad file."""
        ...

    def last_good(self, error: PolicyError) -> Loaded | None:
        """Give the one that was kept for the file that is bad."""
        ...

    def keep(self, loaded: Loaded) -> None:
        """Keep one; OSError where it cannot be."""
        ...


class FileWatch(Protocol):
    """What nudges when the policy file may have changed."""

    def refresh(self, paths: Iterable[str]) -> Health:
        """Watch what the paths lead to now."""
        ...


class Lock(Protocol):
    """What makes this daemon the only one."""

    def hold(self) -> str | None:
        """Take it anew where its file was removed, and name that; OSError where it cannot be.

        KadError where another daemon has it.
        """
        ...


class WriteWatch(Protocol):
    """What nudges when somebody writes a parameter."""

    def refresh(self) -> bool:
        """Watch all; tell whether that is so only since now; OSError where it cannot be."""
        ...


class NamespaceKernel(Kernel, Protocol):
    """The parameters of another namespace; FileNotFoundError when it has gone."""

    @property
    def cookie(self) -> int:
        """What stands for the namespace until the next boot."""
        ...

    def has(self, values: Mapping[Parameter, int]) -> bool:
        """Whether these are in the kernel."""
        ...


class FoundNamespace(Protocol):
    """A namespace that was seen."""

    @property
    def inode(self) -> int:
        """Its number, which another may have after it."""
        ...

    @property
    def name(self) -> str | None:
        """What ip-netns(8) calls it."""
        ...

    @property
    def pids(self) -> tuple[int, ...]:
        """Its processes."""
        ...

    def own_name(self) -> str:
        """Give the name that is shown."""
        ...


class NamespaceFinder(Protocol):
    """The other network namespaces of the machine."""

    def ready(self) -> None:
        """Be told of new ones; OSError says why kad cannot look after any."""
        ...

    def rest(self) -> None:
        """Be told of none from now on."""
        ...

    def find(self) -> Mapping[int, FoundNamespace]:
        """Give those that are there, by inode."""
        ...

    def open(self, found: Iterable[Any]) -> Mapping[int, NamespaceKernel | OSError]:
        """Open each."""
        ...

    def drop(self, inode: int) -> None:
        """Let go of one."""
        ...

    def leave(self, inodes: Iterable[int]) -> None:
        """Take down which of them are none of kad's business, their sockets neither."""
        ...


class NamespaceMemory(Protocol):
    """What is known of each namespace from one daemon to the next, by cookie.

    `trouble` says why it would not outlive a restart.
    """

    trouble: str | None

    def __getitem__(self, cookie: int) -> Known | None:
        """Give what is known."""
        ...

    def keep(self, values: Mapping[int, Known | None]) -> None:
        """Remember, or forget; try again what could not be remembered before."""
        ...

    def replace_unusable(self) -> list[str]:
        """Name the files that could not be understood, once, and put others in their place."""
        ...


class ServiceManager(Protocol):
    """Who wants to know how the daemon is; OSError where it does not listen."""

    watchdog_s: float | None

    def ready(self, status: str) -> None:
        """Tell that a start or a reload has ended."""
        ...

    def status(self, status: str) -> None:
        """Tell the present state."""
        ...

    def reloading(self, began_usec: int) -> None:
        """Tell that a reload began."""
        ...

    def stopping(self) -> None:
        """Tell that the daemon ends."""
        ...

    def watchdog(self) -> None:
        """Tell that the loop is alive."""
        ...


class Teller(Protocol):
    """What the operator reads."""

    def event(self, event: Event, **fields: str) -> None:
        """Log an event."""
        ...

    def say(self, priority: Priority, message: str) -> None:
        """Log a sentence."""
        ...


class StateStore(Protocol):
    """What `kad status` reads."""

    def write(self, status: Status) -> None:
        """Replace the state; OSError where it cannot be."""
        ...

    def intact(self) -> bool:
        """Tell whether the state is as it was written last; not so where it could not be."""
        ...

    def remove(self) -> None:
        """Take it away."""
        ...


class SocketsEdge(Protocol):
    """The open sockets."""

    @property
    def resisted(self) -> frozenset[int]:
        """The cookies of those that could not be reached and are still there."""
        ...

    def look(self, wish: Sockets, policy: Mapping[Parameter, int]) -> "Look":
        """Count them, and find what the policy wants done; OSError where kad may not ask."""
        ...

    def tend(self, look: "Look") -> "Tended":
        """Do it; OSError, in words that name what is missing, where kad may not."""
        ...


class Edges(NamedTuple):
    """All that the loop touches.

    `sockets` makes its edge when the policy first wants it. `neighbours` gives the lines of other
    files that set the parameters, `units` those of systemd that run; `monotonic` gives seconds,
    `utc` an ISO 8601 time.
    """

    inbox: Inbox
    lock: Lock
    kernel: RememberingKernel
    source: PolicySource
    watch: FileWatch
    writes: WriteWatch
    namespaces: NamespaceFinder
    memory: NamespaceMemory
    manager: ServiceManager
    journal: Teller
    state: StateStore
    sockets: Callable[[], SocketsEdge]
    neighbours: Callable[[], tuple["Setting", ...]]
    units: Callable[[], Collection[str]]
    monotonic: Callable[[], float]
    utc: Callable[[], str]
