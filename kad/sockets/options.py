"""Read from a socket the times that it follows, its own or its namespace's: tcp(7)."""

import socket


def idle_s(found: socket.socket) -> int:
    """Give the idle time before the first probe."""
    return found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)


def intvl_s(found: socket.socket) -> int:
    """Give the time between two probes, and after one that was answered."""
    return found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
