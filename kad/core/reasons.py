"""Name why a pass runs; it does the same whatever the reason."""

from enum import StrEnum


class Reason(StrEnum):
    """What woke the daemon."""

    BOOT = "boot"
    RELOAD = "reload"
    FILE = "policy file"
    TIMER = "timer"
    WRITE = "write to the kernel"
    NAMESPACES = "network namespace"
    PAUSE = "end of a pause"
    SOCKETS = "more sockets to tend"
    STOP = "stop"


# A missed event heals at the timer, so the timer reads the file too.
READS_FILE = frozenset({Reason.BOOT, Reason.RELOAD, Reason.FILE, Reason.TIMER})
