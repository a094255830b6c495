"""Damage what kad reads, for the length of a block."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.faults.scene import EVERY_SECOND, Scene


@contextmanager
def policy_is_fifo(scene: Scene) -> Iterator[None]:
    """Put a fifo in its place."""
    scene.policy.unlink()
    os.mkfifo(scene.policy)
    yield
    scene.machine.write_policy(EVERY_SECOND)


@contextmanager
def policy_gone(scene: Scene) -> Iterator[None]:
    """Run `rm` on it."""
    scene.policy.unlink()
    yield
    scene.machine.write_policy(EVERY_SECOND)


@contextmanager
def policy_closed(scene: Scene) -> Iterator[None]:
    """Run `chmod 0` on it, for a daemon that is not root."""
    scene.policy.parent.chmod(0)
    yield
    scene.policy.parent.chmod(0o755)


@contextmanager
def policy_mistaken(scene: Scene) -> Iterator[None]:
    """Write a policy with a mistake."""
    scene.machine.write_policy("[keepalive]\nprobes = 0\n")
    yield
    scene.machine.write_policy(EVERY_SECOND)


def _damaged(scene: Scene, damage: Callable[[bytes], bytes]) -> Iterator[None]:
    for directory, name in (
        (scene.state_directory, "policy.json"),
        (scene.state_directory, "originals.json"),
        (scene.run_directory, "status.json"),
    ):
        path = scene.seen(directory / name)
        path.write_bytes(damage(path.read_bytes() if path.exists() else b"{}"))
    yield


@contextmanager
def kept_files_cut(scene: Scene) -> Iterator[None]:
    """Leave 20 bytes of policy.json, originals.json and status.json."""
    yield from _damaged(scene, lambda raw: raw[:20])


@contextmanager
def kept_files_empty(scene: Scene) -> Iterator[None]:
    """Truncate policy.json, originals.json and status.json."""
    yield from _damaged(scene, lambda _: b"")


@contextmanager
def kept_files_binary(scene: Scene) -> Iterator[None]:
    """Put random bytes into policy.json, originals.json and status.json."""
    yield from _damaged(scene, lambda _: os.urandom(1000))


@contextmanager
def kept_files_newer(scene: Scene) -> Iterator[None]:
    """Put another version into policy.json, originals.json and status.json."""
    yield from _damaged(scene, lambda raw: re.sub(rb'"version": \d', b'"version": 9', raw))


@contextmanager
def policy_mistaken_and_kept_files_cut(scene: Scene) -> Iterator[None]:
    """Write a policy with a mistake, and cut what kad kept."""
    with kept_files_cut(scene), policy_mistaken(scene):
        yield


@contextmanager
def broken_state_file(scene: Scene) -> Iterator[None]:
    """Cut status.json short."""
    path = scene.seen(scene.run_directory / "status.json")
    path.write_text(path.read_text("utf-8")[:100], encoding="utf-8")
    yield
