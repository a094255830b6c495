"""The audit of connections on the real kernel."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fakes import TIME
from tests.netns import Machine
from tests.units import unit

# Connects to itself by IPv4, by IPv6, and by IPv4 through an IPv6 socket; one of each pair asks
# for keepalive.
PROGRAM = """
import socket, sys
kept = []
def pair(family, address, listens):
    listener = socket.create_server(listens, family=family, dualstack_ipv6=listens[0] == "::")
    made = socket.socket(family)
    made.connect((address, listener.getsockname()[1]))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    kept.extend((listener, made, listener.accept()))
pair(socket.AF_INET, "127.0.0.1", ("127.0.0.1", 0))
pair(socket.AF_INET6, "::1", ("::1", 0))
pair(socket.AF_INET6, "::ffff:127.0.0.1", ("::", 0))
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def program(machine: Machine, *before: str) -> Iterator[None]:
    """Run the program until the end of the block."""
    shell = 'ip link set lo up; exec "$0" -c "$1"'
    command = machine.inside(*before, "sh", "-c", shell, sys.executable, PROGRAM)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield
    finally:
        process.communicate()


def audit(machine: Machine, *options: str) -> dict[str, Any]:
    """Give what --json tells."""
    done = machine.kad("sockets", "--json", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


def test_each_connection_is_counted_whatever_its_family(machine: Machine) -> None:
    """IPv4, IPv6, and IPv4 in IPv6's clothes, as what they are."""
    with program(machine):
        found = audit(machine, "--loopback", "--all", "--policy", str(machine.policy))

    assert found["totals"] == {
        "protected": 0,
        "stale": 3,
        "own": 0,
        "unprotected": 3,
        "busy": 0,
        "established": 6,
    }
    shown = found["connections"]
    assert {each["local"].rpartition(":")[0] for each in shown} == {"127.0.0.1", "[::1]"}
    assert all(7000 < each["timer_s"] <= 7200 for each in shown if each["class"] == "stale")
    assert all(each["command"].startswith("python") for each in shown)


def test_loopback_is_left_out_unless_asked_for(machine: Machine) -> None:
    """No NAT forgets what never leaves the host."""
    with program(machine):
        assert audit(machine)["totals"]["established"] == 0


def test_without_a_policy_the_kernel_s_time_counts(machine: Machine) -> None:
    """The first look at a host needs nothing but kad."""
    with program(machine):
        found = audit(machine, "--loopback")

    assert found["totals"]["protected"] == 3


def test_status_tells_the_totals_in_one_line(machine: Machine) -> None:
    """Loopback aside, as everywhere."""
    with program(machine):
        shown = machine.kad("status", "--policy", machine.policy).stdout

    assert "sockets    0 established" in shown.splitlines()


@pytest.mark.skipif(os.geteuid() != 0, reason="names a network namespace")
def test_other_namespaces_are_asked_by_name_or_all_at_once(machine: Machine) -> None:
    """By the name that ip netns knows; one that is not there is told."""
    assert machine.run("ip", "netns", "add", "blue").returncode == 0
    inside = ("ip", "netns", "exec", "blue")
    with program(machine, *inside), program(machine):
        blue = audit(machine, "--loopback", "--all", "--namespace", "blue")
        both = audit(machine, "--loopback", "--all", "--namespace", "all")
        none = machine.kad("sockets", "--namespace", "red")

    assert {each["namespace"] for each in blue["connections"]} == {"blue"}
    assert blue["totals"]["established"] == 6
    assert {each["namespace"] for each in both["connections"]} == {"host", "blue"}
    assert both["totals"]["established"] == 12
    assert (none.returncode, none.stdout) == (70, "")
    assert none.stderr == "kad: red: no such network namespace; see: kad namespaces\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="names a network namespace")
def test_of_all_namespaces_one_that_is_closed_is_named_and_the_rest_is_shown(
    machine: Machine,
) -> None:
    """The one that is asked for by name is a refusal."""
    assert machine.run("ip", "netns", "add", "blue").returncode == 0
    drop = ("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin")
    kad = (*drop, sys.executable, "-m", "kad", "sockets", "--json", "--loopback", "--namespace")
    with program(machine):
        every, one = machine.run(*kad, "all"), machine.run(*kad, "blue")

    assert (every.returncode, json.loads(every.stdout)["totals"]["established"]) == (0, 6)
    assert every.stderr.startswith("kad: blue: ")
    assert every.stderr.endswith(": to enter a network namespace kad needs CAP_SYS_ADMIN\n")
    assert (one.returncode, one.stdout, one.stderr) == (77, "", every.stderr)


@pytest.mark.skipif(os.geteuid() != 0, reason="names a network namespace")
def test_other_namespaces_are_held_against_what_the_policy_puts_there(machine: Machine) -> None:
    """Where it leaves them alone, against what stands there; the line says so."""
    time, rules = "[keepalive]\ntime = 60\n", '[namespaces]\nscope = "all"\n'
    machine.write_policy(time)
    assert machine.run("ip", "netns", "add", "blue").returncode == 0
    asked = ("--loopback", "--namespace", "blue", "--policy", str(machine.policy))
    with program(machine, "ip", "netns", "exec", "blue"):
        alone = audit(machine, *asked)["totals"]
        page = machine.kad("sockets", *asked).stdout.splitlines()
        machine.write_policy(time + rules)
        kept = audit(machine, *asked)["totals"]
        machine.write_policy(f'{time}{rules}[[namespaces.override]]\nmatch = "bl*"\ntime = 7200\n')
        other = audit(machine, *asked)["totals"]
        machine.write_policy(f'{time}{rules}exclude = ["blue"]\n')
        excluded = audit(machine, *asked)["totals"]
        machine.write_policy(time + rules)
        with machine.daemon():
            told = audit(machine, *asked[:3])["totals"]

    assert [each["stale"] for each in (alone, kept, other, excluded, told)] == [0, 3, 0, 0, 3]
    assert [each["protected"] for each in (alone, other, excluded)] == [3, 3, 3]
    assert f"policy     {machine.policy}: time 60 s, 7200 s in blue" in page


@pytest.mark.skipif(os.geteuid() != 0, reason="names a network namespace")
def test_a_namespace_s_own_name_is_known_inside_it(machine: Machine) -> None:
    """`ip netns exec blue kad sockets --namespace blue`."""
    assert machine.run("ip", "netns", "add", "blue").returncode == 0
    kad = ("ip", "netns", "exec", "blue", sys.executable, "-m", "kad", "sockets")

    rearm = machine.directory / "rearm.toml"
    rearm.write_text("[keepalive]\ntime = 60\n[sockets]\nrearm = true\n", encoding="ascii")
    rearm.chmod(0o644)
    would = ("--would", "--policy", rearm)

    done = machine.run(*kad, "--namespace", "blue")
    ahead = machine.run(*kad, *would, "--namespace", "blue")
    unknown = machine.run(*kad, *would, "--namespace", "red")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("sockets    0 established\n")
    assert ahead.stdout == "nothing: no open socket needs a change\n"
    assert unknown.returncode == 70
    assert unknown.stderr == "kad: red: no such network namespace; see: kad namespaces\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs capabilities to lose one")
