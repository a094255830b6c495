"""The daemon, driven by a script of wakeups and never sleeping."""

import errno
import os

import pytest

from kad.core.errors import (
    DeniedError,
    KadError,
    MissingPolicyError,
    Mistake,
    PolicyError,
    StoppedError,
)
from kad.core.events import Kind
from kad.core.namespaces import Namespaces, Scope
from kad.core.neighbours.setting import Setting
from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, OnStop, Policy, Sockets
from kad.core.reasons import READS_FILE, Reason
from kad.daemon.advisor import Advisor
from kad.daemon.source import Loaded
from kad.watch import Health
from tests.fakes import INTVL, PROBES, TIME, WANTED, WHOLE, FakeClock, Step, World

PATH = "/etc/kad/policy.toml"
IN_FORCE = "in-force: time 120 s, intvl 30 s, probes 8"
BAD = PolicyError(Mistake(PATH, 6, 10, "keepalive.probes: must be 1 to 127, got 0"))
WARN = WHOLE._replace(action=Action.WARN)
AUDIT = WHOLE._replace(mode=Mode.AUDIT)


def wake(*reasons: Reason) -> Step:
    """Wake the daemon."""
    return Step(reasons=frozenset(reasons))


def on_timer() -> Step:
    """Let the time pass until the daemon wakes by itself."""
    return Step(after=None)


def sets(world: World, value: int, parameter: Parameter = TIME) -> Step:
    """Have somebody else set a value, seen at the next timer."""
    return Step(lambda: world.kernel.now.update({parameter: value}), after=None)


def test_boot_puts_the_policy_in_force_and_then_tells_systemd() -> None:
    """READY=1 means: every value is in the kernel and was read back."""
    world = World()

    world.run()

    assert world.kernel.now == WANTED
    assert world.manager.lines == ["READY", IN_FORCE, "STOPPING"]
    assert world.journal.messages == [
        "net.ipv4.tcp_keepalive_time set to 120 (was 7200)",
        "net.ipv4.tcp_keepalive_intvl set to 30 (was 75)",
        "net.ipv4.tcp_keepalive_probes set to 8 (was 9)",
        f"policy {PATH} in force: time 120 s, intvl 30 s, probes 8",
    ]


@pytest.mark.parametrize("reason", sorted(READS_FILE - {Reason.BOOT}))
def test_any_reason_leads_to_the_same_pass(reason: Reason) -> None:
    """A reload, a touched file and the timer restore the same drift with the same words."""
    world = World()

    world.run(
        Step(lambda: world.journal.messages),
        Step(lambda: world.kernel.now.update({TIME: 7200}), frozenset({reason})),
    )

    assert world.kernel.now == WANTED
    assert world.journal.messages == [
        "drift: net.ipv4.tcp_keepalive_time is 7200, policy says 120; restored"
    ]


def test_a_quiet_system_stays_quiet() -> None:
    """Values in force: no write, no line in the journal, no change of STATUS=."""
    world = World()

    world.run(Step(world.kernel.writes.clear), *[on_timer()] * 100)

    assert not world.kernel.writes
    assert len(world.journal.events) == 4
    assert world.manager.lines == ["READY", IN_FORCE, "STOPPING"]


def test_the_loop_sleeps_until_the_timer_and_no_longer() -> None:
    """An idle daemon wakes for its timer alone."""
    world = World(WHOLE._replace(check_every=3600))

    world.run(on_timer(), on_timer())

    assert world.inbox.waits == [3600, 3600, 3600]


def test_the_service_watchdog_is_fed_by_the_loop_at_half_its_time() -> None:
    """WATCHDOG=1 comes from the loop, and a wakeup for it alone checks nothing."""
    world = World()
    world.manager.watchdog_s = 10

    world.run(on_timer(), on_timer())

    assert world.inbox.waits == [10, 10, 10]
    assert world.manager.lines.count("WATCHDOG") == 2
    assert world.source.loads == 1


def test_a_write_is_compared_with_the_policy_in_hand() -> None:
    """Drift is undone though the file is bad, unreadable or slow: nobody looks at it."""
    world = World()

    world.run(Step(lambda: world.kernel.now.update({TIME: 7200}), frozenset({Reason.WRITE})))

    assert world.kernel.now == WANTED
    assert world.journal.messages[-1].endswith("is 7200, policy says 120; restored")
    assert world.source.loads == 1


def test_a_write_that_comes_with_an_edit_is_compared_first() -> None:
    """Drift is named as such, and undone, before the file is looked at."""
    world = World()
    new = WHOLE._replace(values={**WANTED, TIME: 90})

    def both() -> None:
        world.source.policy = new
        world.kernel.now[TIME] = 7200

    world.run(
        Step(lambda: world.journal.messages),
        Step(both, frozenset({Reason.WRITE, Reason.FILE})),
    )

    assert world.journal.messages == [
        "drift: net.ipv4.tcp_keepalive_time is 7200, policy says 120; restored",
        "net.ipv4.tcp_keepalive_time set to 90 (was 120)",
        f"policy {PATH} in force: time 90 s, intvl 30 s, probes 8",
    ]


