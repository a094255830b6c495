"""Log where the operator reads: the journal's native protocol, a terminal or a pipe."""

import errno
import os
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from kad.core.errors import ascii_line
from kad.core.events import Event, Priority
from kad.stderr import Stderr, wants_colour

SOCKET = "/run/systemd/journal/socket"
# A journal that does not read must not stop the work; it has room for some entries.
PATIENCE_S = 0.2
_COLOURS = {Priority.ERR: "\x1b[1;31m", Priority.WARNING: "\x1b[33m", Priority.NOTICE: "\x1b[1m"}


class Log(Protocol):
    """Where entries go; losing one never stops the daemon."""

    def entry(self, fields: Mapping[str, str]) -> None:
        """Log the journal fields; MESSAGE and PRIORITY are among them."""
        ...


class Journal:
    """What kad logs, with the fields that every entry has."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def event(self, event: Event, **fields: str) -> None:
        """Log an event of the documented kinds."""
        self._log.entry({**event.entry(), **fields})

    def say(self, priority: Priority, message: str) -> None:
        """Log a sentence that no documented kind covers."""
        entry = {"MESSAGE": ascii_line(message), "PRIORITY": str(int(priority))}
        self._log.entry({**entry, "SYSLOG_IDENTIFIER": "kad"})


class PlainLog:
    """Sentences on stderr, with systemd's `<N>` in front: sd-daemon(3)."""

    def __init__(self) -> None:
        self._stderr = Stderr(f"<{int(Priority.WARNING)}>")

    def entry(self, fields: Mapping[str, str]) -> None:
        """Write one line."""
        self._stderr.line(f"<{fields['PRIORITY']}>{fields['MESSAGE']}")


class TerminalLog:
    """Sentences on a terminal, coloured by priority."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._stderr = Stderr()

    def entry(self, fields: Mapping[str, str]) -> None:
        """Write one line."""
        colour = _COLOURS.get(Priority(int(fields["PRIORITY"]))) if self._colour else None
        self._stderr.line(f"{colour}{fields['MESSAGE']}\x1b[0m" if colour else fields["MESSAGE"])


class NativeLog:
    """Entries with fields: https://systemd.io/JOURNAL_NATIVE_PROTOCOL.

    Our own, as no library has both a wheel on PyPI and a package in Debian.
    """

    def __init__(self, path: str = SOCKET) -> None:
        self._path = path
        self._plain = PlainLog()
        self._patience = PATIENCE_S

    def entry(self, fields: Mapping[str, str]) -> None:
        """Send one entry; to stderr where the journal does not take it."""
        try:
            self._send(serialize(fields))
        except OSError:
            self._patience = 0.0  # one that did not read is not waited for again, entry by entry
            self._plain.entry(fields)
        else:
            self._patience = PATIENCE_S

    def _send(self, datagram: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
            journald.settimeout(self._patience)
            journald.connect(self._path)
            try:
                journald.send(datagram)
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    raise
                _send_file(journald, datagram)


def _send_file(journald: socket.socket, content: bytes) -> None:
    """Pass what is too long for a datagram as a sealed memfd."""
    file = os.memfd_create("kad-journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(file, "wb") as writer:
        writer.write(content)
        writer.flush()
        _seal(file)
        socket.send_fds(journald, [b""], [file])


def _seal(file: int) -> None:
    import fcntl  # noqa: PLC0415  # only for an entry of over 200 KiB

    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)


def serialize(fields: Mapping[str, str]) -> bytes:
    """Encode fields: `NAME=value`, or with the value's length where it has line breaks."""
    parts = []
    for name, value in fields.items():
        raw = value.encode("utf-8", "surrogateescape")
        if b"\n" in raw:
            parts.append(name.encode() + b"\n" + struct.pack("<Q", len(raw)) + raw + b"\n")
        else:
            parts.append(name.encode() + b"=" + raw + b"\n")
    return b"".join(parts)


def open_log(environ: Mapping[str, str]) -> Log:
    """Choose by where stderr goes."""
    if _is_journal(environ.get("JOURNAL_STREAM", "")):
        return NativeLog()
    with suppress(OSError):
        if os.isatty(2):
            return TerminalLog(colour=wants_colour(environ))
    return PlainLog()


def _is_journal(stream: str) -> bool:
    """Whether stderr is the stream that systemd set up: `$JOURNAL_STREAM` in systemd.exec(5)."""
    try:
        status = os.fstat(2)
    except OSError:
        return False
    return stream == f"{status.st_dev}:{status.st_ino}"
