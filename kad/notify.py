"""Tell systemd the daemon's state: sd_notify(3)."""

import errno
import os
from collections.abc import Mapping

from kad.core.errors import ascii_line

PATIENCE_S = 0.5
# No watchdog is fed more often than this, whatever it asks for.
SHORTEST_S = 0.01


class Notify:
    """systemd's notification socket, or silence without one.

    OSError says that it does not take what it is told; all it should know is told again later.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._path = environ.get("NOTIFY_SOCKET", "")
        self._patience = PATIENCE_S
        self._status = ""
        self._ready_is_due = False
        self.watchdog_s = _watchdog_s(environ) if self._path else None

    def ready(self, status: str) -> None:
        """Say that the first pass, or a reload, has ended; again until it was heard."""
        self._ready_is_due = True
        self._send("READY=1", f"STATUS={status}")
        self._ready_is_due, self._status = False, status

    def status(self, status: str) -> None:
        """Say the present state where it is not what was heard last."""
        if self._ready_is_due:
            self.ready(status)
        elif status != self._status:
            self._send(f"STATUS={status}")
            self._status = status

    def reloading(self, began_usec: int) -> None:
        """Say that a reload began; without the time, in us, Type=notify-reload times out.

        READY=1 is due from now on, though the pass may end early.
        """
        self._ready_is_due = True
        self._send("RELOADING=1", f"MONOTONIC_USEC={began_usec}")

    def stopping(self) -> None:
        """Say that the daemon is about to end."""
        self._send("STOPPING=1")

    def watchdog(self) -> None:
        """Say that the loop is alive."""
        if self.watchdog_s is not None:
            self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._path:
            return
        try:
            _send_once("\n".join(ascii_line(line) for line in lines), self._patience)
        except OSError as error:
            # Whoever does not read is not waited for twice, and has the status still to hear.
            self._patience, self._status = 0.0, ""
            raise self._failure(error) from error
        self._patience = PATIENCE_S

    def _failure(self, error: OSError) -> OSError:
        if isinstance(error, TimeoutError | BlockingIOError):
            return OSError(errno.ETIMEDOUT, "nothing is reading it", self._path)
        return OSError(error.errno, error.strerror or str(error), self._path)


def _send_once(state: str, patience: float) -> None:
    """Send over a connection of its own, as systemd's socket may have been made anew."""
    from sdnotify import SystemdNotifier  # noqa: PLC0415  # not without systemd

    # debug: else it swallows every error, a lost socket included.
    notifier = SystemdNotifier(debug=True)
    # A manager that does not read must not stop the work; it has room for some messages.
    notifier.socket.settimeout(patience)
    try:
        notifier.notify(state)
    finally:
        notifier.socket.close()


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """Give half of sd_watchdog_enabled(3)'s time; None where systemd does not wait for kad."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    usec = environ.get("WATCHDOG_USEC", "")
    return max(int(usec) / 2e6, SHORTEST_S) if usec.isdecimal() and int(usec) > 0 else None
