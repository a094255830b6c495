"""Make connections as the kernel would describe them."""

from kad.core.sockets.connection import AF_INET, ESTABLISHED, Connection

IDLE, ON, BUSY = 0, 2, 1  # idiag_timer


def connection(
    timer: int = IDLE, expires_s: float = 0, *, retrans: int = 0, **fields: object
) -> Connection:
    """Make one, from 10.0.0.1:80 to 10.0.0.2:1025."""
    made = Connection(
        family=AF_INET,
        state=ESTABLISHED,
        timer=timer,
        retrans=retrans,
        local_port=b"\0\x50",
        remote_port=b"\4\1",
        local=b"\x0a\0\0\1" + bytes(12),
        remote=b"\x0a\0\0\2" + bytes(12),
        cookie=1,
        expires=int(expires_s * 1000),
        uid=33,
        inode=7,
        cgroup=100,
    )
    return made._replace(**fields)  # type: ignore[arg-type]
