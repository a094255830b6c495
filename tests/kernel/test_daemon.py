"""The daemon against the real kernel, driven only from outside."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import INTVL, PROBES, TIME
from tests.kernel.conftest import POLICY
from tests.netns import KAD, Daemon, Machine, wait_until

WANTED = [120, 30, 8]
DEFAULTS = [7200, 75, 9]
IN_FORCE = "STATUS=in-force: time 120 s, intvl 30 s, probes 8"
RESTORED = f"<4>drift: {TIME} is 7200, policy says 120; restored"
EVERY_SECOND = POLICY.replace("1d", "1s")
BAD = "[keepalive]\nprobes = 0\n"


def test_ready_means_that_the_values_are_in_the_kernel(machine: Machine) -> None:
    """What starts after kad starts with its values."""
    with machine.daemon() as daemon:
        assert machine.values() == WANTED
        assert daemon.heard()[:2] == ["READY=1", IN_FORCE]
        assert daemon.lines() == [
            f"<6>{TIME} set to 120 (was 7200)",
            f"<6>{INTVL} set to 30 (was 75)",
            f"<6>{PROBES} set to 8 (was 9)",
            f"<6>policy {machine.policy} in force: time 120 s, intvl 30 s, probes 8",
        ]
        assert daemon.stop() == 0
        assert daemon.heard()[-1] == "STOPPING=1"
    assert machine.values() == WANTED


def test_drift_is_restored_and_named(machine: Machine) -> None:
    """`sysctl -w` in a second shell: the value returns, and the journal says it."""
    machine.write_policy(EVERY_SECOND)
    with machine.daemon() as daemon:
        machine.set(TIME, 7200)
        daemon.wait_for_line(RESTORED)

        assert machine.values() == WANTED
        assert machine.kad("status").returncode == 0


def test_a_value_set_by_way_of_another_procfs_mount_is_found_by_the_timer(machine: Machine) -> None:
    """No event tells of such a write; the timer is the guarantee."""
    machine.write_policy(EVERY_SECOND)
    other = machine.directory / "proc"
    other.mkdir()
    path = f"{other}/sys/{TIME.replace('.', '/')}"
    write = f"mount -t proc proc {other} && echo 7200 > {path}"
    with machine.daemon() as daemon:
        assert machine.run("unshare", "--mount", "sh", "-c", write).returncode == 0
        daemon.wait_for_line(RESTORED)

        assert machine.get(TIME) == 120


def test_a_write_in_a_child_namespace_is_no_drift(machine: Machine) -> None:
    """A container's own values are not the host's."""
    write = f"echo 600 > /proc/sys/{TIME.replace('.', '/')}; cat /proc/sys/{TIME.replace('.', '/')}"
    with machine.daemon() as daemon:
        done = machine.run("unshare", "--net", "sh", "-c", write)
        assert machine.kad("reload").returncode == 0

        assert done.stdout == "600\n"
        assert not [line for line in daemon.lines() if "drift" in line]


@pytest.mark.parametrize(
    ("policy", "ending"),
    [
        (EVERY_SECOND + 'action = "warn"\n', "left (warn)"),
        ('mode = "audit"\n' + EVERY_SECOND, "left (audit)"),
    ],
    ids=["warn", "audit"],
)
def test_what_kad_is_told_to_leave_is_left_and_named_once(
    machine: Machine, policy: str, ending: str
) -> None:
    """STATUS= and `kad status` keep saying what the journal said once."""
    machine.write_policy(policy)
    machine.kad("apply", "--policy", machine.policy)
    with machine.daemon() as daemon:
        machine.set(TIME, 600)
        daemon.wait_for_line(f"<4>drift: {TIME} is 600, policy says 120; {ending}")
        shown = machine.kad("status")
        reload = machine.kad("reload")
        machine.set(TIME, 120)
        daemon.wait_for_line(f"<5>{TIME} is 120 as policy says")

        assert shown.returncode == 1
        assert f"{TIME}      120 s    600 s  drifted" in shown.stdout
        assert reload.returncode == 0
        assert len([line for line in daemon.lines() if f"{TIME} is 600" in line]) == 1


def sed(machine: Machine) -> None:
    """Edit with a script."""
    subprocess.run(["sed", "-i", "s/2min/90s/", machine.policy], check=True)


def in_place(machine: Machine) -> None:
    """Write into the file."""
    machine.policy.write_text(POLICY.replace("2min", "90s"), encoding="utf-8")


def rename_over(machine: Machine) -> None:
    """Replace the file as an editor does."""
    machine.write_policy(POLICY.replace("2min", "90s"))


def vim(machine: Machine) -> None:
    """Edit with the real vim, keeping a backup by renaming."""
    options = ["-u", "NONE", "-c", "set backup backupcopy=no", "-c", "%s/2min/90s/", "-c", "wq"]
    command = ["vim", "-e", "-s", *options, str(machine.policy)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def delete_and_create(machine: Machine) -> None:
    """Remove the file, be slow, and write another."""
    machine.policy.unlink()
    rename_over(machine)


def replace_the_directory(machine: Machine) -> None:
    """Turn a link on the way to another directory."""
    new = machine.directory / "new"
    new.mkdir()
    (new / "policy.toml").write_text(POLICY.replace("2min", "90s"), encoding="utf-8")
    (new / "policy.toml").chmod(0o644)
    (machine.directory / "etc").rename(machine.directory / "old")
    new.rename(machine.directory / "etc")


WAYS = [sed, in_place, rename_over, vim, delete_and_create]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_changed_file_is_in_force_without_being_asked_for(
    machine: Machine, way: Callable[[Machine], None]
) -> None:
    """Save the file: that is all. The timer is a day away."""
    if way is vim and not shutil.which("vim"):
        pytest.skip("needs vim")
    with machine.daemon() as daemon:
        way(machine)
        daemon.wait_for_line(f"<6>{TIME} set to 90 (was 120)")

        assert machine.values() == [90, 30, 8]
        if way in {sed, rename_over}:  # the others leave a gap, which a slow machine can show
            assert not [line for line in daemon.lines() if line.startswith("<3>")]


def test_a_replaced_directory_is_in_force_too(machine: Machine) -> None:
    """As an image-based system updates /etc."""
    etc = machine.directory / "etc"
    etc.mkdir()
    machine.policy = etc / "policy.toml"
    machine.write_policy(POLICY)
    with machine.daemon() as daemon:
        replace_the_directory(machine)
        daemon.wait_for_line(f"<6>{TIME} set to 90 (was 120)")


def test_a_burst_of_changes_is_one_pass(machine: Machine) -> None:
    """An editor's steps, or fifty saves at once, are one validation and one line."""
    with machine.daemon() as daemon:
        wait_until(lambda: machine.state_file()["generation"] == 0)
        for seconds in range(40, 90):
            machine.write_policy(POLICY.replace("2min", f"{seconds}s"))
        daemon.wait_for_line(
            f"<6>policy {machine.policy} in force: time 89 s, intvl 30 s, probes 8"
        )

        assert len([line for line in daemon.lines() if "in force" in line]) < 10
        assert machine.get(TIME) == 89


