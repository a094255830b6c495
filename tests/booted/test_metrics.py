"""kad's metrics on their way to node_exporter, by the timer that is shipped disabled."""

from tests.debian import CHECKOUT
from tests.machine import Booted

UNITS = ("kad-metrics.service", "kad-metrics.timer")
DIRECTORY = "/var/lib/prometheus/node-exporter"
PROM = f"{DIRECTORY}/kad.prom"


def install_units(machine: Booted) -> None:
    """Put the units in place, where no package has."""
    for name in UNITS:
        text = (CHECKOUT / "systemd" / name).read_text("utf-8")
        machine.write(f"/etc/systemd/system/{name}", text)
    machine.told("systemctl", "daemon-reload")


def test_the_sandboxed_unit_writes_what_node_exporter_reads(machine: Booted) -> None:
    """Complete, for other users' eyes, and alone in its directory; the journal stays quiet."""
    install_units(machine)
    machine.told("mkdir", "-p", DIRECTORY)
    machine.told("systemctl", "start", "kad.service")

    machine.told("systemctl", "start", "kad-metrics.service")
    with_daemon = machine.told("cat", PROM)
    machine.told("systemctl", "stop", "kad.service")
    machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=7200")
    machine.told("systemctl", "start", "kad-metrics.service")

    assert "kad_in_force 1\n" in with_daemon
    assert "kad_drift_total 0\n" in with_daemon
    assert "kad_in_force 0\n" in machine.told("cat", PROM)
    assert machine.told("stat", "-c", "%a", PROM) == "644\n"
    assert machine.told("ls", DIRECTORY) == "kad.prom\n"
    assert not machine.journal("-u", "kad-metrics.service")


def test_a_failure_has_its_reason_in_the_journal(machine: Booted) -> None:
    """Not only that it failed, which systemd says, but why."""
    install_units(machine)
    machine.told("mkdir", "-p", f"{PROM}.new")

    done = machine.run("systemctl", "start", "kad-metrics.service")

    assert done.returncode != 0
    messages = [entry["MESSAGE"] for entry in machine.journal("-u", "kad-metrics.service")]
    assert any("kad.prom.new: Is a directory" in message for message in messages)


def test_without_node_exporter_nothing_is_written(machine: Booted) -> None:
    """The timer may be enabled everywhere."""
    install_units(machine)

    machine.told("systemctl", "start", "kad-metrics.service")

    assert machine.show("ConditionResult", "kad-metrics.service") == "no"
