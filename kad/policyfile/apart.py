"""Validate a policy in a child process, so that the daemon itself never imports pydantic."""

import json
import os
import signal
import sys

from kad.core.errors import Mistake, PolicyError, UncheckedPolicyError
from kad.core.policy import Policy
from kad.masked import signals_blocked

# Less than the unit's TimeoutStartSec=: a start that times out would not use the last good policy.
_PATIENCE_S = 5
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Isolated (-I) from PYTHONPATH and the current directory, and yet of this very kad.
_PROGRAM = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
from kad.policyfile.child import main
main()
"""


def validate_in_child(raw: bytes, path: str) -> Policy:
    """Give what `validate` gives; a child without a verdict leaves the policy rejected."""
    answer = _answer(raw, path)
    try:
        verdict = json.loads(answer)
        if "policy" in verdict:
            return Policy.from_json(verdict["policy"])
        mistakes = [Mistake(path, line, column, text) for line, column, text in verdict["mistakes"]]
    except (ValueError, TypeError, LookupError) as error:
        raise _unchecked(path, f"no verdict in {answer[:40]!r}") from error
    raise PolicyError(*mistakes)


def _answer(raw: bytes, path: str) -> bytes:
    import subprocess  # noqa: PLC0415 - memory and boot time

    command = (sys.executable, "-I", "-c", _PROGRAM, _ROOT, path)
    try:
        with signals_blocked():
            child = subprocess.run(
                command, input=raw, capture_output=True, timeout=_PATIENCE_S, check=False
            )
    except subprocess.TimeoutExpired as error:
        raise _unchecked(path, f"it took more than {_PATIENCE_S} s") from error
    except MemoryError as error:
        raise _unchecked(path, "out of memory") from error
    except OSError as error:  # no more processes or descriptors
        raise _unchecked(path, str(error.strerror)) from error
    if child.returncode:
        raise _unchecked(path, _last_words(child.returncode, child.stderr))
    return child.stdout


def _last_words(status: int, stderr: bytes) -> str:
    if status < 0:
        return f"the child process was ended by a signal: {signal.strsignal(-status)}"
    said = stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return f"the child process ended with status {status}: {said}"


def _unchecked(path: str, why: str) -> PolicyError:
    return UncheckedPolicyError(Mistake(path, 0, 0, f"could not be checked: {why}"))
