"""How little kad may do, as the systemd that runs it sees it."""

import re

from tests.debian import CHECKOUT
from tests.machine import Booted

FILES = "/usr/local/share/kad/dropins/253-openfile.conf"


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


def test_passed_files_need_no_network_and_no_proc_sys(machine: Booted) -> None:
    """The drop-in for 253 and later; what runs there cannot even take an interface down.

    On 252 kad says that it cannot work, and does not pretend to.
    """
    version = int(machine.told("systemctl", "--version").split()[1])
    machine.write("/etc/kad/policy.toml", "[keepalive]\ntime = 600\n")
    machine.told("mkdir", "-p", "/etc/systemd/system/kad.service.d")
    machine.told("ln", "-s", FILES, "-t", "/etc/systemd/system/kad.service.d")
    machine.told("systemctl", "daemon-reload")
    if version < 253:
        machine.run("systemctl", "restart", "kad")
        assert machine.show("StatusText").startswith("degraded: cannot read net.ipv4.tcp_")
        return

    machine.told("systemctl", "restart", "kad")

    assert machine.values() == [600, 30, 8]
    assert _exposure(machine) <= 0.6
    devices = machine.told("cat", f"/proc/{machine.show('MainPID')}/net/dev")
    assert re.findall(r"^ *(\w+):", devices, re.MULTILINE) == ["lo"]


def test_passed_files_serve_a_whole_life(machine: Booted) -> None:
    """Reload, drift and restoring at the stop work on them alike."""
    if int(machine.told("systemctl", "--version").split()[1]) < 253:
        return
    text = (CHECKOUT / "systemd/dropins/253-openfile.conf").read_text(encoding="ascii")
    machine.drop_in("kad.service", text)
    machine.told("systemctl", "daemon-reload")
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
