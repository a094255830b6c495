"""Make files unreachable, read-only, full or gone, for the length of a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.scene import OTHER_POLICY, Scene

IPV4 = "/proc/sys/net/ipv4"


@contextmanager
def _mounted(scene: Scene, *mount: object, unmount: str = "umount") -> Iterator[None]:
    scene.must("mount", *mount)
    yield
    scene.must(*unmount.split(), mount[-1])


@contextmanager
def _read_only(scene: Scene, path: object) -> Iterator[None]:
    # Lazily, as kad may hold a file of it.
    with _mounted(scene, "--bind", path, path, unmount="umount --lazy"):
        scene.must("mount", "-o", "remount,bind,ro", path)
        yield


@contextmanager
def parameters_read_only(scene: Scene) -> Iterator[None]:
    """Mount /proc/sys/net/ipv4 read-only over itself: kad holds the files open."""
    with _read_only(scene, IPV4):
        yield


@contextmanager
def one_parameter_read_only(scene: Scene) -> Iterator[None]:
    """Mount one of the three files read-only over itself."""
    with _read_only(scene, f"{IPV4}/tcp_keepalive_time"):
        yield


@contextmanager
def parameters_hidden(scene: Scene) -> Iterator[None]:
    """Mount an empty tmpfs over /proc/sys/net/ipv4."""
    with _mounted(scene, "-t", "tmpfs", "tmpfs", IPV4):
        yield


@contextmanager
def proc_hidden(scene: Scene) -> Iterator[None]:
    """Mount an empty tmpfs over /proc."""
    with _mounted(scene, "-t", "tmpfs", "tmpfs", "/proc"):
        yield


@contextmanager
def _full(scene: Scene, directory: Path) -> Iterator[None]:
    scene.must("sh", "-c", f"! head -c 1M /dev/zero > {directory}/full")
    yield
    scene.must("rm", f"{directory}/full")


@contextmanager
def state_full(scene: Scene) -> Iterator[None]:
    """Fill its tmpfs, and change the policy."""
    with _full(scene, scene.state_directory):
        scene.machine.write_policy(OTHER_POLICY)
        yield


@contextmanager
def state_full_from_the_start(scene: Scene) -> Iterator[None]:
    """Fill its tmpfs."""
    with _full(scene, scene.state_directory):
        yield


@contextmanager
def runtime_full(scene: Scene) -> Iterator[None]:
    """Fill its tmpfs."""
    with _full(scene, scene.run_directory):
        yield


@contextmanager
def state_read_only(scene: Scene) -> Iterator[None]:
    """Mount it read-only over itself, and change the policy."""
    with _read_only(scene, scene.state_directory):
        scene.machine.write_policy(OTHER_POLICY)
        yield


@contextmanager
def runtime_read_only(scene: Scene) -> Iterator[None]:
    """Mount it read-only over itself."""
    with _read_only(scene, scene.run_directory):
        yield


@contextmanager
def runtime_deleted(scene: Scene) -> Iterator[None]:
    """Run `rm -rf` on all that is in it."""
    scene.must("sh", "-c", f"rm -rf {scene.run_directory}/*")
    yield


@contextmanager
def lock_deleted(scene: Scene) -> Iterator[None]:
    """Run `rm` on it."""
    scene.must("rm", scene.run_directory / "lock")
    yield
