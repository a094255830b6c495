"""Which files of a host are read, and in which order."""

import os
from pathlib import Path

import pytest

from kad.neighbours import Neighbours, read
from tests.fakes import INTVL, TIME


class Host:
    """A directory that stands for a host's root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, *lines: str) -> Path:
        """Write a file, making its directories."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    def tuned(self, active: str) -> None:
        """Have TuneD run with a profile, or several."""
        self.write("etc/tuned/active_profile", active)
        self.write("run/tuned/tuned.pid", "100")

    def enable_tuned(self) -> None:
        """Have TuneD started at the next boot."""
        unit = self.write("usr/lib/systemd/system/tuned.service", "[Service]")
        link = self.root / "etc/systemd/system/multi-user.target.wants/tuned.service"
        link.parent.mkdir(parents=True)
        link.symlink_to(unit)

    def read(self) -> Neighbours:
        """Read what sets parameters here."""
        return read(str(self.root))

    def in_effect(self) -> list[str]:
        """Give the lines that have their way, without the root."""
        found = self.read().in_effect()
        return [f"{each.place.removeprefix(str(self.root))} {each.value}" for each in found]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Give an empty host."""
    return Host(tmp_path)


def test_a_host_without_any_of_the_files_sets_nothing(host: Host) -> None:
    """A container has none of them."""
    assert host.in_effect() == []


@pytest.mark.parametrize("directory", ["etc", "run", "usr/local/lib", "usr/lib", "lib"])
def test_sysctl_d_is_read_wherever_it_may_lie(host: Host, directory: str) -> None:
    """The directories of systemd and of procps."""
    host.write(f"{directory}/sysctl.d/90-x.conf", "", f"{TIME} = 600")

    assert host.in_effect() == [f"/{directory}/sysctl.d/90-x.conf:2 600"]


def test_the_same_name_in_an_earlier_directory_hides_the_file(host: Host) -> None:
    """How an administrator replaces a package's file."""
    names = ["etc", "run", "usr/local/lib", "usr/lib", "lib"]
    for number, directory in enumerate(names):
        host.write(f"{directory}/sysctl.d/50-x.conf", f"{TIME} = {number}")

    found = []
    for directory in names:
        found += host.in_effect()
        (host.root / directory / "sysctl.d/50-x.conf").unlink()

    assert found == [f"/{name}/sysctl.d/50-x.conf:1 {each}" for each, name in enumerate(names)]


def test_files_are_sorted_by_name_whatever_their_directory(host: Host) -> None:
    """The last name wins."""
    host.write("etc/sysctl.d/10-x.conf", f"{TIME} = 1")
    host.write("usr/lib/sysctl.d/90-x.conf", f"{TIME} = 2")
    host.write("run/sysctl.d/50-x.conf", f"{TIME} = 3")

    assert host.in_effect() == ["/usr/lib/sysctl.d/90-x.conf:1 2"]


@pytest.mark.parametrize("mask", ["/dev/null", "", "/nowhere"])
def test_a_masked_file_sets_nothing(host: Host, mask: str) -> None:
    """A link to /dev/null, or an empty file."""
    host.write("usr/lib/sysctl.d/50-x.conf", f"{TIME} = 600")
    over = host.write("etc/sysctl.d/50-x.conf")
    over.unlink()
    if mask:
        over.symlink_to(mask)
    else:
        over.touch()

    assert host.in_effect() == []


def test_other_files_beside_are_not_read(host: Host) -> None:
    """Editors' copies and what packages leave behind."""
    for name in ("README", "x.conf~", "x.conf.dpkg-old", ".x.conf"):
        host.write(f"etc/sysctl.d/{name}", f"{TIME} = 600")

    assert host.in_effect() == []


def test_sysctl_conf_is_read_last_by_the_command_and_not_at_boot(host: Host) -> None:
    """Both have their way, each at its time, so both are named."""
    host.write("etc/sysctl.d/99-z.conf", f"{TIME} = 600")
    host.write("etc/sysctl.conf", f"{TIME} = 700")

    assert host.in_effect() == ["/etc/sysctl.d/99-z.conf:1 600", "/etc/sysctl.conf:1 700"]


def test_debian_s_link_to_sysctl_conf_is_told_once_by_the_file_s_name(host: Host) -> None:
    """One line in one file, whoever reads it by which name."""
    host.write("etc/sysctl.conf", f"{TIME} = 700")
    host.write("etc/sysctl.d/10-x.conf", f"{TIME} = 600")
    (host.root / "etc/sysctl.d/99-sysctl.conf").symlink_to("../sysctl.conf")

    assert host.in_effect() == ["/etc/sysctl.conf:1 700"]
    assert len(host.read().all_settings()) == 2


def test_the_active_profile_of_tuned_is_read_with_what_it_includes(host: Host) -> None:
    """The administrator's own profile, on top of one that TuneD came with."""
    host.tuned("mine")
    host.write("etc/tuned/mine/tuned.conf", "[main]", "include=stock", "[sysctl]", f"{TIME}=600")
    host.write("usr/lib/tuned/stock/tuned.conf", "[sysctl]", f"{TIME}=900", f"{INTVL}=60")
    host.write("usr/lib/tuned/idle/tuned.conf", "[sysctl]", f"{INTVL}=1")

    assert host.in_effect() == [
        "/etc/tuned/mine/tuned.conf:4 600",
        "/usr/lib/tuned/stock/tuned.conf:3 60",
    ]


