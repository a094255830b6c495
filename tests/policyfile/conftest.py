"""What the tests of the policy file share."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from kad.policyfile import PolicyPath

HANG_S = 60


@pytest.fixture(autouse=True)
def hang_guard() -> Iterator[None]:
    """Turn a hang into a failure; generous, so that a busy machine is none."""

    def fail(_number: int, _frame: FrameType | None) -> None:
        pytest.fail(f"hung for {HANG_S} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(HANG_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def policy_at(tmp_path: Path) -> Callable[..., PolicyPath]:
    """Write a policy file as kad wants it, give its path; each test then spoils one thing."""

    def write(
        content: bytes = b"keepalive.time = 60\n", name: str = "policy.toml", *, named: bool = False
    ) -> PolicyPath:
        path = tmp_path / name
        path.write_bytes(content)
        path.chmod(0o644)
        return PolicyPath(str(path), named=named)

    return write


@pytest.fixture
def as_nobody(tmp_path: Path) -> Iterator[None]:
    """Run the test as the user nobody, who may enter the temporary directory."""
    if os.geteuid():
        pytest.skip("only root can become another user")
    opened = [each for each in (tmp_path, *tmp_path.parents) if not each.stat().st_mode & 1]
    modes = {each: each.stat().st_mode for each in opened}
    for each, mode in modes.items():
        each.chmod(mode | 0o011)
    os.setegid(65534)
    os.seteuid(65534)
    yield
    os.seteuid(0)
    os.setegid(0)
    for each, mode in modes.items():
        each.chmod(mode)
