"""kad works whether or not somebody reads what it says."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.row import TIME, Command
from tests.faults.scene import WANTED, Scene, scene_for
from tests.faults.table import COMMANDS
from tests.netns import KAD, Daemon, wait_until

DRIFT = f"<4>drift: {TIME} is 7200, policy says 120; restored"


@contextmanager
def logging_to(scene: Scene, stderr: str) -> Iterator[Daemon]:
    """Run a daemon whose stderr a shell has redirected."""
    shell = ("sh", "-c", f'exec "$@" {stderr}', "sh")
    daemon = Daemon(scene.machine, (*shell, *KAD, "run", "--policy", scene.policy), {})
    try:
        daemon.wait_for("READY=1")
        yield daemon
    finally:
        daemon.close()


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_a_stderr_that_takes_nothing_changes_nothing(stderr: str) -> None:
    """Values in force, drift put right, and the exit status of a good end."""
    with scene_for() as scene, logging_to(scene, stderr) as daemon:
        scene.drift(7200)
        wait_until(lambda: scene.values() == WANTED)

        assert daemon.stop() == 0


def drained(pipe: int) -> bytes:
    """Read all that is in a pipe."""
    content = b""
    with suppress(BlockingIOError):
        while chunk := os.read(pipe, 65536):
            content += chunk
    return content


def test_a_pipe_that_nobody_reads_does_not_stop_the_work() -> None:
    """How many lines are lost is said as soon as there is room for it."""
    with scene_for() as scene:
        os.mkfifo(scene.seen("/run/pipe"))
        pipe = os.open(scene.seen("/run/pipe"), os.O_RDWR | os.O_NONBLOCK)
        with suppress(BlockingIOError):
            while True:
                os.write(pipe, b"x" * 4096)
        with logging_to(scene, "2>/run/pipe") as daemon:
            scene.drift(7200)
            wait_until(lambda: scene.values() == WANTED)
            drained(pipe)
            scene.drift(7200)
            wait_until(lambda: scene.values() == WANTED)
            os.set_blocking(pipe, True)
            told = os.read(pipe, 65536).decode("ascii").splitlines()

            assert told == ["<4>log lines dropped because stderr was blocked: 5", DRIFT]
            assert daemon.stop() == 0
        os.close(pipe)


def test_entries_go_to_the_journal_again_once_it_reads() -> None:
    """What it did not take went to stderr: nothing is lost, and nothing is told twice."""
    with scene_for() as scene:
        path = scene.seen("/run/systemd/journal/socket")
        path.parent.mkdir(parents=True)
        with scene.started((), {"JOURNAL_STREAM": "{stream}"}, "status.json") as daemon:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
                journald.bind(str(path))
                scene.drift(7200)
                entry = journald.recv(65536)

            assert f"MESSAGE={DRIFT.removeprefix('<4>')}\n".encode() in entry
            assert DRIFT not in daemon.lines()


def test_a_machine_that_was_suspended_is_put_right_when_it_wakes() -> None:
    """SIGSTOP is the nearest to it: a value and the policy change, and kad sees neither."""
    with scene_for() as scene, scene.started((), {}, "status.json") as daemon:
        daemon.signal(signal.SIGSTOP)
        wait_until(lambda: "T (stopped)" in Path(f"/proc/{daemon.pid}/status").read_text("ascii"))
        scene.machine.write_policy(scene.policy.read_text("utf-8").replace("30s", "20s"))
        scene.drift(7200)
        daemon.signal(signal.SIGCONT)
        wait_until(lambda: scene.values() == (120, 20, 8))
        scene.check_now("status.json")

        assert sorted(daemon.lines()[4:]) == sorted(
            scene.sentences(
                [
                    DRIFT,
                    "<6>net.ipv4.tcp_keepalive_intvl set to 20 (was 30)",
                    "<6>policy {policy} in force: time 120 s, intvl 20 s, probes 8",
                ]
            )
        )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.line)
def test_a_command_that_cannot_do_its_work_says_so(command: Command) -> None:
    """A sentence and an exit status, and never a traceback."""
    with scene_for() as scene, scene.started((), {}, "status.json"):
        line = command.line.replace("kad", " ".join(KAD)).format(policy=scene.policy)
        done = scene.machine.run("sh", "-c", line)

        assert done.stderr.splitlines() == scene.sentences(command.log)
        assert done.returncode == command.status
