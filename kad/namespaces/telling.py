"""Tell when a network namespace may have appeared.

One with a name is a mount; one with a veth changes the links of this namespace. Those without
either are found at the next check only. rtnetlink by hand, as all that is asked of it is to speak:
a library that parses it costs a hundred times the import.
"""

import os
import select
import socket
from collections.abc import Callable

from kad.core.reasons import Reason

# <linux/rtnetlink.h>, <linux/netlink.h>
_LINKS = 1  # RTMGRP_LINK
_NSIDS = 28  # RTNLGRP_NSID
_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP = 270, 1

Listen = Callable[[int, Callable[[], Reason], int], None]


def tell(listen: Listen) -> tuple[int, int]:
    """Have the loop wait for both, and give them; OSError, and neither, where one is not to be had.

    Whoever wants to be told no more closes them.
    """
    links = _links()
    mounts = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
    # The kernel tells a change by POLLPRI once, to each poll(2) after it: nothing is to be read.
    listen(mounts, lambda: Reason.NAMESPACES, select.POLLPRI)
    descriptor = links.detach()
    listen(descriptor, lambda: _drain(descriptor), select.POLLIN)
    return mounts, descriptor


def _links() -> socket.socket:
    """Ask for news of links and of namespaces that links lead to."""
    flags = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    try:
        links = socket.socket(socket.AF_NETLINK, flags, socket.NETLINK_ROUTE)
    except OSError as error:
        raise OSError(error.errno, error.strerror, "rtnetlink") from error
    links.bind((0, _LINKS))
    links.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, _NSIDS)
    return links


def _drain(descriptor: int) -> Reason:
    """Drop what was said: who has come or gone, the next look sees for itself."""
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:  # all read; or more was said than fits, which is as good a reason
        pass
    return Reason.NAMESPACES
