"""Change a policy file in all the ways in which programs change files."""

import itertools
import os
import shutil
import subprocess
from pathlib import Path
from random import Random


class PolicyFile:
    """A policy file that is replaced, written in place, linked to, taken away and put back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._aside = path.with_suffix(".new")
        self._versions = (path.with_name(f"version-{number}") for number in itertools.count())

    def save(self, text: str, random: Random) -> str:
        """Save in some way; give its name."""
        ways = [self.rename, self.link]
        if self.path.exists():
            ways += [self.in_place, self.sed]
        way = random.choice(ways)
        old = self._target()
        way(text)
        if old != self._target() and old is not None:
            shutil.rmtree(old.parent)
        return way.__name__

    def _target(self) -> Path | None:
        return self.path.parent / os.readlink(self.path) if self.path.is_symlink() else None

    def rename(self, text: str) -> None:
        """Replace the file, as editors do."""
        self._write(self._aside, text)
        self._aside.rename(self.path)

    def link(self, text: str) -> None:
        """Turn a symbolic link to a new directory, as Kubernetes does; the old one goes at once."""
        version = next(self._versions)
        version.mkdir()
        self._write(version / "policy.toml", text)
        self._aside.symlink_to(f"{version.name}/policy.toml")
        self._aside.rename(self.path)

    def in_place(self, text: str) -> None:
        """Write over the bytes that are there, which are as many."""
        with self.path.open("rb+", buffering=0) as file:
            file.write(text.encode())

    def sed(self, text: str) -> None:
        """Have a script do it."""
        self._write(self._aside, text)
        command = ["sed", "-i", "-e", f"1r {self._aside}", "-e", "d", str(self.path)]
        subprocess.run(command, check=True)
        self._aside.unlink()

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)

    def remove(self) -> None:
        """Take the file away."""
        old = self._target()
        self.path.unlink(missing_ok=True)
        if old is not None:
            shutil.rmtree(old.parent)
