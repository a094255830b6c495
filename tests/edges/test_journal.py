"""Where log lines go, and in which form."""

import os
import pty
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kad.core.errors import ascii_line
from kad.core.events import Event, Kind, Priority
from kad.journal import Journal, NativeLog, PlainLog, serialize

EVENT = Event(Kind.DRIFT, "drift: x is 1, policy says 2; restored", {"KAD_OUTCOME": "restored"})
LOG = (
    "import os; from kad.journal import *; from kad.core.events import *;"
    "Journal(open_log(os.environ)).event(Event(Kind.DRIFT, 'drift: x'))"
)


def parse(datagram: bytes) -> dict[str, str]:
    """Read the native protocol as journald does."""
    fields, rest = {}, datagram
    while rest:
        line, _, rest = rest.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + length], rest[8 + length + 1 :]
        fields[name.decode()] = value.decode()
    return fields


def test_the_journal_gets_the_documented_fields(tmp_path: Path) -> None:
    """`journalctl KAD_EVENT=drift` finds it, with its id, priority and all that applies."""
    path = str(tmp_path / "journal")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(path)
        Journal(NativeLog(path)).event(EVENT, KAD_NAMESPACE="host")
        datagram = journald.recv(65536)

    assert parse(datagram) == {
        "MESSAGE": "drift: x is 1, policy says 2; restored",
        "MESSAGE_ID": "24371b1bcf7245ef97cefc8e180b4d00",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "kad",
        "KAD_EVENT": "drift",
        "KAD_OUTCOME": "restored",
        "KAD_NAMESPACE": "host",
    }


def test_an_entry_too_long_for_a_datagram_goes_by_a_sealed_file(tmp_path: Path) -> None:
    """No entry is lost for its length."""
    path = str(tmp_path / "journal")
    message = "x" * 2_000_000
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(path)
        NativeLog(path).entry({"MESSAGE": message, "PRIORITY": "6"})
        _, files, _, _ = socket.recv_fds(journald, 1, 1)
    content = os.pread(files[0], len(message) + 100, 0)
    with pytest.raises(PermissionError):
        os.pwrite(files[0], b"forged", 0)
    os.close(files[0])

    assert parse(content)["MESSAGE"] == message


def test_values_with_line_breaks_keep_their_length() -> None:
    """No value can forge a field of its own."""
    fields = {"A": "one\nPRIORITY=0\n", "B": "", "C": "=\udcff"}

    encoded = serialize(fields)

    assert b"A\n\x0f\0\0\0\0\0\0\0one\nPRIORITY=0\n\n" in encoded
    assert parse(encoded.replace(b"\xff", b"?")) == {**fields, "C": "=?"}


def test_a_journal_that_is_gone_costs_no_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without journald's socket the sentence goes to stderr."""
    Journal(NativeLog(str(tmp_path / "absent"))).event(EVENT)

    assert capfd.readouterr().err == f"<4>{EVENT.message}\n"


def run_logging(stderr: int, **environ: str) -> None:
    """Log one event in a process of its own."""
    env = {"PATH": os.environ["PATH"], **environ}
    subprocess.run([sys.executable, "-c", LOG], stderr=stderr, env=env, check=True)


@pytest.mark.parametrize("stream", ["", "1:2", "nonsense"])
def test_a_pipe_gets_priorities_in_front(stream: str) -> None:
    """systemd, and any supervisor that knows sd-daemon(3), keeps the priority."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe:
        run_logging(writing, JOURNAL_STREAM=stream)
        os.close(writing)
        assert pipe.read() == "<4>drift: x\n"


def test_stderr_that_is_the_journal_is_known_by_its_inode() -> None:
    """$JOURNAL_STREAM matches: the entry goes to the journal's socket, else to stderr."""
    reading, writing = os.pipe()
    status = os.fstat(writing)
    with os.fdopen(reading) as pipe:
        run_logging(writing, JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}")
        os.close(writing)
        if not Path("/run/systemd/journal/socket").exists():
            assert pipe.read() == "<4>drift: x\n"
        else:
            assert pipe.read() == ""


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"TERM": "xterm"}, "\x1b[33mdrift: x\x1b[0m"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "drift: x"),
        ({"TERM": "dumb"}, "drift: x"),
    ],
)
def test_a_terminal_gets_a_plain_sentence_in_colour(environ: dict[str, str], line: str) -> None:
    """Who runs kad by hand reads sentences; NO_COLOR and TERM are honoured."""
    ours, theirs = pty.openpty()
    run_logging(theirs, **environ)

    shown = os.read(ours, 1024).decode()
    os.close(ours)
    os.close(theirs)

    assert shown == line + "\r\n"


