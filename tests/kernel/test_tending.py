"""Open sockets of other programs, tended by a daemon on the real kernel."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kad.sockets.cgroups import unit_of_process
from tests.fakes import INTVL, TIME
from tests.netns import Machine, wait_until
from tests.units import unit, within

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make control groups")

POLICY = """\
[keepalive]
time = 120
[drift]
check_every = "1s"
[sockets]
"""
# Tells, for each line it reads, the options of its sockets; "connect" makes one more first, and
# "share" a child in another control group that has them too, for as long as itself.
PROGRAM = """
import json, os, socket, sys
def share(group):
    theirs, ours = os.pipe()
    if os.fork() == 0:
        os.close(ours)
        with open(group, "w") as procs:
            procs.write(str(os.getpid()))
        os.read(theirs, 1)
        os._exit(0)
    os.close(theirs)
def connect(on=True, own=None):
    made = socket.create_connection(listener.getsockname())
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, on)
    if own:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, own)
    return made
def options(each):
    return (each.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            each.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))
listener = socket.create_server(("127.0.0.1", 0))
sockets = {"listener": listener, "on": connect(), "off": connect(on=False),
           "own": connect(own=5000), "own, off": connect(on=False, own=5000)}
kept = [listener.accept() for _ in range(4)]
print("ready", flush=True)
for line in sys.stdin:
    if line.startswith("share"):
        share(line.split()[1])
    if line.strip() == "connect":
        kept.append(connect(on=False))
        sockets["accepted"] = listener.accept()[0]
    print(json.dumps({name: options(each) for name, each in sockets.items()}), flush=True)
"""


class Program:
    """A running program with some sockets."""

    def __init__(self, machine: Machine, *command: object) -> None:
        self._process = subprocess.Popen(
            machine.inside(*command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._answer() == "ready\n"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def options(self, word: str = "tell") -> dict[str, Any]:
        """Give SO_KEEPALIVE and TCP_KEEPIDLE of each socket."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return dict(json.loads(self._answer()))

    def close(self) -> None:
        """End it."""
        self._process.communicate()


NO_PTRACE = ("setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace")
NO_RIGHT = (
    "cannot apply [sockets]: pidfd_getfd: kad needs CAP_SYS_PTRACE; "
    "with systemd, enable the drop-in sockets.conf, see kad(8)"
)


@contextmanager
def program(machine: Machine, name: str, *prefix: str, text: str = PROGRAM) -> Iterator[Program]:
    """Run the program in a unit, by way of whatever changes its rights or its namespace."""
    machine.run("ip", "link", "set", "lo", "up")
    python = os.path.realpath(sys.executable)
    with unit(name) as group:
        running = Program(machine, *within(group, *prefix, python, "-c", text))
        try:
            yield running
        finally:
            running.close()


def timers(machine: Machine, *options: str) -> dict[str, list[float]]:
    """Give the seconds left on the keepalive timers, by class."""
    listed = machine.kad("sockets", "--all", "--json", "--loopback", *options).stdout
    classes: dict[str, list[float]] = {}
    for each in json.loads(listed)["connections"]:
        classes.setdefault(each["class"], []).append(each["timer_s"])
    return classes


def test_stale_timers_are_re_armed_and_nothing_else_is_touched(machine: Machine) -> None:
    """The new time counts for open connections; no override is left, one's own stays one's own."""
    machine.write_policy(POLICY + "rearm = true\n")
    with program(machine, "a.service") as running:
        before = running.options()
        with machine.daemon() as daemon:
            daemon.wait_for_line("<5>re-armed 1 connection of 1 unit (a.service 1)")

            after, left = running.options(), timers(machine)
            daemon.stop()
        machine.set(TIME, 60)  # a socket without an override follows it

        assert running.options()["on"] == [1, 60]

    assert before["on"] == [1, 7200]
    assert after == {**before, "on": [1, 120], "off": [0, 120], "listener": [0, 120]}
    assert [0 < each <= 120 for each in left["protected"]] == [True]
    assert len(left["own"]) == 1
    assert "stale" not in left


