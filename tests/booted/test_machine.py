"""What the tests' own machines leave behind."""

from pathlib import Path

import pytest

from tests.debian import Machine
from tests.machine import Booted

CGROUPS = Path("/sys/fs/cgroup")


def test_a_machine_that_cannot_boot_leaves_nothing(installed: Machine) -> None:
    """A failed test costs this machine neither memory nor its own processes."""
    machine = Booted(installed)

    machine.write("/usr/lib/systemd/systemd", "no program")

    with machine, pytest.raises(AssertionError):
        machine.boot()

    assert not machine.console.parent.exists()
    assert not [*CGROUPS.glob(machine.name), *CGROUPS.glob(f"*/{machine.name}")]
