"""Open the connections of the demonstration, and take down which of them notice."""

import select
import socket
import time
from collections.abc import Iterator
from typing import NamedTuple

from kad.cli.demonet import PEER, STAYS, VANISHES, Network

PORT = 7  # echo


class Case(NamedTuple):
    """A connection to a peer that vanishes."""

    says: str
    keepalive: bool
    early: bool


CASES = (
    Case("has SO_KEEPALIVE on, opened now", keepalive=True, early=False),
    Case("has SO_KEEPALIVE on, opened under 7200 s", keepalive=True, early=True),
    Case("never asked for keepalive", keepalive=False, early=True),
)


class Notice(NamedTuple):
    """Who noticed the peer's death, and when on the monotonic clock."""

    host: str
    case: Case
    at: float


class Peer:
    """Who echoes what is sent, as long as there is a way."""

    def __init__(self, network: Network) -> None:
        listen = [(address, PORT) for address in (STAYS, VANISHES)]
        self._open = network.within(PEER, lambda: [socket.create_server(each) for each in listen])
        self._listeners = frozenset(self._open)

    def answer(self) -> None:
        """Accept and echo all that has come."""
        for each in select.select(self._open, (), (), 0)[0]:
            if each in self._listeners:
                self._open.append(each.accept()[0])
            elif data := each.recv(100):
                each.send(data)

    def close(self) -> None:
        """Close all."""
        for each in self._open:
            each.close()


class Hosts:
    """The connections of both hosts."""

    def __init__(self, network: Network, peer: Peer) -> None:
        self._network = network
        self._peer = peer
        self._dying: dict[socket.socket, tuple[str, Case]] = {}
        self._idle: dict[str, socket.socket] = {}

    def open(self, host: str, *, early: bool) -> None:
        """Open those of one host that belong to this stage."""
        for case in CASES:
            if case.early is early:
                made = self._connected(host, VANISHES, keepalive=case.keepalive)
                self._dying[made] = (host, case)
        if early:
            self._idle[host] = self._connected(host, STAYS, keepalive=True)

    def _connected(self, host: str, address: str, *, keepalive: bool) -> socket.socket:
        made = self._network.within(host, lambda: socket.create_connection((address, PORT), 5))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, keepalive)
        self._peer.answer()
        return made

    def notices(self, patience_s: float) -> Iterator[Notice]:
        """Wait for a while, and give those whose connections have ended."""
        self._peer.answer()
        for each in select.select(list(self._dying), (), (), patience_s)[0]:
            yield Notice(*self._dying.pop(each), time.monotonic())
            each.close()

    def answered(self, host: str, patience_s: float) -> bool:
        """Say something on the connection that was idle; tell whether the peer answers."""
        idle = self._idle[host]
        idle.send(b"still there?")
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            self._peer.answer()
            if select.select([idle], (), (), 0.01)[0]:
                return True
        return False

    def close(self) -> None:
        """Close all."""
        for each in (*self._dying, *self._idle.values()):
            each.close()
