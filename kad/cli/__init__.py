"""Be the `kad` command: parse, run, print, exit."""

import os
import sys
from collections.abc import Sequence

from kad.core.errors import KadError, UsageError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; give its exit status. A bug keeps its traceback and exits 70."""
    _fill_closed_streams()
    try:
        status = _dispatch(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except KadError as error:
        _complain(error)
        return error.exit_status
    except KeyboardInterrupt:
        return 130  # as a shell has it for SIGINT
    except BrokenPipeError:
        _discard_output()  # the reader has seen enough, as in `kad status | head -1`
        return 0
    except OSError as error:  # the system's word, not kad's mistake: a full disk, no descriptor
        sys.stderr.write(f"kad: {error.filename or 'standard output'}: {error.strerror}\n")
        _discard_output()
        return 70
    except Exception:  # noqa: BLE001  # the last resort: it is told, with its traceback
        import traceback  # noqa: PLC0415  # memory and boot time

        traceback.print_exc()
        sys.stderr.write("kad: this is a bug in kad: please report the lines above\n")
        return 70
    return status


def _discard_output() -> None:
    """Have Python's own flush at exit succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fill_closed_streams() -> None:
    """Keep what is opened next from getting the number of a stream that the caller closed."""
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:  # noqa: PLR2004  # stderr
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="ascii")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="ascii")  # noqa: SIM115


def _dispatch(argv: Sequence[str]) -> int:
    from kad.cli.arguments import parse  # noqa: PLC0415  # memory and boot time

    arguments = parse(argv)
    command = arguments.command
    if command == "run":
        from kad.cli.run import run  # noqa: PLC0415  # only what the command needs

        return run(arguments)
    if command == "reload":
        from kad.cli.reload import reload  # noqa: PLC0415  # only what the command needs

        return reload()
    if command == "status":
        from kad.cli.status import status  # noqa: PLC0415  # only what the command needs

        return status(arguments)
    if command == "check":
        from kad.cli.check import check  # noqa: PLC0415  # only what the command needs

        return check(arguments)
    if command == "schema":
        from kad.cli.schema import schema  # noqa: PLC0415  # only what the command needs

        return schema()
    from kad.cli.once import apply, plan  # noqa: PLC0415  # only what the command needs

    return apply(arguments) if command == "apply" else plan(arguments)


def _complain(error: KadError) -> None:
    for line in error.lines():
        sys.stderr.write(f"kad: {line}\n")
    if isinstance(error, UsageError):
        sys.stderr.write("Try 'kad --help'.\n")
