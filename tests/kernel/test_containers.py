"""Real containers under the policy of their host: podman's, with a network as anybody's has."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import TIME
from tests.kernel.conftest import EVERYWHERE as POLICY
from tests.machine import MEMORY
from tests.netns import Machine, wait_until

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("iptables", "podman"))),
    reason="runs containers: needs root, iptables and podman (tests/run installs them)",
)

# Nothing that is shared with the machine's own podman.
SETTINGS = """\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "crun"
[network]
network_config_dir = "{directory}/networks"
"""
# Read again and again, as a program does that cannot wait for its host.
UNTIL_SET = f"until grep -qx 120 /proc/sys/{TIME.replace('.', '/')}; do :; done"


class Podman:
    """podman on a machine; what it runs has the root of the machine that runs the tests."""

    def __init__(self, machine: Machine, directory: Path) -> None:
        self._machine = machine
        self._settings = directory / "containers.conf"
        self._settings.write_text(SETTINGS.format(directory=directory), encoding="ascii")
        places = {"root": "root", "runroot": "run", "tmpdir": "tmp", "volumepath": "volumes"}
        self._store = [f"--{option}={directory}/{name}" for option, name in places.items()]
        # crun takes no hierarchy of both versions.
        machine.run("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run podman to its end."""
        settings = str(self._settings)
        command = ("podman", "--log-level=error", *self._store, *words)
        return self._machine.run(*command, CONTAINERS_CONF=settings)

    def run(self, *words: str) -> str:
        """Have a container run a command, and give what podman printed."""
        *options, command = words
        done = self("run", "--cgroups=disabled", *options, "--rootfs", "/:O", "sh", "-c", command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def values(self, name: str) -> str:
        """Give time, intvl and probes in a container."""
        files = "/proc/sys/net/ipv4/tcp_keepalive_"
        script = f"echo $(cat {files}time {files}intvl {files}probes)"
        return self("exec", name, "sh", "-c", script).stdout.strip()


@pytest.fixture
def podman(machine: Machine) -> Iterator[Podman]:
    """Give a podman whose host is the machine, with a policy for all namespaces."""
    machine.write_policy(POLICY)
    directory = Path(tempfile.mkdtemp(prefix="kad-podman-", dir=MEMORY))
    podman = Podman(machine, directory)
    yield podman
    podman("rm", "--all", "--force", "--time=0")

    def removed() -> bool:
        shutil.rmtree(directory, ignore_errors=True)
        return not directory.exists()

    # What cleans up after a container may still write there.
    wait_until(removed)


def shown(machine: Machine) -> dict[str, str]:
    """Give the line of `kad namespaces` on each but the host's, by name."""
    lines = machine.kad("namespaces").stdout.splitlines()[2:]
    return {line.split()[0]: " ".join(line.split()[2:]) for line in lines}


def test_a_container_has_its_host_s_policy(podman: Podman, machine: Machine) -> None:
    """What runs in it has not to wait, no timer is near, and `kad namespaces` shows it."""
    with machine.daemon():
        machine.kad("reload")  # what the start has set off is over
        podman.run("--rm", f"timeout 20 sh -c '{UNTIL_SET}'")
        podman.run("-d", "--name=web", f"{UNTIL_SET}; exec sleep infinity")

        wait_until(lambda: podman.values("web") == "120 30 8")
        ((name, line),) = shown(machine).items()
        assert name.startswith("netns-")
        assert line == "1 120 30 8 in force"


def test_a_container_s_own_sysctl_is_kept(podman: Podman, machine: Machine) -> None:
    """podman run --sysctl: whoever writes first, and long after."""
    with machine.daemon():
        podman.run("-d", "--name=db", f"--sysctl={TIME}=600", "exec sleep infinity")
        podman.run("-d", "--name=web", f"{UNTIL_SET}; exec sleep infinity")

        wait_until(lambda: "left alone: set on purpose" in " ".join(shown(machine).values()))
        machine.kad("reload")
        assert podman.values("db").startswith("600 ")
        assert podman.values("web") == "120 30 8"


def test_a_container_that_was_there_before_kad_is_found(podman: Podman, machine: Machine) -> None:
    """Installing kad on a host with containers needs no restart of any."""
    podman.run("-d", "--name=web", "exec sleep infinity")

    with machine.daemon():
        assert podman.values("web") == "120 30 8"


def test_a_removed_container_is_forgotten(podman: Podman, machine: Machine) -> None:
    """Its network goes with it, and nothing of it stays in the state file."""
    podman.run("-d", "--name=web", "exec sleep infinity")
    with machine.daemon():
        assert len(machine.state_file()["namespaces"]) == 2

        assert podman("rm", "--force", "--time=0", "web").returncode == 0

        wait_until(lambda: len(machine.state_file()["namespaces"]) == 1)
        wait_until(lambda: "veth" not in machine.run("ip", "-o", "link").stdout)
