"""Give each test a machine of its own."""

import os
import tempfile
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Skip where the kernel lets this user make none."""
    if not can_make_namespaces():
        pytest.skip("needs root, or a kernel that lets users make namespaces")


@pytest.fixture
def machine(namespaces: None) -> Iterator[Machine]:  # noqa: ARG001
    """Give a machine with the kernel's defaults and a policy to apply."""
    # Not tmp_path: kad is also run as a user who may not enter the directories above that.
    with tempfile.TemporaryDirectory(prefix="kad-test-") as directory:
        os.chmod(directory, 0o755)  # noqa: S103  # as /etc/kad is
        made = Machine(Path(directory))
        made.write_policy(POLICY)
        yield made
        made.close()