def test_a_write_while_an_edit_is_validated_is_drift_all_the_same() -> None:
    """Somebody was faster than the new policy; the journal does not take his value for kad's."""
    world = World()

    def both() -> None:
        world.source.policy = WHOLE._replace(values={**WANTED, TIME: 90})
        world.kernel.now[TIME] = 7200

    world.run(Step(lambda: world.journal.messages), Step(both, frozenset({Reason.FILE})))

    assert world.kernel.now[TIME] == 90
    assert world.journal.messages[0] == (
        "drift: net.ipv4.tcp_keepalive_time is 7200, policy says 90; restored"
    )


def test_a_lock_that_another_daemon_took_ends_this_one() -> None:
    """Two would fight; this one leaves the values, and the other's state file."""
    world = World()
    taken = KadError("lock was deleted, and another kad is already running (pid 7)")

    with pytest.raises(KadError, match="pid 7"):
        world.run(Step(lambda: setattr(world.lock, "taken", taken)), on_timer())

    assert not world.state.removed
    assert world.kernel.now == WANTED


def test_a_watch_on_the_kernel_that_began_only_now_is_no_gap() -> None:
    """What was written before the watch began is found by one more look."""
    world = World()
    world.writes.begins = True

    world.run()

    assert world.inbox.nudges == [Reason.WRITE]


def test_without_a_watch_on_the_kernel_the_timer_restores() -> None:
    """The lost speed is told once, and its return."""
    world = World()
    world.writes.error = OSError(errno.EMFILE, "no inotify instance left", "inotify")

    world.run(
        on_timer(),
        sets(world, 600),
        Step(lambda: setattr(world.writes, "error", None), after=None),
    )

    lost = "no longer watching the parameters for writes (no inotify instance left)"
    assert world.kernel.now == WANTED
    assert world.journal.messages[-3:] == [
        f"{lost}; checking every 30 s instead",
        "drift: net.ipv4.tcp_keepalive_time is 600, policy says 120; restored",
        "watching the parameters for writes again",
    ]


def test_drift_names_parameter_values_and_outcome() -> None:
    """A line of the journal answers: what, from what, to what, and what kad did."""
    world = World()

    world.run(sets(world, 600))

    event = world.journal.events[-1]
    assert event.kind is Kind.DRIFT
    assert event.fields == {
        "KAD_PARAMETER": "net.ipv4.tcp_keepalive_time",
        "KAD_POLICY_VALUE": "120",
        "KAD_FOUND_VALUE": "600",
        "KAD_OUTCOME": "restored",
        "KAD_NAMESPACE": "host",
        "KAD_POLICY_FILE": PATH,
    }


@pytest.mark.parametrize(
    ("policy", "ending"), [(AUDIT, "left (audit)"), (WARN, "left (warn)")], ids=["audit", "warn"]
)
def test_what_is_left_alone_is_said_once_for_each_value_found(policy: Policy, ending: str) -> None:
    """A drift that kad was told to leave is no line every thirty seconds."""
    world = World(policy)
    world.kernel.now.update(WANTED)

    world.run(sets(world, 600), on_timer(), on_timer(), sets(world, 700), sets(world, 120))

    said = [message for message in world.journal.messages if "tcp_keepalive_time" in message]
    assert not world.kernel.writes
    assert said == [
        f"drift: net.ipv4.tcp_keepalive_time is 600, policy says 120; {ending}",
        f"drift: net.ipv4.tcp_keepalive_time is 700, policy says 120; {ending}",
        "net.ipv4.tcp_keepalive_time is 120 as policy says",
    ]
    assert f"drifted: net.ipv4.tcp_keepalive_time is 600, policy says 120; {ending}" in (
        world.manager.lines
    )
    assert world.manager.lines[-2] == IN_FORCE + (" (audit)" if policy is AUDIT else "")


def test_warn_still_writes_what_this_daemon_has_not_yet_set() -> None:
    """`warn` leaves foreign changes; it is no audit mode."""
    world = World(WARN)

    world.run()

    assert world.kernel.now == WANTED


def test_warn_still_writes_a_value_whose_policy_changed() -> None:
    """A new policy is the operator's word; a foreign value before it does not stand in its way."""
    world = World(WARN)
    new = WARN._replace(values={**WANTED, TIME: 90})

    world.run(
        sets(world, 600),
        Step(lambda: setattr(world.source, "policy", new), frozenset({Reason.FILE})),
    )

    assert world.kernel.now[TIME] == 90
    assert "net.ipv4.tcp_keepalive_time set to 90 (was 600)" in world.journal.messages