def test_the_sockets_of_other_namespaces_are_tended_too(machine: Machine) -> None:
    """By the values that stand there: an override counts; what is excluded is left alone."""
    rules = '[namespaces]\nscope = "all"\nexclude = ["left"]\n'
    override = '[[namespaces.override]]\nmatch = "db"\ntime = 60\n'
    machine.write_policy(f"{POLICY}rearm = true\n{rules}{override}")
    for name in ("db", "left"):
        assert machine.run("ip", "netns", "add", name).returncode == 0
        machine.run("ip", "-n", name, "link", "set", "lo", "up")
    inside, outside = (("ip", "netns", "exec", name) for name in ("db", "left"))
    with program(machine, "a.service", *inside), program(machine, "b.service", *outside):
        with machine.daemon() as daemon:
            daemon.wait_for_line("<5>re-armed 1 connection of 1 unit (a.service 1)")

            left = timers(machine, "--namespace", "db")
            alone = timers(machine, "--namespace", "left")
        machine.run("ip", "netns", "del", "db")

    assert [0 < each <= 60 for each in left["protected"]] == [True]
    assert "stale" not in left
    assert max(alone["protected"]) > 6000  # by the 7200 that stand there


def test_enabled_units_get_keepalive_on_what_is_open_and_what_comes(machine: Machine) -> None:
    """Accepted connections inherit it at once; TCP_KEEPIDLE of one's own keeps kad away."""
    machine.write_policy(POLICY + 'enable = ["a*"]\n')
    with program(machine, "a.service") as running, machine.daemon() as daemon:
        # The listener, the one that is off, and the four that were accepted.
        daemon.wait_for_line("<5>switched keepalive on for 6 sockets of 1 unit (a.service 6)")

        after = running.options("connect")

        assert {name: on for name, (on, _) in after.items()} == {
            "listener": 1,
            "on": 1,
            "off": 1,
            "own": 1,
            "own, off": 0,
            "accepted": 1,
        }
        # The one that was connected, not accepted, has its turn at the next check.
        daemon.wait_for_line("<5>switched keepalive on for 1 socket of 1 unit (a.service 1)")
        assert "stale" in timers(machine)


def test_an_excluded_unit_is_never_touched(machine: Machine) -> None:
    """Neither for a timer nor for keepalive."""
    machine.write_policy(POLICY + 'rearm = true\nenable = ["*"]\nexclude = ["b.service"]\n')
    with program(machine, "a.service") as one, program(machine, "b.service") as other:
        before = other.options()
        with machine.daemon():
            wait_until(lambda: one.options()["listener"][0])

            assert {each: on for each, (on, _) in other.options().items()} == {
                each: on for each, (on, _) in before.items()
            }
            assert len(timers(machine)["stale"]) == 1


def test_what_an_excluded_unit_was_handed_is_not_touched_either(machine: Machine) -> None:
    """The kernel tells the unit that made a socket or its listener, not the one that has it now."""
    machine.write_policy(POLICY + 'rearm = true\nenable = ["*"]\nexclude = ["b.service"]\n')
    with unit("b.service") as excluded, program(machine, "a.service") as handed:
        before = handed.options()
        for pid in (excluded.parent / "a.service/cgroup.procs").read_text("ascii").split():
            (excluded / "cgroup.procs").write_text(pid, "ascii")
        with program(machine, "c.service") as other, machine.daemon():
            wait_until(lambda: other.options()["listener"][0])

            assert {each: on for each, (on, _) in handed.options().items()} == {
                each: on for each, (on, _) in before.items()
            }
            assert len(timers(machine)["stale"]) == 1


def test_what_an_excluded_unit_shares_is_not_touched_either(machine: Machine) -> None:
    """As a listener that two services were passed: whoever has it first in /proc."""
    machine.write_policy(POLICY + 'rearm = true\nenable = ["*"]\nexclude = ["b.service"]\n')
    with unit("b.service") as excluded, program(machine, "a.service") as sharing:
        before = sharing.options(f"share {excluded}/cgroup.procs")
        wait_until(lambda: (excluded / "cgroup.procs").read_text("ascii"))
        with program(machine, "c.service") as other, machine.daemon():
            wait_until(lambda: other.options()["listener"][0])

            assert {each: on for each, (on, _) in sharing.options().items()} == {
                each: on for each, (on, _) in before.items()
            }


# As many programs listen since Go 1.24; its flows are TCP sockets whose holder has another one.
MPTCP = """
import json, os, socket, sys
protocol = 262 if os.path.exists("/proc/sys/net/mptcp/enabled") else 0
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
listener.bind(("127.0.0.1", 0))
listener.listen()
def connect():
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    made.connect(listener.getsockname())
    return made
sockets = {"listener": listener, "made": connect()}
sockets["accepted"] = listener.accept()[0]
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "connect":
        kept = connect()
        sockets["later"] = listener.accept()[0]
    on = {name: each.getsockopt(socket.SOL_SOCKET, 9) for name, each in sockets.items()}
    print(json.dumps(on), flush=True)
"""


