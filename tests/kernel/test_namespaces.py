"""Every network namespace of a machine, which sees none but its own; the timer is a day."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from kad.core.parameters import Parameter
from tests.fakes import TIME
from tests.kernel.conftest import EVERYWHERE as POLICY
from tests.netns import KAD, Daemon, Machine, child_of, wait_until

DEFAULTS, WANTED = [7200, 75, 9], [120, 30, 8]
HOST_ONLY = POLICY.replace('"all"', '"host"')
FILES = [f"/proc/sys/{parameter.replace('.', '/')}" for parameter in Parameter]
# Answers each line of shell with one line.
SHELL = 'echo ready; while read -r line; do eval "$line"; done'
# A namespace with a procfs of its own, as a container's: nothing tells kad of a write there.
CONTAINER = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc")


@pytest.fixture
def machine(machine: Machine) -> Machine:
    """Give a machine with a policy for all namespaces."""
    if os.geteuid() != 0:
        pytest.skip("needs root: kad looks after namespaces that others made")
    machine.write_policy(POLICY)
    return machine


class Namespace:
    """A network namespace, seen by a process in it."""

    def __init__(self, shell: "subprocess.Popen[str]") -> None:
        self._shell = shell
        assert self._answer() == "ready"
        self.inode = int(self.ask("stat -Lc %i /proc/self/ns/net"))

    def _answer(self) -> str:
        assert self._shell.stdout is not None
        return self._shell.stdout.readline().strip()

    def ask(self, script: str) -> str:
        """Run a line of shell, which prints one."""
        assert self._shell.stdin is not None
        self._shell.stdin.write(script + "\n")
        self._shell.stdin.flush()
        return self._answer()

    @property
    def values(self) -> list[int]:
        """Give time, intvl and probes."""
        return [int(value) for value in self.ask(f"echo $(cat {' '.join(FILES)})").split()]

    def set(self, parameter: Parameter, value: int) -> None:
        """Write a value."""
        path = FILES[[*Parameter].index(parameter)]
        assert self.ask(f"echo {value} > {path}; echo done") == "done"

    def has_veth(self, machine: Machine) -> None:
        """Give a container an end of a pair, of which the other one, v0, stays outside."""
        pid = child_of(child_of(self._shell.pid))  # of nsenter, of unshare
        words = Path(f"/proc/{pid}/status").read_text(encoding="ascii").split("NSpid:")[1].split()
        add(machine, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", words[1])


@contextmanager
def inside(machine: Machine, *command: str) -> Iterator[Namespace]:
    """Give the namespace in which the command runs a shell, until the end of the block."""
    shell = subprocess.Popen(
        machine.inside(*command, "sh", "-c", SHELL),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Namespace(shell)
    finally:
        shell.communicate(timeout=20)


def add(machine: Machine, *words: str) -> None:
    """Have ip(8) do something."""
    done = machine.run("ip", *words)
    assert done.returncode == 0, done.stderr


def named(machine: Machine, name: str) -> list[int]:
    """Give the values in a namespace that ip-netns(8) knows."""
    done = machine.run("ip", "netns", "exec", name, "cat", *FILES)
    return [int(value) for value in done.stdout.split()]


def told(machine: Machine) -> dict[str, str]:
    """Give what the state file says of each namespace: its reason, or what is not in force."""
    return {
        each["name"]: each.get("reason")
        or " ".join({value["state"] for value in each["parameters"].values()} - {"in-force"})
        for each in machine.state_file()["namespaces"]
    }


class Held(NamedTuple):
    """What a daemon holds: threads, descriptors of parameters and of namespaces, and watches."""

    threads: int
    parameters: int
    namespaces: int
    watches: int

    def and_of(self, namespaces: int) -> "Held":
        """Give what it holds with so many namespaces more."""
        more = 3 * namespaces
        return self._replace(parameters=self.parameters + more, watches=self.watches + more)


def held(daemon: Daemon) -> Held:
    """Look into a daemon."""
    process = Path(f"/proc/{daemon.pid}")
    files, watches = [], 0
    for each in (process / "fd").iterdir():
        with suppress(FileNotFoundError):
            files.append(os.readlink(each))
            watches += (process / "fdinfo" / each.name).read_text("ascii").count(" mask:2 ")
    parameters = sum(file.startswith("/proc/sys/net/") for file in files)
    namespaces = sum(file.startswith("net:") for file in files)
    return Held(len([*(process / "task").iterdir()]), parameters, namespaces, watches)


def at_rest(daemon: Daemon, namespaces: int) -> Held:
    """Wait until it looks after so many others, and give what it holds."""
    parameters = 3 * (1 + namespaces)

    def rests() -> bool:
        return held(daemon)[1:] == (parameters, 0, parameters)

    wait_until(rests)
    return held(daemon)


def wait_until_let_go(machine: Machine, daemon: Daemon, left: Held) -> None:
    """Wait until it holds so much, and nothing of what has gone.

    A dead namespace's last link goes before its parameters do: kad may find these still, and lets
    go of them when it looks again.
    """
    wait_until(lambda: machine.kad("reload").returncode == 0 and held(daemon) == left)


# Finding them


def test_a_named_namespace_is_in_force_before_kad_is_ready(machine: Machine) -> None:
    """What waits for kad finds the policy's values in every namespace that is there."""
    add(machine, "netns", "add", "web")

    with machine.daemon() as daemon:
        assert named(machine, "web") == WANTED
        daemon.wait_for("STATUS=in-force: time 120 s, intvl 30 s, probes 8; 1 namespace")
        assert "<6>policy set in 1 namespace (web)" in daemon.lines()


