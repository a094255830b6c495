"""What packaging/build makes, on a Debian that has only python3, made for the test."""

import os
import shutil
from collections.abc import Iterator

import pytest

from kad import __version__
from tests.debian import Machine, add_packages, machine_on, own_codename
from tests.machine import MEMORY
from tests.package import debian, package

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mmdebstrap"),
    reason="makes a Debian machine: needs root and mmdebstrap",
)

IN_FORCE = "cat /proc/sys/net/ipv4/tcp_keepalive_{time,intvl,probes} | xargs"


@pytest.fixture(scope="module")
def installed() -> Iterator[Machine]:
    """Give a Debian that had nothing but python3, with the package, also at /root/kad.deb."""
    with debian(own_codename()) as root, machine_on(root, directory=MEMORY) as machine:
        provide(machine, own_codename())
        add_packages(machine, "/root/kad.deb")
        yield machine


def provide(machine: Machine, codename: str) -> None:
    """Lay a release's package at /root/kad.deb."""
    (machine.layers[0] / "root").mkdir(exist_ok=True)
    shutil.copy(package(codename), machine.layers[0] / "root/kad.deb")


@pytest.fixture
def machine(installed: Machine) -> Iterator[Machine]:
    """Give a machine with the package, for one test."""
    with installed.copy() as machine:
        yield machine


@pytest.mark.parametrize("codename", ["bookworm", "trixie"])
def test_debians_checker_has_nothing_to_say(codename: str) -> None:
    """Each release's own, not even in passing; what is overridden has its reason beside it."""
    with debian(codename) as root, machine_on(root, directory=MEMORY) as machine:
        provide(machine, codename)
        add_packages(machine, "lintian")

        done = machine.sh("lintian --allow-root --display-info /root/kad.deb")

    assert (done.returncode, done.stdout) == (0, "")


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


def test_the_table_of_programs_is_beside_the_module_that_reads_it(machine: Machine) -> None:
    """It is no module, so that a build would leave it out unless told."""
    machine.told("ls $(dpkg -L kad | grep '/kad/cli/programs.toml$')")


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


def test_a_purge_leaves_alone_what_another_kad_uses(machine: Machine) -> None:
    """Removed, then followed by packaging/install: the policy and the service are that one's."""
    link = "/etc/systemd/system/sysinit.target.wants/kad.service"
    machine.told("dpkg --remove kad; mkdir -p /opt/kad /var/lib/kad; ln -s / /opt/kad/current")
    machine.told(f"ln -sf /usr/local/lib/systemd/system/kad.service {link}")

    machine.told("dpkg --purge kad")

    machine.told(f"ls /etc/kad/policy.toml /var/lib/kad {link}")
    assert machine.told("find /var/lib/systemd/deb-systemd-helper-enabled -name 'kad*'") == ""