def test_a_new_policy_is_no_drift() -> None:
    """Drift is what somebody else did."""
    world = World()
    new = WHOLE._replace(values={**WANTED, TIME: 90})

    world.run(
        Step(lambda: world.journal.messages),
        Step(lambda: setattr(world.source, "policy", new), frozenset({Reason.FILE})),
    )

    assert world.journal.messages == [
        "net.ipv4.tcp_keepalive_time set to 90 (was 120)",
        f"policy {PATH} in force: time 90 s, intvl 30 s, probes 8",
    ]


def test_a_bad_file_leaves_the_policy_in_force_and_is_said_once() -> None:
    """A broken file keeps the last good policy, drift is restored to it, STATUS= says so."""
    world = World()

    world.run(
        Step(lambda: world.journal.messages),
        Step(lambda: setattr(world.source, "error", BAD), frozenset({Reason.FILE})),
        sets(world, 600),
        on_timer(),
    )

    assert world.kernel.now == WANTED
    assert world.journal.messages == [
        (
            f"policy rejected, the last good one stays: {PATH}:6:10: "
            "keepalive.probes: must be 1 to 127, got 0"
        ),
        "drift: net.ipv4.tcp_keepalive_time is 600, policy says 120; restored",
    ]
    rejected = "degraded: policy rejected, the last good one (time 120 s, "
    assert world.manager.lines[-2].startswith(rejected)
    assert world.state.written[-1].state == "degraded"
    assert world.state.written[-1].policy.error == str(BAD)


def test_a_mended_file_is_told() -> None:
    """What had been wrong and is right again is said, once."""
    world = World()

    world.run(
        Step(lambda: setattr(world.source, "error", BAD), frozenset({Reason.FILE})),
        Step(lambda: world.journal.messages),
        Step(lambda: setattr(world.source, "error", None), frozenset({Reason.FILE})),
    )

    assert world.journal.messages == [f"policy {PATH} is valid again"]
    assert world.state.written[-1].state == "in-force"


def test_a_bad_file_at_start_falls_back_to_the_last_good_policy() -> None:
    """A host that reboots with a mistake in its policy still gets its keepalive."""
    world = World()
    world.source.error = BAD
    world.source.stored = Loaded(PATH, b"", WHOLE)

    world.run()

    assert world.kernel.now == WANTED
    kinds = [event.kind for event in world.journal.events]
    assert (kinds[0], kinds[-1]) == (Kind.POLICY_REJECTED, Kind.POLICY_LOADED)
    assert world.manager.lines[0] == "READY"
    assert world.state.written[-1].policy.last_good
    assert world.state.written[-1].state == "degraded"


def test_a_bad_file_without_a_last_good_policy_ends_the_start() -> None:
    """Nothing to put in force: no READY=1, the kernel untouched."""
    world = World()
    world.source.error = BAD

    with pytest.raises(PolicyError):
        world.run()

    assert not world.manager.lines
    assert not world.kernel.writes


def test_a_missing_file_ends_the_start_although_there_is_a_last_good_policy() -> None:
    """Who removes the policy does not want it."""
    world = World()
    world.source.error = MissingPolicyError(Mistake(PATH, 0, 0, "no such file"))
    world.source.stored = Loaded(PATH, b"", WHOLE)

    with pytest.raises(MissingPolicyError):
        world.run()

    assert not world.kernel.writes


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_start_that_may_write_nothing_ends_before_ready(number: int) -> None:
    """Missing rights are told at once and by name."""
    world = World()
    world.kernel.refuse = dict.fromkeys(Parameter, number)

    with pytest.raises(DeniedError, match=r"CAP_NET_ADMIN|read-only") as denied:
        world.run()

    assert not world.manager.lines
    assert denied.value.fields == {
        "KAD_PARAMETER": str(TIME),
        "KAD_POLICY_VALUE": "120",
        "KAD_FOUND_VALUE": "7200",
        "KAD_NAMESPACE": "host",
        "KAD_POLICY_FILE": PATH,
    }


def test_a_start_that_may_write_nothing_tells_of_a_bad_file_all_the_same() -> None:
    """Two things are wrong, and the operator hears of both."""
    world = World()
    world.source.error = BAD
    world.source.stored = Loaded(PATH, b"", WHOLE)
    world.kernel.refuse = dict.fromkeys(Parameter, errno.EPERM)

    with pytest.raises(DeniedError):
        world.run()

    assert [event.kind for event in world.journal.events] == [Kind.POLICY_REJECTED]


def test_one_refused_parameter_is_a_degraded_start() -> None:
    """The other two are in force, so the daemon stays and says what is wrong."""
    world = World()
    world.kernel.refuse = {INTVL: errno.EPERM}

    world.run(on_timer())

    assert world.kernel.now == {**WANTED, INTVL: 75}
    assert world.manager.lines == [
        "READY",
        f"degraded: cannot set {INTVL} to 30: Operation not permitted",
        "STOPPING",
    ]
    failed = [event for event in world.journal.events if event.kind is Kind.WRITE_FAILED]
    assert [event.message for event in failed] == [
        f"cannot set {INTVL} to 30: Operation not permitted"
    ]
    assert world.state.written[-1].reason == f"cannot set {INTVL} to 30: Operation not permitted"


