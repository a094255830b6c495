"""The Debian packages on machines that run: the native one on 13, the self-contained one on 12."""

import shutil
from collections.abc import Iterator

import pytest

from kad import __version__
from tests.debian import Machine
from tests.machine import MODULES, Booted, base, bootable
from tests.netns import wait_until
from tests.package import package

DEB = "/root/kad.deb"
PREVIOUS = "/root/previous.deb"
POLICY = "/etc/kad/policy.toml"
EXPORTER = "/var/lib/prometheus/node-exporter"
DEFAULTS = [7200, 75, 9]
WANTED = [120, 30, 8]
TRACES = "find /etc /opt /run /usr /var/cache /var/lib -name *kad*"

# The same package with a lower version.
REPACK = f"""
    set -e; cd /root; dpkg-deb -R {DEB} previous
    sed -i 's/^Version: .*/Version: 0.0.1/' previous/DEBIAN/control
    dpkg-deb -Znone -b previous {PREVIOUS}; rm -r previous
"""


@pytest.fixture(scope="module", params=["bookworm", "trixie"], ids=["252", "257"])
def provided(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Give a Debian without kad, and with the packages in root's home directory."""
    deb = package(request.param)
    with base(request.param, *MODULES) as root, bootable(root) as machine:
        (machine.layers[0] / "root").mkdir(mode=0o700, exist_ok=True)
        shutil.copy(deb, machine.layers[0] / DEB[1:])
        machine.told(REPACK)
        yield machine


@pytest.fixture
def machine(provided: Machine) -> Iterator[Booted]:
    """Give such a Debian that has booted."""
    with Booted(provided) as machine:
        machine.boot()
        yield machine


def install(machine: Booted, deb: str) -> str:
    """Install a package as an operator does, and give its version."""
    machine.told("apt-get", "install", "-qq", "-y", "--no-install-recommends", deb)
    return machine.told("dpkg-query", "-W", "-f", "${Version}", "kad")


def test_one_command_brings_a_service_that_runs(machine: Booted) -> None:
    """Enabled and active with the default policy in force, now and before the next boot's end."""
    assert machine.values() == DEFAULTS

    version = install(machine, DEB)

    assert version.split("~")[0] == __version__
    assert machine.values() == WANTED
    assert (machine.show("UnitFileState"), machine.show("ActiveState")) == ("enabled", "active")
    assert machine.show("UnitFileState", "kad-metrics.timer") == "disabled"
    assert machine.show("ActiveState", "kad-metrics.timer") == "inactive"
    machine.told("cmp", POLICY, "/usr/share/kad/policy.toml")
    machine.reboot()
    assert machine.values() == WANTED
    assert machine.told("systemctl", "--failed", "--quiet") == ""


def test_an_upgrade_keeps_a_live_policy_and_restarts_the_daemon(machine: Booted) -> None:
    """The edited policy is in force before, during and after; no kad of before is left running."""
    assert install(machine, PREVIOUS) == "0.0.1"
    machine.told("sed", "-i", 's/"2min"/"3min"/', POLICY)
    wait_until(lambda: machine.values()[0] == 180)
    before, first = machine.told("cat", POLICY), machine.show("MainPID")

    assert install(machine, DEB) != "0.0.1"

    assert machine.told("cat", POLICY) == before
    assert machine.show("ActiveState") == "active"
    assert machine.show("MainPID") != first
    assert machine.values() == [180, 30, 8]
    times = [entry["MESSAGE"] for entry in machine.journal("KAD_EVENT=value-set")]
    assert sum("tcp_keepalive_time" in line for line in times) == 2  # the install's, and the edit's


def test_an_upgrade_leaves_what_the_operator_switched_off(machine: Booted) -> None:
    """A disabled service stays disabled, and a policy that was taken away stays away."""
    install(machine, PREVIOUS)
    machine.told("systemctl", "disable", "--now", "kad")
    machine.told("rm", POLICY)

    install(machine, DEB)

    assert (machine.show("UnitFileState"), machine.show("ActiveState")) == ("disabled", "inactive")
    assert machine.told("ls", "/etc/kad") == ""


def test_removed_the_policy_stays_and_purged_nothing(machine: Booted) -> None:
    """The daemon and the timer stop, with the values left as they are until the next boot."""
    before = machine.told(*TRACES.split())
    install(machine, DEB)
    machine.told("mkdir", "-p", EXPORTER)
    machine.told("systemctl", "enable", "--now", "kad-metrics.timer")
    machine.told("systemctl", "start", "kad-metrics.service")
    policy = machine.told("cat", POLICY)

    machine.told("dpkg", "--remove", "kad")

    assert machine.told("cat", POLICY) == policy
    assert machine.run("pgrep", "-u", "kad").returncode == 1
    assert machine.show("ActiveState", "kad-metrics.timer") == "inactive"
    assert machine.told("ls", EXPORTER) == ""
    assert machine.values() == WANTED

    machine.told("dpkg", "--purge", "kad")

    assert machine.told(*TRACES.split()) == before
    assert machine.show("LoadState") == "not-found"
