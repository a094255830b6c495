"""What packaging/build makes, on a Debian that has only python3, made for the test.

It is built over the network on one machine, with the build's packages, and installed on another.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kad import __version__
from tests.debian import Machine, debian_tarball, machine_on

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mmdebstrap"),
    reason="makes a Debian machine: needs root and mmdebstrap",
)

IN_FORCE = "cat /proc/sys/net/ipv4/tcp_keepalive_{time,intvl,probes} | xargs"


@pytest.fixture(scope="module")
def fresh() -> Iterator[Machine]:
    """Give a Debian on which nothing was installed yet."""
    with tempfile.TemporaryDirectory(prefix="kad-debian-") as base:
        subprocess.run(["/usr/bin/tar", "-xf", debian_tarball(), "-C", base], check=True)
        with machine_on(Path(base)) as machine:
            yield machine


def online(machine: Machine, script: str) -> str:
    """Run bash with the network, which must succeed, and give what it printed."""
    done = machine.sh(script, online=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def builder(fresh: Machine) -> Iterator[Machine]:
    """Build the package; root needs to install nothing for it by hand."""
    with fresh.copy() as machine:
        told = online(machine, "cp -R /checkout /root/kad && /root/kad/packaging/build deb")
        assert re.fullmatch(rf"/root/kad/dist/kad_{__version__}\S*\.deb\n", told)
        yield machine


@pytest.fixture(scope="module")
def installed(fresh: Machine, builder: Machine) -> Iterator[Machine]:
    """Install the package, and keep it at /root/kad.deb."""
    (package,) = (builder.layers[0] / "root/kad/dist").glob("*.deb")
    with fresh.copy() as machine:
        (machine.layers[0] / "root").mkdir(exist_ok=True)
        shutil.copy(package, machine.layers[0] / "root/kad.deb")
        install = "apt-get install -qq -y --no-install-recommends ~/kad.deb"
        online(machine, f"apt-get update -qq && {install}")
        yield machine


@pytest.fixture
def machine(installed: Machine) -> Iterator[Machine]:
    """Give a machine with the package, for one test."""
    with installed.copy() as machine:
        yield machine


def test_debians_checker_has_nothing_to_say(builder: Machine) -> None:
    """Not even in passing; what is overridden has its reason beside it."""
    get = "apt-get install -qq -y --no-install-recommends lintian >/dev/null 2>&1"

    said = online(builder, f"{get}; lintian --allow-root --display-info /root/kad/dist/*.deb")

    assert said == ""


def test_the_package_works(machine: Machine) -> None:
    """One command installs it, and the policy can be put in force."""
    assert machine.told("kad --version") == f"kad {__version__}\n"
    assert machine.told("cd /root; kad check").startswith("/etc/kad/policy.toml: valid\n")
    assert machine.told(f"kad apply >/dev/null; {IN_FORCE}") == "120 30 8\n"


def test_another_python_module_of_that_name_is_not_taken(machine: Machine) -> None:
    """Root's kad does not depend on what lies about."""
    decoy = "mkdir -p /tmp/x/kad; echo 'raise SystemExit(9)' >/tmp/x/kad/__init__.py; cd /tmp/x"

    machine.told(f"{decoy}; PYTHONPATH=/tmp/x kad --version")


def test_nothing_has_to_be_compiled_at_the_start(machine: Machine) -> None:
    """The daemon's user could not keep what it compiled, and would do so at each boot."""
    machine.told("ls $(dpkg -L kad | grep '/kad/cli$')/__pycache__/arguments.*.pyc")


def test_manuals_completions_schema_and_examples_are_where_they_are_looked_for(
    machine: Machine,
) -> None:
    """`man kad`, the tabulator, an editor and a reader find them."""
    machine.told("""
        cd /usr/share; set -e
        kad schema | cmp - kad/policy.schema.json
        cmp kad/policy.toml /checkout/packaging/policy.toml
        diff -r doc/kad/examples /checkout/examples
        ls man/man8/kad.8.gz man/man5/kad-policy.5.gz
        ls bash-completion/completions/kad zsh/vendor-completions/_kad
        ls fish/vendor_completions.d/kad.fish
    """)


def test_a_first_installation_gives_the_default_policy(machine: Machine) -> None:
    """It is no conffile: no question at an upgrade."""
    machine.told("cmp /etc/kad/policy.toml /usr/share/kad/policy.toml")
    assert machine.told("dpkg-query -W -f '${Conffiles}' kad") == ""


@pytest.mark.parametrize("there", ["touch policy.yaml", "ln -s /nowhere policy.yml"])
def test_no_policy_is_given_where_there_is_one(machine: Machine, there: str) -> None:
    """A policy of any suffix, be it a link that leads nowhere yet, is the operator's."""
    machine.told("dpkg --purge kad")

    machine.told(f"mkdir -p /etc/kad; cd /etc/kad; {there}; dpkg -i /root/kad.deb")

    assert "toml" not in machine.told("ls /etc/kad")


def test_an_update_keeps_an_edited_policy_and_brings_none_back(machine: Machine) -> None:
    """The policy is the operator's after the first installation."""
    machine.told("echo '#' >>/etc/kad/policy.toml; dpkg -i /root/kad.deb")
    assert machine.told("tail -1 /etc/kad/policy.toml") == "#\n"

    machine.told("rm /etc/kad/policy.toml; dpkg -i /root/kad.deb")
    assert machine.told("ls /etc/kad") == ""


def test_over_the_other_installation_the_package_is_refused(machine: Machine) -> None:
    """What packaging/install brought would hide the package's command and unit."""
    machine.told("dpkg --purge kad; mkdir -p /opt/kad; ln -s / /opt/kad/current")

    done = machine.sh("dpkg -i /root/kad.deb")

    assert done.returncode == 1
    assert "sudo packaging/install --uninstall" in done.stderr
    machine.told("! ls /usr/bin/kad && rm -r /opt/kad && dpkg -i /root/kad.deb")


def test_a_purge_leaves_nothing_of_kads(machine: Machine) -> None:
    """Removed, the policy stays; purged, it goes too, and what is not kad's stays."""
    machine.told("dpkg --remove kad; ls /etc/kad/policy.toml")
    machine.told("touch /etc/kad/mine; dpkg --purge kad")
    assert machine.told("ls /etc/kad") == "mine\n"

    machine.told("rm -r /etc/kad; dpkg -i /root/kad.deb; mkdir -p /var/lib/kad; dpkg --purge kad")

    find = "find / -xdev \\( -path /proc -o -path /checkout -o -path /root \\) -prune"
    assert machine.told(f"{find} -o \\( -name 'kad*' -o -name _kad \\) -print") == ""