def test_a_named_namespace_that_appears_is_seen_at_once(machine: Machine) -> None:
    """`ip netns add`, docker, podman and CNI all mount it, and kad waits for mounts."""
    with machine.daemon() as daemon:
        machine.kad("reload")  # what the start has set off is over
        add(machine, "netns", "add", "web")

        daemon.wait_for_line("<6>policy set in 1 namespace (web)")
        assert named(machine, "web") == WANTED


def test_a_namespace_with_a_veth_is_seen_at_once(machine: Machine) -> None:
    """A container's network tells of it, though nobody gave it a name."""
    with machine.daemon():
        machine.kad("reload")  # what the start has set off is over
        with inside(machine, *CONTAINER) as container:
            container.has_veth(machine)

            wait_until(lambda: container.values == WANTED)


def test_a_namespace_with_nothing_but_a_process_is_found_at_the_next_check(
    machine: Machine,
) -> None:
    """Nothing tells of it: its inode is its name."""
    with machine.daemon() as daemon, inside(machine, "unshare", "--net") as bare:
        machine.kad("reload")

        assert bare.values == WANTED
        assert f"<6>policy set in 1 namespace (net:[{bare.inode}])" in daemon.lines()


def test_a_user_s_own_namespace_is_found_too(machine: Machine) -> None:
    """Rootless containers have theirs in a user namespace, where they are root and kad is not."""
    rootless = ("unshare", "--user", "--map-root-user", *CONTAINER[1:])
    with machine.daemon(), inside(machine, *rootless) as container:
        machine.kad("reload")

        assert container.values == WANTED


def test_a_name_may_hold_anything(machine: Machine) -> None:
    """Spaces, backslashes, brackets, and bytes that are no text."""
    name = "a b\\c#[*]\udcff\n"
    add(machine, "netns", "add", name)

    with machine.daemon() as daemon:
        assert named(machine, name) == WANTED
        assert name in told(machine)
        assert "<6>policy set in 1 namespace (a b\\c#[*]\\udcff\\n)" in daemon.lines()
        assert "a b\\c#[*]\\udcff\\n" in machine.kad("namespaces").stdout


def test_a_namespace_that_is_called_host_is_not_taken_for_kad_s_own(machine: Machine) -> None:
    """Nobody shall look for a container's drift on the host."""
    add(machine, "netns", "add", "host")

    with machine.daemon():
        assert named(machine, "host") == WANTED
        names = [each["name"] for each in machine.state_file()["namespaces"]]
        assert names[0] == "host"
        assert names[1].startswith("net:[")
        assert len(names) == 2


# Whose values they are


def test_values_that_were_set_on_purpose_stay(machine: Machine) -> None:
    """Before kad met it somebody set one; kad says why it leaves all three alone."""
    add(machine, "netns", "add", "db")
    machine.run("ip", "netns", "exec", "db", "sysctl", "-w", f"{TIME}=600")

    with machine.daemon():
        assert named(machine, "db") == [600, 75, 9]
        assert told(machine)["db"] == "set on purpose"
        machine.write_policy(f'{POLICY}custom = "override"\n')
        wait_until(lambda: named(machine, "db") == WANTED)


