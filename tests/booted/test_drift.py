"""What happens when something else on the machine sets the parameters."""

import pytest

from tests.machine import Booted
from tests.netns import wait_until

WANTED = [120, 30, 8]
OTHER = "/etc/sysctl.d/99-other.conf"
TIME = "net.ipv4.tcp_keepalive_time"


@pytest.mark.parametrize(
    "writer",
    [
        ("sysctl", "-w", f"{TIME}=999"),
        ("systemctl", "restart", "systemd-sysctl"),
        ("sysctl", "--system"),
    ],
    ids=["sysctl -w", "systemd-sysctl", "sysctl --system"],
)
def test_drift_is_restored_and_logged_once(machine: Booted, writer: tuple[str, ...]) -> None:
    """Whoever set it, the policy is in force again soon, and the journal tells of it."""
    machine.write(OTHER, f"{TIME} = 999\n")

    machine.run(*writer)  # fails, having set this one: a container may not set them all

    wait_until(lambda: machine.values() == WANTED)
    (entry,) = machine.journal("KAD_EVENT=drift")
    assert entry["MESSAGE"] == f"drift: {TIME} is 999, policy says 120; restored"


def test_a_drift_while_kad_hung_is_repaired(machine: Booted) -> None:
    """systemd kills and restarts a kad that does nothing; the values stay meanwhile."""
    quick = "[Service]\nWatchdogSec=1s\nTimeoutStopSec=1s\nRestartSec=100ms\n"
    assert machine.show("WatchdogUSec") == "30s"
    machine.drop_in("kad.service", quick)
    machine.told("systemctl", "daemon-reload")
    machine.told("systemctl", "restart", "kad")
    first = machine.show("MainPID")

    machine.told("kill", "-STOP", first)
    assert machine.values() == WANTED
    machine.told("sysctl", "-w", f"{TIME}=999")

    wait_until(lambda: machine.values() == WANTED)
    wait_until(lambda: machine.show("ActiveState") == "active")
    assert machine.show("MainPID") != first
    assert machine.show("NRestarts") == "1"


def test_a_drift_while_kad_was_stopped_is_repaired_at_its_start(machine: Booted) -> None:
    """What changed in between is not taken for the operator's wish."""
    machine.told("systemctl", "stop", "kad")
    assert machine.values() == WANTED
    machine.told("sysctl", "-w", f"{TIME}=999")

    machine.told("systemctl", "start", "kad")

    assert machine.values() == WANTED
