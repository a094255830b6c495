"""What namespaces are called, and what is remembered of them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kad.core.namespaces import Known
from kad.core.parameters import Parameter
from kad.namespaces.entering import enter
from kad.namespaces.finding import Found
from kad.namespaces.memory import MOST, Memory
from tests.fakes import DEFAULTS, TIME

OWN = Known({**DEFAULTS, TIME: 600}, {TIME: (90, 120)}, owed=True, excluded=True)
MARKED = Known(DEFAULTS, custom=True, appeared=1234.5)


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


def test_of_two_files_the_one_written_last_counts(tmp_path: Path) -> None:
    """/var/lib/kad could not be written for a while, or came later."""
    first, second = tmp_path / "first", tmp_path / "second"
    second.mkdir()
    places = [str(first), str(second)]
    Memory(places, "this").keep({7: OWN, 8: OWN})
    first.mkdir()
    Memory(places, "this").keep({7: None})
    came_later = [Memory(places, "this")[cookie] for cookie in (7, 8)]

    # What is there by the same name, made as read-only as it can be for root, is older then.
    (first / "namespaces.json.new").mkdir()
    Memory(places, "this").keep({8: MARKED})

    assert came_later == [None, OWN]
    assert Memory([str(first)], "this")[8] == OWN
    assert Memory(places, "this")[8] == MARKED


def test_what_the_wrong_directory_has_is_told_and_tried_again(tmp_path: Path) -> None:
    """A disk that was full for a while: the runtime directory does not outlive a stop."""
    first, second = tmp_path / "first", tmp_path / "second"
    in_the_way = first / "namespaces.json"
    in_the_way.mkdir(parents=True)
    second.mkdir()
    memory = Memory([str(first), str(second)], "this")

    memory.keep({7: OWN})
    there, trouble = Memory([str(second)], "this")[7], memory.trouble
    in_the_way.rmdir()
    memory.keep({})

    assert (there, trouble) == (OWN, f"{in_the_way}: Is a directory")
    assert memory.trouble is None
    assert Memory([str(first)], "this")[7] == OWN


class Scarce(dict[Parameter, int]):
    """Values that cannot be had at the first attempt, for want of memory."""

    asked = False

    def __getitem__(self, parameter: Parameter) -> int:
        """Give the value, but not at once."""
        if not self.asked:
            self.asked = True
            raise MemoryError
        return super().__getitem__(parameter)


def test_what_a_lack_of_memory_kept_from_the_file_is_tried_again(tmp_path: Path) -> None:
    """Or kad's own values would be somebody's after a restart."""
    memory = Memory([str(tmp_path)], "this")
    with pytest.raises(MemoryError):
        memory.keep({7: OWN._replace(found=Scarce(OWN.found))})

    memory.keep({})

    assert Memory([str(tmp_path)], "this")[7] == OWN


def test_what_ended_unseen_does_not_pile_up(tmp_path: Path) -> None:
    """The first to be remembered go first, whatever their cookies; none that is there does."""
    memory = Memory([str(tmp_path)], "this")
    assert memory[MOST] is None  # which is there

    memory.keep(dict.fromkeys([MOST, *range(10, MOST), *range(10)], OWN))
    memory.keep({MOST + 1: OWN, MOST + 2: OWN})

    kept = Memory([str(tmp_path)], "this")
    assert [kept[cookie] for cookie in (10, 12)] == [None, None]
    assert [kept[cookie] for cookie in (MOST, 13, 0, MOST + 2)] == [OWN] * 4


def test_nowhere_to_remember_is_no_trouble(tmp_path: Path) -> None:
    """As without a state directory there is no last good policy."""
    memory = Memory([str(tmp_path / "absent")], "this")

    memory.keep({7: OWN})

    assert memory.trouble is None
    assert memory[7] == OWN


ENTRY = {
    "found": [7200, 75, 9],
    "put": [[90, 120], [], []],
    "custom": False,
    "appeared": None,
    "owed": False,
    "excluded": True,
}
DAMAGES: list[dict[str, object]] = [
    {"found": [7200, 75]},
    {"found": [7200, 75, None]},
    {"found": [7200, 75, 2**31]},
    {"found": [7200, 75, "9"]},
    {"put": []},
    {"put": [[2**31], [], []]},
    {"put": [120, 30, 8]},
    {"custom": 1},
    {"appeared": float("nan")},
]


@pytest.mark.parametrize(
    "damaged",
    [
        {"version": 3},
        {"serial": "x"},
        {"namespaces": []},
        {"namespaces": {"x": ENTRY}},
        *({"namespaces": {"7": {**ENTRY, **each}}} for each in DAMAGES),
    ],
)
def test_a_damaged_memory_is_none_and_is_named(tmp_path: Path, damaged: dict[str, object]) -> None:
    """Half of it would put back half of what was found."""
    file = tmp_path / "namespaces.json"
    plain = {"version": 2, "boot": "this", "serial": 1, "namespaces": {"7": ENTRY}}
    file.write_text(json.dumps({**plain, **damaged}), encoding="utf-8")
    memory = Memory([str(tmp_path)], "this")

    assert memory[7] is None
    assert memory.replace_unusable() == [str(file)]
    assert not memory.replace_unusable()
    assert json.loads(file.read_text(encoding="utf-8"))["namespaces"] == {}


def test_a_memory_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """What another user's kad has written there is not known."""
    (tmp_path / "namespaces.json").mkdir()
    memory = Memory([str(tmp_path)], "this")

    assert memory[7] is None
    assert memory.replace_unusable() == [f"{tmp_path}/namespaces.json"]


class _TooMuch(tuple[str, ...]):
    """Files for whose names there is no memory left."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        raise MemoryError


def test_what_fails_inside_is_raised_where_somebody_waits() -> None:
    """A namespace would else be missing in silence."""
    with pytest.raises(MemoryError):
        enter([Found(1, _TooMuch(), None, ())])
