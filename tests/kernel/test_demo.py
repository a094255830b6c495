"""The whole product in one run: a peer that vanishes, a firewall that forgets, and a kad."""

import os
import re
import sys

import pytest

from tests.netns import Machine, wait_until
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
    assert re.fullmatch(r"was silent for 6 s, by the firewall +cut off +answered", fourth)


def test_the_demonstration_leaves_nothing(machine: Machine) -> None:
    """No interface, no namespace, no file, no process."""
    looks = (
        "sh",
        "-c",
        "ip -o link | wc -l; ls /run/netns /tmp | grep -c kad-demo; cat /proc/[0-9]*/comm",
    )
    before = machine.run(*looks).stdout

    done = machine.run("timeout", "--signal=INT", "3", sys.executable, "-m", "kad", "demo")

    assert "a dead peer is noticed after 4 s" in done.stdout
    wait_until(lambda: machine.run(*looks).stdout == before)


def test_without_an_nft_that_works_the_demonstration_leaves_the_firewall_out(
    machine: Machine,
) -> None:
    """A kernel may lack nftables; the rest is shown all the same."""
    nft = machine.directory / "nft"
    nft.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    nft.chmod(0o755)
    path = f"{machine.directory}:{machine.environ['PATH']}"
    demo = (sys.executable, "-m", "kad", "demo")

    done = machine.run("timeout", "--signal=INT", "3", *demo, PATH=path)

    assert "left out: the firewall" in done.stdout
    assert "a dead peer is noticed after 4 s" in done.stdout


def test_the_demonstration_takes_root(machine: Machine) -> None:
    """And says which right is missing."""
    done = machine.run(
        "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin",
        sys.executable, "-m", "kad", "demo",
    )  # fmt: skip

    assert done.returncode == 77
    assert done.stderr == (
        "kad: cannot make a network namespace (kad needs CAP_SYS_ADMIN: run as root)\n"
    )
