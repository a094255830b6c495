"""README's two commands on a Debian that has only python3, made for the test and thrown away.

The first installation goes over the network with /proc read-only, so that nothing of this host
can change. It also keeps the packages it needed; every other test is offline, in a network
namespace of its own, where kad may set the values.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.debian import Machine, debian_tarball, fetch_wheels, machine_on

IN_FORCE = "cat /proc/sys/net/ipv4/tcp_keepalive_{time,intvl,probes} | xargs"
LOCAL = "find /usr/local /etc -type d | sort"

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mmdebstrap"),
    reason="makes a Debian machine: needs root and mmdebstrap",
)


@pytest.fixture(scope="module")
def fresh() -> Iterator[Machine]:
    """Give a Debian on which nothing was installed yet."""
    with tempfile.TemporaryDirectory(prefix="kad-debian-") as base:
        subprocess.run(["/usr/bin/tar", "-xf", debian_tarball(), "-C", base], check=True)
        with machine_on(Path(base)) as machine:
            yield machine


@dataclass(frozen=True, slots=True)
class FirstInstallation:
    """The machine after packaging/install, and how that went."""

    machine: Machine
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def first(fresh: Machine) -> Iterator[FirstInstallation]:
    """Install kad over the network, and keep the packages at hand for what follows offline."""
    with fresh.copy() as machine:
        done = machine.sh("umask 077; /checkout/packaging/install", online=True)
        fetch_wheels(machine)
        yield FirstInstallation(machine, done)


@pytest.fixture
def machine(first: FirstInstallation) -> Iterator[Machine]:
    """Give a machine on which kad was installed, for one test."""
    with first.machine.copy() as machine:
        yield machine


def test_one_command_installs_kad_on_a_fresh_debian(first: FirstInstallation) -> None:
    """The operator needs to know of nothing but packaging/install; it says what apt adds."""
    assert first.done.returncode == 0, first.done.stdout + first.done.stderr
    assert first.done.stdout.startswith("kad: installing missing packages with apt: python3-venv\n")
    assert first.machine.told("kad --version").startswith("kad ")


def test_without_the_right_to_set_values_the_installation_is_complete(
    first: FirstInstallation,
) -> None:
    """An image build succeeds, and says that the values were not set."""
    assert first.done.returncode == 0
    assert "Read-only file system" in first.done.stderr
    assert "not permitted to set the values" in first.done.stdout


def test_installed_files_are_roots_and_for_all_to_read(machine: Machine) -> None:
    """A umask of 077 in root's shell keeps nobody from running kad."""
    closed = machine.told(r"find /opt/kad /etc/kad ! -type l \( ! -perm -o=r -o ! -user root \)")

    assert closed == ""


def test_policy_and_examples_are_those_of_the_checkout(machine: Machine) -> None:
    """What is read in the checkout is what is installed; only the schema lies elsewhere."""
    machine.told("mkdir /tmp/x; cp -R /checkout/packaging/policy.toml /checkout/examples /tmp/x")
    machine.told("sed -i s:/usr/share/kad/:/usr/local/share/kad/: /tmp/x/*.toml /tmp/x/*/*")

    machine.told("cmp /etc/kad/policy.toml /tmp/x/policy.toml")
    machine.told("diff -r /etc/kad/examples /tmp/x/examples")


def test_editors_find_the_schema_that_the_policy_names(machine: Machine) -> None:
    """The first line of the policy is a path that exists, with what `kad schema` prints."""
    named = machine.told("sed -n '1s/^#:schema //p' /etc/kad/policy.toml")

    assert named == "/usr/local/share/kad/policy.schema.json\n"
    machine.told(f"kad schema | cmp - {named}")


def test_manuals_and_completions_are_where_they_are_looked_for(machine: Machine) -> None:
    """`man kad` and the tabulator find them, and the manual names files that exist."""
    machine.told("""
        cd /usr/local/share; set -e
        grep -q '^.TH KAD 8' man/man8/kad.8; grep -q '^.TH KAD.*POLICY 5' man/man5/kad-policy.5
        bash -n bash-completion/completions/kad
        ls zsh/site-functions/_kad /etc/fish/completions/kad.fish
    """)
    manuals = "/usr/local/share/man/*/kad*"
    files = machine.told(f"grep -oh '/usr/local/share/kad/[a-z.]*[a-z]' {manuals}").split()
    assert files
    machine.told(f"! grep /usr/share {manuals} && ls {' '.join(files)}")


