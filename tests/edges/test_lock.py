"""One daemon a runtime directory."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kad.core.errors import DeniedError, KadError
from kad.lock import RuntimeLock, daemon_pid

HOLD = "import sys; from kad.lock import RuntimeLock\nwith RuntimeLock(sys.argv[1]):"
HOLD += " print('held', flush=True); sys.stdin.read()"
READ_LOCK = "import fcntl, sys; file = open(sys.argv[1] + '/lock')\n"
READ_LOCK += "fcntl.lockf(file, fcntl.LOCK_SH); print('held', flush=True); sys.stdin.read()"


@contextmanager
def process(code: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Run code until the end of the block."""
    command = [sys.executable, "-c", code, str(directory)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child


def test_the_lock_names_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    """Any user may ask for the daemon's pid; a dead daemon has none, however it died."""
    directory = tmp_path / "run"
    with process(HOLD, directory) as holder:
        while_held = daemon_pid(str(directory))
        holder.kill()

    assert while_held == holder.pid
    assert daemon_pid(str(directory)) is None
    assert stat.S_IMODE((directory / "lock").stat().st_mode) == 0o644


def test_a_second_daemon_is_refused_and_told_the_first_one_s_pid(tmp_path: Path) -> None:
    """Two daemons would undo each other's work for ever."""
    with process(HOLD, tmp_path) as holder, pytest.raises(KadError) as caught:
        RuntimeLock(str(tmp_path))

    assert str(caught.value) == f"{tmp_path}: another kad is already running (pid {holder.pid})"
    assert caught.value.exit_status == 70


def test_a_reader_s_lock_does_not_pose_as_a_daemon(tmp_path: Path) -> None:
    """Who may only read the file cannot make `kad reload` signal a process of its choice."""
    (tmp_path / "lock").touch()

    with process(READ_LOCK, tmp_path):
        assert daemon_pid(str(tmp_path)) is None


def test_a_reader_s_lock_keeps_no_daemon_from_starting(tmp_path: Path) -> None:
    """Any user may have it, and kad runs all the same, as the only one."""
    (tmp_path / "lock").touch()

    with process(READ_LOCK, tmp_path), process(HOLD, tmp_path) as holder:
        assert daemon_pid(str(tmp_path)) == holder.pid
        assert [each.name for each in tmp_path.iterdir()] == ["lock"]
        assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o644
        with pytest.raises(KadError, match=rf"\(pid {holder.pid}\)$"):
            RuntimeLock(str(tmp_path))
        holder.kill()


def test_no_directory_is_no_daemon(tmp_path: Path) -> None:
    """Nothing was ever started here."""
    assert daemon_pid(str(tmp_path / "absent")) is None


def test_a_lock_whose_file_was_removed_is_taken_anew(tmp_path: Path) -> None:
    """`kad status` and `kad reload` find the daemon again, and a second one is refused."""
    hold = HOLD.replace("RuntimeLock(sys.argv[1]):", "RuntimeLock(sys.argv[1]) as lock:")
    code = f"{hold}; print(lock.hold(), lock.hold(), flush=True); sys.stdin.read()"
    directory = tmp_path / "run"
    with process(code.replace("sys.stdin.read();", "sys.stdin.readline();"), directory) as holder:
        shutil.rmtree(directory)
        gone = daemon_pid(str(directory))
        print(file=holder.stdin, flush=True)
        assert holder.stdout is not None
        told = holder.stdout.readline()

        assert gone is None
        assert told == f"{directory}/lock None\n"
        assert daemon_pid(str(directory)) == holder.pid
        with pytest.raises(KadError, match=rf"\(pid {holder.pid}\)$"):
            RuntimeLock(str(directory))
        holder.kill()


def test_a_lock_that_another_daemon_took_meanwhile_is_its(tmp_path: Path) -> None:
    """The file was removed, and a second daemon came first: the error names it."""
    with RuntimeLock(str(tmp_path)) as lock:
        (tmp_path / "lock").unlink()
        with process(HOLD, tmp_path) as other:
            with pytest.raises(KadError, match=rf"already running \(pid {other.pid}\)"):
                lock.hold()
            assert daemon_pid(str(tmp_path)) == other.pid
            other.kill()
            other.wait()

        assert lock.hold() == f"{tmp_path}/lock"


@contextmanager
def nobody() -> Iterator[None]:
    """Have no rights for a while; who has none anyway keeps what they have."""
    root = os.geteuid() == 0
    os.seteuid(65534 if root else os.geteuid())
    try:
        yield
    finally:
        os.seteuid(0 if root else os.geteuid())


def test_a_directory_that_may_not_be_made_is_a_missing_right() -> None:
    """The error says which directory, and how to name another."""
    with nobody(), pytest.raises(DeniedError, match=r"^/kad-run/lock: .*RUNTIME_DIRECTORY"):
        RuntimeLock("/kad-run")


def test_a_directory_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    """A wrong RUNTIME_DIRECTORY gets a sentence."""
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(KadError, match=r"file/lock: .*RUNTIME_DIRECTORY"):
        RuntimeLock(str(file))
