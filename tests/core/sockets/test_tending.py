"""What the policy wants done to a socket, and the words for it."""

import pytest

from kad.core.policy import Sockets
from kad.core.sockets.connection import LISTEN, Connection
from kad.core.sockets.tending import Deed, Tended, allowed, needed, sentence, sentences, unmatched
from tests.connections import BUSY, IDLE, ON, connection

REARM, ENABLE = Deed
ENABLED = "switched keepalive on for"
NGINX, SSH = "nginx.service", "ssh.service"


@pytest.mark.parametrize(
    ("wish", "unit", "may"),
    [
        (Sockets(), NGINX, set()),
        (Sockets(rearm=True), NGINX, {REARM}),
        (Sockets(rearm=True), None, {REARM}),
        (Sockets(enable=("nginx.service",)), NGINX, {ENABLE}),
        (Sockets(enable=("nginx",)), NGINX, {ENABLE}),
        (Sockets(enable=("ssh",)), "ssh.socket", {ENABLE}),
        (Sockets(enable=("ssh.service",)), "ssh.socket", set()),
        (Sockets(enable=("my.app",)), "my.app.service", {ENABLE}),
        (Sockets(enable=("my.app",)), "my.app", set()),
        (Sockets(enable=("ng*",)), NGINX, {ENABLE}),
        (Sockets(enable=("*",)), None, set()),
        (Sockets(enable=("nginx.service",)), SSH, set()),
        (Sockets(rearm=True, enable=("*",)), SSH, {REARM, ENABLE}),
        (Sockets(rearm=True, enable=("*",), exclude=("ssh",)), SSH, set()),
    ],
)
def test_a_socket_is_touched_only_where_the_policy_says_so(
    wish: Sockets, unit: str | None, may: set[Deed]
) -> None:
    """Nothing is done unless asked for, and nothing at all to what is excluded."""
    assert allowed(wish, unit) == may


@pytest.mark.parametrize(
    ("seen", "deed"),
    [
        (connection(ON, 7200), REARM),
        (connection(ON, 60), None),
        (connection(IDLE), ENABLE),
        (connection(BUSY), None),
        (connection(IDLE, state=LISTEN), ENABLE),
    ],
)
def test_a_socket_gets_what_it_lacks(seen: Connection, deed: Deed | None) -> None:
    """Exactly the stale timers are re-armed; what is in flight waits for the next pass."""
    assert needed(seen, 120) is deed


@pytest.mark.parametrize(
    ("tended", "said"),
    [
        (Tended({}), ""),
        (
            Tended(
                {(REARM, NGINX): 30, (REARM, SSH): 4, (REARM, "c"): 2, (REARM, "b"): 1},
                frozenset({1, 2}),
            ),
            f"re-armed 37 connections of 4 units ({NGINX} 30, {SSH} 4, c 2, ...); 2 could not be",
        ),
        (
            Tended({(REARM, SSH): 1, (ENABLE, NGINX): 2}),
            f"re-armed 1 connection of 1 unit ({SSH} 1); {ENABLED} 2 sockets of 1 unit ({NGINX} 2)",
        ),
        (Tended({}, frozenset({1})), "1 socket could not be reached"),
    ],
)
def test_what_was_done_is_said_in_one_line(tended: Tended, said: str) -> None:
    """How many, in which units, and how many could not be."""
    assert sentence(tended) == said


def test_what_would_be_done_is_said_so() -> None:
    """A dry run is not mistaken for the deed, and is there to see who would be touched."""
    done = {(REARM, SSH): 1, **{(ENABLE, unit): 1 for unit in "abcd"}}

    assert sentences(Tended(done, frozenset({7})), would=True) == (
        "would re-arm 1 connection of 1 unit (ssh.service 1)",
        "would switch keepalive on for 4 sockets of 4 units (a 1, b 1, c 1, d 1)",
        "1 could not be",
    )


def test_a_name_that_matches_nothing_is_told() -> None:
    """A slip in a name would else be silent for ever."""
    wish = Sockets(enable=("ngnix", "ssh.*"), exclude=("x?",))

    assert list(unmatched(wish, [NGINX, SSH])) == [
        'sockets.enable: "ngnix" matches no running unit',
        'sockets.exclude: "x?" matches no running unit',
    ]
