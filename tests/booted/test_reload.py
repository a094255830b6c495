"""How an edit comes into force, with systemctl reload and without."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.machine import Booted
from tests.netns import wait_until

POLICY = "/etc/kad/policy.toml"
RELOADS = 40


def _policy(time: int) -> str:
    # No check in between: what is in force after a reload came by the reload.
    return f'[keepalive]\ntime = {time}\nintvl = 30\nprobes = 8\n[drift]\ncheck_every = "1d"\n'


@contextmanager
def _busy(machine: Booted) -> Iterator[None]:
    """Keep every processor busy twice over."""
    spin = "for i in 1 2 3 4; do (while :; do :; done) & done; wait"
    unit = f"[Service]\nExecStart=/bin/sh -c '{spin}'\n"
    machine.write("/etc/systemd/system/busy.service", unit)
    machine.told("systemctl", "start", "busy")
    try:
        yield
    finally:
        machine.told("systemctl", "kill", "-s", "KILL", "busy")


def test_a_reload_returns_when_the_policy_is_in_force(machine: Booted) -> None:
    """A script may rely on the new value right after `systemctl reload kad`."""
    machine.write(POLICY, _policy(600))

    machine.told("systemctl", "reload", "kad")

    assert machine.values() == [600, 30, 8]
    assert machine.show("StatusText") == "in-force: time 600 s, intvl 30 s, probes 8"


def test_a_bad_edit_fails_the_reload_and_tells_why(machine: Booted) -> None:
    """The last good policy stays; the journal has the file, the line and the mistake."""
    machine.write(POLICY, "[keepalive]\ntime = 600\nprobes = 0\n")

    done = machine.run("systemctl", "reload", "kad")

    why = f"{POLICY}:3:10: keepalive.probes: must be 1 to 127, got 0"
    assert done.returncode != 0
    assert machine.values() == [120, 30, 8]
    assert machine.show("ActiveState") == "active"
    assert why in machine.show("StatusText")
    (entry,) = machine.journal("KAD_EVENT=policy-rejected")
    assert why in entry["MESSAGE"]
    assert why in machine.run("systemctl", "status", "kad").stdout


def test_a_mended_policy_makes_the_next_reload_succeed(machine: Booted) -> None:
    """Nothing is left of a mistake once it is mended."""
    machine.write(POLICY, "[keepalive]\nprobes = 0\n")
    machine.run("systemctl", "reload", "kad")
    machine.write(POLICY, _policy(600))

    machine.told("systemctl", "reload", "kad")

    assert machine.values() == [600, 30, 8]
    assert machine.show("StatusText").startswith("in-force: ")


def test_no_reload_returns_early_on_a_busy_machine(machine: Booted) -> None:
    """However slow the daemon, the command waits for its verdict, and for its own."""
    early = []
    with _busy(machine):
        for number in range(1, RELOADS + 1):
            machine.write(POLICY, _policy(200 + number % 2))
            machine.told("systemctl", "reload", "kad")
            generation = json.loads(machine.told("cat", "/run/kad/status.json"))["generation"]
            if (machine.values()[0], generation) != (200 + number % 2, number):
                early.append(number)

    assert early == []


def test_a_reload_of_a_kad_that_hangs_says_so(machine: Booted) -> None:
    """The journal has the reason before systemd ends the command; kad is left as it is."""
    pid = machine.show("MainPID")
    machine.told("kill", "-STOP", pid)

    done = machine.run("systemctl", "reload", "kad")
    machine.told("kill", "-CONT", pid)

    assert done.returncode != 0
    messages = [entry["MESSAGE"] for entry in machine.journal("-u", "kad")]
    assert f"kad: the daemon (pid {pid}) did not answer within 7 s" in messages
    assert (machine.show("MainPID"), machine.show("ActiveState")) == (pid, "active")


def test_an_edit_needs_no_reload(machine: Booted) -> None:
    """Saving the file is enough."""
    machine.write(POLICY, _policy(600))

    wait_until(lambda: machine.values() == [600, 30, 8])


def test_a_policy_in_yaml_replaces_the_one_in_toml(machine: Booted) -> None:
    """Another suffix is another name, and is seen all the same."""
    machine.told("rm", POLICY)
    machine.write("/etc/kad/policy.yaml", "keepalive: {time: 600, intvl: 30, probes: 8}\n")

    machine.told("systemctl", "reload", "kad")

    assert machine.values() == [600, 30, 8]