def test_nothing_to_write_needs_no_rights() -> None:
    """With the values in force already a start without rights is a good one."""
    world = World()
    world.kernel.now.update(WANTED)
    world.kernel.refuse = dict.fromkeys(Parameter, errno.EPERM)

    world.run()

    assert world.manager.lines[:2] == ["READY", IN_FORCE]


def test_a_failed_write_that_works_again_is_told() -> None:
    """Recovery needs no restart, and the journal says what was found."""
    world = World()
    world.kernel.refuse = {PROBES: errno.EIO}

    world.run(Step(lambda: world.journal.messages), Step(world.kernel.refuse.clear, after=None))

    assert world.journal.messages == [f"{PROBES} is 8 as policy says (was 9)"]
    assert world.manager.lines[-2] == IN_FORCE


def test_a_reload_is_answered_with_its_time_its_number_and_its_verdict() -> None:
    """`kad reload` and systemd's notify-reload learn that the reload is done, and how it went."""
    world = World()

    world.run(
        wake(Reason.RELOAD),
        Step(lambda: setattr(world.source, "error", BAD), frozenset({Reason.RELOAD})),
    )

    assert [line for line in world.manager.lines if "READY" in line or "RELOADING" in line] == [
        "READY",
        "RELOADING 1000100000",
        "READY",
        "RELOADING 1000200000",
        "READY",
    ]
    answers = [status.reload for status in world.state.written if status.reload]
    assert [(each.began_usec, each.outcome) for each in answers] == [
        (1000100000, "accepted"),
        (1000200000, "rejected"),
    ]
    assert answers[-1].error == str(BAD)
    assert [status.generation for status in world.state.written] == [0, 1, 2]


def test_a_reload_whose_write_fails_says_so() -> None:
    """A policy that was accepted and is not in force is no success."""
    world = World()
    world.kernel.refuse = {TIME: errno.EIO}

    world.run(wake(Reason.RELOAD))

    reload = world.state.written[-1].reload
    assert reload is not None
    assert (reload.outcome, reload.error) == ("failed", f"cannot set {TIME} to 120: {strerror()}")


def strerror() -> str:
    """Say EIO as the C library does."""
    return os.strerror(errno.EIO)


def test_a_fight_is_said_once_and_costs_little() -> None:
    """After six foreign changes within a minute kad pauses, longer and longer, and says it once."""
    world = World(WHOLE._replace(check_every=1))

    world.run(Step(lambda: world.journal.messages), *[sets(world, 7200)] * 200)

    said = world.journal.messages
    restored = "drift: net.ipv4.tcp_keepalive_time is 7200, policy says 120; restored"
    assert said == [
        *[restored] * 5,
        (
            "net.ipv4.tcp_keepalive_time was changed 6 times in 60 s by somebody else; "
            "restoring it less often"
        ),
    ]
    writes = [parameter for parameter, _ in world.kernel.writes].count(TIME)
    assert writes < 1 + 5 + 12
    assert world.state.written[-1].state == "degraded"
    assert "contended" in world.manager.lines[-2]


def test_the_end_of_a_fight_is_said_and_the_value_restored() -> None:
    """kad wins within one pause after the other stops, and tells a minute later."""
    world = World(WHOLE._replace(check_every=1))

    world.run(*[sets(world, 7200)] * 6, *[on_timer()] * 3)
    restored = world.kernel.now[TIME]
    world.run(*[sets(world, 7200)] * 6, *[on_timer()] * 70)

    assert restored == 120
    assert world.journal.messages[-1] == (
        "net.ipv4.tcp_keepalive_time was not changed by another process for 60 s; "
        "restoring it at once again"
    )
    assert world.state.written[-1].state == "in-force"


def test_a_writer_that_kad_can_never_outrun_is_a_fight_too() -> None:
    """An enforcer that writes back before kad has read its own write cannot make kad spin."""
    world = World(WHOLE._replace(check_every=1))
    world.kernel.ignore = {TIME}

    world.run(*[on_timer()] * 300)

    writes = [parameter for parameter, _ in world.kernel.writes].count(TIME)
    assert writes < 6 + 14
    assert world.state.written[-1].state == "degraded"


def test_state_is_written_at_least_once_a_minute_and_not_at_each_check() -> None:
    """A script that looks at the state file's age can tell a live daemon."""
    world = World(WHOLE._replace(check_every=7))

    world.run(*[on_timer()] * 30)

    assert len(world.state.written) == 1 + 30 * 7 // 56


