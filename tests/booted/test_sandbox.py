"""How little kad may do, as the systemd that runs it sees it."""

import re

import pytest

from tests.machine import Booted

FILES = "/usr/local/share/kad/dropins/253-openfile.conf"


on_252 = pytest.mark.parametrize("installed", ["bookworm"], ids=["252"], indirect=True)
on_257 = pytest.mark.parametrize("installed", ["trixie"], ids=["257"], indirect=True)


def _exposure(machine: Booted) -> float:
    """Give the score of the unit as it was loaded."""
    told = machine.told("systemd-analyze", "security", "--no-pager", "kad")
    (score,) = re.findall(r"Overall exposure level for kad\.service: (\d+\.\d+)", told)
    return float(score)


def test_the_loaded_unit_is_hardly_exposed(machine: Booted) -> None:
    """TuneD scores 9.4, systemd-networkd 2.6."""
    assert _exposure(machine) <= 1.1


def test_systemd_has_nothing_to_say_about_the_unit(machine: Booted) -> None:
    """No line is unknown to this release."""
    done = machine.run("systemd-analyze", "verify", "--man=no", "kad.service")

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_kad_runs_as_its_user_with_one_capability(machine: Booted) -> None:
    """CAP_NET_ADMIN is bit 12."""
    status = machine.told("cat", f"/proc/{machine.show('MainPID')}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines())

    assert {fields[f"Cap{kind}"] for kind in ("Prm", "Eff", "Bnd", "Amb")} == {f"{1 << 12:016x}"}
    assert fields["Uid"].split()[0] == machine.told("id", "-u", "kad").strip()
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


def _pass_files(machine: Booted) -> None:
    """Enable the drop-in for 253 and later, as its own text tells."""
    machine.told("mkdir", "-p", "/etc/systemd/system/kad.service.d")
    machine.told("ln", "-s", FILES, "-t", "/etc/systemd/system/kad.service.d")
    machine.told("systemctl", "daemon-reload")


@on_252
def test_where_files_cannot_be_passed_kad_says_so(machine: Booted) -> None:
    """It cannot work, and does not pretend to."""
    _pass_files(machine)

    machine.run("systemctl", "restart", "kad")

    assert machine.show("StatusText").startswith("degraded: cannot read net.ipv4.tcp_")


@on_257
def test_passed_files_need_no_network_and_no_proc_sys(machine: Booted) -> None:
    """What runs there cannot even take an interface down."""
    machine.write("/etc/kad/policy.toml", "[keepalive]\ntime = 600\n")
    _pass_files(machine)

    machine.told("systemctl", "restart", "kad")

    assert machine.values() == [600, 30, 8]
    assert _exposure(machine) <= 0.6
    devices = machine.told("cat", f"/proc/{machine.show('MainPID')}/net/dev")
    assert re.findall(r"^ *(\w+):", devices, re.MULTILINE) == ["lo"]


@on_257
def test_passed_files_serve_a_whole_life(machine: Booted) -> None:
    """Reload, drift and restoring at the stop work on them alike."""
    _pass_files(machine)
    machine.told("systemctl", "stop", "kad")
    machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=999")
    machine.told("systemctl", "start", "kad")
    machine.write(
        "/etc/kad/policy.toml", '[keepalive]\ntime = 600\n[on_stop]\nvalues = "restore"\n'
    )

    machine.told("systemctl", "reload", "kad")
    assert machine.values()[0] == 600
    machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=77")
    machine.told("systemctl", "reload", "kad")
    assert machine.values()[0] == 600
    assert machine.run("kad", "status").returncode == 0

    machine.told("systemctl", "stop", "kad")
    assert machine.values()[0] == 7200
