"""The kernel's files, in a directory that looks like /proc/sys."""

import errno
from pathlib import Path

import pytest

from kad.procfs import Procfs
from tests.fakes import TIME


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the file of tcp_keepalive_time below a root."""
    path = tmp_path / "net/ipv4/tcp_keepalive_time"
    path.parent.mkdir(parents=True)
    path.write_text("7200\n", encoding="ascii")
    return path


def test_a_value_is_read_and_written_as_plain_decimal(tmp_path: Path, file: Path) -> None:
    """The kernel would take 010 for 8: kad writes what sysctl(8) shows."""
    kernel = Procfs(str(tmp_path))

    found = kernel.read(TIME)
    kernel.write(TIME, 1200)

    assert found == 7200
    assert file.read_bytes() == b"1200\n"


@pytest.mark.parametrize("content", ["", "seven", "1 2"])
def test_what_is_no_number_is_an_error_that_shows_it(
    tmp_path: Path, file: Path, content: str
) -> None:
    """A file that is not the kernel's is told, not guessed at."""
    file.write_text(content, encoding="ascii")

    with pytest.raises(OSError, match="no number"):
        Procfs(str(tmp_path)).read(TIME)


def test_a_kernel_without_the_parameter_says_so(tmp_path: Path) -> None:
    """An absent file is the kernel's answer, with its number."""
    with pytest.raises(FileNotFoundError) as caught:
        Procfs(str(tmp_path)).read(TIME)

    assert caught.value.errno == errno.ENOENT
