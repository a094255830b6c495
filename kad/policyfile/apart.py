"""Validate a policy in a child process, so that the daemon itself never imports pydantic."""

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from kad.core.errors import Mistake, PolicyError, StoppedError, UncheckedPolicyError
from kad.core.policy import Policy
from kad.masked import signals_blocked

if TYPE_CHECKING:
    from subprocess import Popen

# Less than the unit's TimeoutStartSec=: a start that times out would not use the last good policy.
_PATIENCE_S = 5
# How soon a stop is heard meanwhile.
_STEP_S = 0.1
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Isolated (-I) from PYTHONPATH and the current directory, and yet of this very kad. What ends kad
# ends it too; a SIGHUP for all of kad does not.
_PROGRAM = """\
import signal
signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
import sys
sys.path.insert(0, sys.argv.pop(1))
from kad.policyfile.child import main
main()
"""


def validate_in_child(raw: bytes, path: str, stopped: Callable[[], bool] = lambda: False) -> Policy:
    """Give what `validate` gives; a child without a verdict leaves the policy rejected.

    StoppedError where `stopped` says meanwhile that kad is to stop.
    """
    answer = _answer(raw, path, stopped)
    try:
        verdict = json.loads(answer)
        if "policy" in verdict:
            return Policy.from_json(verdict["policy"])
        mistakes = [Mistake(path, line, column, text) for line, column, text in verdict["mistakes"]]
    except (ValueError, TypeError, LookupError) as error:
        raise _unchecked(path, f"no valid result in {answer[:40]!r}") from error
    raise PolicyError(*mistakes)


def _answer(raw: bytes, path: str, stopped: Callable[[], bool]) -> bytes:
    try:
        status, answer, said = _run(raw, path, stopped)
    except TimeoutError as error:
        raise _unchecked(path, f"no result within {_PATIENCE_S} s") from error
    except MemoryError as error:
        raise _unchecked(path, "out of memory") from error
    except OSError as error:  # no more processes or descriptors
        raise _unchecked(path, str(error.strerror)) from error
    if status:
        raise _unchecked(path, _last_words(status, said))
    return answer


def _run(raw: bytes, path: str, stopped: Callable[[], bool]) -> tuple[int, bytes, bytes]:
    """Give the child's status, and what it said on stdout and stderr."""
    import subprocess  # noqa: PLC0415 - memory and boot time

    command = (sys.executable, "-I", "-c", _PROGRAM, _ROOT, path)
    # Not a pipe, of which communicate() forgets the rest when it is called again.
    with os.fdopen(os.memfd_create("kad-policy"), "w+b") as policy:
        policy.write(raw)
        policy.seek(0)
        with signals_blocked():
            child = subprocess.Popen(
                command, stdin=policy, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
    with child:
        try:
            answer, said = _hear(child, stopped)
        finally:
            child.kill()  # where it has not ended
    return child.returncode, answer, said


def _hear(child: "Popen[bytes]", stopped: Callable[[], bool]) -> tuple[bytes, bytes]:
    from subprocess import TimeoutExpired  # noqa: PLC0415 - memory and boot time

    until = monotonic() + _PATIENCE_S
    heard = None
    while heard is None and not stopped() and monotonic() < until:
        with suppress(TimeoutExpired):
            heard = child.communicate(timeout=_STEP_S)
    if stopped():  # which may be what ended the child
        raise StoppedError
    if heard is None:
        raise TimeoutError
    return heard


def _last_words(status: int, stderr: bytes) -> str:
    if status < 0:
        return f"the child process was terminated by a signal: {signal.strsignal(-status)}"
    said = stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return f"the child process exited with status {status}: {said}"


def _unchecked(path: str, why: str) -> PolicyError:
    return UncheckedPolicyError(Mistake(path, 0, 0, f"could not be checked: {why}"))
