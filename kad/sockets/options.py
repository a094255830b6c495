"""Tell which times a socket follows, its own or its namespace's: tcp(7)."""

import socket
from collections.abc import Callable

from kad.core.parameters import Parameter

Read = Callable[[Parameter], int]


def has_own_time(found: socket.socket, read: Read) -> bool:
    """Tell whether the program has set TCP_KEEPIDLE; `read` gives what its namespace has now."""
    return _differs(found, socket.TCP_KEEPIDLE, read, Parameter.TIME)


def was_armed_by_own_intvl(found: socket.socket, read: Read, left_ms: int) -> bool:
    """Tell whether a TCP_KEEPINTVL that the program has set may have made its timer long."""
    intvl_s = found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
    own = _differs(found, socket.TCP_KEEPINTVL, read, Parameter.INTVL)
    return own and left_ms <= intvl_s * 1000


def _differs(found: socket.socket, option: int, read: Read, parameter: Parameter) -> bool:
    """Ask the namespace twice: somebody may be changing its value."""
    before = read(parameter)
    return found.getsockopt(socket.IPPROTO_TCP, option) not in {before, read(parameter)}