def test_who_may_not_see_others_processes_is_told_so(machine: Machine) -> None:
    """What is not shown is not said to be well."""
    drop = ("setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace")

    done = machine.run(*drop, sys.executable, "-m", "kad", "sockets", "--namespace", "all")

    assert done.returncode == 0
    assert done.stderr == (
        "kad: namespaces with only other users' processes are not listed: "
        "kad needs CAP_SYS_PTRACE\n"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="names network namespaces")
def test_a_dry_run_is_about_the_namespaces_that_the_policy_means(machine: Machine) -> None:
    """The daemon would tend them all, by the values that it puts there, save what is excluded."""
    rearm = "[keepalive]\ntime = 60\n[sockets]\nrearm = true\n"
    would = ("sockets", "--would", "--policy", str(machine.policy))
    for name in ("blue", "red"):
        assert machine.run("ip", "netns", "add", name).returncode == 0
    with (
        program(machine, "ip", "netns", "exec", "blue"),
        program(machine, "ip", "netns", "exec", "red"),
    ):
        machine.write_policy(rearm)
        host = [machine.kad(*would, *more).stdout for more in ((), ("--namespace", "blue"))]
        machine.write_policy(f'{rearm}[namespaces]\nscope = "all"\nexclude = ["red"]\n')
        every = [machine.kad(*would, *more).stdout for more in ((), ("--namespace", "red"))]
        machine.run("ip", "netns", "exec", "blue", "sysctl", "-w", f"{TIME}=8000")
        custom = machine.kad(*would).stdout

    alone = f"nothing: [namespaces] in {machine.policy} does not cover {{}}\n"
    assert host == ["nothing: no open socket needs a change\n", alone.format("blue")]
    assert every[0].startswith("would re-arm 3 connections of 1 unit (python")
    assert every[1] == alone.format("red")
    assert custom == "nothing: no open socket needs a change\n"  # what somebody set there stays


