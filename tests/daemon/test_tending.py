"""Open sockets, tended by a daemon that never sleeps and touches none."""

import errno

import pytest

from kad.core.policy import Mode, Sockets
from kad.core.reasons import Reason
from kad.core.sockets.connection import Class
from kad.core.sockets.tending import Deed, Look, Tended
from tests.fakes import WHOLE, Step, World

REARM = WHOLE._replace(sockets=Sockets(rearm=True))
DENIED = "kad needs CAP_SYS_PTRACE"
SAID = "re-armed 2 connections of 1 unit (a.service 2)"


def on_timer(times: int = 1) -> list[Step]:
    """Let the time pass until the daemon wakes by itself."""
    return [Step(after=None) for _ in range(times)]


def tending_world() -> World:
    """Give a world whose sockets lack something."""
    world = World(REARM)
    world.sockets.found = Look({Class.STALE: 2}, 7000.0)
    world.sockets.tended = Tended({(Deed.REARM, "a.service"): 2})
    return world


def test_nothing_is_looked_at_unless_the_policy_asks() -> None:
    """A daemon that was not asked to costs nothing, and has no count to show."""
    world = World()

    world.run(*on_timer(3))

    assert world.sockets.looks == []
    assert world.state.written[-1].sockets is None


def test_every_pass_tends_and_tells() -> None:
    """How many and where stands in the journal, what is left of it in the state file."""
    world = tending_world()
    world.sockets.left = Look({Class.PROTECTED: 2, Class.STALE: 1}, 6000.0)

    world.run(*on_timer())

    assert world.sockets.looks[-1] == (Sockets(rearm=True), REARM.values)
    assert world.journal.messages.count(SAID) == 2
    shown = world.state.written[-1].sockets
    assert shown is not None
    assert (shown.totals["stale"], shown.longest_stale_s) == (1, 6000.0)


def test_a_pass_that_changes_nothing_is_silent() -> None:
    """A quiet system stays quiet."""
    world = World(REARM)

    world.run(*on_timer(3))

    assert world.sockets.acts == 4
    assert not any("armed" in each for each in world.journal.messages)


def test_audit_mode_only_counts() -> None:
    """Report, never write."""
    world = tending_world()
    world.source.policy = REARM._replace(mode=Mode.AUDIT)

    world.run(*on_timer())

    assert (len(world.sockets.looks), world.sockets.acts) == (2, 0)


def test_missing_rights_degrade_and_are_told_once_and_mended() -> None:
    """The values stay in force; the present trouble stays in STATUS=."""
    world = tending_world()
    world.sockets.error = PermissionError(errno.EPERM, DENIED, "pidfd_getfd")
    why = f"cannot apply [sockets]: pidfd_getfd: {DENIED}"

    world.run(*on_timer(2), Step(lambda: setattr(world.sockets, "error", None), after=None))

    assert world.journal.said == [f"WARNING {why}"]
    assert f"degraded: {why}" in world.manager.lines
    assert world.manager.lines[-2] == "in-force: time 120 s, intvl 30 s, probes 8"
    assert [each.state for each in world.state.written][-1] == "in-force"
    assert "can apply [sockets] again" in world.journal.messages


def test_trouble_lasts_while_kad_rests() -> None:
    """A pass that does not look does not say that all is well."""
    world = tending_world()
    world.sockets.error = PermissionError(errno.EPERM, DENIED, "pidfd_getfd")
    world.sockets.takes = lambda: setattr(world.clock, "now", world.clock.now + 1)

    world.run(*on_timer(5))

    assert len(world.journal.said) == 1
    assert world.state.written[-1].state == "degraded"


def test_what_was_changed_does_not_hold_up_what_comes_next() -> None:
    """Only looking is work for nothing: after a great re-arming the next check looks again."""
    world = tending_world()
    world.sockets.acting_takes = lambda: setattr(world.clock, "now", world.clock.now + 10)
    world.sockets.tended = world.sockets.tended._replace(took_s=10)

    world.run(*on_timer(3))

    assert world.sockets.acts == 4


def test_what_resists_is_not_tried_without_rest_for_what_was_changed() -> None:
    """One connection a check that is changed gives no leave to walk through all the others."""
    world = tending_world()
    world.sockets.acting_takes = lambda: setattr(world.clock, "now", world.clock.now + 10)
    world.sockets.tended = Tended({(Deed.REARM, "a"): 1}, frozenset(range(9999)), took_s=0.001)

    world.run(*on_timer(10))

    assert world.sockets.acts == 1


