"""The Debian package of this checkout, built once for each release and state of the sources."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.debian import CHECKOUT, cache, debian_tarball, fresh, machine_on, own_codename
from tests.machine import MEMORY, MODULES, PACKAGES

# What packaging/build copies into a build.
SOURCES = (
    *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"),
    *("kad", "examples", "packaging", "systemd"),
)
# Kept at hand in the builder of another release than this machine's. packaging/build would install
# them itself, over the network in every build.
BUILDERS = ("build-essential", "debhelper", "dh-python", "pybuild-plugin-pyproject", "python3-all")


def package(codename: str) -> Path:
    """Give the .deb for a release; it is built when missing or a week old."""
    built = cache() / f"kad-{codename}-{_state()}.deb"
    if not fresh(built):
        _clear_away()
        _build(built, codename)
    return built


def _files() -> Iterator[Path]:
    for name in SOURCES:
        path = CHECKOUT / name
        yield from path.rglob("*") if path.is_dir() else [path]


def _state() -> str:
    """Give a digest of the names, modes and contents of the sources."""
    digest = hashlib.sha256()
    for path in sorted(_files()):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(CHECKOUT)} {path.stat().st_mode} ".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _clear_away() -> None:
    """Delete the packages of former sources that nobody wants any more."""
    for old in cache().glob("kad-*.deb"):
        if not fresh(old):
            old.unlink()


def _build(built: Path, codename: str) -> None:
    """Build where packaging/build has to install what it lacks, or has that, as BUILDERS tells."""
    packages = () if codename == own_codename() else (*PACKAGES, *BUILDERS, *MODULES)
    with debian(codename, *packages) as root, machine_on(root, directory=MEMORY) as machine:
        done = machine.sh("cp -R /checkout /root/kad && /root/kad/packaging/build deb", online=True)
        assert done.returncode == 0, done.stdout + done.stderr
        (deb,) = (machine.layers[0] / "root/kad/dist").glob("*.deb")
        assert done.stdout == f"/root/kad/dist/{deb.name}\n"
        shutil.copy(deb, built.with_suffix(".new"))
    built.with_suffix(".new").rename(built)


@contextmanager
def debian(codename: str, *packages: str) -> Iterator[Path]:
    """Give a root of a release with python3 and the packages, and no more."""
    root = Path(tempfile.mkdtemp(prefix="kad-debian-", dir=MEMORY))
    tarball = debian_tarball(codename, *packages)
    try:
        subprocess.run(["/usr/bin/tar", "-xf", tarball, "-C", root], check=True, timeout=300)
        yield root
    finally:
        shutil.rmtree(root)
