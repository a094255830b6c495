"""The files of others: what systemd-sysctl makes of them, and what `kad import` does."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kad import neighbours
from kad.core.importing import as_toml, remarks, take
from kad.core.neighbours import sysctlconf, tuned
from kad.core.neighbours.setting import Text
from kad.policyfile import validate
from tests.fakes import DEFAULTS
from tests.fuzz.budget import no_hang, tries
from tests.netns import Machine

SYSTEMD_SYSCTL = "/lib/systemd/systemd-sysctl"
DIRECTORIES = ("etc/sysctl.d", "run/sysctl.d", "usr/lib/sysctl.d")
FOLDERS = st.sampled_from(["net.ipv4.", "net/ipv4/"]) | st.sampled_from(
    [
        *("/net/ipv4/", "net..ipv4.", "net/ipv4//", "NET.ipv4.", "net.ipv4/", ".net.ipv4."),
        *("net.*.", "net.?pv4.", "net/ipv[4]/", "net/{ipv4,ipv6}/", "net/*/", "{net}.ipv4."),
    ]
)
PIECES = st.sampled_from(
    [
        *("*", "?", "t", "i", "p", "e", "l", "[it]", "[!t]", "[^t]", "[p-t]", "[z-a]", "[]t]"),
        *("[!]t]", "[[:alpha:]]", "[", "]", "{t,p}", "{", "}", ",", "\\", "\\t", "\\*"),
        *("{t{i,x},p}", "[t-]", "-"),
    ]
)  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(["time", "intvl", "probes"]),
    st.sampled_from(["time", "intvl", "probes", "*", "[it]*", "[!p]*", "t*", "{time,i*}", "?*"]),
    st.lists(PIECES, min_size=1, max_size=3).map(lambda some: "".join(some) + "*"),
    st.tuples(PIECES, st.sampled_from(["ime", "ntvl", "robes"])).map("".join),
)
KEYS = st.tuples(FOLDERS, NAMES).map("tcp_keepalive_".join)
SPACE = st.sampled_from(["", "", " ", "\t", "  "])
DASH = st.sampled_from(["", "", "-"])
# Each is one that the kernel takes.
NUMBERS = st.sampled_from(["60", "61", "7", "010", "0x20", "60 5", "1"])
LINES = st.one_of(
    st.tuples(SPACE, DASH, SPACE, KEYS, SPACE, st.just("="), SPACE, NUMBERS, SPACE).map("".join),
    st.tuples(SPACE, st.just("-"), KEYS, SPACE).map("".join),
    st.sampled_from(["", "# c", "; c", "garbage", "\\", "=", "-", "- = 5"]),
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\n\n", "\r", "\n\r", "\0"])
CONF = st.lists(st.tuples(LINES, ENDS).map("".join), min_size=1, max_size=5).map("".join)
FILES = st.dictionaries(
    st.tuples(
        st.sampled_from(DIRECTORIES),
        st.sampled_from(
            ["10-a.conf", "9-a.conf", "50-b.conf", "B.conf", "é.conf", ".c.conf", "a", "d.conf~"]
        ),
    ).map("/".join),
    CONF | st.sampled_from(["-> /dev/null", "-> nowhere", "-> 10-a.conf"]),
    min_size=1,
    max_size=4,
)

_MOUNT = """\
set -e
mkdir -p /run/sysctl.d /run/upper/etc/sysctl.d /run/upper/usr/lib/sysctl.d
mkdir -p /run/upper/usr/local/lib/sysctl.d /run/work/etc /run/work/usr
for top in etc usr; do
    own=upperdir=/run/upper/$top,workdir=/run/work/$top
    mount -t overlay kad-test -o "lowerdir=/$top,$own" "/$top"
done
for each in etc run usr/lib; do
    mount --bind "$1/$each/sysctl.d" "/$each/sysctl.d"
