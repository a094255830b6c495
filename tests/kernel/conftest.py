"""Give each test a machine of its own."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.netns import Machine, can_make_namespaces

POLICY = """\
[keepalive]
time = "2min"
intvl = "30s"
probes = 8
[drift]
check_every = "1d"
"""
EVERYWHERE = f'{POLICY}[namespaces]\nscope = "all"\n'


@contextmanager
def machine_for(*, rootless: bool) -> Iterator[Machine]:
    """Give a machine with the kernel's defaults and a policy to apply."""
    if not can_make_namespaces(rootless=rootless):
        pytest.skip("needs root, or a kernel that lets users make namespaces")
    # Not tmp_path: kad is also run as a user who may not enter the directories above that.
    with tempfile.TemporaryDirectory(prefix="kad-test-") as directory:
        os.chmod(directory, 0o755)  # noqa: S103  # as /etc/kad is
        made = Machine(Path(directory), rootless=rootless)
        made.write_policy(POLICY)
        yield made
        made.close()


@pytest.fixture
def machine() -> Iterator[Machine]:
    """Give a machine of the user who runs the tests."""
    with machine_for(rootless=os.geteuid() != 0) as made:
        yield made


@pytest.fixture
def rootless() -> Iterator[Machine]:
    """Give a machine whose root is nobody outside of it."""
    with machine_for(rootless=True) as made:
        yield made
