"""Writes to the parameters, seen at once; nothing here waits for the timer, which is a day."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes import PROBES, TIME
from tests.kernel.conftest import POLICY
from tests.netns import KAD, Daemon, Machine, wait_until

WANTED = [120, 30, 8]
DROP_CACHES = Path("/proc/sys/vm/drop_caches")
CONTENTION = f"<4>{TIME} was changed 6 times in 60 s by somebody else; restoring it less often"


def checks(machine: Machine) -> int:
    """Give how often the daemon compared, as far as it has told."""
    count = machine.state_file()["checks"]["count"]
    assert isinstance(count, int)
    return count


@contextmanager
def enforcer(machine: Machine, value: int) -> Iterator[None]:
    """Run a program that writes a value again and again, without a pause."""
    path = f"/proc/sys/{TIME.replace('.', '/')}"
    loop = f"while :; do echo {value} > {path}; done"
    with machine.background("sh", "-c", loop):
        yield


def test_a_write_is_undone_at_once(machine: Machine) -> None:
    """The value returns long before the timer, and the journal names what was found."""
    with machine.daemon() as daemon:
        machine.set(TIME, 7200)
        machine.set(PROBES, 3)

        wait_until(lambda: machine.values() == WANTED)
        daemon.wait_for_line(f"<4>drift: {TIME} is 7200, policy says 120; restored")
        daemon.wait_for_line(f"<4>drift: {PROBES} is 3, policy says 8; restored")


def test_kad_s_own_write_is_no_reason_for_another(machine: Machine) -> None:
    """A restored value is looked at once more, and then kad sleeps."""
    with machine.daemon() as daemon:
        machine.set(TIME, 7200)
        daemon.wait_for_line(f"<4>drift: {TIME} is 7200, policy says 120; restored")
        machine.kad("reload")
        before = checks(machine)
        machine.kad("reload")

        assert checks(machine) == before + 1


@pytest.mark.skipif(not os.access(DROP_CACHES, os.W_OK), reason="only root may drop caches")
def test_the_watch_survives_the_kernel_s_cache_being_dropped(machine: Machine) -> None:
    """Memory pressure, or an administrator, would else leave kad deaf without a word."""
    with machine.daemon():
        for value in (601, 602, 603):
            assert machine.run("find", "/proc/sys").stdout
            DROP_CACHES.write_text("2\n", encoding="ascii")
            machine.set(TIME, value)

            wait_until(lambda: machine.values() == WANTED)


def test_a_fight_is_told_once_costs_next_to_nothing_and_is_won(machine: Machine) -> None:
    """Another program that sets its value without end keeps kad neither busy nor quiet for long."""
    with machine.daemon() as daemon:
        began = time.monotonic()
        with enforcer(machine, 7200):
            daemon.wait_for_line(CONTENTION)
            machine.kad("reload")
            wait_until(lambda: checks(machine) >= 25)
            compared, took = checks(machine), time.monotonic() - began

        wait_until(lambda: machine.values() == WANTED)
        assert daemon.lines().count(CONTENTION) == 1
        # Ten at once and ten a second after it, whatever comes.
        assert compared <= 20 + 11 * (took + 1)


def test_two_kads_with_different_policies_leave_each_other_alone(machine: Machine) -> None:
    """Both say once that somebody fights; the host does not melt."""
    other = machine.directory / "other.toml"
    other.write_text(POLICY.replace("2min", "5min"), encoding="utf-8")
    other.chmod(0o644)
    kad = (*KAD, "run", "--policy", other)
    with machine.daemon() as daemon:
        second = Daemon(
            machine,
            kad,
            {"RUNTIME_DIRECTORY": f"{machine.directory}/run2", "STATE_DIRECTORY": "/nowhere"},
            log="stderr2",
        )
        try:
            wait_until(lambda: CONTENTION in daemon.lines() or CONTENTION in second.lines())
            said = (*daemon.lines(), *second.lines())
        finally:
            second.close()

        wait_until(lambda: machine.values() == WANTED)
        assert len(said) < 30
