"""Have others not listen, or ask too much, for the length of a block."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.faults.scene import Scene


@contextmanager
def started_as_nobody(_: Scene) -> Iterator[None]:
    """Start it with setpriv(1), as nobody and without a capability."""
    yield


@contextmanager
def started_with_few_descriptors(_: Scene) -> Iterator[None]:
    """Start it with `prlimit --nofile=8`."""
    yield


@contextmanager
def manager_absent(_: Scene) -> Iterator[None]:
    """Set $NOTIFY_SOCKET to what is not there."""
    yield


@contextmanager
def journald_absent(_: Scene) -> Iterator[None]:
    """Set $JOURNAL_STREAM where there is no socket."""
    yield


@contextmanager
def other_daemon(scene: Scene) -> Iterator[None]:
    """Start another one."""
    with scene.started((), {}, "status.json"):
        yield


def _fill(path: str) -> None:
    """Send to a socket what it has room for."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)  # noqa: FBT003  # the standard library's signature
        with suppress(BlockingIOError):
            while True:
                filler.sendto(b"X=1", path)


@contextmanager
def manager_gone(scene: Scene) -> Iterator[None]:
    """Move systemd's socket away, and then back."""
    name = scene.running.notify_socket
    os.rename(name, f"{name}.gone")
    try:
        yield
    finally:
        os.rename(f"{name}.gone", name)


@contextmanager
def manager_deaf(scene: Scene) -> Iterator[None]:
    """Fill systemd's socket, and read nothing from it."""
    scene.deaf = True
    _fill(scene.running.notify_socket)
    yield
    scene.deaf = False
    scene.running.heard()


@contextmanager
def journald_deaf(scene: Scene) -> Iterator[None]:
    """Fill journald's socket, and read nothing from it."""
    path = scene.seen("/run/systemd/journal/socket")
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(str(path))
        _fill(str(path))
        yield


@contextmanager
def many_hangups(scene: Scene) -> Iterator[None]:
    """Send 500 SIGHUPs in a row."""
    for _ in range(500):
        scene.running.signal(signal.SIGHUP)
    yield
