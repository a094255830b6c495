"""What kad does from power on to the network, and what it costs."""

import json
import re

from tests.machine import Booted
from tests.netns import wait_until

WANTED = [120, 30, 8]
DEFAULTS = [7200, 75, 9]
CAT = "cat /proc/sys/net/ipv4/tcp_keepalive_time"


def _record(machine: Booted, name: str, unit: str) -> None:
    """Have a unit of the boot write down the time that it finds."""
    service = f"[Service]\nType=oneshot\nExecStart=/bin/sh -c '{CAT} >/run/{name}'\n"
    machine.write(f"/etc/systemd/system/{name}.service", f"[Unit]\n{unit}\n{service}")
    machine.drop_in("basic.target", f"[Unit]\nWants={name}.service\n", name)


def test_values_are_in_force_before_the_network(off: Booted) -> None:
    """What configures the network, and every ordinary service, finds the policy in force."""
    off.drop_in("kad.service", "[Service]\nExecStartPre=/bin/sleep 1\n")
    _record(off, "network", "DefaultDependencies=no\nAfter=network-pre.target")
    _record(off, "ordinary", "")

    off.boot()

    assert off.told("cat", "/run/network", "/run/ordinary") == "120\n120\n"


def test_a_booted_kad_says_that_it_is_ready_and_what_is_in_force(machine: Booted) -> None:
    """`systemctl status kad` tells the present state in one line."""
    status = machine.told("systemctl", "status", "kad")

    assert machine.values() == WANTED
    assert "Active: active (running)" in status
    assert 'Status: "in-force: time 120 s, intvl 30 s, probes 8"' in status
    assert machine.told("systemctl", "--failed", "--quiet") == ""


NETWORK_VAR = "[Mount]\nWhat=tmpfs\nWhere=/var\nType=tmpfs\nOptions=_netdev\n"


def test_a_var_on_the_network_makes_no_ordering_cycle(machine: Booted) -> None:
    """systemd would break one by leaving out a unit: the network, or kad."""
    machine.write("/etc/systemd/system/var.mount", NETWORK_VAR)
    machine.drop_in("basic.target", "[Unit]\nWants=var.mount network.target\n")

    assert not _has_cycle(machine)
    machine.drop_in("kad.service", "[Service]\nStateDirectory=kad\n")
    assert _has_cycle(machine)  # as it would be with what the unit goes without


def _has_cycle(machine: Booted) -> bool:
    done = machine.run("systemd-analyze", "verify", "--man=no", "basic.target")
    return "Found ordering cycle" in done.stderr


def test_kad_comes_after_sysctl_d(off: Booted) -> None:
    """A file in sysctl.d that says otherwise is overruled at boot, and not fought with."""
    off.write("/etc/sysctl.d/99-other.conf", "net.ipv4.tcp_keepalive_time = 999\n")

    off.boot()

    (entry,) = off.journal("KAD_EVENT=value-set", "KAD_PARAMETER=net.ipv4.tcp_keepalive_time")
    assert entry["MESSAGE"] == "net.ipv4.tcp_keepalive_time set to 120 (was 999)"
    assert off.values() == WANTED


def test_a_bad_policy_at_the_first_boot_is_told_and_not_retried(off: Booted) -> None:
    """The boot goes on with the kernel's values; the journal says what to mend."""
    off.write("/etc/kad/policy.toml", "[keepalive]\nprobes = 0\n")

    off.boot()

    assert (off.show("Result"), off.show("ExecMainStatus")) == ("exit-code", "78")
    assert off.show("NRestarts") == "0"
    messages = [entry["MESSAGE"] for entry in off.journal("-u", "kad", "-p", "err")]
    assert "/etc/kad/policy.toml:2:10: keepalive.probes: must be 1 to 127, got 0" in messages[0]
    assert any(message.endswith("mend it, then: systemctl start kad") for message in messages)
    assert off.values() == DEFAULTS


def test_a_bad_policy_at_a_later_boot_leaves_the_last_good_one(machine: Booted) -> None:
    """An edit that went wrong yesterday does not cost the policy at today's boot."""
    machine.off()
    machine.write("/etc/kad/policy.toml", "[keepalive]\nprobes = 0\n")

    machine.boot()

    assert machine.values() == WANTED
    assert machine.show("ActiveState") == "active"
    assert machine.show("StatusText").startswith("degraded: policy rejected, ")
    (entry,) = machine.journal("KAD_EVENT=policy-rejected")
    assert "/etc/kad/policy.toml:2:10: keepalive.probes" in entry["MESSAGE"]