def test_a_policy_that_kad_reads_does_not_wake_it(machine: Machine) -> None:
    """Idle means idle: no thread of the daemon runs between timers."""
    # In the machine's own /run: who makes files in /tmp wakes the threads that watch it.
    machine.run("cp", machine.policy, "/run/policy.toml")
    with machine.daemon("--policy", "/run/policy.toml") as daemon:
        switches(daemon, after=1.0)

        assert switches(daemon) == switches(daemon, after=2.0)


def switches(daemon: Daemon, after: float = 0) -> int:
    """Give how often threads of the daemon have given up a processor, some seconds from now."""
    subprocess.run(["sleep", str(after)], check=True)
    texts = [path.read_text("ascii") for path in Path(f"/proc/{daemon.pid}/task").glob("*/status")]
    lines = [line for text in texts for line in text.splitlines() if "ctxt_switches" in line]
    return sum(int(line.split()[1]) for line in lines)


def test_the_daemon_never_imports_what_only_validation_needs(machine: Machine) -> None:
    """pydantic costs more memory than all of kad: it lives in a short-lived child."""
    machine.write_policy(EVERY_SECOND)
    with machine.daemon() as daemon:
        machine.write_policy(EVERY_SECOND.replace("2min", "90s"))
        daemon.wait_for_line(f"<6>{TIME} set to 90 (was 120)")

        maps = Path(f"/proc/{daemon.pid}/maps").read_text(encoding="utf-8")
        assert "pydantic" not in maps
        assert "yaml" not in maps


