"""What others set, by those others themselves, in a network namespace of its own."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fakes import INTVL, PROBES, TIME
from tests.netns import KAD, Machine
from tests.sysctls import LINES

SYSTEMD_SYSCTL = "/lib/systemd/systemd-sysctl"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount over /etc")
needs_systemd = pytest.mark.skipif(
    not os.path.exists(SYSTEMD_SYSCTL), reason=f"needs {SYSTEMD_SYSCTL}"
)


def lay(machine: Machine, files: Mapping[str, str]) -> None:
    """Lay files and links over the machine's /etc, /usr and /run."""
    upper = machine.directory / "upper"
    for name, text in files.items():
        file = upper / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            file.symlink_to(text.removeprefix("-> "))
        else:
            file.write_text(text, encoding="utf-8")
    for top in ("etc", "usr"):
        work = f"/run/overlay/{top}"
        own = f"lowerdir=/{top},upperdir={work}/upper,workdir={work}/work"
        shell = (
            f"mkdir -p {upper}/{top} {work}/upper {work}/work && "
            f"cp -a {upper}/{top}/. {work}/upper && mount -t overlay kad-test -o {own} /{top}"
        )
        assert machine.run("sh", "-c", shell).returncode == 0
    machine.run("cp", "-a", f"{upper}/run/.", "/run")


@needs_systemd
def test_the_real_systemd_sysctl_agrees_on_what_lines_mean(machine: Machine) -> None:
    """The table that kad's reading is held to is no invention."""
    found = {}
    for case, (text, _) in LINES.items():
        for parameter, value in zip((TIME, INTVL, PROBES), (7200, 75, 9), strict=True):
            machine.set(parameter, value)
        file = machine.directory / "x.conf"
        file.write_text(text, encoding="utf-8", newline="")
        machine.run(SYSTEMD_SYSCTL, file)
        found[case] = tuple(machine.values())

    assert found == {case: values for case, (_, values) in LINES.items()}


@needs_root
@needs_systemd
def test_the_real_programs_agree_on_the_files_and_their_order(machine: Machine) -> None:
    """kad says beforehand what systemd-sysctl and `sysctl --system` will do."""
    machine.write_policy("[keepalive]\ntime = 1\nintvl = 1\nprobes = 1\n")
    files = {
        "etc/sysctl.d/50-masked.conf": "-> /dev/null",
        "usr/lib/sysctl.d/50-masked.conf": f"{INTVL} = 11\n",
        "etc/sysctl.d/97-own.conf": f"# mine\n{TIME} = 22\n",
        "usr/lib/sysctl.d/97-own.conf": f"{TIME} = 33\n{PROBES} = 33\n",
        "usr/lib/sysctl.d/98-vendor.conf": f"{TIME} = 44\n",
        "run/sysctl.d/98-w.conf": "net.ipv4.tcp_keepalive_[ip]* = 55\n",
        "etc/sysctl.d/99-sysctl.conf": "-> nowhere",
        "etc/sysctl.conf": f"{TIME} = 66\n",
    }
    lay(machine, files)

    shown = machine.kad("check", machine.policy).stdout.splitlines()
    machine.run(SYSTEMD_SYSCTL)
    at_boot = machine.values()
    machine.run("sysctl", "--system")
    by_command = machine.values()

    assert [line for line in shown if line.startswith("advice: /")] == [
        f"advice: /usr/lib/sysctl.d/98-vendor.conf:1 sets {TIME} to 44; policy says 1",
        f"advice: /run/sysctl.d/98-w.conf:1 sets {INTVL} to 55; policy says 1",
        f"advice: /run/sysctl.d/98-w.conf:1 sets {PROBES} to 55; policy says 1",
        f"advice: /etc/sysctl.conf:1 sets {TIME} to 66; policy says 1",
    ]
    assert at_boot == [44, 55, 55]
    assert by_command == [66, 55, 55]


@needs_root
def test_status_and_the_daemon_name_the_lines_too(machine: Machine) -> None:
    """The same words wherever one looks, and those of now after a reload."""
    conf = machine.directory / "sysctl.d"
    conf.mkdir()
    machine.run("mkdir", "-p", "/run/sysctl.d")
    machine.run("mount", "--bind", conf, "/run/sysctl.d")
    file = conf / "90-x.conf"
    line = f"/run/sysctl.d/90-x.conf:2 sets {TIME} to 600; policy says 120"
    file.write_text(f"\n{TIME} = 600\n", encoding="utf-8")

    alone = machine.kad("status", "--policy", machine.policy)
    with machine.daemon() as daemon:
        daemon.wait_for("READY=1")
        machine.kad("reload")
        with_daemon = machine.kad("status")
        file.unlink()
        machine.kad("reload")
        without = machine.kad("status")

    assert f"advice     {line}" in alone.stdout
    assert f"advice     {line}" in with_daemon.stdout
    assert line not in without.stdout
    assert line not in machine.kad("status", "--policy", machine.policy).stdout


@needs_root
def test_a_file_for_other_eyes_is_passed_over(machine: Machine) -> None:
    """kad's user may not read everything in /etc, and needs not."""
    machine.run("mkdir", "-p", "/run/sysctl.d")
    machine.run("sh", "-c", f"echo {TIME}=600 > /run/sysctl.d/x.conf")
    machine.run("chmod", "0600", "/run/sysctl.d/x.conf")
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

    by_root = machine.kad("check", machine.policy)
    by_nobody = machine.run(*nobody, *KAD, "check", machine.policy)

    assert "x.conf:1 sets" in by_root.stdout
    assert (by_nobody.returncode, by_nobody.stderr) == (0, "")
    assert "x.conf:1 sets" not in by_nobody.stdout


