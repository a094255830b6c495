"""Style output for a terminal, and leave it plain elsewhere."""

import os
from collections.abc import Sequence
from typing import NamedTuple, TextIO

from kad.core.report import State
from kad.stderr import is_dumb, wants_colour

_GREEN, _YELLOW, _RED, _BOLD, _FAINT = "32", "33", "1;31", "1", "2"
_OF_STATE = {
    State.IN_FORCE: _GREEN,
    State.DRIFTED: _YELLOW,
    State.FAILED: _RED,
    State.DEGRADED: _RED,
    State.UNMANAGED: _FAINT,
}


class Style(NamedTuple):
    """How to style: `terminal` where it can be drawn over, `colour` where it is to be coloured."""

    terminal: bool
    colour: bool

    @classmethod
    def of(cls, stream: TextIO) -> "Style":
        """Choose by where the output goes."""
        terminal = stream.isatty() and not is_dumb(os.environ)
        return cls(terminal, terminal and wants_colour(os.environ))

    def state(self, state: str, text: str) -> str:
        """Colour a text by the state it tells."""
        return self._paint(_OF_STATE[State(state)], text)

    def bold(self, text: str) -> str:
        """Make a text stand out."""
        return self._paint(_BOLD, text)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def redraw(self, stream: TextIO, lines: Sequence[str]) -> None:
        """Draw over what was drawn before; what the terminal has no room for is cut off.

        Each line is cleared to its end, and all below, with the wrapping of lines switched off.
        """
        if self.terminal:
            shown = lines[: os.get_terminal_size(stream.fileno()).lines - 1]
            drawn = "".join(f"{line}\x1b[K\n" for line in shown)
            stream.write(f"\x1b[H\x1b[?7l{drawn}\x1b[?7h\x1b[J")
        else:
            stream.write("\n".join(lines) + "\n\n")
        stream.flush()