def test_a_container_s_own_value_is_kept_however_late_it_was_written(machine: Machine) -> None:
    """Its runtime writes through the container's /proc, and no timer is near: kad looks again."""
    with machine.daemon(), inside(machine, *CONTAINER) as container:
        container.has_veth(machine)
        wait_until(lambda: container.values == WANTED)
        container.set(TIME, 600)

        wait_until(lambda: "set on purpose" in told(machine).values())
        machine.kad("reload")
        assert container.values == [600, 75, 9]


def test_a_write_in_an_old_namespace_is_undone_at_once(machine: Machine) -> None:
    """Through the machine's own procfs, the watch sees it."""
    with inside(machine, "unshare", "--net") as bare, machine.daemon() as daemon:
        at_rest(daemon, 1)
        machine.kad("reload")  # what the start has set off is over
        bare.set(TIME, 7200)

        line = f"<4>net:[{bare.inode}]: drift: {TIME} is 7200, policy says 120; restored"
        daemon.wait_for_line(line)
        assert bare.values == WANTED


def test_a_write_in_an_old_container_is_undone_at_the_next_check(machine: Machine) -> None:
    """Through a procfs of its own nothing tells, and the timer is the guarantee."""
    machine.write_policy(POLICY.replace("1d", "1s"))

    with inside(machine, *CONTAINER) as container, machine.daemon() as daemon:
        container.set(TIME, 7200)

        line = f"<4>net:[{container.inode}]: drift: {TIME} is 7200, policy says 120; restored"
        daemon.wait_for_line(line)
        assert container.values == WANTED


def test_one_that_fights_disturbs_no_other(machine: Machine) -> None:
    """It is named once, kad rests, and every other namespace is restored at once."""
    with (
        inside(machine, "unshare", "--net") as other,
        inside(machine, "unshare", "--net") as fighter,
        machine.daemon() as daemon,
    ):
        fighter.ask(f"(while :; do echo 7200 > {FILES[0]}; done) & echo $!")

        contended = f"net:[{fighter.inode}]: {TIME} was changed 6 times in 60 s by somebody else"
        daemon.wait_for_line(f"<4>{contended}; restoring it less often")
        other.set(TIME, 7200)
        wait_until(lambda: other.values == WANTED)
        assert machine.values() == WANTED
        assert machine.kad("status").returncode == 1
        assert sum(contended in line for line in daemon.lines()) == 1
        fighter.ask("kill $!; echo")


def test_kad_s_own_values_stay_its_own(machine: Machine) -> None:
    """After a crash, after a stop, and under another policy than the one that set them."""
    add(machine, "netns", "add", "web")
    with machine.daemon() as daemon:
        daemon.signal(signal.SIGKILL)
        daemon.wait()
    machine.write_policy(POLICY.replace("2min", "5min"))
    with machine.daemon() as daemon:
        assert named(machine, "web") == [300, 30, 8]
        daemon.stop()
    machine.write_policy(POLICY.replace("probes = 8", "probes = 5"))

    with machine.daemon():
        assert named(machine, "web") == [120, 30, 5]
        assert told(machine)["web"] == ""


def test_excluded_and_overridden_names(machine: Machine) -> None:
    """Patterns decide, and an edit is in force at once."""
    for name in ("ci-1", "ci-2", "db"):
        add(machine, "netns", "add", name)
    rules = 'exclude = ["ci-?"]\n[[namespaces.override]]\nmatch = "d*"\ntime = "1min"\n'
    machine.write_policy(POLICY + rules)

    with machine.daemon():
        assert named(machine, "ci-1") == DEFAULTS
        assert named(machine, "db") == [60, 30, 8]
        assert told(machine)["ci-2"] == "excluded"
        machine.write_policy(POLICY)
        wait_until(lambda: named(machine, "ci-2") == named(machine, "db") == WANTED)