@needs_root
def test_import_makes_a_policy_of_what_the_host_sets(machine: Machine) -> None:
    """And says which lines it took, and which are to be removed."""
    files = {
        "etc/sysctl.d/10-x.conf": f"{TIME} = 900\n",
        "etc/sysctl.d/90-x.conf": f"# why\n\n{TIME} = 600\nnet/ipv4/tcp_keepalive_probes=5\n",
        "run/tuned/tuned.pid": "100",
        "etc/tuned/active_profile": "mine\n",
        "etc/tuned/mine/tuned.conf": f"[sysctl]\n{INTVL}=60\n",
    }

    lay(machine, files)

    done = machine.kad("import")
    machine.write_policy(done.stdout)
    checked = machine.kad("check", machine.policy)

    assert done.returncode == 0
    assert done.stdout.endswith(f"""\
[keepalive]
# /etc/sysctl.d/90-x.conf:3: {TIME} = 600
time = 600
# /etc/tuned/mine/tuned.conf:2: {INTVL} = 60
intvl = 60
# /etc/sysctl.d/90-x.conf:4: net/ipv4/tcp_keepalive_probes = 5
probes = 5
""")
    assert done.stderr.splitlines() == [
        f"kad: /etc/sysctl.d/10-x.conf:1: {TIME} = 900: remove this line",
        f"kad: /etc/sysctl.d/90-x.conf:3: {TIME} = 600: remove this line",
        "kad: /etc/sysctl.d/90-x.conf:4: net/ipv4/tcp_keepalive_probes = 5: remove this line",
        f"kad: /etc/tuned/mine/tuned.conf:2: {INTVL} = 60: remove this line",
    ]
    assert "kad sets time 600 s, intvl 60 s, probes 5" in checked.stdout


def test_import_of_named_files_tells_what_it_leaves_out(machine: Machine) -> None:
    """What kad would not take is named at its line; the rest is a policy."""
    first, second = machine.directory / "a.conf", machine.directory / "b.conf"
    first.write_text(f"{TIME} = 600\n{PROBES} = 0\n", encoding="utf-8")
    second.write_text(f"net.ipv4.tcp_keepalive_* = 010\n{TIME}=90000\n{TIME}=90\n", "utf-8")

    done = machine.kad("import", first, second)

    assert done.returncode == 0
    assert done.stdout.endswith(f"[keepalive]\n# {second}:3: {TIME} = 90\ntime = 90\n")
    glob = "net.ipv4.tcp_keepalive_* = 010"
    assert done.stderr.splitlines() == [
        f"kad: {first}:2: {PROBES} = 0: left out: {PROBES} must be 1 to 127",
        f"kad: {second}:1: {glob}: left out: {INTVL} must be a plain number, 1 to 32767",
        f"kad: {first}:1: {TIME} = 600: remove this line",
        f"kad: {second}:1: {glob}: add the line -{TIME} to exclude it from the pattern",
        f"kad: {second}:2: {TIME} = 90000: remove this line",
        f"kad: {second}:3: {TIME} = 90: remove this line",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vm.swappiness = 1\n", "no line sets any of the three parameters"),
        (f"{TIME} = 0\n", f"{TIME} = 0: left out: {TIME} must be 1 to 32767"),
        (f"{TIME} = 32768\n", f"{TIME} = 32768: left out: {TIME} must be 1 to 32767"),
    ],
)
def test_import_of_nothing_is_1_and_prints_no_policy(
    machine: Machine, text: str, said: str
) -> None:
    """A policy without a parameter would be none."""
    file = machine.directory / "a.conf"
    file.write_text(text, encoding="utf-8")

    done = machine.kad("import", file)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"{said}\n")


def test_import_of_a_file_that_is_not_there_names_it(machine: Machine) -> None:
    """No traceback for what an operator mistypes."""
    done = machine.kad("import", "/absent.conf")

    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr == "kad: /absent.conf: cannot be read: No such file or directory\n"


@needs_systemd
def test_an_exported_sysctl_d_file_is_understood_by_systemd(machine: Machine) -> None:
    """And by kad import, which makes the same policy of it again."""
    made = machine.kad("export", "--to", "sysctl.d", "--policy", machine.policy)
    file = Path(machine.directory / "90-keepalive.conf")
    file.write_text(made.stdout, encoding="utf-8")

    applied = machine.run(SYSTEMD_SYSCTL, file)
    again = machine.kad("import", file)

    assert (made.returncode, made.stderr) == (0, "")
    assert (applied.returncode, applied.stderr) == (0, "")
    assert machine.values() == [120, 30, 8]
    values = [line for line in again.stdout.splitlines() if line and line[0] not in "#["]
    assert values == ["time = 120", "intvl = 30", "probes = 8"]


def test_export_of_a_bad_policy_is_78_and_prints_nothing(machine: Machine) -> None:
    """No half file for who redirects it."""
    machine.write_policy("[keepalive]\nprobes = 0\n")

    done = machine.kad("export", "--to", "kubernetes", "--policy", machine.policy)

    assert (done.returncode, done.stdout) == (78, "")
    assert f"{machine.policy}:2:10" in done.stderr


def test_the_daemon_starts_without_the_code_that_reads_the_neighbours(machine: Machine) -> None:
    """It stands on the boot's critical path, and advice can wait."""
    code = "import sys, kad.cli.run; print([each for each in sys.modules if 'neighbours' in each])"

    assert machine.run(KAD[0], "-c", code).stdout == "[]\n"
