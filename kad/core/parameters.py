"""Name the three sysctls of TCP keepalive, with the bounds kad accepts."""

import errno
from enum import StrEnum

# What the kernel's files can hold: the three are of its type int.
KERNEL_INT = range(-(2**31), 2**31)


class Parameter(StrEnum):
    """A sysctl by its kernel name; IPv6 connections use the same three."""

    TIME = "net.ipv4.tcp_keepalive_time"
    INTVL = "net.ipv4.tcp_keepalive_intvl"
    PROBES = "net.ipv4.tcp_keepalive_probes"

    @property
    def key(self) -> str:
        """Its key in the policy's [keepalive] table."""
        return self.removeprefix("net.ipv4.tcp_keepalive_")

    @property
    def highest(self) -> int:
        """The highest value setsockopt(2) takes for it; the lowest is 1 for all three.

        MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT in the kernel's include/net/tcp.h.
        The sysctl files take more, to the user's harm: 0 probes cuts healthy idle connections.
        """
        return 127 if self is Parameter.PROBES else 32767

    def describe(self, value: int) -> str:
        """Say the value with its unit: `time 120 s`, `probes 8`."""
        return f"{self.key} {value}" if self is Parameter.PROBES else f"{self.key} {value} s"


# For loops that run for each of thousands of namespaces: going through an enum takes its time.
PARAMETERS = tuple(Parameter)


def number(text: bytes) -> int:
    """Give the value that the kernel's file holds; OSError where that is no number."""
    try:
        return int(text)
    except ValueError as error:
        raise OSError(errno.EINVAL, f"holds {text!r}, which is not a number") from error
