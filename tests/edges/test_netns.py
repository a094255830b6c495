"""Which namespace kad is in, and where it keeps its files there."""

import os

import pytest

from kad.directories import runtime_directory, state_directory
from kad.namespaces.own import OwnNamespace, boot_id, own_namespace


def test_the_own_namespace_is_known_by_its_inode() -> None:
    """The inode is the one that ls -l /proc/self/ns/net shows."""
    assert os.readlink("/proc/self/ns/net") == f"net:[{own_namespace().inode}]"


def test_a_boot_has_an_id() -> None:
    """What is remembered for one boot is marked with it."""
    assert len(boot_id({})) == 32


def test_a_unit_that_hides_proc_sys_tells_the_boot() -> None:
    """Under ProcSubset=pid the kernel's own file is not there."""
    assert boot_id({"KAD_BOOT_ID": "4f2a"}) == "4f2a"


@pytest.mark.parametrize(
    ("environ", "private", "runtime", "state"),
    [
        ({}, None, "/run/kad", "/var/lib/kad"),
        ({}, 4026532200, "/run/kad/net-4026532200", None),
        ({"RUNTIME_DIRECTORY": "/r", "STATE_DIRECTORY": "/s"}, None, "/r", "/s"),
        ({"RUNTIME_DIRECTORY": "/r", "STATE_DIRECTORY": "/s"}, 7, "/r", "/s"),
        ({"RUNTIME_DIRECTORY": "/r:/q", "STATE_DIRECTORY": "/s:/t"}, 7, "/r", "/s"),
        ({"RUNTIME_DIRECTORY": "", "STATE_DIRECTORY": ""}, 7, "/run/kad/net-7", None),
    ],
)
def test_files_lie_where_systemd_or_the_namespace_says(
    environ: dict[str, str], private: int | None, runtime: str, state: str | None
) -> None:
    """A kad in a private namespace neither disturbs the host's nor leaves anything behind."""
    assert runtime_directory(environ, private) == runtime
    assert state_directory(environ, private) == state


@pytest.mark.parametrize(("host", "private"), [(True, None), (None, None), (False, 7)])
def test_what_cannot_be_known_counts_as_the_host(host: bool | None, private: int | None) -> None:  # noqa: FBT001
    """The unit's user may not look at PID 1, and runs on the host."""
    assert OwnNamespace(7, host, 1).private == private