def test_back_to_the_host_leaves_the_values(machine: Machine) -> None:
    """And says so; later namespaces are none of kad's business, until the policy asks again."""
    add(machine, "netns", "add", "web")
    with machine.daemon() as daemon:
        before = at_rest(daemon, 1)
        machine.write_policy(HOST_ONLY)

        daemon.wait_for_line("<6>now managing the host only; values kept in 1 namespace")
        machine.kad("reload")
        assert named(machine, "web") == WANTED
        wait_until(lambda: held(daemon) == before.and_of(-1))
        machine.run("ip", "netns", "exec", "web", "sysctl", "-w", f"{TIME}=7200")
        machine.write_policy(POLICY)
        wait_until(lambda: named(machine, "web") == WANTED)


def checks_until_now(machine: Machine) -> int:
    """Wait for what goes on to be over, and give how often kad has compared."""
    time.sleep(0.5)  # longer than a burst is waited for
    assert machine.kad("reload").returncode == 0
    count: int = machine.state_file()["checks"]["count"]
    return count


def test_back_to_the_host_nothing_of_the_others_wakes_kad(machine: Machine) -> None:
    """Mounts and links are none of its business then; and are again when the policy asks."""
    with machine.daemon():
        machine.write_policy(HOST_ONLY)
        machine.kad("reload")
        before = checks_until_now(machine)
        add(machine, "netns", "add", "web")
        add(machine, "link", "add", "v0", "type", "veth", "peer", "name", "v1")

        assert checks_until_now(machine) == before + 1
        machine.write_policy(POLICY)
        wait_until(lambda: named(machine, "web") == WANTED)
        add(machine, "netns", "add", "db")
        wait_until(lambda: named(machine, "db") == WANTED)


def test_on_stop_all_get_back_what_they_had(machine: Machine) -> None:
    """Those that were overridden their own values, the others the kernel's."""
    for name in ("web", "db"):
        add(machine, "netns", "add", name)
    machine.run("ip", "netns", "exec", "db", "sysctl", "-w", f"{TIME}=600")
    machine.write_policy(f'{POLICY}custom = "override"\n[on_stop]\nvalues = "restore"\n')
    with machine.daemon() as daemon:
        assert named(machine, "db") == WANTED
        daemon.signal(signal.SIGKILL)
        daemon.wait()

    with machine.daemon() as daemon:
        assert daemon.stop() == 0
        assert "<6>original values restored in 2 namespaces (db, web)" in [
            line.replace("(web, db)", "(db, web)") for line in daemon.lines()
        ]

    assert named(machine, "web") == machine.values() == DEFAULTS
    assert named(machine, "db") == [600, 75, 9]


# Their end


def test_a_dead_namespace_is_not_kept_alive(machine: Machine) -> None:
    """The other end of its veth goes with it, though kad has its parameters open; then they go."""
    with machine.daemon() as daemon:
        before = at_rest(daemon, 0)
        with inside(machine, *CONTAINER) as container:
            container.has_veth(machine)
            wait_until(lambda: held(daemon) == before.and_of(1))

        wait_until(lambda: machine.run("ip", "link", "show", "v0").returncode != 0)
        wait_until_let_go(machine, daemon, before)
        assert [*told(machine)] == ["host"]


def add_one(machine: Machine) -> None:
    """Make the namespace `one` where no number below its own is free.

    Kernels give the lowest that is free, and some dozens to each: namespaces that fill up what
    others left are made until their numbers are equally far apart.
    """
    script = """
        last=0 step=0 same=0
        for filler in $(seq 100); do
            ip netns add filler$filler || exit
            inode=$(stat -c %i /run/netns/filler$filler)
            [ $((inode - last)) = $step ] && same=$((same + 1)) || same=0
            step=$((inode - last)) last=$inode
            [ $same -lt 3 ] || exec ip netns add one
            sleep 0.1
        done
        exit 1
    """
    assert machine.run("sh", "-c", script).returncode == 0


def is_replaced(machine: Machine) -> bool:
    """End `one` and make `two`, with a value of its own; tell whether it has the same inode."""
    script = """
        old=$(stat -c %i /run/netns/one); ip netns del one
        for try in $(seq 20); do
            ip netns add two
            new=$(stat -c %i /run/netns/two)
            [ $new = $old ] && break
            ip netns del two; sleep 0.1
        done
        for filler in $(cd /run/netns && ls -d filler*); do ip netns del $filler; done
        [ $new = $old ] && ip netns exec two sysctl -w net.ipv4.tcp_keepalive_time=600
    """
    return machine.run("sh", "-c", script).returncode == 0


