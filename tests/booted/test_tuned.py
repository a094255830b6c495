"""How kad and TuneD share a machine."""

from collections.abc import Iterator

import pytest

from tests.debian import Machine, add_packages
from tests.machine import Booted
from tests.netns import wait_until

TIME = "net.ipv4.tcp_keepalive_time"
POLICY = '[keepalive]\ntime = "2min"\n[drift]\ncheck_every = "1s"\n'
PROFILE = f"[main]\nsummary=Sets what kad has under policy\n[sysctl]\n{TIME}=999\n"


@pytest.fixture(scope="module")
def with_tuned(installed: Machine) -> Iterator[Machine]:
    """Give a machine that has TuneD too."""
    with installed.copy() as machine:
        add_packages(machine, "tuned")
        yield machine


@pytest.fixture
def machine(with_tuned: Machine) -> Iterator[Booted]:
    """Give a machine that has booted, with a profile to switch to."""
    with Booted(with_tuned) as machine:
        machine.write("/etc/kad/policy.toml", POLICY)
        for folder in ("/etc/tuned/other", "/etc/tuned/profiles/other"):  # up to 2.23, and since
            machine.write(f"{folder}/tuned.conf", PROFILE)
        machine.boot()
        yield machine


def test_a_profile_that_says_otherwise_is_drift(machine: Booted) -> None:
    """kad restores what TuneD sets, once: TuneD does not fight for it."""
    machine.told("systemctl", "start", "tuned")

    machine.told("tuned-adm", "profile", "other")

    wait_until(lambda: machine.journal("KAD_EVENT=drift"))
    machine.told("sleep", "3")
    (entry,) = machine.journal("KAD_EVENT=drift")
    assert entry["MESSAGE"] == f"drift: {TIME} is 999, policy says 120; restored"
    assert machine.values()[0] == 120


def test_a_profile_is_advised_against_as_long_as_tuned_has_it_in_force(machine: Booted) -> None:
    """Not once TuneD is stopped and disabled, though the profile's name stays."""
    machine.told("systemctl", "disable", "tuned")
    machine.told("systemctl", "start", "tuned")
    machine.told("tuned-adm", "profile", "other")

    running = machine.told("kad", "check")
    machine.told("systemctl", "stop", "tuned")
    stopped = machine.told("kad", "check")
    machine.told("systemctl", "enable", "tuned")
    enabled = machine.told("kad", "check")

    line = f"/other/tuned.conf:4 sets {TIME} to 999; policy says 120"
    assert machine.told("cat", "/etc/tuned/active_profile") == "other\n"
    assert [line in told for told in (running, stopped, enabled)] == [True, False, True]
