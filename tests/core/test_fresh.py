"""Values that changed since the daemon looked."""

import pytest

from kad.core.fresh import refreshed
from kad.core.parameters import Parameter
from kad.core.policy import Mode
from kad.core.report import State
from kad.core.status import NamespaceStatus, ParameterStatus, PolicyStatus, Status
from tests.fakes import DEFAULTS, INTVL, TIME, WANTED

LOST = "no longer watching /etc/kad/policy.toml (no inotify watch left)"


def space(
    name: str, inode: int, found: int = 120, state: State = State.IN_FORCE
) -> NamespaceStatus:
    """Give a namespace as a daemon saw it: its time, and the others as the policy wants them."""
    parameters = {
        each: ParameterStatus(WANTED[each], WANTED[each], State.IN_FORCE) for each in WANTED
    }
    parameters[TIME] = ParameterStatus(120, found, state)
    return NamespaceStatus(name, inode, managed=True, parameters=parameters, cookie=inode)


def status(
    *namespaces: NamespaceStatus, state: State = State.IN_FORCE, reason: str | None = None
) -> Status:
    """Give a daemon's account of itself."""
    policy = PolicyStatus("/etc/kad/policy.toml", "2026-01-01T00:00:00Z")
    return Status(state, Mode.ENFORCE, policy, namespaces, reason)


def test_what_has_not_changed_is_as_the_daemon_says() -> None:
    """It knows more than the values: a fight, what a failed write was refused for."""
    daemon = status(space("host", 1, 7200, State.FAILED), state=State.DEGRADED, reason="refused")

    assert refreshed(daemon, {**WANTED, TIME: 7200}, {}) == daemon


@pytest.mark.parametrize(
    ("own", "others", "state", "reason"),
    [
        ({**WANTED, TIME: 600}, {}, State.DRIFTED, f"{TIME} is 600, policy says 120"),
        (DEFAULTS, {}, State.DRIFTED, f"{TIME} is 7200, policy says 120 (and 2 more)"),
        ({TIME: 120}, {}, State.DEGRADED, f"cannot read {INTVL} (and 1 more)"),
        (WANTED, {2: {**WANTED, TIME: 9}}, State.DRIFTED, f"web: {TIME} is 9, policy says 120"),
        (WANTED, {2: WANTED}, State.IN_FORCE, None),
    ],
)
def test_a_value_that_differs_by_now_is_named(
    own: dict[Parameter, int],
    others: dict[int, dict[Parameter, int]],
    state: State,
    reason: str | None,
) -> None:
    """The state beside a value is that value's, and so is the reason."""
    daemon = status(space("host", 1), space("web", 2))._replace(warnings=(LOST,))

    now = refreshed(daemon, own, others)

    assert (now.state, now.reason, now.warnings) == (state, reason, (LOST,))


def test_another_namespace_by_the_same_inode_is_not_taken_for_it() -> None:
    """Kernels give a number again at once; a cookie never."""
    daemon = status(space("host", 1), space("web", 2)._replace(cookie=77))

    assert refreshed(daemon, WANTED, {2: DEFAULTS}) == daemon


def test_a_name_can_forge_nothing() -> None:
    """Whoever may make a namespace names it."""
    daemon = status(space("host", 1), space("a\x1b[31m\nb", 2))

    reason = refreshed(daemon, WANTED, {2: {**WANTED, TIME: 9}}).reason

    assert reason == f"a\\x1b[31m\\nb: {TIME} is 9, policy says 120"


def test_drift_that_is_over_is_no_reason() -> None:
    """Somebody set the value right, and kad has not looked yet."""
    daemon = status(space("host", 1, 600, State.DRIFTED), state=State.DRIFTED, reason="is 600")

    now = refreshed(daemon, WANTED, {})

    assert (now.state, now.reason) == (State.IN_FORCE, None)
    assert now.namespaces == (space("host", 1),)