def test_sockets_of_mptcp_are_reached(machine: Machine) -> None:
    """And what is accepted from then on inherits it."""
    machine.write_policy(POLICY + 'enable = ["a.service"]\n')
    with program(machine, "a.service", text=MPTCP) as running, machine.daemon() as daemon:
        daemon.wait_for_line("<5>switched keepalive on for 3 sockets of 1 unit (a.service 3)")

        after = running.options("connect")

    assert after == {"listener": 1, "made": 1, "accepted": 1, "later": 1}


def test_what_cannot_be_reached_is_told_and_is_no_success(machine: Machine) -> None:
    """A socket whose process kad does not see, as of a container with other processes."""
    machine.write_policy("[keepalive]\ntime = 60\n[sockets]\nrearm = true\n")
    hidden = ("unshare", "--mount", "--pid", "--fork", "--mount-proc")
    with program(machine, "a.service"):
        blind = machine.run(*hidden, sys.executable, "-m", "kad", "apply", machine.policy)
        machine.set(TIME, 60)
        would = machine.run(
            *(*hidden, sys.executable, "-m", "kad", "sockets"),
            *("--would", "--policy", machine.policy),
        )

    assert blind.returncode == 1
    assert re.fullmatch(r"kad: \d sockets? could not be reached\n", blind.stderr)
    assert re.fullmatch(r"\d sockets? could not be reached\n", would.stdout)


def test_a_command_s_name_can_forge_nothing(machine: Machine) -> None:
    """Any user may name a process as it likes, and root reads it."""
    machine.write_policy("[keepalive]\ntime = 60\n[sockets]\nrearm = true\n")
    name = "import pathlib; pathlib.Path('/proc/self/comm').write_text('e\\x1b[31mX; y')"
    python = os.path.realpath(sys.executable)
    machine.run("ip", "link", "set", "lo", "up")
    running = Program(machine, python, "-c", f"{name}\n{PROGRAM}")

    would = machine.kad("sockets", "--would", "--policy", machine.policy).stdout
    done = machine.kad("apply", machine.policy).stdout
    running.close()

    assert would == "would re-arm 1 connection of 1 unit (e\\x1b[31mX; y 1)\n"
    assert done.splitlines()[-1] == "re-armed 1 connection of 1 unit (e\\x1b[31mX; y 1)"


def test_interrupting_apply_leaves_no_socket_without_keepalive(machine: Machine) -> None:
    """^C comes before or after a timer is re-armed, and not in between."""
    script = """
import os, signal, socket, threading, time
from kad.core.sockets.tending import Deed
from kad.sockets.tending import _treat
listener = socket.create_server(("127.0.0.1", 0))
made = socket.create_connection(listener.getsockname())
made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
armed, ended, left, interrupted = False, threading.Event(), 0, 0
def hear(*_):
    global armed
    if armed:
        armed = False
        raise KeyboardInterrupt
signal.signal(signal.SIGINT, hear)
def interrupt():
    while not ended.wait(0.0005):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
until = time.monotonic() + 2
while time.monotonic() < until:
    try:
        armed = True
        while True:
            _treat(made, Deed.REARM)
    except KeyboardInterrupt:
        interrupted += 1
        left += not made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
ended.set()
print(interrupted > 10, left)
"""
    machine.run("ip", "link", "set", "lo", "up")

    done = machine.run(sys.executable, "-c", script)

    assert done.stdout == "True 0\n", done.stderr


def test_a_dry_run_says_where_nothing_would_be_done(machine: Machine) -> None:
    """Audit never touches, and who only warns puts no time in force that drifted."""
    rearm = POLICY + "rearm = true\n"
    warns = rearm.replace("[drift]", '[drift]\naction = "warn"')
    machine.write_policy('mode = "audit"\n' + rearm)
    would = ("sockets", "--would")
    with program(machine, "a.service"):
        audit = machine.kad(*would, "--policy", machine.policy).stdout.splitlines()
    machine.write_policy(warns)
    with program(machine, "a.service"), machine.daemon():
        machine.set(TIME, 7200)
        warned = machine.kad(*would).stdout.splitlines()
    machine.write_policy('mode = "audit"\n' + warns)
    with program(machine, "a.service"), machine.daemon():
        both = machine.kad(*would).stdout.splitlines()

    assert both == audit
    assert audit == [
        "audit mode: nothing will be changed. In enforce mode kad would:",
        "would re-arm 1 connection of 1 unit (a.service 1)",
    ]
    assert warned == ["nothing: no open socket needs a change"]


