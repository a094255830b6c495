"""kad in a container, as packaging/CONTAINER.md has it: built and run with podman.

The images that it is built from are made here; each test is in a network namespace of its own.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kad.core.parameters import Parameter
from tests.debian import CHECKOUT, debian_tarball
from tests.machine import MEMORY, MODULES, PACKAGES
from tests.netns import child_of, wait_until
from tests.package import BUILDERS

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("mmdebstrap", "podman"))),
    reason="runs containers: needs root, mmdebstrap and podman (tests/run installs them)",
)

PAGE = CHECKOUT / "packaging/CONTAINER.md"
MANIFEST = CHECKOUT / "packaging/kubernetes.yaml"
POLICY = '[keepalive]\ntime = 120\nintvl = 30\nprobes = 8\n[drift]\ncheck_every = "1s"\n'
DEFAULTS, WANTED = [7200, 75, 9], [120, 30, 8]
# crun takes no hierarchy of both versions; the machine's own stays as it is.
SETUP = "mount -t cgroup2 cgroup2 /sys/fs/cgroup; echo ready; exec sleep infinity"
# Nothing that is shared with the machine's own podman.
SETTINGS = """
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "crun"
"""
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


class Podman:
    """podman with a store of its own, and what its containers take for the host's network."""

    def __init__(self, directory: Path) -> None:
        self.policy = directory / "etc/policy.toml"
        self.policy.parent.mkdir(exist_ok=True)
        self.policy.write_text(POLICY, encoding="utf-8")
        self._settings = directory / "containers.conf"
        self._settings.write_text(SETTINGS, encoding="utf-8")
        places = {"root": "root", "runroot": "run", "tmpdir": "tmp", "volumepath": "volumes"}
        self._store = [f"--{option}={directory}/{name}" for option, name in places.items()]
        own = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
        self._holder = subprocess.Popen(
            ["/usr/bin/unshare", *own, "sh", "-c", SETUP], stdout=subprocess.PIPE, text=True
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"
        self._first = child_of(self._holder.pid)

    def close(self) -> None:
        """End the containers, and all that is in their namespaces."""
        self("rm", "--all", "--force", "--volumes")
        os.kill(self._first, signal.SIGKILL)
        self._holder.communicate()

    def __call__(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run podman in the namespaces."""
        spaces = ["--target", str(self._first), "--net", "--mount", "--pid", "--wd=/"]
        return self._run(["/usr/bin/nsenter", *spaces], words)

    def online(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run podman in the machine's own network; for builds, which set no sysctl."""
        return self._run([], words)

    def _run(
        self, prefix: list[str], words: tuple[object, ...]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*prefix, "/usr/bin/podman", "--log-level=error", *self._store, *map(str, words)],
            env=os.environ | {"CONTAINERS_CONF": str(self._settings)},
            cwd=CHECKOUT,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def told(self, *words: object) -> str:
        """Run podman, which must succeed, and give what it printed."""
        done = self(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def values(self) -> list[int]:
        """Give the host's time, intvl and probes."""
        paths = [f"/proc/sys/{parameter.replace('.', '/')}" for parameter in Parameter]
        enter = ["/usr/bin/nsenter", "--target", str(self._first), "--net", "--mount", "--pid"]
        done = subprocess.run([*enter, "cat", *paths], check=True, capture_output=True, text=True)
        return [int(value) for value in done.stdout.split()]

    def set_time(self, value: int) -> None:
        """Set tcp_keepalive_time on the host."""
        script = f"echo {value} >/proc/sys/net/ipv4/tcp_keepalive_time"
        enter = ["/usr/bin/nsenter", "--target", str(self._first), "--net", "--mount", "--pid"]
        subprocess.run([*enter, "sh", "-c", script], check=True)


@pytest.fixture(scope="module")
def store() -> Iterator[Path]:
    """Give a directory with the image, built as the page says, from bases that are made here."""
    directory = Path(tempfile.mkdtemp(prefix="kad-podman-", dir=MEMORY))
    podman = Podman(directory)
    try:
        bases = {
            "docker.io/library/debian:trixie": debian_tarball(
                "trixie", *PACKAGES, *BUILDERS, *MODULES
            ),
            "docker.io/library/debian:trixie-slim": debian_tarball("trixie"),
        }
        for name, tarball in bases.items():
            imported = podman.online("import", "--quiet", tarball, name)
            assert imported.returncode == 0, imported.stderr
        build = ("build", "-t", "kad", "-f", "packaging/Containerfile", ".")
        assert f"podman {' '.join(build)}\n" in PAGE.read_text(encoding="utf-8")
        # As the machine is: its certificates, and no cgroups for what only builds.
        here = ("--isolation=chroot", "--network=host", f"-v={CERTIFICATES}:{CERTIFICATES}:ro")
        built = podman.online("build", *here, *build[1:])
        assert built.returncode == 0, built.stdout + built.stderr
        yield directory
    finally:
        podman.close()
        shutil.rmtree(directory)


@pytest.fixture
def podman(store: Path) -> Iterator[Podman]:
    """Give a podman with the image, on a host with the kernel's defaults."""
    podman = Podman(store)
    yield podman
    podman.close()


def the_pages_options(podman: Podman) -> list[str]:
    """Give the words after `podman run`, as the page has them, with the test's own policy."""
    page = PAGE.read_text(encoding="utf-8")
    (command,) = re.findall(r"^podman run (-d (?:.*\\\n)*.*)$", page, re.MULTILINE)
    command = command.replace("/etc/kad:/etc/kad", f"{podman.policy.parent}:/etc/kad")
    # Neither a machine's cgroups nor its boot are the page's matter.
    words = command.replace("\\\n", " ").replace("--restart always", "").split()
    return ["--cgroups=disabled", *words]


def test_it_keeps_the_hosts_values(podman: Podman) -> None:
    """In force at start, after drift and after an edit, with the page's own command."""
    assert podman.values() == DEFAULTS

    podman.told("run", *the_pages_options(podman))

    wait_until(lambda: podman.values() == WANTED)
    podman.set_time(999)
    wait_until(lambda: podman.values() == WANTED)
    edited = podman.policy.with_suffix(".new")
    edited.write_text(POLICY.replace("120", "600"), encoding="utf-8")
    edited.rename(podman.policy)
    podman.told("exec", "kad", "kad", "reload")
    assert podman.values() == [600, 30, 8]
    assert "drift: net.ipv4.tcp_keepalive_time is 999, policy says 120; restored" in (
        podman("logs", "kad").stderr
    )


def test_the_commands_work_inside(podman: Podman) -> None:
    """What an operator asks on a host can be asked of the container."""
    podman.told("run", *the_pages_options(podman))
    wait_until(lambda: podman("exec", "kad", "kad", "status").returncode == 0)

    assert "daemon     pid 1, " in podman.told("exec", "kad", "kad", "status")
    assert ": valid\n" in podman.told("exec", "kad", "kad", "check")
    podman.policy.write_text("[keepalive]\nprobes = 0\n", encoding="utf-8")
    assert podman("exec", "kad", "kad", "reload").returncode == 78
    podman.told("stop", "kad")
    assert json.loads(podman.told("inspect", "kad"))[0]["State"]["ExitCode"] == 0
    assert podman.values() == WANTED


def test_it_can_write_little_else(podman: Podman) -> None:
    """One capability, and a /proc/sys that is read-only: nothing to take the host over by."""
    podman.told("run", *the_pages_options(podman))

    rights = podman.told("exec", "kad", "grep", "-h", "^Cap\\|^NoNew", "/proc/1/status")
    writable = podman.told("exec", "kad", "find", "/proc/sys", "/usr", "/etc", "-writable")

    capabilities = {line.split()[1] for line in rights.splitlines() if line.startswith("Cap")}
    assert capabilities == {f"{0:016x}", f"{1 << 12:016x}"}
    assert "NoNewPrivs:\t1\n" in rights
    assert not [path for path in writable.split() if not Path(path).is_symlink()]


def test_without_the_files_it_says_why_it_ends(podman: Podman) -> None:
    """Whoever left the mount out finds the reason in the log; no value was changed."""
    options = " ".join(the_pages_options(podman)).replace("-v /proc/sys/net/ipv4:/sysctl", "")

    done = podman("run", *options.replace(" -d ", " ").split())

    assert done.returncode == 77
    assert "Read-only file system (/proc/sys is mounted read-only here)" in done.stderr
    assert podman.values() == DEFAULTS


def test_files_that_are_read_only_end_it_with_a_reason(podman: Podman) -> None:
    """The status is the one that kad itself has where it may not; no value was changed."""
    options = " ".join(the_pages_options(podman)).replace(":/sysctl", ":/sysctl:ro")

    done = podman("run", *options.replace(" -d ", " ").split())

    assert done.returncode == 77
    assert done.stderr.startswith("kad: /sysctl: read-only here; mount it without :ro or readOnly")
    assert podman.values() == DEFAULTS


def manifests() -> dict[str, Any]:
    """Give what kubernetes.yaml has, by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all(MANIFEST.read_text("utf-8"))}


def as_options(pod: dict[str, Any], policy: Path) -> list[str]:
    """Give podman's words for a pod, as a kubelet would run it; an unknown key is a failure."""
    (container,) = pod.pop("containers")
    volumes = {each.pop("name"): each for each in pod.pop("volumes")}
    assert pod.pop("hostNetwork")
    assert set(pod) == {"automountServiceAccountToken", "tolerations"}
    security = container["securityContext"]
    assert not security["allowPrivilegeEscalation"]
    assert security["readOnlyRootFilesystem"]
    options = ["--network=host", "--read-only", "--security-opt=no-new-privileges"]
    options += [f"--cap-drop={each}" for each in security["capabilities"]["drop"]]
    options += [f"--cap-add={each}" for each in security["capabilities"]["add"]]
    for mount in container["volumeMounts"]:
        match volumes[mount["name"]]:
            case {"hostPath": {"path": path, "type": "Directory"}}:
                options.append(f"-v={path}:{mount['mountPath']}")
            case {"configMap": _}:
                options.append(f"-v={policy}:{mount['mountPath']}:ro")
            case {"emptyDir": _}:
                options.append(f"--tmpfs={mount['mountPath']}")
    return options


def test_the_kubernetes_manifest_gives_a_pod_what_it_needs(podman: Podman, tmp_path: Path) -> None:
    """Its rights, mounts, policy and probe, taken for podman's: in force, and ready."""
    found = manifests()
    spec = found["DaemonSet"]["spec"]
    probe = spec["template"]["spec"]["containers"][0]["readinessProbe"]["exec"]["command"]
    # As a kubelet lays a ConfigMap: links to a directory that is exchanged as one.
    (tmp_path / "..1").mkdir()
    (tmp_path / "..data").symlink_to("..1")
    for name, text in found["ConfigMap"]["data"].items():
        (tmp_path / "..1" / name).write_text(text, encoding="utf-8")
        (tmp_path / name).symlink_to(f"..data/{name}")
    options = as_options(spec["template"]["spec"], tmp_path)

    podman.told("run", "-d", "--name=kad", "--cgroups=disabled", *options, "kad")

    wait_until(lambda: podman("exec", "kad", *probe).returncode == 0)
    assert podman.values() == WANTED
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