def test_reload_reports_the_daemon_s_verdict(machine: Machine) -> None:
    """0 accepted, 78 rejected with the reason, 1 no daemon; the last good policy stays."""
    nobody = machine.kad("reload")
    with machine.daemon() as daemon:
        good = machine.kad("reload")
        machine.write_policy(BAD)
        bad = machine.kad("reload")
        shown = machine.kad("status")

        mistake = (
            f"{machine.policy}:2:10: keepalive.probes: must be 1 to 127, got 0 "
            "(0 would cut healthy idle connections)"
        )
        assert (nobody.returncode, "no daemon" in nobody.stderr) == (1, True)
        assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
        assert (bad.returncode, bad.stderr) == (78, f"kad: {mistake}\n")
        assert machine.values() == WANTED
        assert f"<3>policy rejected, the last good one stays: {mistake}" in daemon.lines()
        assert (shown.returncode, mistake in shown.stdout) == (1, True)
        assert machine.state_file()["state"] == "degraded"
        assert machine.state_file()["generation"] == 2


def test_a_daemon_that_does_not_answer_is_told_of(machine: Machine) -> None:
    """Who asks waits no longer than was said, and learns which process hangs."""
    with machine.daemon() as daemon:
        daemon.signal(signal.SIGSTOP)
        done = machine.kad("reload", "--timeout", "1")
        daemon.signal(signal.SIGCONT)

        assert done.returncode == 1
        assert re.fullmatch(r"kad: the daemon \(pid \d+\) did not answer within 1 s\n", done.stderr)


def test_sighup_alone_is_answered_as_notify_reload_wants_it(machine: Machine) -> None:
    """RELOADING=1 with the time, then READY=1."""
    with machine.daemon() as daemon:
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("READY=1", times=2)

        told = daemon.heard()
        at = told.index("RELOADING=1")
        assert told[at + 1].startswith("MONOTONIC_USEC=")
        assert told[at + 2] == "READY=1"


def test_forty_reloads_are_forty_answers(machine: Machine) -> None:
    """No reload returns before its own policy is in force."""
    with machine.daemon() as daemon:
        for seconds in range(40, 80):
            machine.write_policy(POLICY.replace("2min", f"{seconds}s"))
            assert machine.kad("reload").returncode == 0
            assert machine.get(TIME) == seconds
            daemon.heard()
        assert machine.state_file()["generation"] == 40


def test_the_service_watchdog_is_fed(machine: Machine) -> None:
    """At half of WATCHDOG_USEC, from the loop."""
    with machine.daemon(WATCHDOG_USEC="200000") as daemon:
        daemon.wait_for("WATCHDOG=1", times=5)
        daemon.signal(signal.SIGSTOP)
        wait_until(lambda: "T (stopped)" in Path(f"/proc/{daemon.pid}/status").read_text("ascii"))
        count = daemon.heard().count("WATCHDOG=1")
        daemon.signal(signal.SIGCONT)
        daemon.wait_for("WATCHDOG=1", times=count + 2)


def test_a_second_daemon_is_refused_with_the_first_one_s_pid(machine: Machine) -> None:
    """And the first is not disturbed."""
    with machine.daemon() as daemon:
        second = machine.kad("run", "--policy", machine.policy)

        assert second.returncode == 70
        assert "another kad is already running (pid " in second.stderr
        assert daemon.process.poll() is None
        assert machine.kad("status").returncode == 0


def test_a_bad_policy_at_start_is_replaced_by_the_last_good_one(machine: Machine) -> None:
    """A reboot with a mistake in the file keeps the host's keepalive; a mended file ends it."""
    with machine.daemon() as daemon:
        daemon.stop()
    machine.set(TIME, 7200)
    machine.write_policy(BAD)
    with machine.daemon() as daemon:
        assert machine.values() == WANTED
        assert machine.state_file()["state"] == "degraded"
        assert daemon.lines()[0].startswith("<3>policy rejected, the last good one stays: ")

        machine.write_policy(POLICY)
        daemon.wait_for_line(f"<5>policy {machine.policy} is valid again")
        wait_until(lambda: machine.state_file()["state"] == "in-force")