def test_a_dry_run_goes_by_the_policy_s_intvl(machine: Machine) -> None:
    """The kernel's may be what the policy is to replace, be it longer or shorter."""
    would = ("sockets", "--would", "--policy", machine.policy)
    policy = POLICY.replace("time = 120", "time = 120\nintvl = {}") + "rearm = true\n"
    found = []
    for time, intvl, wanted in ((7200, 7200, 30), (250, 75, 300)):
        machine.set(TIME, time)
        machine.set(INTVL, intvl)
        machine.write_policy(policy.format(wanted))
        with program(machine, "a.service"):
            seen = json.loads(machine.kad("sockets", *would[2:], "--loopback", "--json").stdout)
            shown = machine.kad(*would).stdout.splitlines()
            done = machine.kad("apply", machine.policy).stdout.splitlines()
        found.append((seen["totals"]["stale"], shown, done[2:]))

    assert found == [
        (
            1,
            ["would re-arm 1 connection of 1 unit (a.service 1)"],
            ["re-armed 1 connection of 1 unit (a.service 1)"],
        ),
        (0, ["nothing: no open socket needs a change"], []),
    ]


def test_a_dry_run_tells_and_touches_nothing(machine: Machine) -> None:
    """A look before the leap."""
    machine.write_policy(POLICY + 'rearm = true\nenable = ["a", "ngnix"]\n')
    with program(machine, "a.service") as running:
        machine.set(TIME, 120)
        before = running.options()

        done = machine.kad("sockets", "--would", "--policy", machine.policy)

        assert done.stdout.splitlines() == [
            "would re-arm 1 connection of 1 unit (a.service 1)",
            "would switch keepalive on for 6 sockets of 1 unit (a.service 6)",
            'advice: sockets.enable: "ngnix" matches no running unit',
        ]
        assert (done.returncode, done.stderr) == (0, "")
        assert running.options() == before


def test_apply_tends_once(machine: Machine) -> None:
    """Where no daemon runs, as in a container, one pass does the same."""
    machine.write_policy(POLICY + "rearm = true\n")
    with program(machine, "a.service"):
        done = machine.kad("apply", machine.policy)

        assert done.stdout.splitlines()[-1] == "re-armed 1 connection of 1 unit (a.service 1)"
        assert (done.returncode, done.stderr) == (0, "")
        assert "stale" not in timers(machine, "--policy", str(machine.policy))


def test_apply_without_the_capability_is_77_and_names_it(machine: Machine) -> None:
    """The values are in force all the same."""
    machine.write_policy(POLICY + "rearm = true\n")
    with program(machine, "a.service"):
        done = machine.run(*NO_PTRACE, sys.executable, "-m", "kad", "apply", machine.policy)

    assert done.returncode == 77
    assert done.stderr.startswith("kad: cannot apply [sockets]: pidfd_getfd: kad needs CAP_SYS_P")
    assert machine.get(TIME) == 120


def test_a_right_that_is_missing_is_told_before_a_socket_wants_it(machine: Machine) -> None:
    """Else kad would say that all is well until the first stale timer, and after it."""
    machine.write_policy(POLICY + "rearm = true\n")
    with machine.daemon(
        program=(*NO_PTRACE, sys.executable, "-m", "kad", "run", "--policy", machine.policy)
    ) as daemon:
        daemon.wait_for(f"STATUS=degraded: {NO_RIGHT}")


def test_what_was_done_until_kad_is_to_end_is_told(machine: Machine) -> None:
    """The rest is left for the next kad: there may be very many."""
    script = """if True:
        import socket
        from kad.core.policy import Sockets
        from kad.procfs import Procfs
        from kad.sockets import tending
        from kad.sockets.diag import open_diag
        from kad.sockets.looking import Room

        listener = socket.create_server(("127.0.0.1", 0))
        made = [socket.create_connection(listener.getsockname()) for _ in range(9)]
        for each in made:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        with open("/proc/sys/net/ipv4/tcp_keepalive_time", "w") as file:
            file.write("60")
        treated, treat = [], tending._treat
        tending._treat = lambda found, deed: (treat(found, deed), treated.append(found))
        tender = tending.Tender(
            lambda: [Room(open_diag, Procfs().read)], stopped=lambda: len(treated) == 3
        )
        tended = tender.tend(tender.look(Sockets(rearm=True), {}))
        print(len(treated), sum(tended.done.values()), len(tended.failed))
    """
    machine.run("ip", "link", "set", "lo", "up")

    done = machine.run(sys.executable, "-c", script)

    assert (done.stdout, done.stderr) == ("3 3 0\n", "")