def test_what_resists_is_told_once() -> None:
    """It is tried again at every check, and not complained of each time."""
    world = World(REARM)
    world.sockets.tended = Tended({}, frozenset({4}))

    world.run(*on_timer(3))

    assert world.journal.messages.count("1 socket could not be reached") == 1


def test_a_dear_look_is_taken_seldom() -> None:
    """A host with very many connections gives kad a percent of a core, no more."""
    world = World(REARM)
    world.sockets.takes = lambda: setattr(world.clock, "now", world.clock.now + 1)

    world.run(*on_timer(10))

    assert len(world.sockets.looks) == 3  # in five minutes


@pytest.mark.parametrize("key", ["rearm", "enable"])
def test_a_new_policy_does_not_wait(key: str) -> None:
    """Who edits the policy sees it work at once, on a busy host too."""
    world = World(REARM)
    world.sockets.takes = lambda: setattr(world.clock, "now", world.clock.now + 1)
    new = Sockets(rearm=True, enable=("a",)) if key == "enable" else Sockets(rearm=True)
    policy = REARM._replace(sockets=new, values={**REARM.values})
    policy = policy if key == "enable" else policy._replace(check_every=29)

    world.run(Step(lambda: setattr(world.source, "policy", policy), after=None))

    assert len(world.sockets.looks) == 2


def test_what_is_too_much_for_one_pass_goes_on_at_once() -> None:
    """Between two passes kad hears that it is to stop; it does not rest before all is done."""
    world = tending_world()
    world.sockets.takes = lambda: setattr(world.clock, "now", world.clock.now + 1)
    world.sockets.found = world.sockets.found._replace(more=True)

    world.run(Step(reasons=frozenset({Reason.SOCKETS})))

    assert world.inbox.nudges == [Reason.SOCKETS, Reason.SOCKETS]
    assert world.sockets.acts == 2


def test_a_policy_that_asks_no_more_ends_the_trouble() -> None:
    """What kad is no longer asked for does not keep it degraded."""
    world = tending_world()
    world.sockets.error = PermissionError(errno.EPERM, DENIED, "pidfd_getfd")

    world.run(Step(lambda: setattr(world.source, "policy", WHOLE), after=None))

    assert world.state.written[-1].state == "in-force"
    assert world.state.written[-1].sockets is None
    assert "can apply [sockets] again" not in world.journal.messages  # it does not


def test_memory_that_is_short_is_not_told_as_over_before_it_is() -> None:
    """A pass that only rests has tried nothing."""
    world = tending_world()

    def out_of_memory() -> None:
        world.clock.now += 0.5
        raise MemoryError

    world.sockets.takes = out_of_memory

    world.run(*on_timer(3), *[Step(reasons=frozenset({Reason.WRITE}))] * 3)

    assert len([each for each in world.journal.said if "apply [sockets]" in each]) == 1
    assert "can apply [sockets] again" not in world.journal.messages


def test_what_resists_is_told_once_though_it_needs_nothing_for_a_while() -> None:
    """Its timer swings about the policy's time; when it has gone, another by its cookie is news."""
    world = World(REARM)
    resists, rests = Tended({}, frozenset({7})), Tended({})

    def becomes(tended: Tended) -> Step:
        return Step(lambda: setattr(world.sockets, "tended", tended), after=None)

    def ends() -> None:
        world.sockets.tended, world.sockets.resisted = rests, frozenset()

    world.run(*[becomes(resists), becomes(rests)] * 3, Step(ends, after=None), becomes(resists))

    assert world.journal.messages.count("1 socket could not be reached") == 2


def test_a_reload_that_ends_the_trouble_is_a_success() -> None:
    """Its verdict is not that of the pass before."""
    world = World(REARM)
    world.sockets.error = PermissionError(errno.EPERM, "kad needs CAP_SYS_PTRACE", "pidfd_getfd")

    def edited() -> None:
        world.source.policy = WHOLE

    world.run(Step(edited, frozenset({Reason.RELOAD})))

    reload = world.state.written[-1].reload
    assert reload is not None
    assert (reload.outcome, reload.error) == ("accepted", None)


def test_what_was_done_is_told_though_the_look_after_it_fails() -> None:
    """The count is of the look before then."""
    world = tending_world()

    def fails_later() -> None:
        if len(world.sockets.looks) == 2:
            raise OSError(errno.ENOBUFS, "No buffer space available", "netlink")

    world.sockets.takes = fails_later

    world.run()

    assert SAID in world.journal.messages
