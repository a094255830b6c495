"""How packaging/install brings the service, renews it and takes it back."""

from tests.machine import Booted
from tests.netns import wait_until

INSTALL = "/checkout/packaging/install"
TRACES = "find /etc /opt /run /usr/local /var/lib -name 'kad*' -o -name '*-kad.*' -o -name _kad"
BARE = "root:root:755\nroot:root:644\n"
EXPORTER = "/var/lib/prometheus/node-exporter"


def _uninstall(machine: Booted) -> str:
    return machine.told(INSTALL, "--uninstall")


def test_one_command_brings_a_service_that_runs(machine: Booted) -> None:
    """Enabled for the next boot, started for this one, with the policy in force."""
    machine.told("rm", "/etc/kad/policy.toml")
    _uninstall(machine)
    machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=7200")

    done = machine.told(INSTALL)

    assert done.endswith("kad: installed; kad.service keeps the policy in force\n")
    assert machine.values() == [120, 30, 8]
    assert (machine.show("UnitFileState"), machine.show("ActiveState")) == ("enabled", "active")
    assert machine.told("getent", "passwd", "kad").startswith("kad:x:")


def test_an_update_restarts_the_service(machine: Booted) -> None:
    """No kad of before is left running, and the values stay in force."""
    first = machine.show("MainPID")

    machine.told(INSTALL)

    assert machine.show("ActiveState") == "active"
    assert machine.show("MainPID") != first
    assert machine.values() == [120, 30, 8]


def test_an_update_leaves_a_disabled_service_so(machine: Booted) -> None:
    """Who disabled it meant it, however old the installation: it needs no notes of its own."""
    machine.told("systemctl", "disable", "--now", "kad")
    machine.told("find", "/opt/kad/given", "-maxdepth", "1", "-type", "f", "-delete")

    machine.told(INSTALL)

    assert (machine.show("UnitFileState"), machine.show("ActiveState")) == ("disabled", "inactive")


def test_an_update_restarts_what_runs_though_it_is_disabled(machine: Booted) -> None:
    """Else it would go on from an environment that the next update takes away."""
    machine.told("systemctl", "disable", "kad")
    first = machine.show("MainPID")
    machine.told("mkdir", "-p", "/etc/systemd/system/kad.service.d")
    machine.told("ln", "-s", "/usr/share/kad/x.conf", "/etc/systemd/system/kad.service.d/x.conf")

    done = machine.run(INSTALL)

    assert done.returncode == 0
    assert (
        "kad.service.d/x.conf is a dangling link: kad's drop-ins are in /usr/local" in done.stderr
    )
    assert machine.show("ActiveState") == "active"
    assert not machine.run("ls", "/etc/systemd/system/sysinit.target.wants/kad.service").stdout
    assert machine.show("MainPID") != first


def test_a_service_that_was_masked_before_stays_so(machine: Booted) -> None:
    """The installation is whole all the same, and the policy in force once."""
    _uninstall(machine)
    machine.told("systemctl", "mask", "kad.service")
    machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=7200")

    done = machine.run(INSTALL)

    assert done.returncode == 0, done.stderr
    assert "kad.service was not enabled; see above" in done.stderr
    assert machine.show("UnitFileState") == "masked"
    assert machine.values() == [120, 30, 8]
    assert machine.run("test", "-e", "/opt/kad/given/to-preset").returncode != 0


def test_a_first_installation_that_failed_is_made_good_by_the_next(machine: Booted) -> None:
    """The service is enabled as if nothing had happened, however far the first one came."""
    _uninstall(machine)
    machine.told("install", "/bin/false", "/usr/local/sbin/systemd-tmpfiles")
    failed = machine.run(INSTALL)
    machine.told("rm", "/usr/local/sbin/systemd-tmpfiles")

    machine.told(INSTALL)

    assert failed.returncode == 1
    assert "failed while installing kad.service" in failed.stderr
    assert (machine.show("UnitFileState"), machine.show("ActiveState")) == ("enabled", "active")


def test_an_update_over_an_invalid_policy_says_so(machine: Booted) -> None:
    """The service could start with the last good policy, but not on another machine."""
    machine.write("/etc/kad/policy.toml", "[keepalive]\nprobes = 0\n")
    machine.told("rm", "-rf", "/var/lib/kad/policy.json")

    done = machine.run(INSTALL)

    assert done.returncode == 78
    assert "/etc/kad/policy.toml:2:10: keepalive.probes: must be 1 to 127" in done.stderr
    wait_until(lambda: machine.show("ActiveState") == "failed")


def test_taking_kad_back_stops_the_service_and_leaves_nothing(machine: Booted) -> None:
    """No unit, no user, no directory; the values stay until the next boot."""
    found = machine.told("sh", "-c", TRACES).splitlines()
    assert "/etc/systemd/system/sysinit.target.wants/kad.service" in found

    done = _uninstall(machine)

    assert "kept your files: /etc/kad/policy.toml" in done
    assert machine.told("sh", "-c", TRACES) == "/etc/kad\n"
    assert machine.run("getent", "passwd", "kad").returncode != 0
    policy = "/etc/kad/policy.toml"
    assert machine.told("stat", "-c", "%U:%G:%a", "/etc/kad", policy) == BARE
    assert machine.show("LoadState") == "not-found"
    assert machine.values() == [120, 30, 8]


def test_a_user_that_cannot_be_deleted_is_all_that_stays(machine: Booted) -> None:
    """A process of that user, started by hand, keeps nothing else from being removed."""
    machine.told("rm", "/etc/kad/policy.toml")
    machine.told("systemd-run", "--uid=kad", "sleep", "1000")

    done = machine.run(INSTALL, "--uninstall")

    assert done.returncode == 0
    assert "user kad was not removed, see above; to remove it: userdel kad\n" in done.stderr
    assert machine.told("sh", "-c", TRACES) == ""


def test_metrics_are_written_for_who_wants_them_and_taken_back(machine: Booted) -> None:
    """The timer comes disabled; enabled and then forgotten, it goes with kad, as does its file."""
    assert machine.show("UnitFileState", "kad-metrics.timer") == "disabled"
    machine.told("mkdir", "-p", EXPORTER)
    machine.told("systemctl", "enable", "--now", "kad-metrics.timer")
    machine.told("systemctl", "start", "kad-metrics.service")
    assert machine.told("tail", "-1", f"{EXPORTER}/kad.prom") == "# EOF\n"

    _uninstall(machine)

    assert machine.told("ls", EXPORTER) == ""
    assert machine.show("LoadState", "kad-metrics.timer") == "not-found"
    assert machine.told("sh", "-c", TRACES) == "/etc/kad\n"
