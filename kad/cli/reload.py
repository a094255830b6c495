"""Ask the running daemon to read its policy, and report its verdict."""

import argparse
import os
import signal
import sys
from time import monotonic, sleep

from kad.cli.daemons import runtime
from kad.core.errors import DeniedError, KadError
from kad.core.status import ReloadStatus
from kad.lock import daemon_pid
from kad.statefile import StateFile

_STEP_S = 0.01
_EXIT = {"accepted": 0, "failed": 1, "rejected": 78}


def reload(arguments: argparse.Namespace) -> int:
    """Send SIGHUP; wait for a reload that began later."""
    directory = runtime()
    noted = int(monotonic() * 1e6)
    pid = _hang_up(directory)
    if pid is None:
        sys.stderr.write(f"kad: {directory}: no daemon is running\n")
        return 1
    answer = _await_answer(directory, noted, pid, arguments.timeout)
    if isinstance(answer, str):
        sys.stderr.write(f"kad: {answer}\n")
        return 1
    for line in (answer.error or "").splitlines():
        sys.stderr.write(f"kad: {line}\n")
    return _EXIT.get(answer.outcome, 1)


def _hang_up(directory: str) -> int | None:
    """Send SIGHUP to the daemon, and to no process that came to have its pid; give the pid."""
    pid = daemon_pid(directory)
    if pid is None:
        return None
    if pid == 0:
        raise KadError(f"{directory}: the daemon is in another pid namespace")
    try:
        descriptor = os.pidfd_open(pid)
        # Asked again, now that the descriptor can stand for no other process.
        if daemon_pid(directory) == pid:
            signal.pidfd_send_signal(descriptor, signal.SIGHUP)
        os.close(descriptor)
    except ProcessLookupError:
        return None
    except PermissionError as error:
        needs = "needs CAP_KILL: run as root or as the daemon's user"
        why = f"cannot signal the daemon (pid {pid}): {error.strerror}; {needs}"
        raise DeniedError(why) from error
    return pid


def _await_answer(directory: str, noted: int, pid: int, patience_s: int) -> ReloadStatus | str:
    """Wait for the answer; a sentence says why there is none."""
    state = StateFile(directory)
    until = monotonic() + patience_s
    while monotonic() < until:
        status = state.read()
        if status is not None and status.reload and status.reload.began_usec >= noted:
            return status.reload
        if daemon_pid(directory) != pid:
            return f"the daemon (pid {pid}) exited before it answered"
        sleep(_STEP_S)
    return f"the daemon (pid {pid}) did not answer within {patience_s} s"