def test_a_group_s_name_may_have_any_byte() -> None:
    """What a line's end is elsewhere begins no other group's line."""
    with unit("a\r0::b.service") as group:
        command = [*map(str, within(group, "sh", "-c", "echo; exec sleep infinity"))]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            running.stdout.readline()
            found = unit_of_process(running.pid)
            running.kill()

    assert found == "a\r0::b.service"


def test_audit_mode_touches_nothing(machine: Machine) -> None:
    """Report, never write."""
    machine.write_policy('mode = "audit"\n' + POLICY + 'rearm = true\nenable = ["a"]\n')
    with program(machine, "a.service") as running:
        machine.set(TIME, 120)
        before = running.options()
        with machine.daemon():
            machine.kad("reload")

            assert machine.state_file()["sockets"]["totals"]["established"] == 0  # loopback aside
            assert running.options() == before


def test_without_the_capability_kad_is_degraded_and_says_which(machine: Machine) -> None:
    """The values are in force all the same."""
    machine.write_policy(POLICY + "rearm = true\n")
    kad = (sys.executable, "-m", "kad", "run", "--policy", machine.policy)
    with (
        program(machine, "a.service") as running,
        machine.daemon(program=(*NO_PTRACE, *kad)) as daemon,
    ):
        daemon.wait_for(f"STATUS=degraded: {NO_RIGHT}")

        assert machine.get(TIME) == 120
        assert f"<4>{NO_RIGHT}" in daemon.lines()
        assert machine.state_file()["state"] == "degraded"
        assert running.options()["on"] == [1, 120]  # the sysctl's; the timer is the old one
        assert len(timers(machine)["stale"]) == 1


def test_with_that_capability_alone_any_user_s_sockets_are_reached(machine: Machine) -> None:
    """No right to read other users' files is needed."""
    machine.write_policy(POLICY + "rearm = true\n")
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    capable = ("setpriv", "--bounding-set=-all,+net_admin,+sys_ptrace", "--inh-caps=-all")
    kad = (sys.executable, "-m", "kad", "run", "--policy", machine.policy)
    with (
        program(machine, "a.service", *user),
        machine.daemon(program=(*capable, *kad)) as daemon,
    ):
        daemon.wait_for_line("<5>re-armed 1 connection of 1 unit (a.service 1)")


# Two kinds of programs whose sockets, descriptors and processes come and go as fast as they can; of
# the second kind no socket may ever be touched. The first argument is the group of the first kind.
CHURN = """
import os, socket, sys, time
from kad.core.policy import Sockets
from kad.sockets.diag import open_diag
from kad.sockets.looking import Room
from kad.sockets.tending import Tender
listeners = [socket.create_server(("127.0.0.1", 0), backlog=4096) for _ in range(2)]
def churn(listener, untouched):
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        made = [socket.create_connection(listener.getsockname()) for _ in range(5)]
        made += [listener.accept()[0] for _ in range(5)]
        on = [each for each in made if each.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)]
        if on and untouched:
            os._exit(1)
        for each in made:
            each.close()
    os._exit(0)
def start(kind):
    pid = os.fork()
    if pid == 0:
        if kind == 0:
            with open(sys.argv[1] + "/cgroup.procs", "w") as group:
                group.write("0")
        churn(listeners[kind], untouched=kind == 1)
    return pid
tender = Tender(lambda: [Room(open_diag, lambda _: 7200)])
running = {start(kind): kind for kind in (0, 1, 0, 1)}
until, done, statuses = time.monotonic() + 3, 0, set()
while time.monotonic() < until or running:
    done += sum(tender.tend(tender.look(Sockets(enable=("a.service",)), {})).done.values())
    pid, status = os.waitpid(-1, os.WNOHANG)
    if pid:
        statuses.add(status)
        kind = running.pop(pid)
        if time.monotonic() < until:
            running[start(kind)] = kind
print(statuses, done > 0)
"""


def test_programs_that_come_and_go_meanwhile_do_no_harm_and_come_to_none(machine: Machine) -> None:
    """A descriptor's number is reused at once, by any program; only what is meant changes."""
    machine.run("ip", "link", "set", "lo", "up")
    with unit("a.service") as group:
        done = machine.run(sys.executable, "-c", CHURN, group)

    assert (done.stdout, done.stderr) == ("{0} True\n", "")
