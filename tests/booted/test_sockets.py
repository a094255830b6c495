"""Open sockets of real units, tended by a kad that systemd confines."""

from tests.booted.conftest import POLICY
from tests.machine import Booted
from tests.netns import wait_until

DROP_IN = "/usr/local/share/kad/dropins/sockets.conf"
# Connects to itself under the time of two hours, and stays.
PROGRAM = """
import socket, time
listener = socket.create_server(("127.0.0.1", 0))
made = socket.create_connection(listener.getsockname())
made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
time.sleep(600)
"""
SAID = "re-armed 1 connection of 1 unit (old.service 1)"
WHY = (
    "degraded: cannot apply [sockets]: netlink: Address family not supported by protocol; "
    "with systemd, enable the drop-in sockets.conf, see kad(8)"
)


def _start_program(machine: Booted) -> None:
    """Run the program as a unit of another user, before kad lowers the time."""
    machine.told("systemctl", "stop", "kad")
    machine.told("sysctl", "-w", "net.ipv4.tcp_keepalive_time=7200")
    machine.write("/run/program.py", PROGRAM)
    machine.told("chmod", "644", "/run/program.py")
    machine.told("systemd-run", "--unit=old", "--uid=65534", "python3", "/run/program.py")
    wait_until(lambda: "1 stale" in machine.told("kad", "sockets", "--loopback"))


def test_the_drop_in_lets_a_policy_re_arm(machine: Booted) -> None:
    """One capability, one system call and one address family more are enough."""
    _start_program(machine)
    machine.write("/etc/kad/policy.toml", POLICY + "[sockets]\nrearm = true\n")
    machine.told("mkdir", "-p", "/etc/systemd/system/kad.service.d")
    machine.told("ln", "-s", DROP_IN, "-t", "/etc/systemd/system/kad.service.d")
    machine.told("systemctl", "daemon-reload")

    machine.told("systemctl", "start", "kad")

    wait_until(lambda: SAID in machine.told("journalctl", "-u", "kad", "--no-pager"))
    assert machine.show("StatusText").startswith("in-force: ")
    assert "1 protected" in machine.told("kad", "sockets", "--loopback")


def test_without_it_kad_is_degraded_and_names_it(machine: Booted) -> None:
    """The values are in force all the same."""
    machine.write("/etc/kad/policy.toml", POLICY + "[sockets]\nrearm = true\n")

    machine.told("systemctl", "reload", "kad")

    wait_until(lambda: machine.show("StatusText") == WHY)
    assert machine.values() == [120, 30, 8]