def test_the_state_file_counts_drift_and_names_the_last() -> None:
    """Drift is counted once a change."""
    world = World()

    world.run(sets(world, 600), on_timer(), sets(world, 20, INTVL))

    drift = world.state.written[-1].drift
    assert drift is not None
    assert drift.count_ == 2
    assert drift.last is not None
    assert (drift.last.parameter, drift.last.found, drift.last.outcome) == (INTVL, 20, "restored")


def test_a_full_disk_is_said_once_and_loses_nothing() -> None:
    """Neither the state file nor the last good policy can stop the daemon; recovery is told."""
    world = World(WHOLE._replace(check_every=60))
    full = OSError(errno.ENOSPC, "No space left on device", "/run/kad/status.json.new")
    world.state.error = world.source.cannot_keep = full

    def emptied() -> None:
        world.state.error = world.source.cannot_keep = None

    world.run(on_timer(), on_timer(), Step(emptied, after=None))

    assert world.kernel.now == WANTED
    assert world.journal.said == [
        "WARNING cannot write the state file: /run/kad/status.json.new: No space left on device",
        (
            "WARNING cannot keep the last good policy: /run/kad/status.json.new: "
            "No space left on device"
        ),
    ]
    assert world.journal.messages[-2:] == [
        "can write the state file again",
        "can keep the last good policy again",
    ]
    assert len(world.source.kept) == 1
    why = "/run/kad/status.json.new: No space left on device"
    assert world.manager.lines[1].endswith(f"probes 8; cannot write the state file: {why}")
    assert world.manager.lines[2].endswith(f"; cannot keep the last good policy: {why}")
    assert world.manager.lines[-2] == "in-force: time 120 s, intvl 30 s, probes 8"


def test_a_state_file_that_could_not_be_written_is_tried_again_at_the_next_check() -> None:
    """Not only when it is a minute old: until then it would tell what is no longer so."""
    world = World(WHOLE._replace(check_every=1))

    def full() -> None:
        world.state.error = OSError(errno.ENOSPC, "No space left on device", "/run/kad/status.json")

    def emptied() -> None:
        world.state.error = None

    world.run(Step(full), sets(world, 7200), Step(emptied), on_timer())

    assert len(world.state.written) == 2
    assert world.state.written[-1].as_json()["drift"] != world.state.written[0].as_json()["drift"]


def test_no_channel_says_of_itself_that_it_is_broken() -> None:
    """Whoever reads the state file, or STATUS=, sees that it could be written."""
    world = World(WHOLE._replace(check_every=1))

    def full() -> None:
        world.state.error = OSError(errno.ENOSPC, "No space left on device", "/run/kad/status.json")
        world.manager.deaf = OSError(errno.ETIMEDOUT, "nothing is reading it", "/run/notify")

    def emptied() -> None:
        world.state.error = world.manager.deaf = None

    world.run(Step(full), sets(world, 7200), Step(emptied), on_timer())

    assert world.state.written[-1].warnings == ()
    assert any("report the state to systemd" in each for each in world.journal.said)
    assert not any("report the state to systemd" in each for each in world.manager.lines)


def test_a_lock_that_cannot_be_held_is_a_warning_in_state_file_and_status_at_once() -> None:
    """And its end too."""
    world = World(WHOLE._replace(check_every=1))

    def lost() -> None:
        world.lock.taken = OSError(errno.EACCES, "Permission denied", "/run/kad/lock")

    def held() -> None:
        world.lock.taken = None

    seen: list[tuple[str, ...]] = []
    look = Step(lambda: seen.append(world.state.written[-1].warnings))
    world.run(Step(lost, after=None), look, Step(held, after=None), look)

    assert seen == [("cannot hold the lock: /run/kad/lock: Permission denied",), ()]
    assert world.manager.lines[-3].endswith(
        "; cannot hold the lock: /run/kad/lock: Permission denied"
    )


def test_a_check_that_cannot_be_finished_is_a_warning_until_one_is() -> None:
    """A look at the kernel alone, which did all that it has to, is no end of it."""
    world = World(WHOLE._replace(check_every=30))
    world.neighbours.error = OSError(errno.ENFILE, "Too many open files in system")
    seen: list[tuple[str, ...]] = []
    look = Step(lambda: seen.append(world.state.written[-1].warnings), frozenset({Reason.WRITE}))

    def mended() -> None:
        world.neighbours.error = None

    world.run(look, look, Step(mended, after=None), look)

    warned = ("cannot finish a check: Too many open files in system",)
    assert seen == [warned, warned, ()]
    assert len([each for each in world.journal.said if "finish a check" in each]) == 1


def test_a_look_that_could_not_be_finished_is_over_with_the_next_check() -> None:
    """Which does all that it had to."""
    world = World()
    read = world.kernel.read

    def out_of_memory(_: Parameter) -> int:
        raise MemoryError

    world.run(
        Step(lambda: setattr(world.kernel, "read", out_of_memory), frozenset({Reason.WRITE})),
        Step(lambda: setattr(world.kernel, "read", read), after=None),
    )

    assert world.journal.said == ["WARNING cannot finish comparing with the kernel: out of memory"]
    assert "can finish comparing with the kernel again" in world.journal.messages
    assert world.state.written[-1].warnings == ()


