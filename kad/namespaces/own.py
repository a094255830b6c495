"""Tell which network namespace kad is in, and whether it may look after the others."""

import os
import socket
from collections.abc import Mapping
from typing import NamedTuple

# <asm-generic/socket.h>; the socket module has no name for it. Linux 5.14.
SO_NETNS_COOKIE = 71


class OwnNamespace(NamedTuple):
    """The network namespace of this process.

    `host` is whether it is PID 1's, None where kad may not look. `cookie` stands for it until the
    next boot, and for no other, as inode numbers are reused at once.
    `inode` is 0 where it is not known.
    """

    inode: int
    host: bool | None
    cookie: int

    @property
    def key(self) -> str:
        """Its name in what is kept on disk; `host` outlives a reboot."""
        return f"net:{self.cookie}" if self.host is False else "host"

    @property
    def private(self) -> int | None:
        """Its inode where it is known to be another than PID 1's."""
        return self.inode if self.host is False else None


def own_namespace() -> OwnNamespace:
    """Look at /proc/self/ns/net and, where it may be, at PID 1's."""
    own = os.stat("/proc/self/ns/net")
    try:
        first = os.stat("/proc/1/ns/net")
    except OSError:  # another user's process, or no such process where /proc is hidden
        host = None
    else:
        host = (first.st_dev, first.st_ino) == (own.st_dev, own.st_ino)
    return OwnNamespace(own.st_ino, host, cookie_of_this_thread() or own.st_ino)


def cookie_of_this_thread() -> int | None:
    """Give the cookie of the namespace that the calling thread is in; None before Linux 5.14."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as any_socket:
            raw = any_socket.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8)
    except OSError:
        return None
    return int.from_bytes(raw, "little" if socket.htons(1) != 1 else "big")


# With the machine's parameters in hand and a private namespace around: which one is not known.
MACHINE = OwnNamespace(0, None, 0)


def boot_id(environ: Mapping[str, str]) -> str:
    """Give this boot's id as systemd writes it: the unit's word where it hides /proc/sys."""
    told = environ.get("KAD_BOOT_ID")  # systemd.unit(5)'s %b
    if told:
        return told
    with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
        return file.read().strip().replace("-", "")
