"""Find the sockets of a network namespace that lack something by the policy."""

import errno
import socket
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from kad.core.parameters import Parameter
from kad.core.policy import Sockets
from kad.core.sockets.connection import (
    ESTABLISHED,
    LISTEN,
    Class,
    Connection,
    classify,
    is_loopback,
)
from kad.core.sockets.tending import Deed, Task, allowed, needed
from kad.core.units import UNTOLD
from kad.sockets.cgroups import Cgroups
from kad.sockets.diag import dump


class Room(NamedTuple):
    """One network namespace: how to ask about it, and to read what sockets in it follow.

    `policy` has the values that are wanted there; those it lacks are as they stand there. `other`
    tells that it is not kad's own.
    """

    open: Callable[[], socket.socket]
    read: Callable[[Parameter], int]
    policy: Mapping[Parameter, int] = MappingProxyType({})
    other: bool = False


def limit_s(wanted: Mapping[Parameter, int], read: Callable[[Parameter], int]) -> int:
    """Give the most that is left on a timer under the values that are wanted, else stand there.

    A probe that was answered arms it by `intvl`, be that the longer one.
    """
    return max(wanted.get(each) or read(each) for each in (Parameter.TIME, Parameter.INTVL))


class Looker:
    """Looks around by one policy; `policy` has its values in kad's own namespace.

    `ahead` takes the policy's time for the kernel's, as it will be when the policy is in force;
    `settled` are the cookies of those that are known to have a time of their own. `totals` counts
    the connections of kad's own namespace by class, loopback aside; of those that `resisted` it
    takes down which are still there.
    """

    def __init__(
        self,
        wish: Sockets,
        policy: Mapping[Parameter, int],
        cgroups: Cgroups,
        *,
        ahead: bool = False,
        settled: Collection[int] = (),
        resisted: Collection[int] = (),
    ) -> None:
        self._wish = wish
        self._policy = policy
        self._cgroups = cgroups
        self._ahead = ahead
        self._settled, self._resisted = settled, resisted
        self.totals: Counter[Class] = Counter()
        self.longest_stale_ms = 0
        self.resisted: set[int] = set()

    def tasks(self, room: Room, heed: Callable[[], None] = lambda: None) -> Iterator[Task]:
        """Give what is to be done; OSError where kad may not ask.

        `heed` is called now and then, and may raise.
        """
        kernel_s = room.read(Parameter.TIME)
        policy = room.policy if room.other else self._policy
        most_s = limit_s(policy, room.read)
        # As long as the kernel has a longer time, a timer armed anew would be no better; with a
        # longer intvl it would be as before after one probe.
        sensible = kernel_s <= policy.get(Parameter.TIME, kernel_s) or self._ahead
        mend_s = most_s if self._ahead else max(most_s, room.read(Parameter.INTVL))
        wish = self._wish if sensible else self._wish._replace(rearm=False)
        may: dict[int, frozenset[Deed]] = {}
        with room.open() as diag:
            for each in dump(diag, 1 << ESTABLISHED | 1 << LISTEN, heed):
                if each.cookie in self._resisted:
                    self.resisted.add(each.cookie)
                if each.state == ESTABLISHED and not room.other and not is_loopback(each):
                    self._count(classify(each, most_s), each)
                deed = needed(each, mend_s)
                if deed is None or not each.inode:  # without one it is not accepted yet
                    continue
                self._refuse_guessing(each.cgroup)
                unit = self._cgroups.unit(each.cgroup)
                if each.cgroup not in may:
                    may[each.cgroup] = allowed(wish, unit)
                if deed in may[each.cgroup]:
                    yield Task(each, deed, unit, room.read)

    def _refuse_guessing(self, cgroup: int) -> None:
        if not (self._wish.enable or self._wish.exclude):
            return
        if not cgroup:
            why = f"{UNTOLD}; enable and exclude need it"
            raise OSError(errno.ENOTSUP, why, "INET_DIAG")
        if not self._cgroups.mounted:
            why = "enable and exclude need cgroups(7) version 2, to find the unit of a socket"
            raise OSError(errno.ENOTSUP, why, "cgroup2")

    def _count(self, kind: Class, connection: Connection) -> None:
        if kind is Class.STALE and connection.cookie in self._settled:
            kind = Class.OWN
        self.totals[kind] += 1
        if kind is Class.STALE:
            self.longest_stale_ms = max(self.longest_stale_ms, connection.expires)