def test_a_bad_policy_without_a_last_good_one_is_78_and_says_what_to_do(machine: Machine) -> None:
    """The same for a missing file, even where there is a last good one."""
    machine.write_policy(BAD)
    bad = machine.kad("run", "--policy", machine.policy)
    machine.write_policy(POLICY)
    with machine.daemon() as daemon:
        daemon.stop()
    machine.policy.unlink()
    missing = machine.kad("run", "--policy", machine.policy)

    for done in (bad, missing):
        assert done.returncode == 78
        assert done.stderr.endswith("mend it, then: systemctl start kad\n")
    assert f"kad: {machine.policy}: no such file\n" in missing.stderr


def test_a_policy_that_is_removed_later_stays_in_force(machine: Machine) -> None:
    """Gone later is like bad later."""
    with machine.daemon() as daemon:
        machine.policy.unlink()
        line = f"<3>policy rejected, the last good one stays: {machine.policy}: no such file"
        daemon.wait_for_line(line)
        machine.set(TIME, 7200)
        machine.kad("reload")

        assert machine.values() == WANTED


def test_on_stop_restore_survives_a_crash_in_between(machine: Machine) -> None:
    """What kad found before its first write is put back, also by the daemon after the next."""
    machine.write_policy(POLICY + '[on_stop]\nvalues = "restore"\n')
    machine.set(PROBES, 7)
    with machine.daemon() as daemon:
        daemon.signal(signal.SIGKILL)
        daemon.wait()
    killed = machine.values()
    with machine.daemon() as daemon:
        machine.set(INTVL, 20)
        assert daemon.stop() == 0

    assert killed == WANTED
    assert machine.values() == [7200, 20, 7]


@pytest.mark.parametrize("state", ["idle", "degraded", "fight", "burst", "validating"])
def test_sigterm_ends_the_daemon_in_each_state(machine: Machine, state: str) -> None:
    """Whatever it is at, a stop is a stop; the next timer is a day away."""
    machine.write_policy(EVERY_SECOND if state == "fight" else POLICY)
    with machine.daemon() as daemon:
        if state == "degraded":
            machine.write_policy(BAD)
            machine.kad("reload")
        if state == "fight":
            for _ in range(6):
                machine.set(TIME, 7200)
                daemon.signal(signal.SIGHUP)
                wait_until(lambda: machine.get(TIME) == 120 or "in 60 s" in daemon.lines()[-1])
        if state in {"burst", "validating"}:
            for seconds in range(40, 60 if state == "burst" else 41):
                machine.write_policy(POLICY.replace("2min", f"{seconds}s"))
        assert daemon.stop() == 0


HANGING = """\
import sys
from kad.cli import main
sys.executable = sys.argv.pop(1)
sys.exit(main(sys.argv[1:]))
"""


def hanging(machine: Machine) -> tuple[object, ...]:
    """Give a kad whose child hangs, instead of validating, while there is a file `hang`."""
    child = machine.directory / "child"
    child.write_text(
        f"#!/bin/sh\ncd {machine.directory}\n[ ! -e hang ] || {{ : > hangs; exec sleep 600; }}\n"
        f'exec {sys.executable} "$@"\n',
        encoding="ascii",
    )
    child.chmod(0o755)
    return (sys.executable, "-c", HANGING, child, "run", "--policy", machine.policy)


def test_sigterm_ends_a_start_whose_policy_is_being_validated(machine: Machine) -> None:
    """A validation that hangs is not waited for, and a start that was stopped has not failed."""
    (machine.directory / "hang").touch()
    daemon = Daemon(machine, hanging(machine), {})
    try:
        wait_until((machine.directory / "hangs").exists)
        status = daemon.stop()

        assert (status, daemon.lines(), machine.values()) == (0, [], DEFAULTS)
    finally:
        daemon.close()


def test_sigterm_ends_the_daemon_while_a_new_policy_is_being_validated(machine: Machine) -> None:
    """A validation that hangs is not waited for, and rejects nothing."""
    with machine.daemon(program=hanging(machine)) as daemon:
        (machine.directory / "hang").touch()
        before = daemon.lines()
        machine.write_policy(EVERY_SECOND)
        daemon.signal(signal.SIGHUP)
        wait_until((machine.directory / "hangs").exists)

        assert daemon.stop() == 0
        assert daemon.lines() == before
        assert daemon.heard()[-1] == "STOPPING=1"


