"""The command against the real kernel, in a network namespace of its own."""

import json
import os
import pty
import select
import signal
import subprocess

import pytest

from tests.fakes import INTVL, PROBES, TIME
from tests.kernel.conftest import POLICY
from tests.netns import KAD, PATIENCE_S, Machine, child_of

PLAN = """\
net.ipv4.tcp_keepalive_time: 7200 -> 120
net.ipv4.tcp_keepalive_intvl: 75 -> 30
net.ipv4.tcp_keepalive_probes: 9 -> 8
"""
WANTED = [120, 30, 8]
DEFAULTS = [7200, 75, 9]
AUDIT = 'mode = "audit"\n' + POLICY


def test_plan_shows_what_apply_would_change_and_changes_nothing(machine: Machine) -> None:
    """A look before the leap."""
    done = machine.kad("plan", machine.policy)

    assert (done.returncode, done.stdout, done.stderr) == (1, PLAN, "")
    assert machine.values() == DEFAULTS


def test_apply_puts_the_policy_in_force_and_a_second_time_does_nothing(machine: Machine) -> None:
    """Safe to run from any init script, again and again."""
    first = machine.kad("apply", machine.policy)
    values = machine.values()
    second = machine.kad("apply", machine.policy)
    plan = machine.kad("plan", machine.policy)

    assert (first.returncode, first.stdout, first.stderr) == (0, PLAN, "")
    assert values == WANTED
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert (plan.returncode, plan.stdout) == (0, "")
    assert not os.listdir(machine.state)


def test_plan_and_apply_say_that_they_leave_other_namespaces_alone(machine: Machine) -> None:
    """scope = "all" is the daemon's to keep."""
    machine.write_policy(POLICY + '[namespaces]\nscope = "all"\n')

    plan = machine.kad("plan", machine.policy)
    done = machine.kad("apply", machine.policy)

    looked = "kad: other network namespaces are not looked at: only `kad run` sets those\n"
    assert (plan.returncode, plan.stderr) == (1, looked)
    assert done.returncode == 0
    assert done.stderr == "kad: other network namespaces are unchanged: only `kad run` sets those\n"


def test_apply_in_audit_mode_is_a_plan(machine: Machine) -> None:
    """Audit mode writes nothing, whichever command reads the policy."""
    machine.write_policy(AUDIT)

    done = machine.kad("apply", machine.policy)

    assert (done.returncode, done.stdout) == (1, PLAN)
    assert done.stderr == "kad: audit mode: nothing is written\n"
    assert machine.values() == DEFAULTS


def test_a_parameter_the_policy_leaves_out_is_left_alone(machine: Machine) -> None:
    """None of kad's business."""
    machine.write_policy("[keepalive]\nprobes = 5\n")

    done = machine.kad("apply", machine.policy)

    assert done.returncode == 0
    assert machine.values() == [7200, 75, 5]


@pytest.mark.parametrize("command", ["check", "plan", "apply", "status", "run"])
def test_an_invalid_policy_is_78_with_every_mistake_on_a_line(
    machine: Machine, command: str
) -> None:
    """An editor can jump to each; the kernel is untouched."""
    machine.write_policy("[keepalive]\nprobes = 0\ntime = true\n")

    done = machine.kad(command, "--policy", machine.policy)

    assert done.returncode == 78
    assert done.stderr.splitlines()[:2] == [
        (
            f"kad: {machine.policy}:2:10: keepalive.probes: must be 1 to 127, got 0 "
            "(0 would cut healthy idle connections)"
        ),
        next(line for line in done.stderr.splitlines() if ":3:8: keepalive.time: " in line),
    ]
    assert "Traceback" not in done.stderr
    assert machine.values() == DEFAULTS


def test_the_policy_is_chosen_by_argument_then_option_then_environment(machine: Machine) -> None:
    """The nearest word counts; two of one kind are a usage error."""
    other = machine.directory / "other.yaml"
    other.write_text("keepalive: {probes: 3}\n", encoding="utf-8")
    other.chmod(0o644)
    in_environment = {"KAD_POLICY": str(other)}

    assert machine.kad("plan", **in_environment).stdout == f"{PROBES}: 9 -> 3\n"
    assert machine.kad("plan", "--policy", machine.policy, **in_environment).stdout == PLAN
    assert machine.kad("plan", machine.policy, **in_environment).stdout == PLAN
    assert machine.kad("plan", machine.policy, "--policy", other).returncode == 2


