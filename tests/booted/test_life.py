"""How the service ends, is killed, and comes again."""

import json

from tests.machine import Booted
from tests.netns import wait_until

WANTED = [120, 30, 8]
DEFAULTS = [7200, 75, 9]
RESTORE = '[keepalive]\ntime = 600\n[on_stop]\nvalues = "restore"\n'


def test_a_stopped_kad_leaves_the_values_and_nothing_else(machine: Booted) -> None:
    """The default of on_stop: connections notice nothing."""
    machine.told("systemctl", "stop", "kad")

    assert machine.values() == WANTED
    assert machine.show("Result") == "success"
    assert machine.run("ls", "/run/kad").returncode != 0


def test_a_stop_may_put_the_values_back(off: Booted) -> None:
    """With on_stop.values = "restore" the kernel has what kad found."""
    off.write("/etc/kad/policy.toml", RESTORE)
    off.boot()
    assert off.values() == [600, 75, 9]

    off.told("systemctl", "stop", "kad")

    assert off.values() == DEFAULTS


def test_a_crash_is_made_good_by_a_restart(machine: Booted) -> None:
    """kad comes again by itself, with the values untouched in between."""
    first = machine.show("MainPID")

    machine.told("kill", "-SEGV", first)

    assert machine.values() == WANTED
    wait_until(lambda: machine.show("NRestarts") == "1")
    wait_until(lambda: machine.show("ActiveState") == "active")
    assert machine.values() == WANTED


def test_a_kad_that_always_crashes_is_given_up(machine: Booted) -> None:
    """Ten starts, then the unit has failed, for all to see."""
    crash = "[Service]\nExecStart=\nExecStart=/bin/sh -c 'kill -SEGV $$$$'\nRestartSec=10ms\n"
    machine.drop_in("kad.service", crash)
    machine.told("systemctl", "daemon-reload")
    machine.told("systemctl", "reset-failed", "kad")  # the boot's start counts as well

    machine.run("systemctl", "restart", "kad")

    wait_until(lambda: machine.show("ActiveState") == "failed")
    messages = [entry["MESSAGE"] for entry in machine.journal("-u", "kad")]
    assert "kad.service: Start request repeated too quickly." in messages
    assert sum(message.endswith("status=11/SEGV") for message in messages) == 10
    assert machine.values() == WANTED


def test_the_state_survives_a_crash(machine: Booted) -> None:
    """Who reads the file finds one at every moment: the last until there is the next."""
    first = machine.show("MainPID")
    keep = "ExecStartPre=/bin/cp /run/kad/status.json /run/kad/before\n"
    machine.drop_in("kad.service", f"[Service]\n{keep}")
    machine.told("systemctl", "daemon-reload")

    machine.told("kill", "-SEGV", first)

    wait_until(lambda: machine.show("NRestarts") == "1")
    wait_until(lambda: machine.show("ActiveState") == "active")
    assert json.loads(machine.told("cat", "/run/kad/before"))["pid"] == int(first)
    assert json.loads(machine.told("cat", "/run/kad/status.json"))["pid"] != int(first)


def test_a_second_kad_names_the_service(machine: Booted) -> None:
    """Who starts kad by hand beside the unit is told which process is in charge."""
    done = machine.run("kad", "run")

    assert done.returncode == 70
    assert f"another kad is already running (pid {machine.show('MainPID')})" in done.stderr
