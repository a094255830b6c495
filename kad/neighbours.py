"""Read the files of whoever else sets the three parameters."""

import glob
import os
import re
import stat
from collections.abc import Iterator
from typing import NamedTuple

from kad.core.neighbours import sysctlconf, tuned
from kad.core.neighbours.setting import Setting, Text
from kad.core.parameters import Parameter

# sysctl.d(5); the last one is the fourth where /usr is merged, and then hides behind it.
SYSCTL_D = (
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
)
SYSCTL_CONF = "/etc/sysctl.conf"
# TuneD 2.24 and later has the profiles in folders of their own.
_TUNED = ("/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned")
# systemd removes the first when TuneD ends, be it killed; the others are as systemctl leaves them.
_TUNED_PID = "/run/tuned/tuned.pid"
_TUNED_UNIT = "/etc/systemd/system/tuned.service"
_TUNED_WANTED = "/etc/systemd/system/*.wants/tuned.service"
_ACTIVE = ("/etc/tuned/active_profile", "/etc/tuned/post_loaded_profile")
_PROFILE_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_NO_NAMES = frozenset({"", ".", ".."})
_LIMIT = 1024 * 1024


class Neighbours(NamedTuple):
    """What was read: the files in the order in which they are applied."""

    sysctl_d: tuple[Text, ...]
    sysctl_conf: tuple[Text, ...]
    profiles: tuple[tuned.Profile, ...]

    def in_effect(self) -> tuple[Setting, ...]:
        """Give the lines that would have their way.

        At boot, when systemd-sysctl reads sysctl.d; at `sysctl --system`, which reads sysctl.conf
        last; when TuneD applies its profile.
        """
        at_boot = sysctlconf.winners(self.sysctl_d)
        by_command = sysctlconf.winners((*self.sysctl_d, *self.sysctl_conf))
        by_tuned = tuned.winners(self.profiles)
        found = (each for way in (at_boot, by_command, by_tuned) for each in way.values())
        return tuple(dict.fromkeys(found))

    def winners(self) -> dict[Parameter, Setting]:
        """Give the one line a parameter that wins over all others.

        TuneD gives way to sysctl.d and sysctl.conf: reapply_sysctl in tuned-main.conf(5).
        """
        by_command = sysctlconf.winners((*self.sysctl_d, *self.sysctl_conf))
        return {**tuned.winners(self.profiles), **by_command}

    def all_settings(self) -> tuple[Setting, ...]:
        """Give every line that sets a parameter."""
        by_sysctl = sysctlconf.all_settings((*self.sysctl_d, *self.sysctl_conf))
        return tuple(dict.fromkeys((*by_sysctl, *tuned.all_settings(self.profiles))))


def read(root: str = "") -> Neighbours:
    """Read all there is below `root`; what cannot be read is as good as absent."""
    return Neighbours(
        sysctl_d=tuple(_sysctl_d(root)),
        sysctl_conf=tuple(_texts(root + SYSCTL_CONF)),
        profiles=tuple(_active_profiles(root)),
    )


def read_text(path: str) -> Text:
    """Read a file that sets sysctls; OSError where that cannot be."""
    with open(path, "rb") as file:
        raw = file.read(_LIMIT)
    return Text(path, raw.decode(errors="surrogateescape"))


def _texts(path: str) -> Iterator[Text]:
    """Give the text of a regular file, or nothing; a link to /dev/null is a mask."""
    try:
        # A fifo without a writer would block.
        if stat.S_ISREG(os.stat(path).st_mode):
            yield read_text(path)
    except OSError:
        return


def _sysctl_d(root: str) -> Iterator[Text]:
    """Give the files by their names; the first directory that has a name hides it in the others."""
    paths: dict[str, str] = {}
    for directory in SYSCTL_D:
        for name in _names(root + directory):
            if name.endswith(".conf") and not name.startswith("."):
                paths.setdefault(name, f"{root}{directory}/{name}")
    for name in sorted(paths, key=os.fsencode):
        yield from _texts(_unlinked(paths[name], root + SYSCTL_CONF))


def _unlinked(path: str, conf: str) -> str:
    """Call sysctl.conf by its own name where a link, as Debian's 99-sysctl.conf, leads to it."""
    return conf if os.path.realpath(path) == os.path.realpath(conf) else path


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _tuned_acts(root: str) -> bool:
    """Tell whether TuneD runs, or will at the next boot.

    The names of its profiles outlive it: only `tuned-adm off` and a purge take them away.
    """
    masked = os.path.realpath(root + _TUNED_UNIT) == os.devnull
    wanted = glob.glob(glob.escape(root) + _TUNED_WANTED)
    # Where the package was removed, the link leads nowhere.
    at_boot = not masked and any(map(os.path.exists, wanted))
    return at_boot or os.path.exists(root + _TUNED_PID)


def _active_profiles(root: str) -> Iterator[tuned.Profile]:
    """Give the active profiles, each behind those that it includes."""
    if not _tuned_acts(root):
        return
    names = [name for path in _ACTIVE for text in _texts(root + path) for name in text.text.split()]
    loaded: set[str] = set()
    for name in names:
        if _PROFILE_NAME.fullmatch(name):
            yield from _profile(root, name, loaded)


def _profile(root: str, name: str, loaded: set[str]) -> Iterator[tuned.Profile]:
    """Load a profile; one that includes its own name means the next directory's."""
    # A dash in front makes an include optional; no name leads out of the directories.
    folder = os.path.basename(name.removeprefix("-"))
    if folder in _NO_NAMES:
        return
    for directory in _TUNED:
        path = f"{root}{directory}/{folder}/tuned.conf"
        if path in loaded or not os.path.isfile(path):
            continue
        loaded.add(path)
        for text in _texts(path):
            profile = tuned.parse(text)
            for each in profile.includes:
                yield from _profile(root, each, loaded)
            yield profile
        return