# Somebody else's may have ended meanwhile, and left a lower number to `two`.
TRIES = 10


def test_an_inode_that_is_used_again_is_another_namespace(machine: Machine) -> None:
    """Kernels give it to the next one: whose values somebody set stays theirs."""
    with machine.daemon() as daemon:
        for _ in range(TRIES):
            add_one(machine)
            wait_until(lambda: "one" in told(machine))
            daemon.signal(signal.SIGSTOP)
            replaced = is_replaced(machine)
            daemon.signal(signal.SIGCONT)
            daemon.process.send_signal(signal.SIGCONT)  # nsenter stops with it
            if replaced:
                break

        wait_until(lambda: told(machine) == {"host": "", "two": "set on purpose"})
        assert named(machine, "two") == [600, 75, 9]


def test_an_inode_that_is_used_again_after_a_crash_is_another_namespace(machine: Machine) -> None:
    """What kad remembers of the one that has gone is no other's."""
    for _ in range(TRIES):
        add_one(machine)
        with machine.daemon() as daemon:
            daemon.signal(signal.SIGKILL)
            daemon.wait()
        if is_replaced(machine):
            break

    with machine.daemon():
        assert told(machine) == {"host": "", "two": "set on purpose"}
        assert named(machine, "two") == [600, 75, 9]


# What kad may do


@pytest.mark.parametrize("capability", ["sys_admin", "sys_ptrace"])
def test_a_missing_capability_is_named(machine: Machine, capability: str) -> None:
    """With the drop-in that gives it; the host's values are in force all the same."""
    add(machine, "netns", "add", "web")
    without = ("setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}", "--")

    with machine.daemon(program=(*without, *KAD, "run", "--policy", machine.policy)) as daemon:
        daemon.wait_for(
            f"STATUS=degraded: [namespaces] scope: CAP_{capability.upper()} missing; "
            "with systemd, enable the drop-in namespaces.conf, see kad(8)"
        )
        assert machine.values() == WANTED
        assert named(machine, "web") == DEFAULTS
        assert machine.kad("status").returncode == 1
        reload = machine.kad("reload")
        assert reload.returncode == 1
        assert f"CAP_{capability.upper()} missing" in reload.stderr


def test_a_kad_in_a_namespace_of_its_own_stays_with_it(machine: Machine) -> None:
    """It is not the machine's kad, and says that it does not look after the others."""
    add(machine, "netns", "add", "web")
    kad = ("unshare", "--net", *KAD, "run", "--policy", machine.policy)

    with machine.daemon(program=kad) as daemon:
        why = "[namespaces] scope: kad is not in the network namespace of PID 1"
        daemon.wait_for(f"STATUS=degraded: {why}")
        assert f"<4>cannot manage other network namespaces: {why}" in daemon.lines()
        assert named(machine, "web") == machine.values() == DEFAULTS


def test_without_descriptors_the_rest_is_guarded(machine: Machine) -> None:
    """Degraded, with what could not be opened; raising the limit is enough to heal it."""
    names = [f"n{number}" for number in range(20)]
    for name in names:
        add(machine, "netns", "add", name)
    limited = ("prlimit", "--nofile=100:1024", "--", *KAD, "run", "--policy", machine.policy)

    with machine.daemon(program=limited) as daemon:
        reached = [name for name in names if named(machine, name) == WANTED]
        assert 0 < len(reached) < len(names)
        assert any(": Too many open files (and " in line for line in daemon.heard())
        assert told(machine)[next(iter(set(names) - set(reached)))] == "Too many open files"
        machine.set(TIME, 7200)
        machine.run("ip", "netns", "exec", reached[0], "sysctl", "-w", f"{TIME}=7200")
        wait_until(lambda: machine.values() == named(machine, reached[0]) == WANTED)

        subprocess.run(["prlimit", f"--pid={daemon.pid}", "--nofile=1024:1024"], check=True)
        assert machine.kad("reload").returncode == 0
        assert all(named(machine, name) == WANTED for name in names)
        assert "<5>can open all network namespaces again" in daemon.lines()


# What is shown