def test_a_fight_does_not_have_kad_spin_when_memory_is_short() -> None:
    """What could not be done is tried again at the timer."""
    world = World(WHOLE._replace(check_every=1))

    def out_of_memory(_: Parameter) -> int:
        raise MemoryError

    world.run(
        *[sets(world, 7200)] * 6,
        Step(lambda: setattr(world.kernel, "read", out_of_memory), frozenset({Reason.WRITE})),
        *[Step(after=None)] * 10,
    )

    assert world.inbox.waits.count(0.0) == 0


def test_what_was_written_is_told_though_the_pass_is_cut_short() -> None:
    """And a reload is answered."""
    world = World(WHOLE._replace(namespaces=Namespaces(Scope.ALL)))
    broken = MemoryError()

    def edited() -> None:
        world.source.policy = world.source.policy._replace(values={**WANTED, TIME: 90})
        world.namespaces.broken = broken

    world.run(Step(lambda: world.journal.messages), Step(edited, frozenset({Reason.RELOAD})))

    assert f"{TIME} set to 90 (was 120)" in world.journal.messages
    reload = world.state.written[-1].reload
    assert reload is not None
    assert (reload.outcome, reload.error) == (
        "failed",
        "cannot apply the policy to other network namespaces: out of memory",
    )


def test_an_edit_of_what_no_value_shows_is_in_the_state_file_at_once() -> None:
    """Though it was loaded in the same second."""
    world = World()
    audit = WHOLE._replace(mode=Mode.AUDIT, check_every=3600)

    world.run(Step(lambda: setattr(world.source, "policy", audit), frozenset({Reason.FILE})))

    shown = world.state.written[-1]
    assert shown.checks is not None
    assert (shown.mode, shown.checks.every_s) == (Mode.AUDIT, 3600)


def test_a_state_file_that_somebody_else_changed_is_written_anew() -> None:
    """Deleted or damaged: at the next check it is there again."""
    world = World(WHOLE._replace(check_every=1))

    def damage() -> None:
        world.state.damaged = True

    world.run(on_timer(), Step(damage, after=None), on_timer())

    assert len(world.state.written) == 2


def test_a_lock_that_was_removed_is_said_once() -> None:
    """The line says that kad has it anew; there is nothing to be done."""
    world = World()

    def remove() -> None:
        world.lock.removed = "/run/kad/lock"

    world.run(on_timer(), Step(remove, after=None), on_timer())

    assert world.journal.said == [
        "WARNING /run/kad/lock was deleted by another process; created again"
    ]


def test_a_systemd_that_does_not_listen_is_said_once_and_its_return_too() -> None:
    """Nothing waits for it, and the values are kept all the same."""
    world = World()

    def deafen() -> None:
        world.manager.deaf = OSError(errno.ENOENT, "No such file or directory", "/run/notify")

    def listen() -> None:
        world.manager.deaf = None

    world.run(Step(deafen, after=None), sets(world, 7200), on_timer(), Step(listen, after=None))

    assert world.kernel.now == WANTED
    assert world.journal.said == [
        "WARNING cannot report the state to systemd: /run/notify: No such file or directory"
    ]
    assert world.journal.messages[-1] == "can report the state to systemd again"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (MemoryError(), "out of memory"),
        (OSError(errno.EMFILE, "Too many open files", "/x"), "/x: Too many open files"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "Cannot allocate memory"),
    ],
)
def test_a_check_that_the_system_cuts_short_does_not_end_the_daemon(
    error: MemoryError | OSError, why: str
) -> None:
    """It is said once; the next check comes at its time, and its success is told."""
    world = World()

    def fail() -> None:
        world.neighbours.error = error

    def succeed() -> None:
        world.neighbours.error = None

    world.run(Step(fail, after=None), sets(world, 7200), on_timer(), Step(succeed, after=None))

    assert world.kernel.now == WANTED
    assert world.inbox.waits == [30.0] * 5
    assert world.journal.said == [f"WARNING cannot finish a check: {why}"]
    assert world.journal.messages[-1] == "can finish a check again"


def test_originals_that_cannot_be_understood_are_named() -> None:
    """At the stop `on_stop = "restore"` will find nothing to put back: better said now."""
    world = World()
    world.kernel.unusable = ["/var/lib/kad/originals.json"]

    world.run()

    assert world.journal.said == [
        (
            "WARNING /var/lib/kad/originals.json is damaged or from another version of kad: "
            "the original values are lost"
        )
    ]