def test_a_first_installation_puts_the_default_policy_in_force(machine: Machine) -> None:
    """After one command the host's values are 2 min, 30 s and 8 probes."""
    machine.told("/checkout/packaging/install --uninstall")

    done = machine.told(f"/checkout/packaging/install; {IN_FORCE}")

    assert done.endswith("120 30 8\n")


def test_an_update_keeps_what_was_edited(machine: Machine) -> None:
    """The operator's files outlive every update, and the edited policy is put in force."""
    machine.told(
        "sed -i 's/2min/3min/' /etc/kad/policy.toml; echo '# mine' >>/etc/kad/examples/aws.toml"
    )

    done = machine.told(f"/checkout/packaging/install; {IN_FORCE}")

    assert done.endswith("180 30 8\n")
    assert "kept /etc/kad/examples/aws.toml, which you edited" in done
    assert "# mine" in machine.told("tail -1 /etc/kad/examples/aws.toml")


def test_an_update_does_not_bring_back_a_deleted_policy(machine: Machine) -> None:
    """Who took the policy away meant it."""
    done = machine.told("rm /etc/kad/policy.toml; /checkout/packaging/install; ls /etc/kad")

    assert "no policy in /etc/kad" in done
    assert done.endswith("\nexamples\n")


def test_a_policy_in_yaml_needs_no_default_beside_it(machine: Machine) -> None:
    """Two policies at once would be a mistake; the installation does not make it."""
    machine.told("/checkout/packaging/install --uninstall")
    machine.told("mkdir /etc/kad; echo 'keepalive: {time: 100}' >/etc/kad/policy.yaml")

    done = machine.told("/checkout/packaging/install; ls /etc/kad")

    assert done.endswith("\nexamples\npolicy.yaml\n")


def test_an_invalid_policy_is_told_by_the_exit_status(machine: Machine) -> None:
    """An update over a broken policy installs kad and does not pretend that all is well."""
    done = machine.sh("echo probes = 0 >/etc/kad/policy.toml; /checkout/packaging/install")

    assert done.returncode == 78
    assert "Fix it, then run: kad apply" in done.stderr


def test_the_group_kad_can_read_policies_that_are_not_for_all(machine: Machine) -> None:
    """Where the group exists, a new policy of mode 0640 belongs to it by itself."""
    script = "groupadd kad; /checkout/packaging/install >&2; touch /etc/kad/x.toml"

    done = machine.told(f"{script}; stat -c %U:%G:%a /etc/kad; stat -c %G /etc/kad/x.toml")

    assert done == "root:kad:2755\nkad\n"


def test_a_failed_update_leaves_the_kad_before_it(machine: Machine) -> None:
    """When the package index fails, kad works on, and nothing half made is left."""
    before = machine.told("ls /opt/kad; readlink /opt/kad/current")

    done = machine.sh("PIP_FIND_LINKS=/nowhere /checkout/packaging/install")

    assert done.returncode == 1
    assert "failed while building the environment" in done.stderr
    assert machine.told("ls /opt/kad; readlink /opt/kad/current") == before
    assert machine.told("kad --version; ls /tmp").startswith("kad ")


def test_kad_works_at_every_moment_of_an_update(machine: Machine) -> None:
    """A timer or a script that calls kad during an update never meets a missing one."""
    script = """
        while :; do kad --version >/dev/null || echo "kad exited with $?"; done & caller=$!
        /checkout/packaging/install >/dev/null; /checkout/packaging/install >/dev/null
        kill $caller; ls -d /opt/kad/env.* | wc -l
    """

    assert machine.told(script) == "2\n"


def test_uninstalling_leaves_nothing(fresh: Machine, machine: Machine) -> None:
    """Nothing of kad stays, no directory either, and what apt added is named."""
    machine.told("mkdir -p /var/lib/kad /run/kad")

    done = machine.told("/checkout/packaging/install --uninstall")

    assert "kept the packages that were installed with apt: python3-venv" in done
    traces = r"find / -xdev \( -name 'kad*' -o -name _kad \) -not -path '/checkout*'"
    assert machine.told(traces) == ""
    assert machine.told(LOCAL) == fresh.told(LOCAL)