def test_a_start_that_hangs_holds_the_boot_for_a_limited_time(off: Booted) -> None:
    """Ten seconds, as the unit says, even if kad no longer hears SIGTERM: four here."""
    hang = "ExecStart=/bin/sh -c 'trap : TERM; while :; do sleep 60 & wait; done'"
    off.drop_in("kad.service", f"[Service]\nExecStart=\n{hang}\nTimeoutStartSec=2s\n")

    off.boot(wait=False)

    wait_until(lambda: off.show("ActiveState", "sysinit.target") == "active")
    reached = int(off.show("ActiveEnterTimestampMonotonic", "sysinit.target"))
    began = int(off.show("ActiveEnterTimestampMonotonic", "local-fs.target"))
    assert reached - began < 6e6
    off.told("rm", "/etc/systemd/system/kad.service.d/test.conf")
    off.told("systemctl", "daemon-reload")
    assert (off.show("TimeoutStartUSec"), off.show("TimeoutStopUSec")) == ("8s", "2s")


def test_a_read_only_var_costs_the_last_good_policy_and_no_more(machine: Booted) -> None:
    """A machine whose disk went read-only keeps its values, after a restart too."""
    machine.told("mount", "--bind", "/var", "/var")
    machine.told("mount", "-o", "remount,bind,ro", "/var")
    machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=999")

    machine.told("systemctl", "restart", "kad")

    assert machine.values() == WANTED
    assert machine.show("StatusText").startswith("in-force")


def test_without_a_state_directory_kad_runs(machine: Booted) -> None:
    """The directory is tmpfiles' work, which may be masked, or fail."""
    machine.told("rm", "-r", "/var/lib/kad")

    machine.told("systemctl", "restart", "kad")

    assert machine.show("StatusText").startswith("in-force")


def test_where_sysctls_are_read_only_kad_is_skipped(machine: Booted) -> None:
    """In a container without the right to set them the unit is no failure."""
    machine.told("mount", "-o", "remount,bind,ro", "/proc/sys/net")

    machine.told("systemctl", "restart", "kad")

    assert (machine.show("ConditionResult"), machine.show("ActiveState")) == ("no", "inactive")


def test_in_the_foreground_read_only_sysctls_are_told(machine: Booted) -> None:
    """Who runs kad by hand there learns why it cannot work."""
    machine.told("systemctl", "stop", "kad")
    machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=999")
    machine.told("mount", "-o", "remount,bind,ro", "/proc/sys/net")

    done = machine.run("kad", "run")

    assert done.returncode == 77
    assert "Read-only file system (/proc/sys is mounted read-only here)" in done.stderr


def test_without_its_capability_kad_names_it_and_is_not_retried(off: Booted) -> None:
    """An administrator who hardens further learns what was too much."""
    off.drop_in("kad.service", "[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n")

    off.boot()

    assert (off.show("ExecMainStatus"), off.show("NRestarts")) == ("77", "0")
    last = off.journal("-u", "kad", "-p", "err", "SYSLOG_IDENTIFIER=kad")[-1]
    assert "kad needs CAP_NET_ADMIN in this network namespace" in last["MESSAGE"]


def test_disabled_kad_leaves_the_next_boot_alone(machine: Booted) -> None:
    """After `systemctl disable` and a reboot the kernel has its own values."""
    machine.told("systemctl", "disable", "kad")

    machine.reboot()

    assert machine.values() == DEFAULTS
    assert machine.show("ActiveState") == "inactive"


def test_status_is_for_every_user(machine: Booted) -> None:
    """`kad status` needs no root."""
    done = machine.run("setpriv", "--reuid=65534", "--clear-groups", "kad", "status", "--json")

    assert done.returncode == 0
    assert json.loads(done.stdout)["pid"] == int(machine.show("MainPID"))


def test_files_are_the_users_that_they_are_for(machine: Booted) -> None:
    """Root writes the policy, the group kad may read it; nobody else sees the state."""
    listed = machine.told("stat", "-c", "%n %U:%G %a", "/etc/kad", "/var/lib/kad", "/run/kad")

    assert listed == "/etc/kad root:kad 2755\n/var/lib/kad kad:kad 700\n/run/kad kad:kad 755\n"


def test_a_policy_of_mode_0640_belongs_to_the_service_by_itself(machine: Booted) -> None:
    """The set-group-id directory gives a new policy to the group that reads it."""
    policy = "[keepalive]\ntime = 300\n"
    machine.told("rm", "/etc/kad/policy.toml")
    script = "umask 027; cat >/etc/kad/policy.toml"
    machine.told("sh", "-c", script, stdin=policy)

    machine.told("systemctl", "reload", "kad")

    assert machine.values()[0] == 300
    assert re.match(r"in-force: time 300 s", machine.show("StatusText"))