def test_the_state_file_may_be_read_by_anybody_and_the_policy_s_copy_by_root(
    machine: Machine,
) -> None:
    """Whatever umask the daemon was started with."""
    shell = f"umask 077; exec {' '.join(KAD)} run --policy {machine.policy}"
    with machine.daemon(program=("sh", "-c", shell)):
        directory = (machine.directory / "run").stat().st_mode
        wait_until((machine.state / "policy.json").exists)
        mode = (machine.directory / "run/status.json").stat().st_mode
        wait_until((machine.state / "policy.json").exists)  # it is kept after READY=1
        kept = (machine.state / "policy.json").stat().st_mode

        assert stat.S_IMODE(directory) == 0o755
        assert stat.S_IMODE(mode) == 0o644
        assert stat.S_IMODE(kept) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be another user")
def test_another_user_sees_the_daemon_s_copy_of_a_policy_it_may_not_read(machine: Machine) -> None:
    """`kad status` works for everybody; `kad reload` says which right is missing."""
    machine.policy.chmod(0o600)
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *KAD]
    with machine.daemon():
        shown = machine.run(*nobody, "status")
        reload = machine.run(*nobody, "reload")

        assert (shown.returncode, "120 s    120 s  in force" in shown.stdout) == (0, True)
        assert reload.returncode == 77
        assert "Operation not permitted" in reload.stderr


def test_apply_warns_of_a_daemon_that_will_undo_it(machine: Machine) -> None:
    """Two policies for one kernel: the daemon's wins, maybe before apply has looked."""
    other = machine.directory / "other.toml"
    other.write_text("[keepalive]\ntime = 90\n", encoding="utf-8")
    other.chmod(0o644)
    with machine.daemon():
        same = machine.kad("apply", machine.policy)
        done = machine.kad("apply", other)

    assert same.stderr == ""
    assert done.returncode in {0, 1}
    assert f"runs another policy, {machine.policy}, and will undo this" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount over /etc")
def test_two_files_in_etc_are_a_mistake_that_names_both(machine: Machine) -> None:
    """At start 78; while kad runs, the policy in force stays."""
    options = "lowerdir=/etc,upperdir=/run/upper,workdir=/run/work"
    machine.run("mkdir", "/run/upper", "/run/work")
    assert machine.run("mount", "-t", "overlay", "overlay", "/etc", "-o", options).returncode == 0
    machine.run("rm", "-rf", "/etc/kad")
    machine.run("mkdir", "/etc/kad")
    machine.run("cp", machine.policy, "/etc/kad/policy.toml")
    runs = Daemon(machine, (*KAD, "run"), {})
    runs.wait_for("READY=1")

    machine.run("cp", machine.policy, "/etc/kad/policy.yml")
    wait_until(lambda: "policy.yml" in runs.lines()[-1])
    values, rejected = machine.values(), runs.lines()[-1]
    runs.close()
    started = machine.kad("run")

    assert values == WANTED
    assert started.returncode == 78
    for text in (rejected, started.stderr):
        assert "/etc/kad: more than one policy file: policy.toml, policy.yml" in text


def test_without_root_kad_keeps_a_user_s_own_namespace(rootless: Machine) -> None:
    """As in a rootless container: root inside, no rights outside."""
    rootless.write_policy(EVERY_SECOND)
    with rootless.daemon() as daemon:
        rootless.set(TIME, 7200)
        daemon.wait_for_line(RESTORED)

        assert rootless.values() == WANTED
        assert rootless.kad("reload").returncode == 0
        assert rootless.kad("status").returncode == 0
        assert daemon.stop() == 0


def test_without_a_state_directory_a_crash_still_does_not_lose_what_was_found(
    machine: Machine,
) -> None:
    """`on_stop = "restore"` keeps its promise where nothing outlives the boot."""
    machine.write_policy(POLICY + '[on_stop]\nvalues = "restore"\n')
    environ = {"STATE_DIRECTORY": "/absent"}
    with machine.daemon(**environ) as daemon:
        daemon.signal(signal.SIGKILL)
        daemon.wait()
    with machine.daemon(**environ) as daemon:
        daemon.stop()

    assert machine.values() == DEFAULTS


