"""Hold one socket as the kernel describes it, and tell what keepalive does for it."""

from enum import StrEnum
from typing import NamedTuple

AF_INET, AF_INET6 = 2, 10
# <net/tcp_states.h>
ESTABLISHED, LISTEN = 1, 10
# inet_diag_msg.idiag_timer, from net/ipv4/inet_diag.c
_NO_TIMER, _KEEPALIVE = 0, 2

_LOCALHOST = bytes(15) + b"\1"
_LOOPBACK = 127  # 127.0.0.0/8
_MAPPED = bytes(10) + b"\xff\xff"


class Class(StrEnum):
    """What keepalive does for a connection."""

    PROTECTED = "protected"  # SO_KEEPALIVE is on, its timer within the policy
    STALE = "stale"  # SO_KEEPALIVE is on, and more is left on its timer than the policy's time
    OWN = "own"  # the same, by the program's own TCP_KEEPIDLE
    UNPROTECTED = "unprotected"  # SO_KEEPALIVE is off
    BUSY = "busy"  # data or probes are in flight


class Connection(NamedTuple):
    """A TCP socket: addresses and ports as bytes of the network, `expires` in milliseconds.

    `cookie` stands for it until the next boot. `cgroup` is 0 where the kernel does not tell.
    """

    family: int
    state: int
    timer: int
    retrans: int
    local_port: bytes
    remote_port: bytes
    local: bytes
    remote: bytes
    cookie: int
    expires: int
    uid: int
    inode: int
    cgroup: int = 0


def classify(connection: Connection, time_s: int) -> Class:
    """Tell the class of an established connection by what the kernel shows to everybody."""
    if connection.timer == _NO_TIMER:
        return Class.UNPROTECTED
    if connection.timer != _KEEPALIVE or connection.retrans:
        return Class.BUSY
    return Class.STALE if connection.expires > time_s * 1000 else Class.PROTECTED


def is_loopback(connection: Connection) -> bool:
    """Tell whether both ends are on this host, as far as the addresses show it."""
    local, remote = connection.local, connection.remote
    if connection.family == AF_INET:
        return _LOOPBACK in (local[0], remote[0]) or local[:4] == remote[:4]
    if local[:12] == remote[:12] == _MAPPED:
        return _LOOPBACK in (local[12], remote[12]) or local == remote
    return local == remote or _LOCALHOST in (local, remote)


def timer_left(connection: Connection) -> float | None:
    """Give the seconds left on the keepalive timer, None where that is not the one that runs."""
    return connection.expires / 1000 if connection.timer == _KEEPALIVE else None


def address(family: int, raw: bytes, port: bytes) -> str:
    """Write an end as people do, an IPv4 address that is mapped into IPv6 as such."""
    from ipaddress import IPv4Address, IPv6Address  # noqa: PLC0415  # only where shown

    number = int.from_bytes(port, "big")
    if family == AF_INET:
        return f"{IPv4Address(raw[:4])}:{number}"
    if raw[:12] == _MAPPED:
        return f"{IPv4Address(raw[12:])}:{number}"
    return f"[{IPv6Address(raw)}]:{number}"
