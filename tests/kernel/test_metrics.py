"""The metrics on their way into the real node_exporter."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.fakes import PROBES, TIME
from tests.netns import KAD, Machine, child_of, wait_until

UNIT = Path(__file__).resolve().parents[2] / "systemd" / "kad-metrics.service"
URL = "http://127.0.0.1:9100/metrics"
PACKAGE = "prometheus-node-exporter"


def numbers(machine: Machine, *arguments: object) -> dict[str, float]:
    """Parse what `kad status --metrics` prints."""
    shown = machine.kad("status", "--metrics", *arguments).stdout
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
    }


def test_metrics_follow_the_daemon(machine: Machine) -> None:
    """In force, then a drift counted; the exit status stays that of kad status."""
    with machine.daemon() as daemon:
        in_force = machine.kad("status", "--metrics").returncode
        machine.set(TIME, 7200)
        machine.kad("reload")
        daemon.wait_for("READY=1", 2)
        found = numbers(machine)

    assert in_force == 0
    assert found["kad_in_force"] == 1
    assert found["kad_drift_total"] == 1
    assert found[f"kad_found_value {TIME}"] == found[f"kad_policy_value {TIME}"] == 120
    assert found["kad_last_check_timestamp_seconds"] > 1.7e9


def test_without_a_valid_policy_the_metrics_say_degraded_and_the_status_is_78(
    machine: Machine,
) -> None:
    """Neither daemon nor policy: that is when somebody has to be called."""
    done = machine.kad("status", "--metrics", "--policy", "/absent.toml")

    assert done.returncode == 78
    assert "kad_in_force 0\n" in done.stdout
    assert "kad_degraded 1\n" in done.stdout
    assert done.stdout.endswith("# EOF\n")


@pytest.mark.parametrize("other", ["--json", "--watch"])
def test_metrics_stand_alone(machine: Machine, other: str) -> None:
    """One format at a time."""
    done = machine.kad("status", "--metrics", other)

    assert done.returncode == 2
    assert f"argument {other}: not allowed with argument --metrics" in done.stderr


def write_as_the_unit_does(machine: Machine, directory: Path, **environ: str) -> int:
    """Run the unit's own command in a directory; give its exit status."""
    (command,) = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", UNIT.read_text("utf-8"), re.MULTILINE)
    kad = machine.directory / "bin" / "kad"
    kad.parent.mkdir(exist_ok=True)
    kad.write_text(f'#!/bin/sh\nexec {" ".join(KAD)} "$@"\n', encoding="utf-8")
    kad.chmod(0o755)
    shell = f"cd {directory} && PATH={kad.parent}:$PATH && {command}"
    return machine.run("sh", "-c", shell, KAD_POLICY=str(machine.policy), **environ).returncode


def test_the_unit_replaces_the_file_whole_or_not_at_all(machine: Machine, tmp_path: Path) -> None:
    """A state that is no good is written; a kad that fails leaves the old file to grow old."""
    file = tmp_path / "kad.prom"
    drifted = write_as_the_unit_does(machine, tmp_path)
    before = file.read_text(encoding="utf-8")
    machine.write_policy("[keepalive]\nprobes = 0\n")
    mistaken = write_as_the_unit_does(machine, tmp_path)
    degraded = file.read_text(encoding="utf-8")
    failed = write_as_the_unit_does(machine, tmp_path, PYTHONHOME="/absent")

    assert (drifted, mistaken, failed) == (0, 0, 1)
    assert f'kad_found_value{{parameter="{PROBES}"}} 9' in before
    assert "kad_degraded 1" in degraded
    assert file.read_text(encoding="utf-8") == degraded


@pytest.fixture(scope="module")
def node_exporter(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the program: the installed one, or out of Debian's package without installing it."""
    installed = shutil.which(PACKAGE)
    if installed:
        return installed
    directory = tmp_path_factory.mktemp("package")
    shell = f"apt-get download -qq {PACKAGE} && dpkg-deb -x {PACKAGE}_*.deb ."
    try:
        done = subprocess.run(
            ["sh", "-c", shell], cwd=directory, capture_output=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"apt took too long to get {PACKAGE}")
    if done.returncode:
        pytest.skip(f"needs {PACKAGE}, or an apt that gets it")
    return str(directory / "usr/bin" / PACKAGE)


@contextmanager
def exporting(machine: Machine, program: str, directory: Path) -> Iterator[None]:
    """Run node_exporter in the machine, reading the directory."""
    flags = [
        "--collector.disable-defaults",
        "--collector.textfile",
        "--web.disable-exporter-metrics",
    ]
    where = [f"--collector.textfile.directory={directory}", "--web.listen-address=127.0.0.1:9100"]
    machine.run("ip", "link", "set", "lo", "up")
    process = subprocess.Popen(
        machine.inside(program, *flags, *where), stderr=subprocess.DEVNULL, env=machine.environ
    )
    try:
        wait_until(lambda: "node_textfile" in scrape(machine))
        yield
    finally:
        os.kill(child_of(process.pid), signal.SIGTERM)
        process.wait(20)


def scrape(machine: Machine) -> str:
    """Ask node_exporter as Prometheus does."""
    program = f"from urllib.request import urlopen; print(urlopen('{URL}').read().decode())"
    return machine.run(KAD[0], "-c", program).stdout


def test_node_exporter_serves_what_kad_wrote(
    machine: Machine, node_exporter: str, tmp_path: Path
) -> None:
    """The whole way, from the kernel to what Prometheus scrapes."""
    with machine.daemon("--policy", machine.policy):
        machine.set(TIME, 7200)
        machine.kad("reload")
        assert write_as_the_unit_does(machine, tmp_path) == 0
    with exporting(machine, node_exporter, tmp_path):
        scraped = scrape(machine).splitlines()

    assert "node_textfile_scrape_error 0" in scraped
    assert f'kad_found_value{{parameter="{TIME}"}} 120' in scraped
    assert {"kad_in_force 1", "kad_degraded 0", "kad_drift_total 1"} <= set(scraped)
    assert [line for line in scraped if line.startswith("kad_last_check_timestamp_seconds ")]
