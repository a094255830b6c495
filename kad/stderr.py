"""Write lines to stderr without ever waiting long for whoever reads them."""

import os
import select
from collections.abc import Mapping

PATIENCE_S = 0.2
# A pipe that can be written to takes this much without waiting: pipe(7).
_AT_ONCE = 4096


class Stderr:
    """Lines on stderr; one that nobody makes room for is lost, and said to be once there is.

    Not sys.stderr: it would wait for ever, and try at kad's end what it could not write before.
    """

    def __init__(self, before: str = "") -> None:
        """Put `before` in front of what is said of lost lines."""
        self._before = before
        self._lost = 0
        self._torn = False
        self._descriptor, self._at_once = _terminal() if os.isatty(2) else (2, _AT_ONCE)

    def line(self, text: str) -> None:
        """Write one line; nothing that is wrong with stderr is an error."""
        note = f"{self._before}log lines dropped because stderr was blocked: {self._lost}"
        if self._lost and not self._write(note):
            self._lost += 1
        else:
            self._lost = 0 if self._write(text) else 1

    def _write(self, text: str) -> bool:
        """Tell whether all was written; who waited in vain once does not wait again."""
        end = "\n" if self._torn else ""  # of the line before
        raw = f"{end}{text}\n".encode(errors="backslashreplace")
        patience_ms = 0 if self._lost else PATIENCE_S * 1000
        room = select.poll()
        room.register(self._descriptor, select.POLLOUT)
        try:
            while raw:
                if not room.poll(patience_ms):
                    return False
                written = os.write(self._descriptor, raw[: self._at_once])
                self._torn = raw[:written][-1:] != b"\n"
                raw = raw[written:]
        except OSError:
            return False
        return True


def is_dumb(environ: Mapping[str, str]) -> bool:
    """Whether a terminal takes no escape sequences: environ(7)."""
    return environ.get("TERM") == "dumb"


def wants_colour(environ: Mapping[str, str]) -> bool:
    """Whether a terminal is to be coloured: https://no-color.org."""
    return not is_dumb(environ) and not environ.get("NO_COLOR")


def _terminal() -> tuple[int, int]:
    """Give a descriptor of the terminal's, and how much may be written to it at once.

    It can be written to when there is room for a byte; a write of more would wait for all of it.
    """
    try:
        # Not fd 2 itself made non-blocking: the shell that started kad has the same one.
        return os.open("/proc/self/fd/2", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY), _AT_ONCE
    except OSError:  # another user's
        return 2, 1
