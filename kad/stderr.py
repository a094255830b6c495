"""Write lines to stderr without ever waiting long for whoever reads them."""

import os
import select

PATIENCE_S = 0.2
# A pipe that can be written to takes this much without waiting: pipe(7).
_AT_ONCE = 4096


class Stderr:
    """Lines on stderr; one that nobody makes room for is lost, and said to be once there is.

    Not sys.stderr: it would wait for ever, and try at kad's end what it could not write before.
    """

    def __init__(self) -> None:
        self._lost = 0

    def line(self, text: str) -> None:
        """Write one line; nothing that is wrong with stderr is an error."""
        note = f"lines lost here, as nobody read them: {self._lost}\n" if self._lost else ""
        if self._write(f"{note}{text}\n".encode(errors="backslashreplace")):
            self._lost = 0
        else:
            self._lost += 1

    def _write(self, raw: bytes) -> bool:
        """Tell whether all was written; who waited in vain once does not wait again."""
        patience_ms = 0 if self._lost else PATIENCE_S * 1000
        room = select.poll()
        room.register(2, select.POLLOUT)
        try:
            while raw:
                if not room.poll(patience_ms):
                    return False
                raw = raw[os.write(2, raw[:_AT_ONCE]) :]
        except OSError:
            return False
        return True
