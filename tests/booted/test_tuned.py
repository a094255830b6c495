"""How kad and TuneD share a machine."""

from collections.abc import Iterator

import pytest

from tests.debian import Machine
from tests.machine import Booted
from tests.netns import wait_until

TIME = "net.ipv4.tcp_keepalive_time"
PROFILE = f"[main]\nsummary=Sets what kad has under policy\n[sysctl]\n{TIME}=999\n"
APT = """\
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d  # nothing is to be started here
chmod +x /usr/sbin/policy-rc.d
apt-get install -qq -y --no-install-recommends tuned ||
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends tuned; }
"""


@pytest.fixture(scope="module")
def with_tuned(installed: Machine) -> Iterator[Machine]:
    """Give a machine that has TuneD too."""
    with installed.copy() as machine:
        done = machine.sh(APT, online=True)
        assert done.returncode == 0, done.stdout + done.stderr
        yield machine


@pytest.fixture
def machine(with_tuned: Machine) -> Iterator[Booted]:
    """Give a machine that has booted, with a profile that says otherwise than its policy."""
    with Booted(with_tuned) as machine:
        policy = '[keepalive]\ntime = "2min"\n[drift]\ncheck_every = "1s"\n'
        machine.write("/etc/kad/policy.toml", policy)
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
