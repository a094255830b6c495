"""Every network namespace of a machine, under the drop-in that lets the service see them."""

import re
import shlex

import pytest

from tests.machine import Booted
from tests.netns import wait_until

DROPIN = "/usr/local/share/kad/dropins/namespaces.conf"
POLICY = """\
[keepalive]
time = "2min"
intvl = "30s"
probes = 8
[drift]
check_every = "1d"
[namespaces]
scope = "all"
"""
PARAMETERS = (
    "net.ipv4.tcp_keepalive_time net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes"
)


@pytest.fixture
def machine(off: Booted) -> Booted:
    """Give a machine that has booted with the drop-in enabled."""
    off.write("/etc/kad/policy.toml", POLICY)
    link = off.path("/etc/systemd/system/kad.service.d/namespaces.conf")
    link.parent.mkdir(parents=True)
    link.symlink_to(DROPIN)
    off.boot()
    return off


def private(machine: Booted, unit: str) -> None:
    """Start a unit with a network of its own."""
    command = "-p PrivateNetwork=yes sleep infinity"
    machine.told("systemd-run", f"--unit={unit}", *shlex.split(command))


def values(machine: Booted, namespace: str) -> list[int]:
    """Give time, intvl and probes of the namespace that a file leads to."""
    words = ["nsenter", f"--net={namespace}", "sysctl", "-n", *PARAMETERS.split()]
    return [int(value) for value in machine.told(*words).split()]


def of_unit(machine: Booted, unit: str) -> list[int]:
    """Give those of a unit's network."""
    return values(machine, f"/proc/{machine.show('MainPID', unit)}/ns/net")


def test_a_unit_with_a_network_of_its_own_has_the_policy(machine: Booted) -> None:
    """Named by its unit; kad works as its user, in its sandbox."""
    private(machine, "web.service")

    machine.told("systemctl", "reload", "kad")

    assert of_unit(machine, "web.service") == [120, 30, 8]
    table = machine.told("kad", "namespaces")
    assert re.search(r"^web\.service +\d+ +1 +120 +30 +8  in force$", table, re.MULTILINE), table
    (entry,) = machine.journal("KAD_EVENT=namespaces-set")
    assert entry["MESSAGE"] == "policy set in 1 namespace (web.service)"
    status = machine.told("cat", f"/proc/{machine.show('MainPID')}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["Uid"].split()[0] == machine.told("id", "-u", "kad").strip()
    three = f"{1 << 12 | 1 << 19 | 1 << 21:016x}"
    assert {fields[f"Cap{kind}"] for kind in ("Prm", "Eff", "Bnd", "Amb")} == {three}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


def test_a_name_that_is_closed_to_kad_is_no_obstacle(machine: Booted) -> None:
    """docker keeps its namespaces' mounts from all but root; a process leads there as well."""
    private(machine, "web.service")
    machine.told("mkdir", "-p", "-m", "700", "/run/docker/netns")
    machine.told("touch", "/run/docker/netns/1f")
    own = f"/proc/{machine.show('MainPID', 'web.service')}/ns/net"

    machine.told("mount", "--bind", own, "/run/docker/netns/1f")

    wait_until(lambda: of_unit(machine, "web.service") == [120, 30, 8])
    assert machine.run("kad", "status").returncode == 0


def test_a_write_and_a_new_namespace_are_seen_at_once(machine: Booted) -> None:
    """kad watches the machine's own procfs, and mounts reach it; the timer is a day."""
    machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=999")
    wait_until(lambda: machine.values() == [120, 30, 8])

    machine.told("mkdir", "-p", "/run/netns")
    machine.told("touch", "/run/netns/web")
    machine.told("unshare", "--net=/run/netns/web", "true")

    wait_until(lambda: values(machine, "/run/netns/web") == [120, 30, 8])


def test_it_survives_a_restart_and_a_reboot(machine: Booted) -> None:
    """What kad remembers tells its own values from somebody's, and means nothing after a boot."""
    private(machine, "web.service")
    machine.told("systemctl", "reload", "kad")
    machine.write("/etc/kad/policy.toml", POLICY.replace("2min", "5min"))
    machine.told("systemctl", "restart", "kad")
    assert of_unit(machine, "web.service") == [300, 30, 8]

    machine.reboot()

    private(machine, "web.service")
    machine.told("systemctl", "reload", "kad")
    assert of_unit(machine, "web.service") == [300, 30, 8]


def test_what_the_drop_in_costs(machine: Booted) -> None:
    """Two capabilities, entering, netlink and /proc/sys/net; the rest of the sandbox stands."""
    told = machine.told("systemd-analyze", "security", "--no-pager", "kad")
    done = machine.run("systemd-analyze", "verify", "--man=no", "kad.service")

    (score,) = re.findall(r"Overall exposure level for kad\.service: (\d+\.\d+)", told)
    assert float(score) <= 1.8
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_without_the_drop_in_kad_says_so(off: Booted) -> None:
    """The host's values are in force; what is missing is named where an operator looks."""
    off.write("/etc/kad/policy.toml", POLICY)
    off.boot()

    assert off.values() == [120, 30, 8]
    assert off.show("StatusText").startswith(
        "degraded: [namespaces] scope: CAP_SYS_PTRACE, CAP_SYS_ADMIN missing; with systemd, enable "
        "the drop-in namespaces.conf"
    )
    assert off.run("kad", "status").returncode == 1
