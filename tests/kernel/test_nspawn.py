"""systemd-nspawn's containers, with a network of their own, under the policy of their host."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import TIME
from tests.kernel.conftest import EVERYWHERE as POLICY
from tests.machine import MEMORY
from tests.netns import Machine, wait_until

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-nspawn") is None,
    reason="runs containers: needs root and systemd-nspawn (tests/run installs it)",
)

FILES = "/proc/sys/net/ipv4/tcp_keepalive_"
# A root that is the machine's own, of which nothing is written.
ROOT = """
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mount -t tmpfs tmpfs {directory}
    mkdir {directory}/upper {directory}/work {directory}/root
    mount -t overlay -o lowerdir=/,upperdir={directory}/upper,workdir={directory}/work \
        overlay {directory}/root
"""
NSPAWN = ("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--as-pid2")
# Says that it runs, and then its values for each line that it is sent.
SHELL = f"""
    {{first}}
    echo ready
    while read -r _; do echo $(cat {FILES}time {FILES}intvl {FILES}probes); done
"""


class Nspawn:
    """systemd-nspawn on a machine."""

    def __init__(self, machine: Machine, directory: Path) -> None:
        self._machine = machine
        self._options = (
            f"--directory={directory}/root",
            "--console=pipe",
            "--link-journal=no",
            "--resolv-conf=off",
            "--timezone=off",
        )
        done = machine.run("sh", "-ec", ROOT.format(directory=directory))
        assert done.returncode == 0, done.stderr

    @contextmanager
    def run(self, *options: str, first: str = "") -> Iterator["Container"]:
        """Give a container, which does something `first`, until the end of the block."""
        shell = ("sh", "-c", SHELL.format(first=first))
        process = subprocess.Popen(
            self._machine.inside(*NSPAWN, *self._options, *options, *shell),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Container(process)
        finally:
            process.communicate(timeout=20)


class Container:
    """A running container."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert self._said() == "ready"

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    @property
    def values(self) -> str:
        """Give time, intvl and probes as they are inside."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._said()


@pytest.fixture
def nspawn(machine: Machine) -> Iterator[Nspawn]:
    """Give a systemd-nspawn whose host is the machine, with a policy for all namespaces."""
    machine.write_policy(POLICY)
    directory = Path(tempfile.mkdtemp(prefix="kad-nspawn-", dir=MEMORY))
    yield Nspawn(machine, directory)
    directory.rmdir()


def reloaded(machine: Machine) -> dict[str, Any]:
    """Give the state file after one more look."""
    machine.kad("reload")
    return machine.state_file()


def test_a_container_with_a_network_of_its_own_has_its_host_s_policy(
    nspawn: Nspawn, machine: Machine
) -> None:
    """--private-network: what is there when kad starts is in force before READY=1."""
    with nspawn.run("--private-network") as container:
        before = container.values
        with machine.daemon():
            assert (before, container.values) == ("7200 75 9", "120 30 8")


def test_a_container_with_a_veth_is_seen_at_once(nspawn: Nspawn, machine: Machine) -> None:
    """--network-veth: no timer is near, and its program can wait for the policy."""
    until_set = f"until grep -qx 120 {FILES}time; do :; done"
    with machine.daemon():
        machine.kad("reload")  # what the start has set off is over
        with nspawn.run("--network-veth", first=until_set) as container:
            wait_until(lambda: container.values == "120 30 8")


def test_a_value_that_a_container_sets_as_it_starts_is_its_own(
    nspawn: Nspawn, machine: Machine
) -> None:
    """Whoever is first, kad or the container."""
    with machine.daemon():
        machine.kad("reload")  # what the start has set off is over
        with nspawn.run("--network-veth", first=f"echo 600 >{FILES}time") as container:
            wait_until(lambda: not reloaded(machine)["namespaces"][1]["managed"])
            assert container.values == "600 75 9"
            assert machine.get(TIME) == 120


def test_a_container_that_ends_is_forgotten(nspawn: Nspawn, machine: Machine) -> None:
    """Its network goes with it, and nothing of it stays in the state file."""
    with machine.daemon():
        with nspawn.run("--network-veth"):
            wait_until(lambda: len(machine.state_file()["namespaces"]) == 2)

        wait_until(lambda: len(reloaded(machine)["namespaces"]) == 1)
        assert "ve-" not in machine.run("ip", "-o", "link").stdout