def test_of_several_active_profiles_the_last_wins(host: Host) -> None:
    """`tuned-adm profile a b`, and the profile that is always loaded last."""
    host.tuned("a b")
    host.write("etc/tuned/post_loaded_profile", "c")
    for name, value in (("a", 1), ("b", 2), ("c", 3)):
        host.write(f"etc/tuned/profiles/{name}/tuned.conf", "[sysctl]", f"{TIME}={value}")

    assert host.in_effect() == ["/etc/tuned/profiles/c/tuned.conf:2 3"]


def test_a_profile_of_etc_hides_the_one_it_is_named_after(host: Host) -> None:
    """And may include it by its own name."""
    host.tuned("balanced")
    host.write("usr/lib/tuned/profiles/balanced/tuned.conf", "[sysctl]", f"{TIME}=1", f"{INTVL}=2")
    own = host.write("etc/tuned/balanced/tuned.conf", "[sysctl]", f"{TIME}=3")

    hiding = host.in_effect()
    own.write_text("[main]\ninclude=balanced\n" + own.read_text(encoding="utf-8"), "utf-8")

    assert hiding == ["/etc/tuned/balanced/tuned.conf:2 3"]
    assert host.in_effect() == [
        "/etc/tuned/balanced/tuned.conf:4 3",
        "/usr/lib/tuned/profiles/balanced/tuned.conf:3 2",
    ]


def test_profiles_that_include_each_other_come_to_an_end(host: Host) -> None:
    """A mistake in a profile is TuneD's to tell."""
    host.tuned("a")
    host.write("etc/tuned/a/tuned.conf", "[main]", "include=b,-absent,../../c", "[sysctl]")
    host.write("etc/tuned/b/tuned.conf", "[main]", "include=a", "[sysctl]", f"{TIME}=1")

    assert host.in_effect() == ["/etc/tuned/b/tuned.conf:4 1"]


@pytest.fixture
def left_behind(host: Host) -> Host:
    """Give a host with an active profile, and TuneD neither running nor enabled."""
    host.write("etc/tuned/active_profile", "mine")
    host.write("etc/tuned/mine/tuned.conf", "[sysctl]", f"{TIME}=600")
    return host


def test_a_profile_that_tuned_left_behind_counts_for_nothing(left_behind: Host) -> None:
    """`systemctl disable --now tuned` took its values back, but not the profile's name."""
    assert left_behind.in_effect() == []
    assert left_behind.read().winners() == {}


def test_a_profile_counts_where_tuned_is_to_start_at_the_next_boot(left_behind: Host) -> None:
    """kad starts before TuneD."""
    left_behind.enable_tuned()

    assert left_behind.in_effect() == ["/etc/tuned/mine/tuned.conf:2 600"]


def test_a_masked_tuned_starts_at_no_boot(left_behind: Host) -> None:
    """Enabled before it was masked, which leaves the link."""
    left_behind.enable_tuned()
    (left_behind.root / "etc/systemd/system/tuned.service").symlink_to("/dev/null")

    assert left_behind.in_effect() == []


def test_a_tuned_that_was_removed_starts_at_no_boot(left_behind: Host) -> None:
    """Only a purge takes its configuration and the link away."""
    left_behind.enable_tuned()
    (left_behind.root / "usr/lib/systemd/system/tuned.service").unlink()

    assert left_behind.in_effect() == []


@pytest.mark.parametrize("active", ["..", ".", "../outside", "/outside", "mine/../../outside"])
def test_no_active_profile_lies_outside_of_tuneds_directories(host: Host, active: str) -> None:
    """What TuneD would not load is not advised against."""
    host.tuned(active)
    for place in ("etc", "etc/tuned", "etc/outside", "outside"):
        host.write(f"{place}/tuned.conf", "[sysctl]", f"{TIME}=600")

    assert host.in_effect() == []


@pytest.mark.parametrize("include", ["..", ".", "-..", "../../outside/.", "../../outside/"])
def test_no_profile_includes_one_from_outside(host: Host, include: str) -> None:
    """Of a path only the last name counts, and that is never a step upwards."""
    host.tuned("mine")
    host.write("etc/tuned/mine/tuned.conf", "[main]", f"include={include}")
    for place in ("etc", "etc/tuned", "etc/outside", "outside"):
        host.write(f"{place}/tuned.conf", "[sysctl]", f"{TIME}=600")

    assert host.in_effect() == []


def test_sysctl_conf_wins_over_tuned_for_an_import(host: Host) -> None:
    """TuneD applies sysctl.d and sysctl.conf once more after its profile."""
    host.tuned("a")
    host.write("etc/tuned/a/tuned.conf", "[sysctl]", f"{TIME}=1", f"{INTVL}=2")
    host.write("etc/sysctl.d/x.conf", f"{TIME}=3")

    values = {name: each.value for name, each in host.read().winners().items()}

    assert values == {TIME: "3", INTVL: "2"}


def test_what_is_no_text_or_cannot_be_read_is_no_failure(host: Host) -> None:
    """Advice is never worth a failure."""
    directory = host.write("etc/sysctl.d/30-z.conf", f"{TIME} = 600").parent
    (directory / "10-bytes.conf").write_bytes(b"\xff\x00\xfe = \xff\n" * 100)
    (directory / "40-folder.conf").mkdir()
    os.mkfifo(directory / "50-fifo.conf")
    (directory / "60-loop.conf").symlink_to("60-loop.conf")
    (host.root / "etc/tuned").symlink_to("tuned")

    assert host.in_effect() == ["/etc/sysctl.d/30-z.conf:1 600"]
