"""Sockets as the kernel tells of them, and those of other processes."""

import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kad.core.errors import StoppedError
from kad.core.parameters import Parameter
from kad.core.policy import Sockets
from kad.core.sockets.audit import Process
from kad.core.sockets.connection import Class, Connection
from kad.sockets.borrowing import borrowed
from kad.sockets.cgroups import Cgroups
from kad.sockets.diag import dump
from kad.sockets.looking import Looker, Room
from kad.sockets.owners import owners
from kad.sockets.tending import Tender
from tests.connections import ON, connection

SO_COOKIE = 57
TIME_30 = {Parameter.TIME: 30}


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Give a TCP socket of this process."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def described(made: socket.socket, **changes: object) -> Connection:
    """Describe it as the kernel would."""
    raw = made.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8)
    real = connection(cookie=struct.unpack("=Q", raw)[0], inode=os.fstat(made.fileno()).st_ino)
    return real._replace(**changes)  # type: ignore[arg-type]


def holder(descriptor: int) -> Process:
    """Say that this process has it open."""
    return Process(os.getpid(), "python", descriptor)


def descriptors() -> set[str]:
    """Give what is open, the directory that is read aside."""
    return set(os.listdir("/proc/self/fd"))


def test_a_socket_is_borrowed_and_given_back(listening: socket.socket) -> None:
    """What is done to the copy is done to the socket; nothing stays open."""
    before = descriptors()

    with borrowed(holder(listening.fileno()), described(listening)) as found:
        assert found is not None
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert descriptors() == before


@pytest.mark.parametrize("wrong", [{"inode": 1}, {"cookie": 1}])
def test_another_socket_under_the_same_number_is_not_touched(
    listening: socket.socket, wrong: dict[str, int]
) -> None:
    """A number is reused as soon as it was closed, an inode a little later; a cookie never."""
    before = descriptors()

    with borrowed(holder(listening.fileno()), described(listening, **wrong)) as found:
        assert found is None

    assert descriptors() == before


def test_a_file_under_the_same_number_is_not_touched(listening: socket.socket) -> None:
    """It is no socket at all."""
    with Path("/dev/null").open(encoding="ascii") as file:
        before = descriptors()
        with borrowed(holder(file.fileno()), described(listening)) as found:
            assert found is None

        assert descriptors() == before


def test_what_is_closed_or_ended_is_no_failure(listening: socket.socket) -> None:
    """Programs end while kad looks at them."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for process in (holder(10_000), Process(ended.pid, "python", 3)):
        with borrowed(process, described(listening)) as found:
            assert found is None


def test_a_holder_is_found_by_the_inode(listening: socket.socket) -> None:
    """With its command, and the number under which it has it."""
    inode = os.fstat(listening.fileno()).st_ino

    found = owners({inode, 1})

    assert set(found) == {inode}
    assert (found[inode].pid, found[inode].descriptor) == (os.getpid(), listening.fileno())


def test_who_only_names_a_socket_does_not_hold_it(listening: socket.socket) -> None:
    """Any user may open a descriptor of his by O_PATH, which is good for nothing."""
    inode = os.fstat(listening.fileno()).st_ino
    real = fcntl.fcntl(listening.fileno(), fcntl.F_DUPFD, 500)
    listening.close()
    named = os.open(f"/proc/self/fd/{real}", os.O_PATH)
    try:
        assert named < real
        assert owners({inode})[inode].descriptor == real
    finally:
        os.close(named)
        os.close(real)


class Kernel(socket.socket):
    """Answers a dump with messages made by the test, then with nothing for the other family."""

    answers: list[bytes]

    def sendto(self, *_: object) -> int:
        """Take the question."""
        return 0

    def recv_into(self, room: bytearray, *_: object) -> int:  # type: ignore[override]
        """Give the next answer."""
        answer = self.answers.pop(0)
        room[: len(answer)] = answer
        return len(answer)


DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)
SHUTDOWN = struct.pack("=HHBxxx", 5, 8, 0)
CGROUP = struct.pack("=HHQ", 12, 21, 4711)


def message(*attributes: bytes) -> bytes:
    """Make a message about one socket."""
    each = connection(ON, 60)
    body = struct.pack(
        "=BBBB2s2s16s16sIQIIIII",
        *(each.family, each.state, each.timer, each.retrans, each.local_port, each.remote_port),
        *(each.local, each.remote, 0, each.cookie, each.expires, 0, 0, each.uid, each.inode),
    )
    body += b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), 20, 2, 1, 0) + body


def kernel(*answers: bytes) -> Kernel:
    """Make a kernel that answers so for IPv4."""
    made = Kernel(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.answers = [*answers, DONE, DONE]
    return made


def test_messages_of_several_shapes_are_understood() -> None:
    """With more attributes or fewer, and many in one answer."""
    shapes = [(CGROUP,), (SHUTDOWN, CGROUP), (SHUTDOWN, CGROUP, SHUTDOWN), (SHUTDOWN,)]
    with kernel(b"".join(message(*each) for each in shapes), message(CGROUP)) as asked:
        found = list(dump(asked, 2))

    assert [each.cgroup for each in found] == [4711, 4711, 4711, 0, 4711]
    assert found[0] == connection(ON, 60, cgroup=4711)


@pytest.mark.parametrize("kind", [2, 3])  # NLMSG_ERROR, and NLMSG_DONE with which a dump ends
def test_a_refusal_is_an_error(kind: int) -> None:
    """A kernel without INET_DIAG is named, and is no namespace that has gone."""
    refusal = struct.pack("=IHHIIi", 36, kind, 0, 1, 0, -2) + bytes(16)
    with kernel(refusal) as asked, pytest.raises(OSError, match="no INET_DIAG for TCP"):
        list(dump(asked, 2))


def test_a_kernel_that_tells_no_units_re_arms_and_does_not_guess() -> None:
    """What goes by units says why it cannot; the rest works."""
    stale = kernel(message(SHUTDOWN)), kernel(message(SHUTDOWN))
    rearm = Looker(Sockets(rearm=True), TIME_30, Cgroups())
    both = Looker(Sockets(rearm=True, exclude=("a",)), TIME_30, Cgroups())

    tasks = list(rearm.tasks(Room(lambda: stale[0], lambda _: 30)))

    assert [task.unit for task in tasks] == [None]
    with pytest.raises(OSError, match="does not report the unit of a socket"):
        list(both.tasks(Room(lambda: stale[1], lambda _: 30)))


def test_without_the_one_hierarchy_kad_does_not_guess_units() -> None:
    """The old ones know them too, and no socket tells of those."""

    class Old(Cgroups):
        mounted = False

    both = Looker(Sockets(rearm=True, exclude=("a",)), TIME_30, Old())

    with pytest.raises(OSError, match=r"need cgroups\(7\) version 2"):
        list(both.tasks(Room(lambda: kernel(message(CGROUP)), lambda _: 30)))


def test_a_namespace_that_is_closed_to_kad_does_not_stop_the_rest() -> None:
    """Of kad's own, the reason is told instead."""

    def refuse() -> socket.socket:
        raise PermissionError

    closed = Room(refuse, lambda _: 30, other=True)
    open_ = Room(lambda: kernel(message(CGROUP)), lambda _: 30)

    look = Tender(lambda: [closed, open_], act=False).look(Sockets(rearm=True), TIME_30)

    assert len(look.tasks) == 1
    with pytest.raises(PermissionError):
        Tender(lambda: [closed._replace(other=False)]).look(Sockets(rearm=True), TIME_30)


