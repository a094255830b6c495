"""Be the `kad` command: parse, run, print, exit."""

import errno
import io
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING

from kad.core.errors import KadError, UsageError, os_error_words

if TYPE_CHECKING:
    from argparse import Namespace

_HANDLERS = {
    "run": ("run", "run"),
    "check": ("check", "check"),
    "plan": ("once", "plan"),
    "apply": ("once", "apply"),
    "reload": ("reload", "reload"),
    "status": ("status", "status"),
    "namespaces": ("namespaces", "namespaces"),
    "sockets": ("sockets", "sockets"),
    "demo": ("demo", "demo"),
    "import": ("importing", "import_"),
    "export": ("exporting", "export"),
    "schema": ("schema", "schema"),
}
# What refuses to take kad's output, which has no name.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; give its exit status. A bug keeps its traceback and exits 70."""
    _prepare_streams()
    words = sys.argv[1:] if argv is None else argv
    try:
        return _flushed(_dispatch(words))
    except KadError as error:
        _complain(error, *_where_to_read_on(error, words))
        return error.exit_status
    except KeyboardInterrupt:
        return 128 + 2  # as a shell has it for SIGINT
    except BrokenPipeError:
        _discard_output()
        return 128 + 13  # as a shell has it for SIGPIPE
    except OSError as error:  # the system's word, not kad's mistake: a full disk, no descriptor
        if error.filename is None and error.errno in _NO_ROOM:
            error.filename = "standard output"
        _complain(KadError(os_error_words(error)))
        _discard_output()
        return 70
    except Exception:  # noqa: BLE001  # the last resort: it is told, with its traceback
        import traceback  # noqa: PLC0415  # memory and boot time

        traceback.print_exc()
        sys.stderr.write("kad: this is a bug in kad: please report the lines above\n")
        return 70


def _flushed(status: int) -> int:
    """Give the status, though the reader may have seen enough: as in `kad status | head -1`."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    return status


def _discard_output() -> None:
    """Have Python's own flush at exit succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prepare_streams() -> None:
    """Keep what is opened next from getting the number of a stream that the caller closed."""
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:  # noqa: PLR2004  # stderr
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="ascii")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="ascii")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file name may be in no encoding at all
        sys.stdout.reconfigure(errors="backslashreplace")


def _dispatch(argv: Sequence[str]) -> int:
    arguments = _of_the_unit(argv) or _parsed(argv)
    module, function = _HANDLERS[arguments.command]
    # By name, so that a command imports only what it needs itself.
    status: int = getattr(import_module(f"kad.cli.{module}"), function)(arguments)
    return status


def _of_the_unit(argv: Sequence[str]) -> SimpleNamespace | None:
    """Take the unit's own command line as it is: argparse would cost the boot some milliseconds."""
    return SimpleNamespace(command="run", policy=None) if list(argv) == ["run"] else None


def _parsed(argv: Sequence[str]) -> "Namespace":
    from kad.cli.arguments import parse  # noqa: PLC0415  # memory and boot time

    return parse(argv)


def _where_to_read_on(error: KadError, words: Sequence[str]) -> Iterator[str]:
    if isinstance(error, UsageError):
        command = "".join(f"{word} " for word in words[:1] if word in _HANDLERS)
        yield f"Try 'kad {command}--help'."


def _complain(error: KadError, *hints: str) -> None:
    lines = [*(f"kad: {line}" for line in error.lines()), *hints]
    try:
        sys.stderr.writelines(f"{line}\n" for line in lines)
        sys.stderr.flush()
    except OSError:  # nobody to tell; the exit status still does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