def test_uninstalling_keeps_an_edited_policy_and_says_so(machine: Machine) -> None:
    """What the operator wrote is never deleted silently."""
    machine.told("echo '# mine' >>/etc/kad/policy.toml")

    done = machine.told("/checkout/packaging/install --uninstall; find /etc/kad -type f")

    assert "kept your files: /etc/kad/policy.toml\n" in done
    assert done.endswith("\n/etc/kad/policy.toml\n")


def test_uninstalling_under_a_running_daemon_is_refused(machine: Machine) -> None:
    """The daemon would lose its program, and its lock, under its feet."""
    script = "kad run & sleep 2; /checkout/packaging/install --uninstall; echo $?; kill $!; wait"

    done = machine.sh(script)

    assert done.stdout == "1\n"
    assert "stop it first: kill " in done.stderr


def test_beside_the_package_an_installation_is_refused(machine: Machine) -> None:
    """Of two kads each would hide a part of the other, and one uninstalled break both."""
    done = machine.sh("touch /usr/bin/kad; /checkout/packaging/install")

    assert done.returncode == 1
    assert "/usr/bin/kad exists" in done.stderr
    assert "apt-get remove kad" in done.stderr


def test_two_installations_at_once_do_not_mix(machine: Machine) -> None:
    """The second one says so, and changes nothing; afterwards no lock is left."""
    done = machine.sh("flock /run/kad-install.lock /checkout/packaging/install")

    assert done.returncode == 1
    assert done.stderr == "packaging/install: another instance is running\n"
    machine.told("/checkout/packaging/install; ! ls /run/kad-install.lock")


def test_one_that_ended_meanwhile_does_not_let_two_in(machine: Machine) -> None:
    """A lock on the file that it removed would leave a third one free to make another."""
    end = "printf '#!/bin/sh\\nrm /run/kad-install.lock; exec /usr/bin/flock \"$@\"\\n'"
    flock = "/usr/local/sbin/flock"

    done = machine.sh(f"{end} >{flock}; chmod +x {flock}; /checkout/packaging/install")

    assert (done.returncode, done.stderr) == (1, "packaging/install: another instance is running\n")


def test_no_other_user_can_hold_up_an_installation(machine: Machine) -> None:
    """What they may open, they may lock."""
    nobody = "setpriv --reuid=65534 --clear-groups"
    hold = "for each in / /opt /opt/kad /run; do flock $each sleep 60 & done; wait"

    done = machine.sh(f"{nobody} bash -c '{hold}' & sleep 1; /checkout/packaging/install")

    assert done.returncode == 0, done.stderr


def test_a_part_of_systemd_is_not_systemd(machine: Machine) -> None:
    """Debian has systemd-sysusers in a package of its own, which containers use."""
    alone = "/usr/local/sbin/systemd-sysusers"

    done = machine.sh(f"install -m 755 /bin/false {alone}; /checkout/packaging/install")

    assert done.returncode == 0, done.stderr


def test_a_foreign_command_of_the_same_name_is_left_alone(machine: Machine) -> None:
    """Another program called kad is neither overwritten nor removed."""
    script = "rm /usr/local/bin/kad; echo other >/usr/local/bin/kad; /checkout/packaging/install"

    done = machine.sh(script)

    assert done.returncode == 1
    assert "/usr/local/bin/kad exists and is not part of this installation" in done.stderr
    machine.told("/checkout/packaging/install --uninstall; grep other /usr/local/bin/kad")


@pytest.mark.parametrize("command", ["packaging/install", "tests/run"])
def test_without_root_the_apt_line_is_named(fresh: Machine, command: str) -> None:
    """Whoever may not install packages learns which line to hand to somebody who may."""
    done = fresh.sh(f"setpriv --reuid=65534 --clear-groups /checkout/{command}")

    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def test_the_test_command_sets_itself_up_on_a_fresh_debian(fresh: Machine) -> None:
    """A contributor needs to know of nothing but tests/run."""
    with fresh.copy() as machine:
        done = machine.sh("cp -r /checkout /tmp/kad; /tmp/kad/tests/run tests/core", online=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("tests: installing missing packages with apt: python3-venv ")
    assert re.search(r"\d+ passed", done.stdout)
