"""A Debian machine for one test: a directory tree, entered with chroot in namespaces of its own."""

import ast
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CHECKOUT = Path(__file__).resolve().parent.parent
WEEK_S = 7 * 24 * 3600
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}


def _pip_settings() -> dict[str, str]:
    """Give this machine's pip configuration, from files and environment, as PIP_* variables.

    Save its constraints: they lie in a file of this machine's, and are about its own packages.
    """
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    )
    pairs = re.findall(r"^(?:global|:env:)\.([\w-]+)=(.+)$", listed.stdout, re.MULTILINE)
    return {
        f"PIP_{key.upper().replace('-', '_')}": ast.literal_eval(text)
        for key, text in pairs
        if key != "constraint"
    }


def _network_settings() -> dict[str, str]:
    """Give what a program here is told of package indexes and proxies."""
    proxies = {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
    return _pip_settings() | proxies


def _local_indexes() -> Iterator[str]:
    """Name the directories in which pip looks on this machine."""
    for word in " ".join(_pip_settings().values()).split():
        path = Path(word.removeprefix("file://"))
        if path.is_absolute() and path.is_dir():
            yield str(path.parent if path.name == "simple" else path)


def _unshare(*, online: bool) -> list[str]:
    own = ["--mount", "--pid", "--fork", "--kill-child", *([] if online else ["--net"])]
    return ["/usr/bin/unshare", *own]


def _mounts(*, online: bool) -> list[str]:
    always = [f"{CHECKOUT}:/checkout", "/etc/ssl/certs/ca-certificates.crt"]
    network = ["/etc/resolv.conf", "/etc/hosts", *_local_indexes()] if online else []
    return always + network


def _environment(*, online: bool) -> dict[str, str]:
    """Give a login's environment; /proc can be written only where the network is not the host's."""
    login = {"HOME": "/root", "LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/sbin:/usr/bin"}
    return login | ({"PROC": "ro", **_network_settings()} if online else {"PROC": "rw", **OFFLINE})


@dataclass(frozen=True, slots=True)
class Machine:
    """A Debian whose disk is a stack of directories; only the first one is written.

    What was written is deleted at the end of its `with`.
    """

    layers: tuple[Path, ...]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.layers[0].parent)

    def sh(self, script: str, *, online: bool = False) -> subprocess.CompletedProcess[str]:
        """Run bash as root with the checkout, read-only, at /checkout."""
        layers = ":".join(map(str, self.layers))
        enter = str(CHECKOUT / "tests/throwaway-debian")
        return subprocess.run(
            [*_unshare(online=online), enter, layers, script, *_mounts(online=online)],
            env=_environment(online=online) | {"WORK": str(self.layers[0].parent)},
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def told(self, script: str) -> str:
        """Run bash, which must succeed, and give what it printed."""
        done = self.sh(script)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def copy(self) -> "Machine":
        """Give a machine that starts from this one's state and leaves it as it is."""
        return machine_on(*self.layers, directory=self.layers[0].parent.parent)


def machine_on(*below: Path, directory: Path | None = None) -> Machine:
    """Give a machine with a new layer, in a directory, on top of these, which stay as they are."""
    layer = Path(tempfile.mkdtemp(prefix="kad-machine-", dir=directory)) / "layer"
    layer.mkdir()
    layer.chmod(0o755)  # it becomes the machine's /, whatever the umask here
    return Machine((layer, *below))


def add_packages(machine: Machine, *names: str) -> None:
    """Install Debian's packages over the network; none of their services is started by it."""
    install = f"apt-get install -qq -y --no-install-recommends {' '.join(names)}"
    done = machine.sh(
        f"""
        export DEBIAN_FRONTEND=noninteractive
        printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d
        {install} || {{ apt-get update -qq && {install}; }}
        """,
        online=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def fetch_wheels(machine: Machine) -> None:
    """Lay into /wheels what pip needs for an installation without a network: OFFLINE."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = " ".join(f"'{name}'" for name in ("setuptools", "wheel", *project["dependencies"]))
    fetch = f"python3 -m venv /tmp/v && /tmp/v/bin/pip wheel --use-pep517 -w /wheels {wanted}"
    fetched = machine.sh(f"{fetch}; status=$?; rm -r /tmp/v; exit $status", online=True)
    assert fetched.returncode == 0, fetched.stderr


def _apt_sources(codename: str) -> dict[str, str]:
    """Give this machine's apt sources, of which those that name its release name another."""
    own = own_codename()
    folder = Path("/etc/apt/sources.list.d")
    found = {}
    for path in sorted([Path("/etc/apt/sources.list"), *folder.glob("*")]):
        if path.is_file() and path.suffix in {".list", ".sources"}:
            text = path.read_text(encoding="utf-8")
            if codename == own or re.search(rf"\s{own}\b", text):
                found[path.name] = re.sub(rf"(?<=\s){own}\b", codename, text)
    return found


def own_codename() -> str:
    """Give the name of this machine's release."""
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    return release.split("VERSION_CODENAME=")[1].split()[0]


def cache() -> Path:
    """Give the directory for what outlives a run of the tests."""
    directory = Path(tempfile.gettempdir()) / "kad-ci-cache"
    directory.mkdir(mode=0o700, exist_ok=True)
    assert directory.stat().st_uid == os.geteuid(), f"{directory} belongs to somebody else"
    return directory


def fresh(path: Path) -> bool:
    """Tell whether it is there, and not a week old."""
    return path.exists() and time.time() - path.stat().st_mtime <= WEEK_S


def debian_tarball(codename: str | None = None, *packages: str) -> Path:
    """Give a release, this machine's by default, with python3 and the packages, and no more.

    It is made when missing or a week old.
    """
    name = codename or own_codename()
    sources = _apt_sources(name)
    recipe = repr((sources, packages)).encode()
    tarball = cache() / f"{name}-{hashlib.sha256(recipe).hexdigest()[:12]}.tar"
    with tarball.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other tests may be making it
        if not fresh(tarball):
            _make_tarball(tarball, name, sources, packages)
    return tarball


def _make_tarball(
    tarball: Path, codename: str, sources: dict[str, str], packages: Sequence[str]
) -> None:
    new = tarball.with_suffix(".new.tar")
    options = tarball.with_suffix(".conf")
    with options.open("w") as file:  # how this machine reaches its mirror
        subprocess.run(["/usr/bin/apt-config", "dump", "Acquire"], check=True, stdout=file)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in sources.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        what = [codename, str(new), *(f"{folder}/{name}" for name in sources)]
        include = f"--include={','.join(('python3', 'ca-certificates', *packages))}"
        small = ["--quiet", "--variant=apt", include]
        subprocess.run(["/usr/bin/mmdebstrap", *small, f"--aptopt={options}", *what], check=True)
    new.rename(tarball)
