"""Find the daemon of this network namespace, and its state."""

import os
from time import monotonic, sleep

from kad.core.errors import KadError
from kad.core.status import Status
from kad.directories import runtime_directory
from kad.lock import daemon_pid
from kad.namespaces.own import own_namespace
from kad.statefile import StateFile

# A daemon holds the lock for a moment before its first pass has ended.
_START_S = 2.0


def runtime() -> str:
    """Give the runtime directory of the daemon that would be in charge here."""
    own = own_namespace()
    private = runtime_directory(os.environ, own.inode)
    # Who may not look at PID 1 cannot tell a private namespace, but its daemon may have.
    if own.host is None and os.path.isdir(private):
        return private
    return runtime_directory(os.environ, own.private)


def running() -> Status | None:
    """Give the state of the daemon in charge of this namespace; None without one.

    KadError where there is one whose state cannot be read.
    """
    directory = runtime()
    until = monotonic() + _START_S
    while (pid := daemon_pid(directory)) is not None:
        status = StateFile(directory).read()
        if status is not None and pid in {status.pid, 0}:
            return status if _in_charge_here(status.namespaces[0].inode) else None
        if monotonic() >= until:
            raise KadError(
                f"{directory}/status.json: cannot be read, although kad is running (pid {pid})"
            )
        sleep(0.02)
    return None


def _in_charge_here(inode: int) -> bool:
    """Whether a daemon's namespace is this one: a runtime directory may be shared, values are not.

    A daemon that was passed the machine's parameters does not know its inode.
    """
    here = own_namespace()
    return inode == here.inode if inode else here.host is not False
