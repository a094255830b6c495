"""What namespaces are called, and what is remembered of them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kad.core.namespaces import Known
from kad.namespaces.entering import enter
from kad.namespaces.finding import Found, unit_in
from kad.namespaces.memory import Memory
from tests.fakes import DEFAULTS, TIME

OWN = Known({**DEFAULTS, TIME: 600})
MARKED = Known(None, custom=True, appeared=1234.5)


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/system.slice/nginx.service", "nginx.service"),
        ("/system.slice/docker-1f0c.scope", "docker-1f0c.scope"),
        ("/kubepods.slice/kubepods-pod1.slice/cri-containerd-1f.scope", "cri-containerd-1f.scope"),
        ("/machine.slice/machine-web.scope/payload/init.scope", "machine-web.scope"),
        (
            "/machine.slice/systemd-nspawn@web.service/payload/x.service",
            "systemd-nspawn@web.service",
        ),
        ("/user.slice/user-1.slice/session-3.scope", "session-3.scope"),
        ("/user.slice/user-1.slice/user@1.service/user.slice/libpod-1f.scope", "libpod-1f.scope"),
        ("/user.slice/user-1.slice/user@1.service", "user@1.service"),
        ("/system.slice/a:b.service", "a:b.service"),
        ("/libpod_parent/libpod-1f", None),
        ("/", None),
    ],
)
@pytest.mark.parametrize("lines", ["0::{}\n", "12:cpu:/\n1:name=systemd:{}\n0::/\n"])
def test_a_process_belongs_to_the_unit_that_the_host_s_systemd_started(
    lines: str, path: str, unit: str | None
) -> None:
    """Not to one of a systemd inside; of a user's manager to what that started."""
    assert unit_in(lines.format(path)) == unit


def test_what_was_found_is_remembered_for_one_boot(tmp_path: Path) -> None:
    """The next daemon knows it, and that of another boot does not."""
    Memory([str(tmp_path)], "this").keep({7: OWN, 8: MARKED, 9: OWN})
    Memory([str(tmp_path)], "this").keep({9: None})

    same, other = Memory([str(tmp_path)], "this"), Memory([str(tmp_path)], "that")

    assert [same[cookie] for cookie in (7, 8, 9)] == [OWN, MARKED, None]
    assert other[7] is None


def test_a_directory_that_takes_no_file_leaves_it_to_the_next(tmp_path: Path) -> None:
    """Without /var/lib/kad what is remembered outlives a restart all the same."""
    places = [str(tmp_path / "absent"), str(tmp_path)]

    Memory(places, "this").keep({7: OWN})

    assert Memory(places, "this")[7] == OWN


def test_what_is_forgotten_does_not_come_back_from_another_directory(tmp_path: Path) -> None:
    """/var/lib/kad could not be written for a while, or came later."""
    first, second = tmp_path / "first", tmp_path / "second"
    second.mkdir()
    places = [str(first), str(second)]
    Memory(places, "this").keep({7: OWN, 8: OWN, 9: OWN})
    first.mkdir()

    Memory(places, "this").keep({7: None})
    Memory(places, "this").only([8])

    assert [Memory(places, "this")[cookie] for cookie in (7, 8, 9)] == [None, OWN, None]
    assert not [*second.iterdir()]


def test_what_could_not_be_remembered_is_tried_again(tmp_path: Path) -> None:
    """A disk that was full for a while leaves nothing forgotten, and is told meanwhile."""
    in_the_way = tmp_path / "namespaces.json"
    in_the_way.mkdir()
    memory = Memory([str(tmp_path / "absent"), str(tmp_path)], "this")

    memory.keep({7: OWN})
    first = memory.trouble
    in_the_way.rmdir()
    memory.keep({})

    assert (first, memory.trouble) == (f"{in_the_way}: Is a directory", None)
    assert Memory([str(tmp_path)], "this")[7] == OWN


def test_nowhere_to_remember_is_no_trouble(tmp_path: Path) -> None:
    """As without a state directory there is no last good policy."""
    memory = Memory([str(tmp_path / "absent")], "this")

    memory.keep({7: OWN})

    assert memory.trouble is None
    assert memory[7] == OWN


def test_a_file_without_the_marks_is_as_good(tmp_path: Path) -> None:
    """An upgrade must not make somebody's of kad's own values."""
    plain = {"version": 1, "boot": "this", "namespaces": {"7": OWN.found}}
    (tmp_path / "namespaces.json").write_text(json.dumps(plain), encoding="utf-8")

    memory = Memory([str(tmp_path)], "this")

    assert memory[7] == OWN
    assert not memory.replace_unusable()


@pytest.mark.parametrize(
    "damaged",
    [
        *({"namespaces": {"7": each}} for each in ({TIME: 600}, {**DEFAULTS, TIME: "600"}, None)),
        {"namespaces": []},
        {"custom": 7},
        {"custom": [7]},
        {"custom": ["x"]},
        {"appeared": {"7": "x"}},
    ],
)
def test_a_damaged_memory_is_none_and_is_named(tmp_path: Path, damaged: dict[str, object]) -> None:
    """Half of it would put back half of what was found."""
    file = tmp_path / "namespaces.json"
    plain = {"version": 1, "boot": "this", "namespaces": {}, **damaged}
    file.write_text(json.dumps(plain), encoding="utf-8")
    memory = Memory([str(tmp_path)], "this")

    assert memory[7] is None
    assert memory.replace_unusable() == [str(file)]
    assert not memory.replace_unusable()
    assert json.loads(file.read_text(encoding="utf-8"))["namespaces"] == {}


class _TooMuch(tuple[str, ...]):
    """Files for whose names there is no memory left."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        raise MemoryError


def test_what_fails_inside_is_raised_where_somebody_waits() -> None:
    """A namespace would else be missing in silence."""
    with pytest.raises(MemoryError):
        enter([Found(1, _TooMuch(), None, ())])
