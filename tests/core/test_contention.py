"""Somebody else fights for a parameter."""

import pytest

from kad.core.contention import LIMIT, Contention


def fought(*times: float) -> Contention:
    """Give a fight in which somebody changed the value at these times, and kad restored it."""
    fight = Contention()
    for now in times:
        fight.changed(now)
        if not fight.defers(now):
            fight.settled(now)
    return fight


def test_five_changes_in_a_minute_are_restored_at_once() -> None:
    """A few corrections are no fight."""
    fight = fought(*range(LIMIT))

    assert not fight.active
    assert fight.deadline is None


def test_the_sixth_change_within_a_minute_begins_a_fight() -> None:
    """From then on kad waits a second before it restores."""
    fight = fought(0, 1, 2, 3, 4, 59)

    assert fight.active
    assert fight.defers(59.9)
    assert not fight.defers(60)
    assert fight.deadline == 60


def test_six_changes_over_more_than_a_minute_are_no_fight() -> None:
    """Somebody who runs sysctl --system every quarter of an hour is restored at once."""
    assert not fought(0, 13, 26, 39, 52, 65).active


def test_the_pause_doubles_up_to_a_minute() -> None:
    """Each restored value that is changed again costs the other a longer wait."""
    fight = fought(*range(6))
    pauses, now = [], 5.0
    for _ in range(9):
        deadline = fight.deadline
        assert deadline is not None
        pauses.append(deadline - now)
        now = deadline
        fight.settled(now)
        fight.changed(now)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_changes_during_a_pause_do_not_lengthen_it() -> None:
    """A writer without limit cannot put the next restoring write off for ever."""
    fight = fought(*range(6))

    for _ in range(1000):
        fight.changed(5.5)

    assert not fight.defers(6)


@pytest.mark.parametrize(("restored", "ends"), [(6, 65), (53, 65), (65, 77)])
def test_a_minute_without_a_foreign_change_ends_it(restored: float, ends: float) -> None:
    """After the longest pause the value has to stand for long enough to tell who writes it."""
    fight = fought(*range(6))
    fight.settled(restored)

    deadline = fight.deadline
    fight.calm(ends - 0.1)
    still = fight.active
    fight.calm(ends)

    assert deadline == ends
    assert still
    assert not fight.active
    assert fight.deadline is None


def test_a_pause_of_a_minute_is_not_taken_for_quiet() -> None:
    """While kad itself waits, nobody has given in."""
    fight = fought(*range(6))

    fight.calm(5 + 120)

    assert fight.active


def test_a_write_that_fails_after_the_pause_is_tried_again_after_another() -> None:
    """A refused write must not make kad spin."""
    fight = fought(*range(6))

    fight.failed(6)

    assert fight.defers(7.9)
    assert fight.deadline == 8


def test_a_write_that_keeps_failing_does_not_keep_the_fight_alive() -> None:
    """60 s without a foreign change end it; then the failure is a failure like any other."""
    fight = fought(*range(6))
    wakeups = 0
    while fight.active:
        deadline = fight.deadline
        assert deadline is not None
        fight.failed(deadline)
        fight.calm(deadline)
        wakeups += 1

    assert wakeups < 10
    assert fight.deadline is None


@pytest.mark.parametrize("event", ["settled", "failed"])
def test_nothing_pending_means_nothing_to_wait_for(event: str) -> None:
    """Outcomes outside a fight begin none."""
    fight = Contention()

    getattr(fight, event)(0)

    assert fight.deadline is None