def test_a_look_ends_where_kad_is_to_end() -> None:
    """It may be one at very many connections."""
    rooms = [Room(lambda: kernel(message(CGROUP)), lambda _: 30)]

    with pytest.raises(StoppedError):
        Tender(lambda: rooms, stopped=lambda: True).look(Sockets(rearm=True), TIME_30)


def test_a_timer_that_an_answered_probe_armed_is_not_stale() -> None:
    """By `intvl`, where that is the longer one: to re-arm it would be for ever."""
    values = {Parameter.TIME: 30, Parameter.INTVL: 75}
    looker = Looker(Sockets(rearm=True), TIME_30, Cgroups())

    tasks = list(looker.tasks(Room(lambda: kernel(message(CGROUP)), values.__getitem__)))

    assert (tasks, looker.totals) == ([], {Class.PROTECTED: 1})


@pytest.mark.parametrize("drifted", [Parameter.TIME, Parameter.INTVL])
def test_nothing_is_re_armed_by_a_time_that_is_not_in_force(drifted: Parameter) -> None:
    """A timer armed anew, or by the next answer, would be no better; it is stale all the same."""
    policy = {Parameter.TIME: 30, Parameter.INTVL: 10}
    values = {**policy, drifted: 7200}
    looker = Looker(Sockets(rearm=True), policy, Cgroups())

    tasks = list(looker.tasks(Room(lambda: kernel(message(CGROUP)), values.__getitem__)))

    assert (tasks, looker.totals) == ([], {Class.STALE: 1})


def test_a_timer_that_is_known_to_be_a_program_s_own_wish_is_counted_so() -> None:
    """Once kad has looked into the socket; what is left on it is no stale timer's."""
    cookie = connection(ON, 60).cookie
    looker = Looker(Sockets(rearm=True), TIME_30, Cgroups(), settled={cookie})

    list(looker.tasks(Room(lambda: kernel(message(CGROUP)), lambda _: 30)))

    assert (looker.totals, looker.longest_stale_ms) == ({Class.OWN: 1}, 0)


def test_what_resisted_is_forgotten_once_it_has_gone() -> None:
    """A daemon lives for months."""
    answers = [message(CGROUP), b"", message(CGROUP), b""]
    tender = Tender(lambda: [Room(lambda: kernel(*filter(None, [answers.pop(0)])), lambda _: 30)])
    resisted = []
    for _ in range(4):
        tender.tend(tender.look(Sockets(rearm=True), TIME_30))
        resisted.append(len(tender.resisted))

    assert resisted == [1, 0, 1, 0]


def test_a_unit_is_found_by_its_group_s_inode(tmp_path: Path) -> None:
    """Groups come and go; one that is not met yet is looked for."""
    groups = Cgroups(str(tmp_path))
    (tmp_path / "system.slice").mkdir()
    assert groups.units() == set()

    inner = tmp_path / "system.slice/a.service/inner"
    inner.mkdir(parents=True)
    inode = inner.stat().st_ino
    groups.look_again()

    assert groups.unit(inode) == "a.service"
    assert groups.unit(1) is None
    assert groups.units() == {"a.service"}


def test_groups_nested_deeper_than_python_recurses_are_no_trouble(tmp_path: Path) -> None:
    """Whoever may make control groups must not end the daemon by them."""
    inner = tmp_path / "a.service" / ("x/" * 1100)
    subprocess.run(["mkdir", "-p", inner], check=True)
    try:
        assert Cgroups(str(tmp_path)).unit(inner.stat().st_ino) == "a.service"
    finally:  # pytest's own way to clean up recurses
        subprocess.run(["rm", "-r", tmp_path / "a.service"], check=True)