done
mount -t tmpfs tmpfs /usr/local/lib/sysctl.d
"""
_APPLY = f"""\
cd /proc/sys/net/ipv4
echo 7200 > tcp_keepalive_time; echo 75 > tcp_keepalive_intvl; echo 9 > tcp_keepalive_probes
{SYSTEMD_SYSCTL}
cat tcp_keepalive_time tcp_keepalive_intvl tcp_keepalive_probes
"""


class Host:
    """A machine whose sysctl.d directories are those below `root`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.root = machine.directory / "root"
        self.lay({})
        done = machine.run("sh", "-c", _MOUNT, "sh", self.root)
        assert done.returncode == 0, done.stderr

    def lay(self, files: Mapping[str, str]) -> None:
        """Have these files, and no others."""
        for name in DIRECTORIES:
            directory = self.root / name
            directory.mkdir(parents=True, exist_ok=True)
            for old in directory.iterdir():
                old.unlink()
        for name, text in files.items():
            if text.startswith("-> "):
                (self.root / name).symlink_to(text.removeprefix("-> "))
            else:
                (self.root / name).write_text(text, encoding="utf-8", newline="")

    def boot(self) -> tuple[int, ...]:
        """Give what systemd-sysctl makes of the kernel's defaults."""
        done = self._machine.run("sh", "-c", _APPLY)
        return tuple(map(int, done.stdout.split()))


@pytest.fixture
def host() -> Iterator[Host]:
    """Give a host for many tries."""
    with tempfile.TemporaryDirectory(prefix="kad-test-") as directory:
        machine = Machine(Path(directory), rootless=False)
        yield Host(machine)
        machine.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount over /etc")
@pytest.mark.skipif(not os.path.exists(SYSTEMD_SYSCTL), reason=f"needs {SYSTEMD_SYSCTL}")
@given(FILES)
@example({"etc/sysctl.d/10-a.conf": "# c\rnet.ipv4.tcp_keepalive_time=60\0"})
@example({"etc/sysctl.d/10-a.conf": "net.ipv4.tcp_keepalive_[^t]*=60\n"})
@example({"run/sysctl.d/10-a.conf": "net.ipv4.tcp_keepalive_[[:alpha:]]ime=60\n"})
@tries(100)
def test_kad_says_what_the_real_systemd_sysctl_does(host: Host, files: dict[str, str]) -> None:
    """Whatever files there are, whatever they hold, and whichever hides another."""
    host.lay(files)

    found = sysctlconf.winners(neighbours.read(str(host.root)).sysctl_d)

    said = {**DEFAULTS, **{name: each.number for name, each in found.items()}}
    assert tuple(said.values()) == host.boot()


TEXTS = CONF | st.text(max_size=30)
WORDS = [
    *("[main]\n", "[sysctl]\n", "[mine]\n", "type=sysctl\n", "replace=1\n", "drop=", "enabled=0\n"),
    *("include=a\n", "include=b, -c;..\n", "include=a,a,b\n", "[", "  ", "#", "\0", '"'),
]
UNITS = st.lists(st.sampled_from(WORDS) | CONF, max_size=8).map("".join)


@given(st.lists(st.tuples(st.text(min_size=1), TEXTS), max_size=3), UNITS)
@tries(300)
def test_what_is_imported_is_always_a_policy(files: list[tuple[str, str]], profile: str) -> None:
    """With the values that the lines have, whatever the files are called and hold beside."""
    texts = [Text(name, text) for name, text in files]
    profiles = [tuned.parse(Text("/etc/tuned/x/tuned.conf", profile))]

    with no_hang():
        winners = {**tuned.winners(profiles), **sysctlconf.winners(texts)}
        taken = take(winners)
        said = list(remarks(winners, sysctlconf.all_settings(texts)))

    assert all(line.isascii() and line.isprintable() for line in said)
    if taken:
        policy = validate(as_toml(taken).encode(), "/p.toml")
        assert policy.values == {name: each.number for name, each in taken.items()}


@given(st.dictionaries(st.sampled_from("abc"), UNITS, max_size=3), st.text("abc.-/ \n", max_size=6))
@tries(150)
def test_profiles_that_include_one_another_come_to_an_end(
    tmp_path: Path, profiles: dict[str, str], active: str
) -> None:
    """Each is read once at most, and none from outside its directories."""
    for name in "abc":
        directory = tmp_path / "etc/tuned" / name
        directory.mkdir(parents=True, exist_ok=True)
        text = profiles.get(name, "")
        (directory / "tuned.conf").write_text(text, encoding="utf-8", newline="")
    (tmp_path / "etc/tuned/active_profile").write_text(active, encoding="utf-8")

    with no_hang():
        found = neighbours.read(str(tmp_path))

    assert len(found.profiles) <= len("abc")
