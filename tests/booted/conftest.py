"""Give each test a machine that runs a systemd of its own, on each release that kad is for."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.debian import Machine
from tests.machine import Booted, base, install

POLICY = """\
[keepalive]
time = "2min"
intvl = "30s"
probes = 8
[drift]
check_every = "1s"
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot boot a machine here."""
    if os.geteuid() == 0 and shutil.which("mmdebstrap") and shutil.which("systemd-nspawn"):
        return
    reason = "boots a machine: needs root, systemd-nspawn and mmdebstrap (tests/run installs them)"
    for item in items:
        if "booted" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason))


@pytest.fixture(scope="session", params=["bookworm", "trixie"], ids=["252", "257"])
def installed(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Give a Debian on which kad was installed, and has not run."""
    with base(request.param) as root, install(root) as machine:
        yield machine


@pytest.fixture
def off(installed: Machine) -> Iterator[Booted]:
    """Give a machine that is still to be booted, with a policy that is checked every second."""
    with Booted(installed) as machine:
        machine.write("/etc/kad/policy.toml", POLICY)
        yield machine


@pytest.fixture
def machine(off: Booted) -> Booted:
    """Give a machine that has booted."""
    off.boot()
    return off