def test_missing_rights_are_77_and_name_the_capability(machine: Machine) -> None:
    """apply and run say what is missing; nothing is half written."""
    drop = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"]
    # As root the file's mode alone lets it be opened; the capability decides for everybody else.
    drop += ["--reuid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
    for command in ("apply", "run"):
        environ = {"RUNTIME_DIRECTORY": "/run/nobody"}
        machine.run("mkdir", "-p", "--mode=777", "/run/nobody")
        done = machine.run(*drop, *KAD, command, "--policy", machine.policy, **environ)
        if os.geteuid() != 0:  # uid 0 of the user namespace may write all the same
            return

        assert done.returncode == 77
        assert done.stderr == (
            f"kad: cannot set {TIME} to 120: Permission denied "
            "(kad needs CAP_NET_ADMIN in this network namespace)\n"
        )
    assert machine.values() == DEFAULTS


def test_a_read_only_proc_is_77_and_says_so(machine: Machine) -> None:
    """As in a container without --privileged."""
    command = (
        f"mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && {' '.join(KAD)}"
    )

    done = machine.run("unshare", "--mount", "sh", "-c", f"{command} apply {machine.policy}")

    assert done.returncode == 77
    assert done.stderr == (
        f"kad: cannot set {TIME} to 120: Read-only file system "
        "(/proc/sys is mounted read-only here)\n"
    )


def test_one_value_that_cannot_be_set_is_1_and_the_others_are_in_force(machine: Machine) -> None:
    """A read-only bind mount over one of the three files."""
    path = f"/proc/sys/{INTVL.replace('.', '/')}"
    command = f"mount --bind {path} {path} && mount -o remount,bind,ro {path} && {' '.join(KAD)}"

    done = machine.run("unshare", "--mount", "sh", "-c", f"{command} apply {machine.policy}")

    assert done.returncode == 1
    assert done.stderr == f"kad: cannot set {INTVL} to 30: Read-only file system\n"
    assert machine.values() == [120, 75, 8]


def test_status_without_a_daemon_compares_policy_and_kernel(machine: Machine) -> None:
    """3 where all is in force all the same, 1 where it is not, 78 where there is no policy."""
    drifted = machine.kad("status", "--policy", machine.policy)
    machine.kad("apply", machine.policy)
    in_force = machine.kad("status", "--policy", machine.policy)
    none = machine.kad("status", "--policy", "/absent.toml")

    assert drifted.returncode == 1
    assert "net.ipv4.tcp_keepalive_time      120 s   7200 s  drifted" in drifted.stdout
    assert in_force.returncode == 3
    assert "not running with this policy" in in_force.stdout
    assert (
        "noticed 6 min after its last packet: 2 min idle, then 8 probes 30 s apart"
        in in_force.stdout
    )
    assert (none.returncode, none.stderr) == (78, "kad: /absent.toml: no such file\n")


def test_status_as_json_has_the_state_file_s_shape(machine: Machine) -> None:
    """What only a daemon knows is null without one."""
    done = machine.kad("status", "--json", "--policy", machine.policy)

    shown = json.loads(done.stdout)
    assert list(shown) == [
        *("version", "generation", "pid", "state", "reason", "warnings", "mode", "policy"),
        *("reload", "checks", "drift", "namespaces", "advice", "sockets"),
    ]
    assert [shown[key] for key in ("generation", "pid", "reload", "checks", "drift")] == [None] * 5
    assert shown["state"] == "drifted"
    assert shown["reason"] == f"{TIME} is 7200, policy says 120 (and 2 more)"
    assert shown["namespaces"][0]["parameters"][TIME] == {
        "policy": 120,
        "found": 7200,
        "state": "drifted",
    }


def test_a_namespace_beside_the_host_s_is_told_and_has_its_own_files(machine: Machine) -> None:
    """kad in a private namespace does not reach the host, and says so."""
    environ = {"RUNTIME_DIRECTORY": "", "STATE_DIRECTORY": ""}
    shell = f"{' '.join(KAD)} status --policy {machine.policy}"
    other = machine.run("unshare", "--net", "sh", "-c", shell, **environ)
    here = machine.kad("status", "--policy", machine.policy, **environ)

    assert "this policy does not apply to the host" in other.stdout
    assert "this policy does not apply to the host" not in here.stdout


def test_check_draws_what_a_dead_connection_goes_through(machine: Machine) -> None:
    """In words and as a line, with the path's idle timeout on it."""
    machine.write_policy(POLICY + '[path]\nidle_timeout = "350s"\n')

    done = machine.kad("check", machine.policy)

    assert done.returncode == 0
    assert f"{machine.policy}: valid" in done.stdout
    assert "|---------------!---!---!---!---!---!---!---!---x" in done.stdout
    assert "path forgets: 5 min 50 s" in done.stdout
    assert "advice" not in done.stdout


def test_check_says_what_the_policy_means_for_other_namespaces(machine: Machine) -> None:
    """Which are meant, which have other values, and which are left alone."""
    more = '[namespaces]\nscope = "all"\nexclude = ["ci-*", "x"]\n'
    more += '[[namespaces.override]]\nmatch = "docker-*.scope"\ntime = "1min"\n'
    machine.write_policy(POLICY + more)

    lines = machine.kad("check", machine.policy).stdout.splitlines()

    assert lines[3:6] == [
        (
            "the same applies in every network namespace of this machine, "
            "except where values were set on purpose"
        ),
        "namespaces matching docker-*.scope get time 60 s",
        "namespaces matching ci-*, x are left alone",
    ]


def test_check_gives_advice_that_is_no_error(machine: Machine) -> None:
    """What an expert would object to, one line each."""
    machine.write_policy(
        '[keepalive]\ntime = "300s"\nintvl = "30min"\nprobes = 3\n[path]\nidle_timeout = 240\n'
    )

    done = machine.kad("check", machine.policy)

    assert done.returncode == 0
    advice = [line for line in done.stdout.splitlines() if line.startswith("advice: ")]
    assert [line.split()[1] for line in advice] == [
        "keepalive.time",
        "keepalive.time",
        "keepalive.probes",
        "a",
    ]


def check_where_the_user_kad_is(machine: Machine, *prefix: str) -> subprocess.CompletedProcess[str]:
    """Run `kad check` on a host with the unit's user."""
    passwd = machine.directory / "passwd"
    passwd.write_text("root:x:0:0::/:/bin/sh\nkad:x:4321:4321::/:/bin/false\n", encoding="ascii")
    group = machine.directory / "group"
    group.write_text("root:x:0:\nkad:x:4321:\n", encoding="ascii")
    mounts = f"mount --bind {passwd} /etc/passwd && mount --bind {group} /etc/group"
    check = f"KAD_POLICY={machine.policy} {' '.join((*prefix, *KAD))} check"
    return machine.run("unshare", "--mount", "sh", "-c", f"{mounts} && {check}")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be another user")
def test_check_by_root_tells_whether_the_unit_s_user_can_read_the_policy(machine: Machine) -> None:
    """A policy only root can read would be rejected by the daemon, and check knows."""
    readable = check_where_the_user_kad_is(machine)
    machine.policy.chmod(0o600)
    unreadable = check_where_the_user_kad_is(machine)

    assert "user kad can read the file" in readable.stdout
    assert unreadable.returncode == 78
    assert unreadable.stderr == (
        f"kad: {machine.policy}: cannot be read by user kad: Permission denied "
        "(chmod 0644, or chgrp kad and 0640)\n"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to take its capabilities")
@pytest.mark.parametrize("lacking", ["-all", "-setuid"])
def test_check_by_a_root_who_cannot_be_another_user_says_nothing_of_that(
    machine: Machine, lacking: str
) -> None:
    """In a container with CAP_NET_ADMIN alone the policy is still checked."""
    done = check_where_the_user_kad_is(machine, "setpriv", f"--bounding-set={lacking}")

    assert (done.returncode, done.stderr) == (0, "")
    assert "kad sets time 120 s" in done.stdout
    assert "user kad" not in done.stdout


def test_a_terminal_gets_colour_and_a_pipe_does_not(machine: Machine) -> None:
    """Plain where it is not a terminal, and with NO_COLOR."""
    command = machine.inside(*KAD, "status", "--policy", machine.policy)

    assert "\x1b[" in on_terminal(command, machine.environ)
    assert "\x1b[" not in on_terminal(command, {**machine.environ, "NO_COLOR": "1"})
    assert "\x1b[" not in machine.kad("status", "--policy", machine.policy).stdout


def on_terminal(command: list[str], environ: dict[str, str]) -> str:
    """Run a command on a terminal; give what it shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=environ, stdout=theirs, stderr=theirs) as process:
        process.wait(60)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    return shown


def read_until(terminal: int, text: str) -> str:
    """Read what a program shows, up to a text; fail where it does not come."""
    shown = ""
    while text not in shown:
        assert select.select([terminal], [], [], PATIENCE_S)[0], shown
        shown += os.read(terminal, 65536).decode()
    return shown


def test_watch_redraws_in_place_until_interrupted(machine: Machine) -> None:
    """The page follows the kernel; ^C ends it with the state's exit status."""
    ours, theirs = pty.openpty()
    command = machine.inside(*KAD, "status", "--watch", "--policy", machine.policy)
    with subprocess.Popen(command, env=machine.environ, stdout=theirs, stderr=theirs) as process:
        shown = read_until(ours, "7200 s")
        machine.set(TIME, 120)
        shown += read_until(ours, "  120 s    120 s")
        os.kill(child_of(process.pid), signal.SIGINT)
        status = process.wait(60)
    os.close(theirs)
    os.close(ours)

    assert status == 1
    assert shown.count("\x1b[H") >= 2
    assert "Traceback" not in shown


def test_output_that_nobody_reads_is_no_traceback(machine: Machine) -> None:
    """`kad status | head -1`, and a full disk."""
    kad = " ".join(KAD)
    piped = machine.run(
        "bash", "-c", f"{kad} plan {machine.policy} | true; echo ${{PIPESTATUS[0]}}"
    )
    full = machine.run("sh", "-c", f"{kad} check {machine.policy} > /dev/full")

    assert (piped.stdout, piped.stderr) == ("1\n", "")
    assert (full.returncode, full.stderr) == (
        70,
        "kad: standard output: No space left on device\n",
    )


def test_a_kernel_value_that_only_the_kernel_takes_is_not_drawn(machine: Machine) -> None:
    """0 and -1 are values of the kernel's; a policy that leaves them out is valid all the same."""
    machine.write_policy("[keepalive]\nprobes = 8\n")
    machine.set(TIME, -1)
    machine.set(INTVL, 0)

    done = machine.kad("check", machine.policy)
    shown = machine.kad("status", "--policy", machine.policy)

    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "keepalive.time is not set: the kernel's value is left alone (now time -1 s" in done.stdout
    )
    assert (shown.returncode, "dead peer" in shown.stdout) == (1, False)


def test_a_path_that_no_terminal_can_show_is_escaped(machine: Machine) -> None:
    """Any byte may stand in a file's name."""
    machine.run("cp", machine.policy, os.fsdecode(b"/run/\xff\x1b[2J.toml"))

    done = machine.run(*KAD, "check", os.fsdecode(b"/run/\xff\x1b[2J.toml"))

    assert done.returncode == 0
    assert done.stdout.startswith(r"/run/\udcff\x1b[2J.toml: valid")


def test_a_command_is_quick_to_start(machine: Machine) -> None:
    """`--version` needs neither the policy's model nor a parser of YAML."""
    code = (
        "import sys; from kad.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass\n"
    )
    code += "print(sorted({'pydantic', 'yaml', 'watchdog', 'sdnotify'} & set(sys.modules)))"

    done = machine.run(KAD[0], "-c", code)

    assert done.stdout.splitlines()[-1] == "[]"
