"""The kernel's files, in a directory that looks like /proc/sys."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kad.procfs import PassedFiles, Procfs, passed_files
from tests.fakes import INTVL, TIME


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

    with pytest.raises(OSError, match="not a number"):
        Procfs(str(tmp_path)).read(TIME)


def test_a_kernel_without_the_parameter_says_so(tmp_path: Path) -> None:
    """An absent file is the kernel's answer, with its number."""
    with pytest.raises(FileNotFoundError) as caught:
        Procfs(str(tmp_path)).read(TIME)

    assert caught.value.errno == errno.ENOENT


@pytest.fixture
def passed(file: Path) -> Iterator[PassedFiles]:
    """Give the time's file as systemd passes it."""
    descriptor = os.open(file, os.O_RDWR)
    yield PassedFiles({TIME: descriptor})
    os.close(descriptor)


def test_a_passed_file_is_read_and_written_in_place(passed: PassedFiles, file: Path) -> None:
    """However often, at the file's beginning: the value never depends on the one before."""
    passed.write(TIME, 1200)
    passed.write(TIME, 1300)

    assert (passed.read(TIME), passed.read(TIME)) == (1300, 1300)
    assert file.read_bytes() == b"1300\n"


def test_a_parameter_that_was_not_passed_is_an_error(passed: PassedFiles) -> None:
    """Its path would lead to a namespace that is not the machine's."""
    with pytest.raises(OSError, match="not among the files that systemd passed"):
        passed.read(INTVL)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "tcp_keepalive_time"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "stored:other"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0", "LISTEN_FDNAMES": "tcp_keepalive_time"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "tcp_keepalive_time"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"},
    ],
)
def test_without_files_for_this_process_kad_opens_its_own(environ: dict[str, str]) -> None:
    """Descriptors meant for a parent, or for something else, are not touched."""
    assert passed_files(environ) is None


def test_passed_files_are_found_by_name(file: Path) -> None:
    """systemd passes other files too, in whatever order."""
    with file.open("rb") as opened:
        before = opened.fileno() - 3
        names = ":".join([*("other" for _ in range(before)), "tcp_keepalive_time"])
        environ = {
            "LISTEN_PID": str(os.getpid()),
            "LISTEN_FDS": str(before + 1),
            "LISTEN_FDNAMES": names,
        }

        found = passed_files(environ)

        assert found is not None
        assert found.read(TIME) == 7200