def test_an_invalid_policy_is_78(machine: Machine) -> None:
    """What timers are held against must not be guessed."""
    machine.write_policy("[sockets]\nrearm = 1\n")

    done = machine.kad("sockets", "--policy", machine.policy)

    assert done.returncode == 78
    assert "sockets.rearm: must be true or false, got 1" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="root of a user namespace keeps what it had")
def test_a_dry_run_says_what_it_may_not_look_at(machine: Machine) -> None:
    """The capability is named."""
    machine.write_policy("[keepalive]\ntime = 60\n[sockets]\nrearm = true\n")
    drop = ("setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace")
    with program(machine):
        done = machine.run(
            *(*drop, sys.executable, "-m", "kad", "sockets"),
            *("--would", "--policy", machine.policy),
        )

    assert (done.returncode, done.stdout) == (77, "")
    assert "kad needs CAP_SYS_PTRACE" in done.stderr


def test_a_policy_that_asks_for_nothing_would_do_nothing(machine: Machine) -> None:
    """And that is said."""
    done = machine.kad("sockets", "--would", "--policy", machine.policy)

    assert done.stdout == (
        f"nothing: [sockets] in {machine.policy} sets neither rearm nor enable\n"
    )


def test_a_dry_run_is_by_the_policy_of_the_daemon_that_runs(machine: Machine) -> None:
    """Wherever that has its file."""
    machine.write_policy("[keepalive]\ntime = 60\n")
    with machine.daemon():
        done = machine.kad("sockets", "--would")

    assert done.stdout == (
        f"nothing: [sockets] in {machine.policy} sets neither rearm nor enable\n"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a control group")
def test_check_says_what_is_done_to_sockets_and_names_a_unit_that_is_not_there(
    machine: Machine,
) -> None:
    """A slip in a name would else be silent for ever."""
    wishes = '[sockets]\nrearm = true\nenable = ["a", "ngnix"]\nexclude = ["a*"]\n'
    machine.write_policy("[keepalive]\ntime = 60\n" + wishes)
    with unit("a.service"):
        told = machine.kad("check", machine.policy).stdout.splitlines()
        alone = machine.kad("status", "--policy", machine.policy).stdout
        with machine.daemon() as daemon:
            daemon.wait_for("READY=1")
            machine.kad("reload")
            beside = machine.kad("status").stdout

    advice = 'sockets.enable: "ngnix" matches no running unit'
    assert (alone.count(advice), beside.count(advice)) == (1, 1)
    assert "connections with more left on their timer than the policy's time are re-armed" in told
    assert "SO_KEEPALIVE is turned on for sockets of a, ngnix" in told
    assert "sockets of a* are never touched" in told
    assert [line for line in told if "matches" in line] == [
        'advice: sockets.enable: "ngnix" matches no running unit'
    ]
