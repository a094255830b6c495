"""Re-arm timers and switch SO_KEEPALIVE on, by the policy."""

import errno
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from time import monotonic

from kad.core.errors import StoppedError
from kad.core.parameters import Parameter
from kad.core.policy import Sockets
from kad.core.sockets.audit import Process
from kad.core.sockets.connection import LISTEN
from kad.core.sockets.tending import Deed, Look, Task, Tended
from kad.core.units import is_meant
from kad.masked import all_signals_blocked
from kad.sockets import options
from kad.sockets.borrowing import borrowed, refuse_without_rights
from kad.sockets.cgroups import Cgroups, unit_of_process
from kad.sockets.looking import Looker, Room
from kad.sockets.owners import all_owners, holder_of, owners

# So many are tended in one pass, about a second's work: what else a daemon has to do must not wait
# for longer. The next pass follows at once.
MOST = 10_000
_NOBODY = Process(0, "", -1)


class Tender:
    """Tends the sockets of some namespaces, pass by pass; without `act` it is a dry run.

    `ahead` looks at them as if the policy's time stood in the kernel; `stopped` tells whether kad
    is to end, whatever is left to do.
    `_settled` are the cookies of sockets that are to be left as they are, so that none is looked
    into at every pass; `_resisted` those that could not be reached or that an excluded unit has by
    now, which have their turn last.
    """

    def __init__(
        self,
        rooms: Callable[[], Iterable[Room]],
        *,
        act: bool = True,
        ahead: bool = False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._rooms = rooms
        self._stopped = stopped
        self._act, self._ahead = act, ahead
        self._cgroups = Cgroups()
        self._settled: set[int] = set()
        self._resisted: set[int] = set()
        # Whether kad has looked into one ever.
        self._may = False

    def look(self, wish: Sockets, policy: Mapping[Parameter, int]) -> Look:
        """Count the connections, and find what is to be done by the values wanted in kad's own.

        OSError where kad may not ask, StoppedError where it is to end.
        """
        self._cgroups.look_again()
        looker = Looker(
            wish,
            policy,
            self._cgroups,
            ahead=self._ahead,
            settled=self._settled,
            resisted=self._resisted,
        )
        tasks, more = self._chosen(self._found_by(looker))
        self._resisted &= looker.resisted
        longest_s = looker.longest_stale_ms / 1000 or None
        return Look(looker.totals, longest_s, tasks, more=more, exclude=wish.exclude)

    def _heed(self) -> None:
        if self._stopped():
            raise StoppedError

    def _found_by(self, looker: Looker) -> Iterator[Task]:
        for room in self._rooms():
            try:
                yield from looker.tasks(room, self._heed)
            except OSError:
                # Another namespace may have gone, or be closed to kad; the rest is tended.
                if not room.other:
                    raise

    def _chosen(self, tasks: Iterable[Task]) -> tuple[tuple[Task, ...], bool]:
        """Leave out what is settled, and what is too much for one pass; tell whether that was."""
        fresh, again, met = list[Task](), list[Task](), set[int]()
        most, more = MOST if self._act else sys.maxsize, False
        for task in tasks:
            met.add(task.connection.cookie)
            if task.connection.cookie in self._resisted:
                again.append(task)
            elif task.connection.cookie not in self._settled:
                more = len(fresh) == most
                fresh += () if more else (task,)
        self._settled &= met
        return (*fresh, *again[: most - len(fresh)]), more

    @property
    def resisted(self) -> frozenset[int]:
        """The cookies of those that could not be reached and are still there."""
        return frozenset(self._resisted)

    def tend(self, look: Look) -> Tended:
        """Do it, or as much as can be done until kad is to end.

        OSError, in words that name what is missing, where kad may not: whether there is something
        to do or not, save in a dry run.
        """
        if self._act or look.tasks:
            refuse_without_rights()
        done: Counter[tuple[Deed, str]] = Counter()
        took_s = 0.0
        resisted: dict[int, OSError] = {}
        with suppress(StoppedError):
            for task, process in self._permitted(look):
                self._heed()
                began = monotonic()
                try:
                    if self._tend(task, process):
                        done[task.deed, task.unit or holder_of(process)] += 1
                        took_s += monotonic() - began
                except OSError as error:
                    resisted[task.connection.cookie] = error
                else:
                    self._may = True
        denied = [error for error in resisted.values() if error.errno != errno.ESRCH]
        # Who may look into some, and not into others, has met a process that is guarded.
        if denied and not self._may:
            raise denied[0]
        # What ended while kad looked did not resist.
        failed = frozenset(self._resisted.intersection(resisted))
        self._resisted.update(resisted)
        return Tended(done, failed, took_s)

    def _permitted(self, look: Look) -> Iterator[tuple[Task, Process]]:
        """Give the tasks with who holds their sockets, save those that excluded units hold too."""
        inodes = {task.connection.inode for task in look.tasks}
        if look.exclude:
            holders = all_owners(inodes, self._heed)
        else:
            holders = {inode: [process] for inode, process in owners(inodes, self._heed).items()}
        pids = {each.pid for held in holders.values() for each in held} if look.exclude else set()
        excluded = {pid for pid in pids if _is_excluded(pid, look.exclude)}
        for task in look.tasks:
            held = holders.get(task.connection.inode, [_NOBODY])
            if any(each.pid in excluded for each in held):
                self._resisted.add(task.connection.cookie)
            else:
                yield task, held[0]

    def _tend(self, task: Task, process: Process) -> bool:
        """Tell whether the socket was changed; one that is gone meanwhile was not."""
        if process is _NOBODY:
            raise ProcessLookupError(errno.ESRCH, "no process has it open")
        with borrowed(process, task.connection) as found:
            if found is None:
                return False
            own, lacks = _has_own_times(found, task), _lacks(found, task.deed)
            if own or (self._act and task.connection.state == LISTEN):
                self._settled.add(task.connection.cookie)
            if own or not lacks:
                return False
            if self._act:
                _treat(found, task.deed)
            return True


def _is_excluded(pid: int, exclude: tuple[str, ...]) -> bool:
    """Tell whether it runs in one of these; of a socket the kernel tells the unit that made it."""
    unit = unit_of_process(pid)
    return unit is not None and is_meant(unit, exclude)


def _has_own_times(found: socket.socket, task: Task) -> bool:
    """Tell whether the program has set a time that is to be left as it is."""
    if task.deed is Deed.ENABLE:  # it has no timer
        return options.has_own_time(found, task.read)
    return options.made_its_timer_long(found, task.read, task.connection.expires)


def _lacks(found: socket.socket, deed: Deed) -> bool:
    """Tell whether SO_KEEPALIVE is still as the plan has it: on to re-arm, off to enable."""
    on = bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
    return on is (deed is Deed.REARM)


def _treat(found: socket.socket, deed: Deed) -> None:
    """Switch SO_KEEPALIVE on, which arms the timer by the namespace's time; off first to re-arm.

    TCP_KEEPIDLE would re-arm too, and could never be taken back.
    """
    if deed is Deed.ENABLE:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return
    with all_signals_blocked():  # ^C or ^Z in between would leave it off
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