@pytest.mark.parametrize("attempt", range(5))
def test_a_signal_that_comes_with_others_or_while_stopped_is_heard_at_once(
    machine: Machine, attempt: int
) -> None:
    """The kernel may give a signal to any thread; kad's loop is woken all the same."""
    with machine.daemon() as daemon:
        daemon.signal(signal.SIGSTOP)
        daemon.signal(signal.SIGHUP)
        daemon.signal(signal.SIGCONT)
        daemon.wait_for("READY=1", times=2)
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM)[attempt % 2 :]:
            daemon.signal(number)

        assert daemon.wait() == 0


def test_no_thread_but_the_main_one_takes_the_daemon_s_signals(machine: Machine) -> None:
    """SigBlk of proc(5): SIGHUP, SIGINT and SIGTERM are blocked in each of them."""
    wanted = sum(1 << number - 1 for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM))
    with machine.daemon() as daemon:
        pid = str(daemon.pid)

        def blocked() -> dict[str, int]:
            found = {}
            for task in Path(f"/proc/{pid}/task").iterdir():
                status = (task / "status").read_text("ascii").splitlines()
                mask = next(line for line in status if line.startswith("SigBlk"))
                found[task.name] = int(mask.split()[1], 16) & wanted
            return found

        # The main thread blocks them too while it starts the others.
        wait_until(lambda: len(blocked()) > 1 and blocked()[pid] == 0)
        assert {mask for task, mask in blocked().items() if task != pid} == {wanted}


@pytest.mark.parametrize("attempt", range(5))
def test_a_config_map_that_is_swapped_right_after_the_start_is_seen(
    machine: Machine, attempt: int
) -> None:
    """kubelet turns `..data` to a new directory and removes the old one, whenever it likes."""
    volume = machine.directory / "volume"
    volume.mkdir()
    for name, time in (("..1", "2min"), ("..2", "90s")):
        (volume / name).mkdir()
        (volume / name / "policy.toml").write_text(POLICY.replace("2min", time), encoding="utf-8")
        (volume / name / "policy.toml").chmod(0o644)
    (volume / "..data").symlink_to("..1")
    (volume / "policy.toml").symlink_to("..data/policy.toml")

    with machine.daemon("--policy", volume / "policy.toml") as daemon:
        subprocess.run(["sleep", str(attempt * 0.005)], check=True)
        (volume / "..data_tmp").symlink_to("..2")
        (volume / "..data_tmp").rename(volume / "..data")
        shutil.rmtree(volume / "..1")
        daemon.wait_for_line(f"<6>{TIME} set to 90 (was 120)")

        assert not [line for line in daemon.lines() if "no longer watching" in line]


def test_a_start_on_an_unchanged_policy_imports_nothing_heavy_before_ready(
    machine: Machine,
) -> None:
    """kad stands on the boot's critical path: what validates, parses or watches comes later."""
    machine.run("mount", "-t", "tmpfs", "tmpfs", "/mnt")
    machine.run("cp", machine.policy, "/mnt/policy.toml")
    environ = {"KAD_POLICY": "/mnt/policy.toml"}
    with machine.daemon(program=(*KAD, "run"), **environ) as daemon:
        wait_until((machine.state / "policy.json").exists)
        daemon.stop()
    machine.set(TIME, 7200)

    timed = (KAD[0], "-X", "importtime", *KAD[1:], "run")
    with machine.daemon(program=timed, **environ) as daemon:
        daemon.wait_for_line(
            "<6>policy /mnt/policy.toml in force: time 120 s, intvl 30 s, probes 8"
        )
        lines = daemon.lines()

    at = next(number for number, line in enumerate(lines) if " in force: " in line)
    imported = {line.rpartition("|")[2].strip() for line in lines[:at] if "import time" in line}
    heavy = {"pydantic", "yaml", "watchdog", "tomllib", "subprocess", "argparse", "asyncio"}
    assert "kad.daemon.loop" in imported
    assert not imported & heavy
    assert not {each for each in imported if each.startswith(("kad.sockets", "kad.core.sockets"))}