def test_a_right_that_is_lost_while_kad_runs_is_a_degraded_daemon() -> None:
    """CAP_NET_ADMIN gone: no process can take it from another, so this is no real kernel."""
    world = World()

    def lose() -> None:
        world.kernel.now[TIME] = 7200
        world.kernel.refuse[TIME] = errno.EPERM

    world.run(Step(lose, after=None), on_timer(), Step(world.kernel.refuse.clear, after=None))

    told = [each for each in world.journal.messages if "cannot set" in each or " is 120" in each]
    assert [each.partition(": ")[0] for each in told] == [
        f"cannot set {TIME} to 120",
        f"{TIME} is 120 as policy says (was 7200)",
    ]


def test_a_lost_watch_is_told_once_and_its_return_too() -> None:
    """Until the watch is back the timer stands in for it."""
    world = World()

    def health(lost: str | None, *, watching: bool) -> None:
        world.watch.health = Health(lost, watching=watching, began=watching)

    world.run(
        Step(lambda: world.journal.messages),
        Step(lambda: health("no inotify watch left", watching=False), after=None),
        on_timer(),
        Step(lambda: health(None, watching=True), after=None),
    )

    assert world.journal.messages == [
        f"no longer watching {PATH} (no inotify watch left); checking every 30 s instead",
        f"watching {PATH} again",
    ]
    in_force = "in-force: time 120 s, intvl 30 s, probes 8"
    assert [each for each in world.manager.lines if each.startswith("in-force")] == [
        in_force,
        f"{in_force}; no longer watching {PATH} (no inotify watch left)",
        in_force,
    ]
    warnings = [each.warnings for each in world.state.written]
    assert (f"no longer watching {PATH} (no inotify watch left)",) in warnings
    assert warnings[-1] == ()


def test_a_watch_that_began_only_now_has_the_file_read_once_more() -> None:
    """What changed between the reading and the watch's begin is not missed until the timer."""
    world = World()
    world.watch.health = Health(None, watching=True, began=True)

    world.run()

    assert world.inbox.nudges == [Reason.FILE]


def test_on_stop_restore_puts_back_what_kad_found() -> None:
    """A host is left as it was found."""
    world = World(WHOLE._replace(on_stop=OnStop.RESTORE))

    world.run(Step(lambda: world.journal.messages))

    assert world.kernel.now == {TIME: 7200, INTVL: 75, PROBES: 9}
    put_back = {event.message: event.fields for event in world.journal.events}
    assert put_back["net.ipv4.tcp_keepalive_time put back to 7200 (was 120)"] == {
        "KAD_PARAMETER": str(TIME),
        "KAD_FOUND_VALUE": "120",
        "KAD_NAMESPACE": "host",
        "KAD_POLICY_FILE": PATH,
    }


@pytest.mark.parametrize("looks", [1, 2])
def test_a_stop_while_sockets_are_tended_is_a_stop_like_any(looks: int) -> None:
    """What is left to do to them is left; all that a stop does is done."""
    wish = Sockets(rearm=True)
    world = World(WHOLE._replace(on_stop=OnStop.RESTORE, sockets=wish))

    def is_stopped() -> None:
        raise StoppedError

    def stops() -> None:
        world.sockets.takes = is_stopped

    if looks == 1:  # at boot
        stops()
        world.run()
    else:
        world.run(Step(stops, after=None))

    assert len(world.sockets.looks) == looks
    assert world.kernel.now == {TIME: 7200, INTVL: 75, PROBES: 9}
    assert world.manager.lines[-1] == "STOPPING"
    assert not [each for each in world.journal.messages if "cannot" in each]


def test_on_stop_restore_leaves_what_somebody_else_has_set_since() -> None:
    """Only values that still are the policy's are put back."""
    world = World(WHOLE._replace(on_stop=OnStop.RESTORE, action=Action.WARN))

    world.run(sets(world, 600))

    assert world.kernel.now == {TIME: 600, INTVL: 75, PROBES: 9}


def test_on_stop_keep_leaves_the_values() -> None:
    """A stop, a restart, an upgrade: the values stay."""
    world = World()

    world.run()

    assert world.kernel.now == WANTED
    assert world.state.removed


def test_advice_of_another_namespace_is_in_the_state() -> None:
    """Who runs kad in a container by mistake can see that the host is not reached."""
    world = World()
    world.host = False

    world.run()

    assert any("does not apply to the host" in each for each in world.state.written[-1].advice)


def test_the_write_that_ends_a_pause_is_in_the_state_file_at_once() -> None:
    """`kad status` must not show a drift that has been restored."""
    world = World(WHOLE._replace(check_every=20))

    world.run(
        *[
            Step(lambda: world.kernel.now.update({TIME: 7200}), frozenset({Reason.RELOAD}))
            for _ in range(6)
        ],
        on_timer(),
    )

    parameter = world.state.written[-1].namespaces[0].parameters[TIME]
    assert world.kernel.now[TIME] == 120
    assert (parameter.found, parameter.state) == (120, "in-force")
    drift = world.state.written[-1].drift
    assert drift is not None
    assert drift.last is not None
    assert (drift.count_, drift.last.outcome) == (6, "restored")