MANY_LINES = """\
import os, sys
from kad.journal import *
os.setgroups([]) if os.geteuid() == 0 else None
os.setresuid(int(sys.argv[1]), int(sys.argv[1]), int(sys.argv[1]))
log = Journal(open_log(os.environ))
for _ in range(5000):
    log.say(Priority.WARNING, "x" * 99)
"""


@pytest.mark.parametrize("user", [os.geteuid(), 65534])
def test_a_terminal_that_nobody_reads_does_not_stop_the_work(user: int) -> None:
    """After ^S, or in a terminal that hangs; be it another user's, as after `su`, too."""
    if user not in {0, os.geteuid()} and os.geteuid() != 0:
        pytest.skip("needs root to be another user")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", MANY_LINES, str(user)]
    env = {**os.environ, "NO_COLOR": "1"}
    try:
        subprocess.run(command, stderr=theirs, env=env, check=True, timeout=60)

        assert os.read(ours, 202) == 2 * (b"x" * 99 + b"\r\n")
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_line_that_was_cut_off_is_ended_and_counted() -> None:
    """The next line stands by itself, and so does what is said of the lost one."""
    reading, writing = os.pipe()
    keep = os.dup(2)
    os.dup2(writing, 2)
    log = PlainLog()

    log.entry({"PRIORITY": "6", "MESSAGE": "x" * 100_000})
    got = os.read(reading, 100_000)
    log.entry({"PRIORITY": "4", "MESSAGE": "drift"})
    os.dup2(keep, 2)
    for descriptor in (keep, writing):
        os.close(descriptor)
    rest = os.read(reading, 100_000)
    os.close(reading)

    assert set(got) == set(b"<6>x")
    assert rest == b"\n<4>log lines dropped because stderr was blocked: 1\n<4>drift\n"


def test_a_closed_stderr_does_not_stop_the_daemon() -> None:
    """A line nobody can read is no reason to end."""
    command = f'exec 2>&-; exec {sys.executable} -c "{LOG.replace(chr(34), "")}"'

    assert subprocess.run(["/bin/sh", "-c", command], check=False).returncode == 0


def test_every_message_is_one_line_of_ascii() -> None:
    """A file name can neither forge a second line nor move a terminal's cursor."""
    entry = Event(Kind.POLICY_LOADED, "policy /etc/\n\x1b[2Jä.toml in force").entry()

    assert entry["MESSAGE"] == r"policy /etc/\n\x1b[2J\xe4.toml in force"
    assert ascii_line("C:\\plain") == "C:\\plain"


def test_ids_and_priorities_are_the_documented_ones() -> None:
    """Users filter by them: they never change."""
    assert {each.event: (each.message_id[:8], each.priority) for each in Kind} == {
        "policy-loaded": ("699951b6", Priority.INFO),
        "policy-rejected": ("d70360ec", Priority.ERR),
        "value-set": ("750bc3d5", Priority.INFO),
        "drift": ("24371b1b", Priority.WARNING),
        "contention": ("56075040", Priority.WARNING),
        "write-failed": ("c5790846", Priority.ERR),
        "watch-lost": ("726a05a9", Priority.WARNING),
        "namespaces-set": ("97e9ac3b", Priority.INFO),
        "recovered": ("a23fc0f9", Priority.NOTICE),
        "sockets-changed": ("91142152", Priority.NOTICE),
    }
    assert all(len(each.message_id) == 32 for each in Kind)