def test_the_commands_show_them(machine: Machine) -> None:
    """A table of all, a block for each that is not in force, and all in JSON."""
    for name in ("web", "db"):
        add(machine, "netns", "add", name)
    machine.run("ip", "netns", "exec", "db", "sysctl", "-w", f"{TIME}=600")
    machine.write_policy(POLICY.replace("[drift]", '[drift]\naction = "warn"'))

    with inside(machine, "ip", "netns", "exec", "web"), machine.daemon():
        table = machine.kad("namespaces").stdout.splitlines()
        quiet = machine.kad("status")
        machine.run("ip", "netns", "exec", "web", "sysctl", "-w", f"{TIME}=7200")
        wait_until(lambda: told(machine)["web"] == "drifted")
        drifted = machine.kad("status")
        every = json.loads(machine.kad("status", "--json").stdout)["namespaces"]

    rows = [line.split() for line in table]
    assert rows[0] == ["name", "inode", "processes", "time", "intvl", "probes", "state"]
    assert rows[1][0] == "host"
    assert [row[:1] + row[2:] for row in rows[2:]] == [
        ["db", "0", "600", "75", "9", "left", "alone:", "set", "on", "purpose"],
        ["web", "1", "120", "30", "8", "in", "force"],
    ]
    assert "others     1 in force, 1 left alone (set on purpose); see: kad namespaces" in (
        quiet.stdout.splitlines()
    )
    assert quiet.returncode == 0
    assert "namespace web" in drifted.stdout.splitlines()
    assert drifted.returncode == 1
    assert {each["name"]: (each["managed"], each.get("reason")) for each in every} == {
        "host": (True, None),
        "db": (False, "set on purpose"),
        "web": (True, None),
    }


def test_what_a_container_wrote_since_the_daemon_looked_is_shown(machine: Machine) -> None:
    """A value is never shown beside the state that another one had."""
    with inside(machine, *CONTAINER) as web, machine.daemon() as daemon:
        at_rest(daemon, 1)
        machine.kad("reload")  # what the start has set off is over
        web.set(TIME, 7200)
        row = machine.kad("namespaces").stdout.splitlines()[-1].split()
        page = machine.kad("status")
        shown = json.loads(machine.kad("status", "--json").stdout)

    name = f"net:[{web.inode}]"
    assert row == [name, str(web.inode), "2", "7200", "30", "8", "drifted"]
    assert page.returncode == 1
    assert f"{TIME} is 7200, policy says 120" in shown["reason"]
    assert shown["namespaces"][1]["parameters"][TIME]["found"] == 7200


def test_who_may_not_look_into_them_is_shown_what_the_daemon_saw(machine: Machine) -> None:
    """`kad namespaces` by any user names all, with values and states."""
    add(machine, "netns", "add", "web")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")

    with machine.daemon():
        lines = machine.run(*nobody, *KAD, "namespaces").stdout.splitlines()

    assert [line.split()[0] for line in lines] == ["name", "host", "web"]
    assert lines[2].split()[2:] == ["-", "120", "30", "8", "in", "force"]


def test_in_a_storm_nothing_is_lost_and_nothing_leaks(machine: Machine) -> None:
    """200 come, most of them go, and the policy changes meanwhile: at the end all is right."""
    script = """
        for number in $(seq 200); do
            ip netns add s$number
            ip link add v$number type veth peer name eth0 netns s$number
            [ $((number % 10)) = 0 ] || ip netns del s$number
        done
    """
    with machine.daemon() as daemon:
        before = at_rest(daemon, 0)
        with subprocess.Popen(machine.inside("sh", "-c", script)) as storm:
            number = 0
            while storm.poll() is None:
                number += 1
                machine.write_policy(POLICY.replace("2min", str(number)))
                daemon.wait_for_line(
                    f"<6>policy {machine.policy} in force: time {number} s, intvl 30 s, probes 8"
                )
        machine.write_policy(POLICY)
        living = [f"s{number}" for number in range(10, 201, 10)]

        wait_until(lambda: all(named(machine, name) == WANTED for name in living))
        wait_until(lambda: told(machine) == dict.fromkeys(["host", *living], ""))
        wait_until_let_go(machine, daemon, before.and_of(len(living)))
        links = machine.run("ip", "-o", "link").stdout
        assert links.count(" v") == len(living)
        for name in living:
            add(machine, "netns", "del", name)
        wait_until_let_go(machine, daemon, before)
