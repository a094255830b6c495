"""What systemd hears, on a socket like its own."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kad.notify import Notify


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Give a socket to listen on as systemd does."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)  # noqa: FBT003  # the standard library's signature
        yield listening


def notify(manager: socket.socket, **environ: str) -> Notify:
    """Give a notifier for the socket; sdnotify itself looks into the environment for it."""
    return Notify({"NOTIFY_SOCKET": manager.getsockname(), **environ})


def heard(manager: socket.socket) -> list[str]:
    """Give all datagrams that came."""
    datagrams = []
    with suppress(BlockingIOError):
        while True:
            datagrams.append(manager.recv(4096).decode())
    return datagrams


def test_a_reload_that_was_cut_short_is_ended_by_the_next_word(manager: socket.socket) -> None:
    """systemd would else wait for ever: it counts as reloading until READY=1."""
    systemd = notify(manager)

    systemd.reloading(81234567)
    systemd.status("degraded")

    assert heard(manager)[1] == "READY=1\nSTATUS=degraded"


def test_each_state_is_one_datagram(manager: socket.socket) -> None:
    """READY=1 comes with its STATUS=, RELOADING=1 with its time: sd_notify(3)."""
    systemd = notify(manager)

    systemd.ready("in-force")
    systemd.reloading(81234567)
    systemd.ready("in-force")
    systemd.status("drifted")
    systemd.stopping()

    assert heard(manager) == [
        "READY=1\nSTATUS=in-force",
        "RELOADING=1\nMONOTONIC_USEC=81234567",
        "READY=1\nSTATUS=in-force",
        "STATUS=drifted",
        "STOPPING=1",
    ]


def test_an_unchanged_status_is_not_said_again(manager: socket.socket) -> None:
    """A quiet daemon does not wake systemd."""
    systemd = notify(manager)
    systemd.ready("in-force")
    heard(manager)

    systemd.status("in-force")

    assert heard(manager) == []


def test_what_is_not_ascii_still_arrives(manager: socket.socket) -> None:
    """A file name in Greek must not cost the daemon its READY=1."""
    notify(manager).ready("degraded: /etc/kad/\u03b1\n.toml")

    assert heard(manager) == ["READY=1\nSTATUS=degraded: /etc/kad/\\u03b1\\n.toml"]


@pytest.mark.parametrize(
    ("environ", "half"),
    [
        ({"WATCHDOG_USEC": "20000000"}, 10.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(os.getpid())}, 10.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_time_where_it_waits_for_kad(
    manager: socket.socket, environ: dict[str, str], half: float | None
) -> None:
    """WATCHDOG_USEC= may be meant for another process: sd_watchdog_enabled(3)."""
    systemd = notify(manager, **environ)

    systemd.watchdog()

    assert systemd.watchdog_s == half
    assert heard(manager) == ([] if half is None else ["WATCHDOG=1"])


# sdnotify lets go of a socket it could not connect without closing it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_lost_socket_is_an_error_until_it_is_found_again(
    manager: socket.socket, tmp_path: Path
) -> None:
    """systemd restarted, or a socket that never was: READY=1 comes as soon as it can."""
    systemd = notify(manager)
    path = tmp_path / "notify"
    manager.close()
    path.unlink()

    with pytest.raises(FileNotFoundError, match=str(path)):
        systemd.ready("in-force")
    with pytest.raises(FileNotFoundError, match=str(path)):
        systemd.status("drifted")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as again:
        again.bind(str(path))
        systemd.status("in-force")
        datagram = again.recv(4096)

    assert datagram == b"READY=1\nSTATUS=in-force"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_status_is_said_again_after_anything_went_unheard(
    manager: socket.socket, tmp_path: Path
) -> None:
    """So what systemd shows is right again as soon as it hears."""
    systemd = notify(manager, WATCHDOG_USEC="20000000")
    systemd.ready("in-force")
    heard(manager)
    (tmp_path / "notify").rename(tmp_path / "gone")

    with pytest.raises(FileNotFoundError):
        systemd.watchdog()
    (tmp_path / "gone").rename(tmp_path / "notify")
    systemd.status("in-force")

    assert heard(manager) == ["STATUS=in-force"]


def test_a_manager_that_does_not_read_cannot_stop_the_daemon(manager: socket.socket) -> None:
    """Its queue is full after some messages; the next is given up after a while."""
    systemd = notify(manager)

    with suppress(TimeoutError):
        while True:
            systemd.ready("in-force")
    with pytest.raises(TimeoutError, match="nothing is reading it"):
        systemd.stopping()
    heard(manager)
    systemd.ready("in-force")

    assert heard(manager) == ["READY=1\nSTATUS=in-force"]


def test_without_systemd_there_is_silence() -> None:
    """kad runs the same under any other init."""
    silence = Notify({"WATCHDOG_USEC": "1000"})

    silence.ready("in-force")
    silence.watchdog()

    assert silence.watchdog_s is None
