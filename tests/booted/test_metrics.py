"""kad's metrics on their way to node_exporter, by the timer that is shipped disabled."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.debian import Machine, add_packages
from tests.machine import Booted
from tests.netns import wait_until

SERVICE, TIMER = "kad-metrics.service", "kad-metrics.timer"
DIRECTORY = "/var/lib/prometheus/node-exporter"
PROM = f"{DIRECTORY}/kad.prom"
# As shipped, but for the minutes.
QUICK = (
    "[Timer]\nOnBootSec=\nOnUnitActiveSec=\nOnActiveSec=0\nOnUnitActiveSec=1s\nAccuracySec=1ms\n"
)
# What a Prometheus server does.
SCRAPE = """
from urllib.request import urlopen
print(urlopen("http://127.0.0.1:9100/metrics", timeout=20).read().decode())
"""


@pytest.fixture(scope="module")
def with_exporter(installed: Machine) -> Iterator[Machine]:
    """Give a machine that has Debian's node_exporter too."""
    with installed.copy() as machine:
        add_packages(machine, "prometheus-node-exporter")
        yield machine


def scraped(machine: Booted) -> dict[str, float]:
    """Give what node_exporter tells of kad, and of reading kad's file."""
    done = machine.run("/usr/bin/python3", "-c", SCRAPE)
    lines = (line.rpartition(" ") for line in done.stdout.splitlines())
    return {
        name: float(value) for name, _, value in lines if name.startswith(("kad_", "node_textfile"))
    }


def test_node_exporter_serves_kads_metrics_once_the_timer_is_enabled(
    with_exporter: Machine,
) -> None:
    """Drift that the daemon was told to leave, and its end, are seen by who scrapes the host."""
    policy = '[keepalive]\ntime = 120\n[drift]\ncheck_every = "1s"\naction = "warn"\n'
    with Booted(with_exporter) as machine:
        machine.write("/etc/kad/policy.toml", policy)
        machine.drop_in(TIMER, QUICK)
        machine.boot()
        machine.told("systemctl", "start", "prometheus-node-exporter")
        wait_until(lambda: scraped(machine))
        before = scraped(machine)

        machine.told("systemctl", "enable", "--now", TIMER)
        wait_until(lambda: scraped(machine).get("kad_in_force") == 1)
        machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=999")
        wait_until(lambda: scraped(machine).get("kad_in_force") == 0)
        drifted = scraped(machine)
        machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=120")
        wait_until(lambda: scraped(machine).get("kad_in_force") == 1)

        assert not any(name.startswith("kad_") for name in before)
        assert drifted['kad_found_value{parameter="net.ipv4.tcp_keepalive_time"}'] == 999
        assert drifted["node_textfile_scrape_error"] == 0
        assert drifted[f'node_textfile_mtime_seconds{{file="{PROM}"}}'] > 0


def test_the_sandboxed_unit_writes_one_whole_file(machine: Booted) -> None:
    """Complete, for other users' eyes, and alone in its directory; the journal stays quiet."""
    machine.told("mkdir", "-p", DIRECTORY)

    machine.told("systemctl", "start", SERVICE)
    with_daemon = machine.told("cat", PROM)
    machine.told("systemctl", "stop", "kad.service")
    machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=7200")
    machine.told("systemctl", "start", SERVICE)

    assert "kad_in_force 1\n" in with_daemon
    assert "kad_drift_total 0\n" in with_daemon
    assert "kad_in_force 0\n" in machine.told("cat", PROM)
    assert machine.told("stat", "-c", "%a", PROM) == "644\n"
    assert machine.told("ls", DIRECTORY) == f"{Path(PROM).name}\n"
    assert not machine.journal("-u", SERVICE)


def test_a_failure_has_its_reason_in_the_journal(machine: Booted) -> None:
    """Not only that it failed, which systemd says, but why."""
    machine.told("mkdir", "-p", f"{PROM}.new")

    done = machine.run("systemctl", "start", SERVICE)

    assert done.returncode != 0
    messages = [entry["MESSAGE"] for entry in machine.journal("-u", SERVICE)]
    assert any("kad.prom.new: Is a directory" in message for message in messages)


def test_without_node_exporter_nothing_is_written(machine: Booted) -> None:
    """The timer may be enabled everywhere."""
    machine.told("systemctl", "start", SERVICE)

    assert machine.show("ConditionResult", SERVICE) == "no"
