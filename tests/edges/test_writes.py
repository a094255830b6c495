"""A watch on files that are held open, which tells of every write."""

import os
import re
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kad.core.parameters import Parameter
from kad.core.reasons import Reason
from kad.writes import Writes
from tests.fakes import INTVL, TIME

Held = dict[tuple[int, Parameter], int]
Listened = dict[int, Callable[[], Reason]]


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    """Give the time's file, open."""
    path = tmp_path / "time"
    path.write_text("7200\n", encoding="ascii")
    held = {(7, TIME): os.open(path, os.O_RDWR)}
    yield held
    for descriptor in held.values():
        os.close(descriptor)


@pytest.fixture
def listened() -> Iterator[Listened]:
    """Give what the loop would listen to."""
    listened: Listened = {}
    yield listened
    for descriptor in listened:
        os.close(descriptor)


def listen_in(listened: Listened) -> Callable[[int, Callable[[], Reason]], None]:
    """Take down what is to be listened to."""
    return listened.__setitem__


def test_a_write_by_whomever_is_told(held: Held, listened: Listened, tmp_path: Path) -> None:
    """Through whatever name, by whatever process."""
    Writes(lambda: held, listen_in(listened)).refresh()
    [(descriptor, take)] = listened.items()
    (tmp_path / "time").write_text("600\n", encoding="ascii")

    assert take() is Reason.WRITE
    with pytest.raises(BlockingIOError):
        os.read(descriptor, 4096)


def test_only_a_watch_that_began_just_now_is_news(
    held: Held, listened: Listened, tmp_path: Path
) -> None:
    """A quiet system is not compared again and again."""
    writes = Writes(lambda: held, listen_in(listened))

    first, second = writes.refresh(), writes.refresh()
    (tmp_path / "intvl").write_text("75\n", encoding="ascii")
    held[7, INTVL] = os.open(tmp_path / "intvl", os.O_RDWR)

    assert (first, second, writes.refresh()) == (True, False, True)
    assert len(listened) == 1


def test_a_file_that_has_gone_stops_the_watch_on_no_other(
    held: Held, listened: Listened, tmp_path: Path
) -> None:
    """A namespace that dies at once is no reason to be deaf to the rest."""
    gone: Held = {(number, TIME): 987654 + number for number in range(5)}
    writes = Writes(lambda: {**gone, **held}, listen_in(listened))

    first, second = writes.refresh(), writes.refresh()
    (tmp_path / "time").write_text("600\n", encoding="ascii")

    assert (first, second) == (True, False)
    [take] = listened.values()
    assert take() is Reason.WRITE


def test_a_watch_that_cannot_be_had_is_an_error_that_says_why(
    held: Held, listened: Listened
) -> None:
    """The operator reads why kad is slower than it could be."""
    Writes(lambda: held, listen_in(listened)).refresh()  # loads the library
    writes = Writes(lambda: held, listen_in(listened))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))

    try:
        with pytest.raises(OSError, match="no inotify instance left"):
            writes.refresh()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_kad_s_own_parameters_are_watched_first(
    held: Held, listened: Listened, tmp_path: Path
) -> None:
    """Where the system has too few watches, it is a container's that the timer alone looks at."""
    own = os.fstat(held.pop((7, TIME))).st_ino
    (tmp_path / "time").rename(tmp_path / "0")
    for cookie in (*range(90, 70, -1), 0):
        (tmp_path / str(cookie)).touch()
        held[cookie, TIME] = os.open(tmp_path / str(cookie), os.O_RDWR)

    Writes(lambda: held, listen_in(listened)).refresh()

    [inotify] = listened
    watches = Path(f"/proc/self/fdinfo/{inotify}").read_text(encoding="ascii")
    first = min(re.findall(r"wd:(\w+) ino:(\w+)", watches), key=lambda each: int(each[0], 16))
    assert int(first[1], 16) == own
