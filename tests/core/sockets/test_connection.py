"""What keepalive does for a connection, by what the kernel shows of it."""

from ipaddress import ip_address

import pytest

from kad.core.sockets.connection import (
    AF_INET,
    AF_INET6,
    Class,
    address,
    classify,
    is_loopback,
    timer_left,
)
from tests.connections import BUSY, IDLE, ON, connection

PROBING = connection(ON, 30, retrans=1)


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (connection(IDLE), Class.UNPROTECTED),
        (connection(ON, 1), Class.PROTECTED),
        (connection(ON, 120), Class.PROTECTED),
        (connection(ON, 120.004), Class.STALE),
        (connection(ON, 7200), Class.STALE),
        (connection(BUSY, 0.2), Class.BUSY),
        (connection(4, 0.2), Class.BUSY),
        (PROBING, Class.BUSY),
        (PROBING._replace(expires=7_200_000), Class.BUSY),
    ],
)
def test_a_connection_has_the_class_that_its_timer_tells(seen: object, kind: Class) -> None:
    """A timer of exactly the policy's time keeps the promise; one in flight says nothing."""
    assert classify(seen, 120) is kind  # type: ignore[arg-type]


def packed(text: str) -> bytes:
    """Give an address as the kernel has it."""
    return ip_address(text).packed.ljust(16, b"\0")


@pytest.mark.parametrize(
    ("local", "remote", "loopback"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.8.9.1", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "10.0.0.1", True),
        ("128.0.0.1", "126.0.0.1", False),
        ("::ffff:10.0.0.1", "::ffff:127.0.0.1", True),
        ("fe80::1", "::1", True),
        ("::1", "::1", True),
        ("fe80::1", "fe80::1", True),
        ("fe80::1", "fe80::2", False),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
    ],
)
def test_loopback_is_told_by_the_addresses(local: str, remote: str, *, loopback: bool) -> None:
    """No NAT lies between two programs of one host."""
    family = AF_INET6 if ":" in local else AF_INET
    made = connection(family=family, local=packed(local), remote=packed(remote))

    assert is_loopback(made) is loopback


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.0.0.1", "10.0.0.1:443"),
        ("::ffff:10.0.0.1", "10.0.0.1:443"),
        ("fe80::1", "[fe80::1]:443"),
    ],
)
def test_an_end_is_written_as_people_do(text: str, shown: str) -> None:
    """An IPv4 peer of an IPv6 socket is shown as what it is."""
    assert address(AF_INET6 if ":" in text else AF_INET, packed(text), b"\x01\xbb") == shown


def test_only_a_keepalive_timer_has_time_left() -> None:
    """What a retransmission has left would mislead."""
    assert timer_left(connection(ON, 61.5)) == 61.5
    assert timer_left(connection(BUSY, 0.2)) is None
