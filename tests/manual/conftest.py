"""What the tests of generated files share."""

from pathlib import Path

import pytest

from manual.__main__ import generate


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate everything once."""
    directory = tmp_path_factory.mktemp("generated")
    generate(directory)
    return directory
