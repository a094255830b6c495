"""Which unit a control group is of."""

import pytest

from kad.core.units import unit_in, unit_of, unit_started_in


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/system.slice/nginx.service", "nginx.service"),
        ("/system.slice/nginx.service/worker", "nginx.service"),
        ("/user.slice/user-1.slice/user@1.service/app.slice/a.scope", "user@1.service"),
        ("/machine.slice/systemd-nspawn@a.service/payload/b.service", "systemd-nspawn@a.service"),
        ("/system.slice/system-getty.slice", None),
        ("/docker/0f1e", None),
        ("/docker/0f1e/system.slice/nginx.service", None),
        ("/lxc.payload.c1/system.slice/nginx.service", None),
        ("/init.scope", "init.scope"),
        ("", None),
    ],
)
def test_the_unit_is_the_one_that_systemctl_knows(path: str, unit: str | None) -> None:
    """A user's own units, and those within a container, are not the host's."""
    assert unit_of(path) == unit


@pytest.mark.parametrize(
    ("lines", "unit"),
    [
        ("0::/system.slice/a.service\n", "a.service"),
        ("4:cpu:/\n1:name=systemd:/system.slice/a.service\n0::/\n", "a.service"),
        ("1:name=systemd:/system.slice/a.service\n", "a.service"),
        ("0::/docker/0f1e\n", None),
        ("0::/system.slice/a.service/b\u2028c\x0bd\n", "a.service"),
        ("1:name=systemd:/docker/b\u20280::/c.service\n", None),
        ("", None),
    ],
)
def test_a_process_s_unit_is_known_by_either_hierarchy(lines: str, unit: str | None) -> None:
    """What an excluded unit holds is left alone on hosts of both kinds."""
    assert unit_in(lines) == unit


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/system.slice/nginx.service", "nginx.service"),
        ("/system.slice/docker-1f0c.scope", "docker-1f0c.scope"),
        ("/kubepods.slice/kubepods-pod1.slice/cri-containerd-1f.scope", "cri-containerd-1f.scope"),
        ("/machine.slice/machine-web.scope/payload/init.scope", "machine-web.scope"),
        (
            "/machine.slice/systemd-nspawn@web.service/payload/x.service",
            "systemd-nspawn@web.service",
        ),
        ("/user.slice/user-1.slice/session-3.scope", "session-3.scope"),
        ("/user.slice/user-1.slice/user@1.service/user.slice/libpod-1f.scope", "libpod-1f.scope"),
        ("/user.slice/user-1.slice/user@1.service", "user@1.service"),
        ("/system.slice/a:b.service", "a:b.service"),
        ("/libpod_parent/libpod-1f", None),
        ("/docker/0f1e/system.slice/nginx.service", None),
        ("/lxc.payload.c1/init.scope", None),
        ("/", None),
    ],
)
@pytest.mark.parametrize("lines", ["0::{}\n", "12:cpu:/\n1:name=systemd:{}\n0::/\n"])
def test_a_namespace_is_called_by_the_unit_that_the_host_s_systemd_started(
    lines: str, path: str, unit: str | None
) -> None:
    """Not to one of a systemd inside; of a user's manager to what that started."""
    assert unit_started_in(lines.format(path)) == unit