def test_a_reload_during_a_fight_says_that_its_value_is_not_in_force() -> None:
    """Accepted means: as the policy wants it."""
    world = World(WHOLE._replace(check_every=20))

    world.run(
        *[
            Step(lambda: world.kernel.now.update({TIME: 7200}), frozenset({Reason.RELOAD}))
            for _ in range(6)
        ],
    )

    reload = world.state.written[-1].reload
    assert reload is not None
    assert reload.outcome == "failed"
    assert "will retry later" in (reload.error or "")


def test_a_policy_that_could_not_be_set_in_full_says_so() -> None:
    """`in force` is no word for what was refused."""
    world = World()
    world.kernel.refuse = {INTVL: errno.EIO}

    world.run()

    assert world.journal.messages[-1] == (
        f"policy {PATH} in force: time 120 s, intvl 30 s, probes 8; not set: intvl"
    )


def test_a_policy_that_is_only_observed_says_so() -> None:
    """Nothing of it was put in force."""
    world = World(WHOLE._replace(mode=Mode.AUDIT))

    world.run()

    assert world.journal.messages[-1] == (
        f"policy {PATH} in force: time 120 s, intvl 30 s, probes 8 (audit)"
    )


def test_a_new_policy_in_a_fight_says_what_is_put_off() -> None:
    """It is in force when the pause is over, and no sooner."""
    world = World(WHOLE._replace(check_every=1))
    new = world.source.policy._replace(values={**WANTED, TIME: 60})

    def edited() -> None:
        world.source.policy = new
        world.journal.events.clear()

    world.run(*[sets(world, 7200)] * 6, Step(edited, frozenset({Reason.FILE})))

    assert world.journal.messages == [
        f"policy {PATH} in force: time 60 s, intvl 30 s, probes 8; not set: time"
    ]


def test_a_watch_that_never_holds_does_not_have_kad_spin() -> None:
    """Where each look begins anew, the timer takes over after a while."""
    world = World()
    world.watch.health = Health("the kernel dropped a watch", watching=True, began=True)

    world.run(*[wake(Reason.FILE)] * 100)

    assert len(world.inbox.nudges) < 10


def test_the_neighbours_are_read_after_ready_and_shown_in_the_state_file() -> None:
    """Advice never holds the boot up; who looks a moment later has it."""
    world = World()
    world.neighbours.settings = (Setting("/etc/sysctl.d/90-x.conf", 3, TIME, TIME, "600"),)
    told: list[list[str]] = []
    read = world.neighbours.read

    def notes_what_was_told() -> tuple[Setting, ...]:
        told.append(list(world.manager.lines))
        return read()

    world.neighbours.read = notes_what_was_told  # type: ignore[method-assign]
    world.run()

    assert told == [["READY", IN_FORCE]]
    assert [status.advice for status in world.state.written] == [
        (),
        (f"/etc/sysctl.d/90-x.conf:3 sets {TIME} to 600; policy says 120",),
    ]


def test_a_name_that_means_no_unit_is_in_the_state_file() -> None:
    """Whom kad was not to touch it would else touch, without a word; of none it says nothing."""
    wish = Sockets(enable=("web",), exclude=("gone*",))
    world = World(WHOLE._replace(sockets=wish))
    world.run()
    unseen = world.state.written[-1].advice
    world.units = ("web.service", "ssh.service")

    world.run()

    assert unseen == ()
    assert world.state.written[-1].advice == ('sockets.exclude: "gone*" matches no running unit',)


def test_the_neighbours_are_read_with_the_policy_and_not_at_every_wakeup() -> None:
    """A fight for a value costs no look at a dozen files."""
    world = World()

    world.run(
        wake(Reason.PAUSE), wake(Reason.RELOAD), wake(Reason.FILE), wake(Reason.PAUSE), on_timer()
    )

    assert world.neighbours.reads == 4


def test_neighbours_that_stay_as_they_are_write_no_state_file() -> None:
    """A quiet system stays quiet, with advice too."""
    world = World()
    world.neighbours.settings = (Setting("/etc/sysctl.d/90-x.conf", 3, TIME, TIME, "600"),)

    world.run(wake(Reason.FILE), wake(Reason.FILE))

    assert len(world.state.written) == 2


def test_a_dear_walk_for_units_is_taken_seldom() -> None:
    """A host with very many control groups gives kad a percent of a core."""
    clock, walks = FakeClock(), list[float]()

    def walk() -> tuple[str, ...]:
        walks.append(clock.now)
        clock.now += 1
        return ("a.service",)

    advisor = Advisor(lambda: (), walk, clock.monotonic, host=True)
    policy = WHOLE._replace(sockets=Sockets(enable=("a",)))
    for _ in range(10):
        advisor.look_around(policy)
        clock.now += 30

    assert len(walks) == 3
    advisor.look_around(policy._replace(sockets=Sockets(enable=("b",))))
    assert len(walks) == 4  # a new policy does not wait
