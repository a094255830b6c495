"""The whole product in one run: a peer that vanishes, a firewall that forgets, and a kad."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.netns import Machine, child_of, wait_until
from tests.units import unit, within

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make control groups")


def test_the_demonstration_shows_the_problem_and_the_cure(machine: Machine) -> None:
    """With kad each program notices in time, and the firewall does not forget; else none does."""
    with unit("web.service") as group:
        done = machine.run(*within(group, sys.executable, "-m", "kad", "demo"))

    *_, first, second, third, fourth, _ = [*done.stdout.splitlines(), ""]
    noticed = r" +not noticed +after ([34567]\.\d) s"
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch("has SO_KEEPALIVE on, opened now" + noticed, first)
    assert re.fullmatch("has SO_KEEPALIVE on, opened under 7200 s" + noticed, second)
    assert re.fullmatch("never asked for keepalive" + noticed, third)
    assert re.fullmatch(r"was idle for 6 s through the firewall +cut off +answered", fourth)


@pytest.mark.parametrize(("signal", "status"), [("INT", 130), ("TERM", 143), ("HUP", 129)])
def test_the_demonstration_leaves_nothing(
    machine: Machine, tmp_path: Path, signal: str, status: int
) -> None:
    """No interface, no namespace, no file, no process, however it is ended."""
    looks = ("sh", "-c", "ip -o link | wc -l; ls /run/netns | wc -l; cat /proc/[0-9]*/comm")
    before = machine.run(*looks).stdout
    command = machine.inside(sys.executable, "-m", "kad", "demo")
    environ = {**machine.environ, "TMPDIR": str(tmp_path)}

    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        wait_until(lambda: [*tmp_path.glob("kad-demo-*/status.json")])
        machine.run("kill", "-s", signal, pid_inside(process.pid))
        shown, _ = process.communicate(timeout=20)

    assert "a dead peer is noticed after 4 s" in shown
    assert process.returncode == status
    assert not [*tmp_path.iterdir()]
    wait_until(lambda: machine.run(*looks).stdout == before)


def pid_inside(nsenter: int) -> str:
    """Give the number that nsenter's child has in its machine."""
    lines = Path(f"/proc/{child_of(nsenter)}/status").read_text(encoding="utf-8").splitlines()
    return next(line.split()[-1] for line in lines if line.startswith("NSpid:"))


def test_without_an_nft_that_works_the_demonstration_leaves_the_firewall_out(
    machine: Machine,
) -> None:
    """A kernel may lack nftables; the rest is shown all the same, and counts."""
    nft = machine.directory / "nft"
    nft.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    nft.chmod(0o755)
    path = f"{machine.directory}:{machine.environ['PATH']}"

    with unit("web.service") as group:
        done = machine.run(*within(group, sys.executable, "-m", "kad", "demo"), PATH=path)

    assert "left out: the firewall" in done.stdout
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("never asked for keepalive")


@pytest.mark.parametrize("capability", ["sys_admin", "net_admin", "sys_ptrace"])
def test_the_demonstration_takes_root(machine: Machine, capability: str) -> None:
    """And says which right is missing before it shows anything."""
    drop = ("setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}")

    done = machine.run(*drop, sys.executable, "-m", "kad", "demo")

    assert (done.returncode, done.stdout) == (77, "")
    assert done.stderr == (f"kad: the demo needs CAP_{capability.upper()}: run it as root\n")
