"""Tell which times a socket follows, its own or its namespace's: tcp(7)."""

import socket
from collections.abc import Callable

from kad.core.parameters import Parameter

Read = Callable[[Parameter], int]


def has_own_time(found: socket.socket, read: Read) -> bool:
    """Tell whether the program has set TCP_KEEPIDLE; `read` gives what its namespace has now."""
    _, own = _asked(found, socket.TCP_KEEPIDLE, read, Parameter.TIME)
    return own


def made_its_timer_long(found: socket.socket, read: Read, left_ms: int) -> bool:
    """Tell whether a time that the program has set may be why so much is left on its timer.

    After a probe that was answered that is TCP_KEEPINTVL.
    """
    if has_own_time(found, read):
        return True
    intvl_s, own = _asked(found, socket.TCP_KEEPINTVL, read, Parameter.INTVL)
    return own and left_ms <= intvl_s * 1000


def _asked(found: socket.socket, option: int, read: Read, parameter: Parameter) -> tuple[int, bool]:
    """Give an option in seconds, and whether it is the program's own.

    The namespace is asked twice: somebody may be changing its value.
    """
    before = read(parameter)
    seconds = found.getsockopt(socket.IPPROTO_TCP, option)
    return seconds, seconds not in {before, read(parameter)}
