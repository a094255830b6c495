"""List the TCP sockets of a network namespace, by a dump of INET_DIAG: sock_diag(7).

The messages are unpacked by struct, with one layout for each length that occurs: pyroute2's
DiagSocket, which makes objects of them, takes 36 times as long as ss(8) for 100,000 sockets.
"""

import errno
import os
import socket
import struct
from collections.abc import Callable, Iterator

from kad.core.sockets.connection import AF_INET, AF_INET6, Connection

# <linux/netlink.h>, <linux/sock_diag.h>, <linux/inet_diag.h>
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_INET_DIAG_CGROUP_ID = 21  # Linux 5.8

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_LENGTH_AND_TYPE = struct.Struct("=IH").unpack_from
_REQUEST = struct.Struct("=BBBxI48x")  # inet_diag_req_v2, any address
# inet_diag_msg, from behind its nlmsghdr: Connection's fields, save the last.
_MESSAGE = "=16xBBBB2s2s16s16s4xQI8xII"
_MESSAGE_SIZE = struct.calcsize(_MESSAGE)
_ATTRIBUTE = struct.Struct("=HH")  # nlattr: length, type
# More than the kernel fills at once.
_ROOM = 1 << 17


def open_diag() -> socket.socket:
    """Open a way to ask about the namespace that the thread is in; OSError where it may not."""
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    try:
        return socket.socket(socket.AF_NETLINK, kind, _NETLINK_SOCK_DIAG)
    except OSError as error:
        why = f"{error.strerror}; with systemd, enable the drop-in sockets.conf, see kad(8)"
        raise OSError(error.errno, why, "netlink") from error


def dump(
    diag: socket.socket, states: int, heed: Callable[[], None] = lambda: None
) -> Iterator[Connection]:
    """Give the IPv4 and IPv6 sockets that are in one of the states, a bit for each.

    `heed` is called now and then, and may raise.
    """
    for family in (AF_INET, AF_INET6):
        body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, states)
        size = _HEADER.size + len(body)
        flags = _NLM_F_REQUEST | _NLM_F_DUMP
        diag.sendto(_HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, flags, 1, 0) + body, (0, 0))
        yield from _answers(diag, heed)


def _answers(diag: socket.socket, heed: Callable[[], None]) -> Iterator[Connection]:
    room = bytearray(_ROOM)
    layouts: dict[int, struct.Struct] = {}
    while True:
        heed()
        filled, at = diag.recv_into(room), 0
        while at < filled:
            length, kind = _LENGTH_AND_TYPE(room, at)
            if kind in {_NLMSG_DONE, _NLMSG_ERROR}:
                # A dump that fails ends with its error as any other ends.
                number = struct.unpack_from("=i", room, at + _HEADER.size)[0]
                if number < 0:
                    raise _refusal(-number)
                return
            if length not in layouts:
                layouts[length] = _layout(bytes(room[at : at + length]))
            yield Connection(*layouts[length].unpack_from(room, at))
            at += _aligned(length)


def _refusal(number: int) -> OSError:
    if number == errno.ENOENT:  # without tcp_diag; not to be taken for a namespace that has gone
        return OSError(errno.ENOTSUP, "this kernel has no INET_DIAG for TCP", "INET_DIAG")
    return OSError(number, os.strerror(number), "INET_DIAG")


def _layout(message: bytes) -> struct.Struct:
    """Give the layout of a message, up to its control group where the kernel tells that.

    Messages of one length have the same attributes: what is asked for, and of which family, are
    the same in one dump.
    """
    at = _MESSAGE_SIZE
    while at + _ATTRIBUTE.size <= len(message):
        size, kind = _ATTRIBUTE.unpack_from(message, at)
        if kind == _INET_DIAG_CGROUP_ID:
            return struct.Struct(f"{_MESSAGE}{at + _ATTRIBUTE.size - _MESSAGE_SIZE}xQ")
        at += _aligned(max(size, _ATTRIBUTE.size))
    return struct.Struct(_MESSAGE)


def _aligned(length: int) -> int:
    return (length + 3) & ~3
