"""The other network namespaces, driven by a script of wakeups."""

import errno
from collections.abc import Callable, Iterable, Mapping

import pytest

from kad.core.namespaces import YOUNG_S, Custom, Known, Namespaces, Override, Scope
from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, OnStop, Policy
from kad.core.reasons import Reason
from kad.core.report import State
from kad.daemon.opening import AT_ONCE
from tests.fakes import (
    DEFAULTS,
    INTVL,
    TIME,
    WANTED,
    WHOLE,
    FakeNamespace,
    FakeNamespaces,
    Step,
    World,
)

ALL = Namespaces(scope=Scope.ALL)
POLICY = WHOLE._replace(namespaces=ALL)
GIVEN_BACK = "no longer managed; original values restored in 1 namespace (web)"
LESS = "restoring it less often"
OWN = {**DEFAULTS, TIME: 600}
PUT = {each: (value,) for each, value in WANTED.items()}


def world_of(*there: FakeNamespace, rules: Namespaces = ALL) -> World:
    """Give a machine with these namespaces beside the host's, and a policy for all."""
    world = World(WHOLE._replace(namespaces=rules))
    world.namespaces.there = list(there)
    return world


def appears(world: World, *new: FakeNamespace) -> Step:
    """Have namespaces appear, and kad told so."""
    return Step(lambda: world.namespaces.there.extend(new), frozenset({Reason.NAMESPACES}))


def looks(do: Callable[[], object] = lambda: None) -> Step:
    """Have kad told that a namespace may have appeared, after something has happened."""
    return Step(do, frozenset({Reason.NAMESPACES}))


def sets(namespace: FakeNamespace, value: int, *, after: float = 0.1) -> Step:
    """Have somebody set a value in a namespace, which kad sees at once."""
    return Step(lambda: namespace.now.update({TIME: value}), frozenset({Reason.WRITE}), after)


def policy_becomes(world: World, policy: Policy) -> Step:
    """Edit the policy."""
    return Step(lambda: setattr(world.source, "policy", policy), frozenset({Reason.FILE}))


def shown(world: World, name: str) -> tuple[bool, str | None]:
    """Give what the state file last said of a namespace: whether it is managed, and why not."""
    each = next(each for each in world.state.written[-1].namespaces if each.name == name)
    return each.managed, each.reason


def test_namespaces_that_are_there_are_in_force_when_kad_is_ready() -> None:
    """READY=1 speaks for all of them, and one line names them."""
    one, two = FakeNamespace(2, "web"), FakeNamespace(3)
    world = world_of(one, two)

    world.run()

    assert (one.now, two.now) == (WANTED, WANTED)
    assert "policy set in 2 namespaces (web, net:[3])" in world.journal.messages
    assert world.manager.lines[1].endswith("probes 8; 2 namespaces")


def test_thousands_are_met_in_parts() -> None:
    """A stop, the watchdog and a drift of the host are heard in between."""
    there = [FakeNamespace(inode) for inode in range(2, 2 * AT_ONCE + 52)]
    world = world_of(*there)
    seen: list[int] = []
    count = Step(lambda: seen.append(sum(each.now == WANTED for each in there)))

    world.run(count, looks(), count, looks(), count)

    assert seen == [AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 50]
    assert world.namespaces.at_once == [AT_ONCE, AT_ONCE, 50]
    assert world.inbox.nudges.count(Reason.NAMESPACES) == 2


def test_what_cannot_be_opened_is_not_tried_for_ever() -> None:
    """However many there are, the others have their turn, and kad its rest."""
    shut = [FakeNamespace(inode) for inode in range(2, 2 + AT_ONCE)]
    web = FakeNamespace(5000, "web")
    world = world_of(*shut, web)
    denied = OSError(errno.EACCES, "Permission denied")
    world.namespaces.closed = {each.inode: denied for each in shut}

    world.run(looks())

    assert web.now == WANTED
    assert world.inbox.nudges.count(Reason.NAMESPACES) == 2
    assert (
        f"WARNING cannot open all network namespaces: net:[2]: Permission denied "
        f"(and {AT_ONCE - 1} more)"
    ) in world.journal.said


def test_what_kad_cannot_remember_is_told_and_so_is_its_end() -> None:
    """After a restart kad's own values would look like somebody's."""
    world = world_of(FakeNamespace(2, "web"))
    why = "/var/lib/kad/namespaces.json: No space left on device"
    world.memory.trouble = why

    world.run(looks(lambda: setattr(world.memory, "trouble", None)))

    what = "save which values kad set in other network namespaces"
    assert f"WARNING cannot {what}: {why}" in world.journal.said
    assert f"can {what} again" in world.journal.messages


def test_a_namespace_that_appears_is_brought_to_the_policy() -> None:
    """A container has the policy's values as soon as kad is told of it."""
    new = FakeNamespace(2, "web")
    world = world_of()

    world.run(appears(world, new))

    assert new.now == WANTED
    assert "policy set in 1 namespace (web)" in world.journal.messages


def test_a_host_policy_looks_at_no_other_namespace() -> None:
    """Without scope = all nothing is opened and nothing written."""
    other = FakeNamespace(2, "web")
    world = world_of(other, rules=Namespaces())

    world.run(appears(world, FakeNamespace(3)))

    assert not other.writes
    assert not world.namespaces.opened


def test_a_namespace_whose_values_were_set_on_purpose_stays_theirs() -> None:
    """Not the kernel's defaults at the first meeting: somebody wanted them."""
    other = FakeNamespace(2, "db", OWN)
    world = world_of(other)

    world.run()

    assert not other.writes
    assert shown(world, "db") == (False, "set on purpose")


def test_custom_values_are_overridden_where_the_policy_says_so() -> None:
    """custom = override takes every namespace for kad's."""
    other = FakeNamespace(2, "db", OWN)
    world = world_of(other, rules=ALL._replace(custom=Custom.OVERRIDE))

    world.run()

    assert other.now == WANTED


def test_a_runtime_that_writes_its_values_late_is_not_mistaken_for_drift() -> None:
    """docker run --sysctl: the namespace is there before its values are."""
    new = FakeNamespace(2, "web")
    world = world_of()

    world.run(appears(world, new), sets(new, 600))

    assert new.now == OWN
    assert shown(world, "web") == (False, "set on purpose")
    assert world.memory.known[2].found == OWN


def test_a_late_value_is_theirs_though_nobody_told_of_its_write() -> None:
    """A container writes through a /proc of its own: kad looks by itself when ten seconds are over.

    With a timer of thirty seconds it would else take the value for drift.
    """
    new = FakeNamespace(2, "web")
    world = world_of()

    world.run(appears(world, new), Step(lambda: new.now.update({TIME: 600})), Step(after=None))

    assert world.inbox.waits[-2] == pytest.approx(YOUNG_S - 0.1)
    assert new.now[TIME] == 600
    assert shown(world, "web") == (False, "set on purpose")


def test_a_late_value_of_a_parameter_that_is_not_kad_s_counts_too() -> None:
    """Whoever sets one on purpose is left alone as a whole, as he is at the first meeting."""
    new = FakeNamespace(2, "web")
    world = World(POLICY._replace(values={TIME: 120}))

    world.run(
        appears(world, new),
        Step(lambda: new.now.update({INTVL: 20}), frozenset({Reason.WRITE})),
        sets(new, 7200),
    )

    assert new.now == {**DEFAULTS, INTVL: 20}


def test_a_late_value_that_is_the_kernel_s_default_is_theirs_too() -> None:
    """docker run --sysctl net.ipv4.tcp_keepalive_time=7200 means it."""
    new = FakeNamespace(2, "web")
    world = world_of()

    world.run(appears(world, new), sets(new, 7200), Step(after=YOUNG_S))

    assert new.now[TIME] == 7200
    assert shown(world, "web") == (False, "set on purpose")


def test_what_a_runtime_writes_while_kad_is_about_to_is_theirs() -> None:
    """Between kad's look and its write is time enough for a container's own value."""
    new = FakeNamespace(2, "web")
    world = world_of()
    writes = iter([{TIME: 600}])
    world.memory.meanwhile = lambda kept: new.now.update(next(writes, {}) if 2 in kept else {})

    world.run(appears(world, new), Step(after=YOUNG_S))

    assert new.now == OWN
    assert shown(world, "web") == (False, "set on purpose")
    assert world.memory.known[2].found == OWN
    assert [line for line in world.journal.messages if "web" in line] == [GIVEN_BACK]


def test_a_memory_that_cannot_be_understood_is_named() -> None:
    """What kad wrote before is somebody's now, and the operator has to know."""
    world = world_of(FakeNamespace(2, "web"))
    world.memory.unusable = ["/var/lib/kad/namespaces.json"]

    world.run()

    assert world.journal.said == [
        (
            "WARNING /var/lib/kad/namespaces.json is damaged or from another version of kad: "
            "the original values are lost"
        )
    ]


def test_a_namespace_that_cannot_be_read_does_not_hold_up_the_others() -> None:
    """It is degraded, and said so; the others are restored all the same."""
    bad, good = FakeNamespace(2, "bad"), FakeNamespace(3, "good")
    world = world_of(bad, good)
    out_of_memory = OSError(errno.ENOMEM, "Cannot allocate memory")

    world.run(Step(lambda: setattr(bad, "error", out_of_memory)), sets(good, 600))

    assert good.now == WANTED
    assert "bad: cannot read net.ipv4.tcp_keepalive_time: Cannot allocate memory" in (
        world.journal.messages
    )


def test_a_late_value_is_theirs_though_kad_could_not_read_it_for_a_moment() -> None:
    """What is compared with is what was read last."""
    new = FakeNamespace(2, "web")
    world = world_of()
    errors = iter([OSError(errno.ENOMEM, "Cannot allocate memory")])
    world.memory.meanwhile = lambda kept: (
        setattr(new, "error", next(errors, None)) if kept else None
    )

    world.run(
        appears(world, new), Step(lambda: setattr(new, "error", None), after=0.1), sets(new, 600)
    )

    assert new.now == OWN
    assert shown(world, "web") == (False, "set on purpose")


def test_a_name_that_ip_netns_knows_no_more_is_not_kept() -> None:
    """Its next bearer is another namespace, and a rule for the name is meant for that one."""
    old = FakeNamespace(2, "web")
    rules = ALL._replace(overrides=(Override("web", {TIME: 60}),))
    world = world_of(old, rules=rules)

    world.run(
        Step(lambda: setattr(old, "name", None), frozenset({Reason.NAMESPACES})),
        appears(world, FakeNamespace(3, "web")),
    )

    assert old.now == WANTED
    assert [each.name for each in world.state.written[-1].namespaces] == ["host", "net:[2]", "web"]


def test_what_changes_later_is_drift() -> None:
    """Ten seconds after its making a container's values are the policy's."""
    new = FakeNamespace(2, "web")
    world = world_of()

    world.run(appears(world, new), Step(after=YOUNG_S), sets(new, 600))

    assert new.now == WANTED
    event = world.journal.events[-1]
    assert event.message == (
        "web: drift: net.ipv4.tcp_keepalive_time is 600, policy says 120; restored"
    )
    assert event.fields["KAD_NAMESPACE"] == "web"
    assert world.state.written[-1].drift is not None
    assert world.state.written[-1].drift.count_ == 1
    assert world.state.written[-1].drift.last is not None
    assert world.state.written[-1].drift.last.namespace == "web"


def test_what_was_there_at_the_start_is_not_young() -> None:
    """A drift in an old container just after kad's start is restored."""
    old = FakeNamespace(2, "web")
    world = world_of(old)

    world.run(sets(old, 600))

    assert old.now == WANTED


def test_kad_s_own_values_are_not_somebody_s_after_a_restart() -> None:
    """Nor after a stop and start with another policy in between."""
    other = FakeNamespace(2, "web", OWN)
    world = world_of(other)
    world.memory.known[2] = Known(DEFAULTS, PUT)

    world.run()

    assert other.now == WANTED


def test_values_that_kad_overrode_are_somebody_s_again_when_the_policy_keeps_such() -> None:
    """custom = override forgets nobody's intent, whatever happens in between."""
    other = FakeNamespace(2, "db", OWN)
    world = world_of(other, rules=ALL._replace(custom=Custom.OVERRIDE))
    world.run()
    world.source.policy = POLICY

    world.run()

    assert shown(world, "db") == (False, "set on purpose")


def test_auditing_forgets_nothing() -> None:
    """A daemon that only watched for a while still knows its own values from somebody's."""
    other = FakeNamespace(2, "web")
    world = world_of(other)
    world.run(
        policy_becomes(world, POLICY._replace(mode=Mode.AUDIT)),
        Step(lambda: other.now.update({TIME: 77}), frozenset({Reason.WRITE})),
    )
    world.source.policy = POLICY

    world.run()

    assert other.now == WANTED


def test_a_default_that_somebody_set_on_purpose_is_theirs_after_a_restart_too() -> None:
    """docker run --sysctl net.ipv4.tcp_keepalive_time=7200: nothing but kad's memory tells."""
    new = FakeNamespace(2, "web")
    world = world_of()
    world.run(appears(world, new), sets(new, 7200), Step(after=2 * YOUNG_S))

    world.run()

    assert new.now == DEFAULTS
    assert shown(world, "web") == (False, "set on purpose")


@pytest.mark.parametrize("on_stop", OnStop)
def test_a_restart_makes_no_drift_of_a_late_value(on_stop: OnStop) -> None:
    """A package's upgrade while a container starts: its ten seconds go on."""
    new = FakeNamespace(2, "web")
    world = World(POLICY._replace(on_stop=on_stop))
    world.run(appears(world, new))

    world.run(sets(new, 600))

    assert new.now == OWN
    assert shown(world, "web") == (False, "set on purpose")


@pytest.mark.parametrize("on_stop", OnStop)
def test_a_restart_makes_nobody_younger(on_stop: OnStop) -> None:
    """What changes eleven seconds after the appearance is drift, whichever kad saw that."""
    new = FakeNamespace(2, "web")
    world = World(POLICY._replace(on_stop=on_stop))
    world.run(appears(world, new), Step(after=YOUNG_S - 1))

    world.run(Step(after=1), sets(new, 600))

    assert new.now[TIME] in {120, 7200}
    assert any("drift" in each for each in world.journal.messages)


@pytest.mark.parametrize("on_stop", OnStop)
def test_a_late_value_is_theirs_though_no_kad_ran_when_it_was_written(on_stop: OnStop) -> None:
    """In the moment between a stop and the start."""
    new = FakeNamespace(2, "web")
    world = World(POLICY._replace(on_stop=on_stop))
    world.run(appears(world, new))
    new.now[TIME] = 600

    world.run()

    assert new.now == OWN
    assert shown(world, "web") == (False, "set on purpose")


def test_a_kad_that_was_killed_before_it_wrote_takes_nothing_for_somebody_s() -> None:
    """It had noted what it was about to put there."""
    new = FakeNamespace(2, "web")
    world = world_of(new)
    world.memory.known[2] = Known(DEFAULTS, PUT, appeared=world.clock.now - 1)

    world.run()

    assert new.now == WANTED
    assert shown(world, "web") == (True, None)


def test_a_unit_s_name_that_comes_late_is_asked_for_when_the_ten_seconds_are_over() -> None:
    """Nothing tells of it: no mount, no link."""
    new = FakeNamespace(2)
    world = world_of(rules=ALL._replace(exclude=("ci-*",)))

    world.run(
        appears(world, new),
        Step(lambda: setattr(new, "name", "ci-7")),
        Step(after=None),
    )

    assert world.clock.now < 1001 + YOUNG_S
    assert new.now == DEFAULTS
    assert GIVEN_BACK.replace("web", "ci-7") in world.journal.messages


def test_nothing_is_given_back_under_audit() -> None:
    """Which never writes."""
    new = FakeNamespace(2, "web")
    world = world_of()
    audit = POLICY._replace(mode=Mode.AUDIT)

    world.run(appears(world, new), policy_becomes(world, audit), sets(new, 600))

    assert new.now == {**WANTED, TIME: 600}


def test_what_was_set_while_excluded_is_set_on_purpose() -> None:
    """Who is excluded is met when that ends, be it by a reload or after a restart."""
    other = FakeNamespace(2, "ci-7")
    world = world_of(other, rules=ALL._replace(exclude=("ci-*",)))

    world.run(sets(other, 600), policy_becomes(world, POLICY))

    assert other.now == OWN
    assert shown(world, "ci-7") == (False, "set on purpose")


def test_what_was_set_while_kad_only_audited_is_drift_after_a_restart_too() -> None:
    """It met the namespace at the kernel's defaults."""
    other = FakeNamespace(2, "web")
    world = World(POLICY._replace(mode=Mode.AUDIT))
    world.namespaces.there = [other]
    world.run(sets(other, 600))
    world.source.policy = POLICY

    world.run()

    assert other.now == WANTED


def test_what_was_set_on_purpose_stays_so_whatever_is_set_while_kad_is_down() -> None:
    """Be it the kernel's default."""
    other = FakeNamespace(2, "web", OWN)
    world = world_of(other)
    world.run()
    other.now = dict(DEFAULTS)

    world.run()

    assert other.now == DEFAULTS
    assert shown(world, "web") == (False, "set on purpose")


def test_what_a_runtime_writes_just_after_kad_is_theirs() -> None:
    """Before kad has read its own value back: no failure of the kernel's."""
    new = FakeNamespace(2, "web")
    world = world_of()
    new.ignore = {TIME}
    new.now[TIME] = 7200
    write = new.write

    def overwritten(parameter: Parameter, value: int) -> None:
        write(parameter, value)
        if parameter is TIME and value == 120:
            new.now[TIME] = 600

    new.write = overwritten  # type: ignore[method-assign]

    world.run(appears(world, new), Step(after=None))

    assert new.now == OWN
    assert not any("cannot set" in each for each in world.journal.messages)


def test_a_young_namespace_that_cannot_be_read_does_not_have_kad_spin() -> None:
    """Its ten seconds end all the same."""
    new = FakeNamespace(2, "web")
    world = world_of()
    broken = OSError(errno.ENOMEM, "Cannot allocate memory")

    world.run(
        appears(world, new), Step(lambda: setattr(new, "error", broken)), *[Step(after=None)] * 10
    )

    assert world.inbox.waits.count(0.0) <= 1


def test_its_youth_ends_for_every_kad() -> None:
    """Hours later, what was written while no kad ran is nobody's own."""
    new = FakeNamespace(2, "web")
    world = world_of()
    world.run(appears(world, new), Step(after=None), Step(after=3600.0))
    assert world.memory.known[2].appeared is None
    new.now[TIME] = 999

    world.run()

    assert new.now == WANTED
    assert shown(world, "web") == (True, None)


def test_what_is_excluded_hours_later_keeps_what_kad_set() -> None:
    """Be it after a restart: its name was there in time."""
    new = FakeNamespace(2, "web")
    world = world_of()
    world.run(appears(world, new), Step(after=None), Step(after=3600.0))
    world.source.policy = POLICY._replace(namespaces=ALL._replace(exclude=("web",)))

    world.run()
    world.run()

    assert new.now == WANTED
    assert GIVEN_BACK not in world.journal.messages


def test_what_kad_owes_is_given_back_by_the_next_one() -> None:
    """It was killed just before."""
    other = FakeNamespace(2, "web", {**WANTED, TIME: 600})
    world = world_of(other)
    world.memory.known[2] = Known(OWN, PUT, custom=True, owed=True)

    world.run()

    assert other.now == OWN
    assert GIVEN_BACK in world.journal.messages
    assert world.memory.known[2] == Known(OWN, custom=True)


def test_what_cannot_be_given_back_is_told_and_tried_again() -> None:
    """And not said to be there."""
    new = FakeNamespace(2, "web")
    world = world_of()

    def written() -> None:
        new.now[TIME] = 600
        new.refuse.update(dict.fromkeys(Parameter, errno.EIO))

    world.run(
        appears(world, new),
        Step(written, after=None),
        Step(new.refuse.clear, frozenset({Reason.WRITE})),
    )

    assert new.now == OWN
    assert world.journal.said == [
        (
            "WARNING cannot restore the original values in another network namespace: "
            "web: cannot set net.ipv4.tcp_keepalive_intvl to 75: Input/output error"
        )
    ]
    assert world.journal.messages.count(GIVEN_BACK) == 1


def test_what_is_owed_under_audit_is_given_back_when_it_ends() -> None:
    """Audit never writes, be it that the name came late or that a runtime wrote."""
    new, late = FakeNamespace(2, "web"), FakeNamespace(3)
    world = world_of()
    rules = ALL._replace(exclude=("ci-*",))
    audit = POLICY._replace(mode=Mode.AUDIT, namespaces=rules)
    seen: list[tuple[dict[Parameter, int], dict[Parameter, int]]] = []

    def changed() -> None:
        new.now[TIME], late.name = 600, "ci-7"

    world.run(
        appears(world, new, late),
        policy_becomes(world, audit),
        Step(changed, after=None),
        Step(lambda: seen.append((dict(new.now), dict(late.now)))),
        policy_becomes(world, POLICY._replace(namespaces=rules)),
    )

    assert seen == [({**WANTED, TIME: 600}, WANTED)]
    assert (new.now, late.now) == (OWN, DEFAULTS)


def test_a_kad_that_was_killed_before_it_wrote_a_new_policy_knows_its_own_values() -> None:
    """Neither the old nor the new are somebody's."""
    new = FakeNamespace(2, "web", WANTED)
    world = world_of(new)
    later = {**PUT, TIME: (120, 300)}
    world.memory.known[2] = Known(DEFAULTS, later, appeared=world.clock.now - 1)
    world.source.policy = POLICY._replace(values={**WANTED, TIME: 300})

    world.run()

    assert new.now == {**WANTED, TIME: 300}


def test_a_refused_new_value_does_not_keep_the_old_one_from_being_put_back() -> None:
    """It is kad's all the same."""
    other = FakeNamespace(2, "web")
    world = World(POLICY._replace(on_stop=OnStop.RESTORE))
    world.namespaces.there = [other]
    longer = world.source.policy._replace(values={**WANTED, TIME: 300})

    def refusing() -> None:
        world.source.policy = longer
        other.refuse[TIME] = errno.EIO

    world.run(Step(refusing, frozenset({Reason.FILE})), Step(other.refuse.clear, after=0.0))

    assert other.now == DEFAULTS


def test_what_was_set_while_excluded_is_theirs_though_kad_was_there_before() -> None:
    """While it was none of kad's business."""
    other = FakeNamespace(2, "web")
    world = world_of(other)
    excluded = POLICY._replace(namespaces=ALL._replace(exclude=("web",)))

    world.run(policy_becomes(world, excluded), sets(other, 600), policy_becomes(world, POLICY))
    world.run()

    assert other.now == {**WANTED, TIME: 600}
    assert shown(world, "web") == (False, "set on purpose")


def test_what_was_set_while_excluded_is_theirs_though_a_restart_ends_that() -> None:
    """The next kad knows that it was none of kad's business."""
    other = FakeNamespace(2, "web")
    world = world_of(other)
    excluded = POLICY._replace(namespaces=ALL._replace(exclude=("web",)))
    world.run(policy_becomes(world, excluded), sets(other, 600))
    world.source.policy = POLICY

    world.run()

    assert other.now == {**WANTED, TIME: 600}
    assert shown(world, "web") == (False, "set on purpose")


def test_an_exclusion_that_ends_with_a_restart_makes_nobody_older() -> None:
    """Its ten seconds go on, and then nothing of it is remembered."""
    new = FakeNamespace(2, "web")
    world = world_of(rules=ALL._replace(exclude=("web",)))
    world.run(appears(world, new))
    excluded, world.source.policy = world.source.policy, POLICY

    world.run(sets(new, 600), policy_becomes(world, excluded))

    assert new.now == OWN
    other = FakeNamespace(3, "web")
    world.run(appears(world, other), Step(after=None), Step(after=60.0))
    assert 3 not in world.memory.known


def test_what_an_excluded_one_set_in_its_youth_is_its_own_later_too() -> None:
    """docker run --sysctl, of a container that only later is kad's business."""
    new = FakeNamespace(2)
    world = world_of(rules=ALL._replace(exclude=("ci-*",)))

    def starts() -> None:
        new.now[TIME], new.name = 600, "ci-7"

    world.run(
        appears(world, new),
        Step(starts, frozenset({Reason.NAMESPACES})),
        Step(after=3600.0),
        policy_becomes(world, POLICY),
    )

    assert new.now == OWN
    assert shown(world, "ci-7") == (False, "set on purpose")


def test_a_late_value_is_theirs_though_no_kad_ran_when_the_ten_seconds_ended() -> None:
    """An upgrade while a container starts; the first look after them counts."""
    new = FakeNamespace(2, "web")
    world = world_of()
    world.run(appears(world, new), Step(after=YOUNG_S - 2))
    new.now[TIME] = 600
    world.clock.now += 5

    world.run()

    assert new.now == OWN


def test_one_that_could_not_be_opened_at_once_is_young_all_the_same() -> None:
    """kad saw it appear."""
    new = FakeNamespace(2, "web")
    world = world_of()
    world.namespaces.closed = {2: OSError(errno.ENOMEM, "Cannot allocate memory")}

    world.run(
        appears(world, new),
        Step(world.namespaces.closed.clear, frozenset({Reason.NAMESPACES})),
        sets(new, 600),
    )

    assert new.now == OWN


def test_one_that_cannot_be_read_when_a_policy_comes_follows_it_later() -> None:
    """What it had meanwhile is its own, read a moment later."""
    other = FakeNamespace(2, "web", OWN)
    world = world_of(other, rules=ALL._replace(exclude=("web",)))
    broken = OSError(errno.ENOMEM, "Cannot allocate memory")

    def edited() -> None:
        world.source.policy, other.error = POLICY, broken

    world.run(
        Step(edited, frozenset({Reason.FILE})),
        Step(lambda: setattr(other, "error", None), after=None),
    )

    assert other.now == OWN
    assert shown(world, "web") == (False, "set on purpose")


def test_what_is_owed_is_no_recovery_until_it_is_given_back() -> None:
    """Neither under audit nor while it cannot be read; and the state file has it."""
    new = FakeNamespace(2, "web")
    world = world_of()
    audit = POLICY._replace(mode=Mode.AUDIT)
    warnings: list[tuple[str, ...]] = []

    def written() -> None:
        new.now[TIME] = 600
        new.refuse.update(dict.fromkeys(Parameter, errno.EIO))

    def unreadable() -> None:
        warnings.append(world.state.written[-1].warnings)
        new.error = OSError(errno.ENOMEM, "Cannot allocate memory")

    def mended() -> None:
        new.error = None
        new.refuse.clear()

    world.run(
        appears(world, new),
        Step(written, after=None),
        Step(unreadable, frozenset({Reason.WRITE})),
        policy_becomes(world, audit),
        policy_becomes(world, POLICY),
        Step(mended, frozenset({Reason.WRITE})),
        Step(lambda: warnings.append(world.state.written[-1].warnings)),
    )

    again = "can restore the original values in another network namespace again"
    (first,), last = warnings
    assert first.startswith(
        "cannot restore the original values in another network namespace: web: "
    )
    assert last == ()
    assert world.journal.messages.count(again) == 1
    assert new.now == OWN


def test_out_of_memory_the_daemon_does_not_spin_for_a_young_one() -> None:
    """Nor for one that fights: the timer tries again."""
    new = FakeNamespace(2, "web")
    world = world_of()

    def out_of_memory() -> None:
        world.namespaces.broken = MemoryError()

    world.run(appears(world, new), Step(out_of_memory, after=None), *[Step(after=None)] * 10)

    assert world.inbox.waits.count(0.0) <= 1


def test_what_was_set_is_told_though_it_cannot_be_remembered_for_want_of_memory() -> None:
    """What was written is told, whatever comes then."""
    new = FakeNamespace(2, "web")
    world = world_of()
    calls: list[object] = []

    def out_of_memory(kept: Iterable[int]) -> None:
        calls.append(kept)
        if len(calls) > 1:
            raise MemoryError

    def begins() -> None:
        world.memory.meanwhile = out_of_memory
        world.namespaces.there.append(new)

    world.run(Step(begins, frozenset({Reason.NAMESPACES})))

    assert "policy set in 1 namespace (web)" in world.journal.messages


def test_an_exclusion_does_not_end_what_was_set_on_purpose() -> None:
    """Nor does a restart meanwhile."""
    new = FakeNamespace(2, "web")
    world = world_of()
    excluded = POLICY._replace(namespaces=ALL._replace(exclude=("web",)))
    world.run(appears(world, new), sets(new, 7200), policy_becomes(world, excluded))
    world.run()
    world.source.policy = POLICY

    world.run()

    assert new.now == DEFAULTS


def test_what_is_overridden_late_is_no_drift_and_is_remembered() -> None:
    """A policy that only warns overrides it too; on stop it is put back, be it by another kad."""
    new = FakeNamespace(2, "web")
    override = ALL._replace(custom=Custom.OVERRIDE)
    world = world_of(rules=override)
    world.source.policy = world.source.policy._replace(action=Action.WARN)
    world.run(appears(world, new), sets(new, 600))

    assert new.now == WANTED
    assert not any("drift" in each for each in world.journal.messages)
    assert world.memory.known[2].found == OWN


def test_a_fight_for_a_young_one_is_limited_too() -> None:
    """custom = override: what is set within ten seconds is no drift, but may be a fight."""
    new = FakeNamespace(2, "web")
    world = world_of(rules=ALL._replace(custom=Custom.OVERRIDE))

    world.run(appears(world, new), *(sets(new, 600 + each) for each in range(50)))

    told = [each for each in world.journal.messages if "by somebody else" in each]
    assert told == [f"web: {TIME} was changed 6 times in 60 s by somebody else; {LESS}"]
    assert len(new.writes) < 15


def test_who_is_renamed_as_his_old_name_is_excluded_is_not_left() -> None:
    """Nor is it said that he is."""
    other = FakeNamespace(2, "ci-1")
    world = world_of(other)
    excluded = POLICY._replace(namespaces=ALL._replace(exclude=("ci-*",)))

    def edit() -> None:
        other.name, world.source.policy = "web", excluded

    world.run(Step(edit, frozenset({Reason.FILE})))

    assert shown(world, "web") == (True, None)
    assert not any("no longer managed" in each for each in world.journal.messages)


def test_a_restart_says_nothing_again_of_what_is_left_alone() -> None:
    """It was said when it was."""
    other = FakeNamespace(2, "web")
    world = world_of(other)
    world.run(policy_becomes(world, POLICY._replace(namespaces=ALL._replace(exclude=("web",)))))
    assert any("no longer managed" in each for each in world.journal.messages)

    world.run()

    assert not any("no longer managed" in each for each in world.journal.messages)


def test_who_is_excluded_by_a_first_name_is_asked_for_his_last() -> None:
    """When the ten seconds are over."""
    new = FakeNamespace(2)
    world = world_of(rules=ALL._replace(exclude=("net:*",)))

    world.run(
        appears(world, new), Step(lambda: setattr(new, "name", "web"), after=0.1), Step(after=None)
    )

    assert new.now == WANTED


def test_one_that_died_as_it_was_met_is_not_remembered() -> None:
    """Nobody would ever forget it."""
    new = FakeNamespace(2, "web")
    world = world_of()
    has = new.has

    def dies(values: Mapping[Parameter, int]) -> bool:
        new.gone = True
        return has(values)

    new.has = dies  # type: ignore[method-assign]

    world.run(appears(world, new))

    assert not world.memory.known


def test_out_of_memory_no_namespace_stays_open_unseen() -> None:
    """The next look would open it again, and once more."""
    there = [FakeNamespace(inode) for inode in (2, 3, 4)]
    world = world_of(*there)

    def out_of_memory(_: Parameter) -> int:
        raise MemoryError

    there[0].read = out_of_memory  # type: ignore[assignment,method-assign]

    world.run()

    assert world.namespaces.opened == set()


def test_what_changed_while_kad_was_down_is_set_and_no_drift() -> None:
    """As in the host's namespace: even a policy that only warns sets what this kad has not set."""
    other = FakeNamespace(2, "web", OWN)
    world = world_of(other)
    world.source.policy = POLICY._replace(action=Action.WARN)
    world.memory.known[2] = Known(DEFAULTS, PUT)

    world.run()

    assert other.now == WANTED
    assert "policy set in 1 namespace (web)" in world.journal.messages


def test_a_mark_is_made_before_the_value_is_written() -> None:
    """A crash between the two would leave kad's own value for somebody's."""
    other = FakeNamespace(2, "web")
    world = world_of(other)
    marked = []
    write = other.write

    def note(parameter: Parameter, value: int) -> None:
        marked.append(2 in world.memory.known)
        write(parameter, value)

    other.write = note  # type: ignore[method-assign]
    world.run()

    assert marked == [True] * 3


def test_what_is_not_seen_for_a_while_is_not_forgotten() -> None:
    """A namespace that only a descriptor keeps alive comes back, with kad's values in it."""
    hidden = FakeNamespace(2, "web")
    world = world_of(hidden)
    world.run()
    world.namespaces.there = []
    world.run()
    world.namespaces.there = [hidden]

    world.run()

    assert hidden.now == WANTED
    assert shown(world, "web") == (True, None)


def test_a_number_that_is_used_again_is_another_namespace() -> None:
    """Inodes are; cookies are not."""
    first, second = FakeNamespace(2, "web"), FakeNamespace(2, "db", OWN)
    second.cookie = 77
    world = world_of(first)

    world.run(
        Step(lambda: setattr(first, "gone", True), frozenset({Reason.NAMESPACES})),
        appears(world, second),
    )

    assert not second.writes
    assert shown(world, "db") == (False, "set on purpose")
    assert world.memory.known.keys() == {77}


def test_a_namespace_that_has_gone_is_let_go_without_a_word() -> None:
    """A container's end is no failure, in the middle of a pass neither."""
    other = FakeNamespace(2, "web")
    world = world_of(other)

    world.run(
        Step(lambda: world.journal.messages),
        Step(lambda: setattr(other, "gone", True), frozenset({Reason.WRITE})),
    )

    assert not world.namespaces.opened
    assert not world.journal.messages
    assert [each.name for each in world.state.written[-1].namespaces] == ["host"]


def test_a_namespace_that_goes_in_the_middle_of_a_pass_is_let_go() -> None:
    """Between two of its parameters: the others get theirs, and nothing failed."""
    dying, other = FakeNamespace(2, "web"), FakeNamespace(3, "db")
    write = dying.write

    def die(parameter: Parameter, value: int) -> None:
        write(parameter, value)
        dying.gone = True

    dying.write = die  # type: ignore[method-assign]
    world = world_of(dying, other)

    world.run()

    assert other.now == WANTED
    assert world.namespaces.opened == {3}
    assert world.manager.lines[1].startswith("in-force: ")
    assert world.memory.known.keys() == {3}
    assert not any("web" in each for each in world.journal.messages)


def test_excluded_names_are_left_alone() -> None:
    """exclude = ["ci-*"]: not a write, until the policy says otherwise."""
    other = FakeNamespace(2, "ci-7")
    world = world_of(other, rules=ALL._replace(exclude=("ci-*",)))
    excluded: list[object] = []

    world.run(
        Step(lambda: excluded.extend((list(other.writes), shown(world, "ci-7")))),
        policy_becomes(world, POLICY),
    )

    assert excluded == [[], (False, "excluded")]
    assert other.now == WANTED


def test_the_first_override_that_matches_wins() -> None:
    """A parameter that it does not name comes from the policy."""
    other = FakeNamespace(2, "db-1.scope")
    overrides = (Override("db-?.scope", {TIME: 60}), Override("*", {TIME: 90}))
    world = world_of(other, rules=ALL._replace(overrides=overrides))

    world.run()

    assert other.now == {**WANTED, TIME: 60}


def test_a_new_policy_reaches_all() -> None:
    """An edit is in force everywhere, and none of it is drift."""
    others = [FakeNamespace(inode) for inode in range(2, 7)]
    world = world_of(*others)
    new = POLICY._replace(values={**WANTED, TIME: 90})

    world.run(Step(lambda: world.journal.messages), policy_becomes(world, new))

    assert all(each.now[TIME] == 90 for each in others)
    assert world.journal.messages[1] == (
        "policy set in 5 namespaces (net:[2], net:[3], net:[4], ...)"
    )


def test_back_to_the_host_leaves_the_values_and_says_so() -> None:
    """scope = host lets go of every namespace."""
    other = FakeNamespace(2, "web")
    world = world_of(other)

    world.run(policy_becomes(world, WHOLE), sets(other, 600))

    assert other.now[TIME] == 600
    assert not world.namespaces.opened
    told = "now managing the host only; values kept in 1 namespace"
    assert told in world.journal.messages


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ALL, ALL._replace(exclude=("*",))),
        (ALL._replace(custom=Custom.OVERRIDE), ALL),
    ],
)
def test_what_is_left_alone_late_keeps_the_values_and_kad_says_so(
    before: Namespaces, after: Namespaces
) -> None:
    """Excluded, or kept as its own, by a later policy: kad's value there has a line, once."""
    other = FakeNamespace(2, "db", DEFAULTS if before is ALL else OWN)
    world = world_of(other, rules=before)
    edited = policy_becomes(world, POLICY._replace(namespaces=after))

    world.run(edited, Step(after=None), Step(reasons=frozenset({Reason.RELOAD})))

    assert other.now == WANTED
    told = "no longer managed; kad's values remain in 1 namespace (db)"
    assert world.journal.messages.count(told) == 1


def test_what_was_always_left_alone_has_no_line() -> None:
    """Nor has what kad never wrote to."""
    own, excluded = FakeNamespace(2, "db", OWN), FakeNamespace(3, "ci-7")
    world = world_of(own, excluded, rules=ALL._replace(exclude=("ci-*",)))

    world.run(policy_becomes(world, POLICY._replace(namespaces=ALL._replace(exclude=("*",)))))

    assert not any("no longer managed" in each for each in world.journal.messages)


def test_back_to_the_host_nothing_of_the_others_is_wrong_any_more() -> None:
    """What could not be remembered of them, for one."""
    world = world_of(FakeNamespace(2, "web"))
    world.memory.trouble = "/var/lib/kad/namespaces.json: No space left on device"

    world.run(policy_becomes(world, WHOLE))

    assert world.state.written[-1].warnings == ()
    assert world.manager.lines[-2] == "in-force: time 120 s, intvl 30 s, probes 8"


def test_missing_rights_leave_kad_with_its_own_namespace_and_are_named() -> None:
    """Degraded, with the capability and the drop-in in STATUS= and journal, and healed later."""
    other = FakeNamespace(2, "web")
    world = world_of(other)
    why = "CAP_SYS_ADMIN missing"
    world.namespaces.unable = OSError(errno.EPERM, why, "[namespaces] scope")

    world.run(
        Step(lambda: setattr(world.namespaces, "unable", None), frozenset({Reason.TIMER})),
    )

    assert world.kernel.now == WANTED
    assert world.journal.said == [
        f"WARNING cannot manage other network namespaces: [namespaces] scope: {why}"
    ]
    assert world.manager.lines[1] == f"degraded: [namespaces] scope: {why}"
    assert "can manage other network namespaces again" in world.journal.messages
    assert other.now == WANTED


def test_what_cannot_be_opened_is_told_and_the_rest_is_guarded() -> None:
    """No descriptor left: degraded, not blind."""
    closed, other = FakeNamespace(2, "one"), FakeNamespace(3, "two")
    world = world_of(closed, other)
    world.namespaces.closed = {2: OSError(errno.EMFILE, "Too many open files")}

    world.run()

    assert other.now == WANTED
    assert world.journal.said == [
        "WARNING cannot open all network namespaces: one: Too many open files"
    ]
    assert world.manager.lines[1] == "degraded: cannot open one: Too many open files"


def test_what_fails_again_after_an_interlude_is_told_again() -> None:
    """Back to the host and again to all: kad has given up on nothing in silence."""
    world = world_of(FakeNamespace(2, "one"))
    world.namespaces.closed = {2: OSError(errno.EMFILE, "Too many open files")}
    unable = OSError(errno.EPERM, "CAP_SYS_ADMIN missing", "[namespaces] scope")

    world.run(
        policy_becomes(world, WHOLE),
        policy_becomes(world, POLICY),
        Step(lambda: setattr(world.namespaces, "unable", unable)),
        policy_becomes(world, WHOLE._replace(check_every=20)),
        policy_becomes(world, POLICY),
    )

    closed = "WARNING cannot open all network namespaces: one: Too many open files"
    why = "[namespaces] scope: CAP_SYS_ADMIN missing"
    look = f"WARNING cannot manage other network namespaces: {why}"
    assert world.journal.said == [closed, closed, look]
    assert not any("again" in each for each in world.journal.messages)


def test_what_is_excluded_need_not_be_opened() -> None:
    """Whoever excludes what kad cannot reach has no trouble left."""
    world = world_of(FakeNamespace(2, "lb-1"), rules=ALL._replace(exclude=("lb-*",)))
    world.namespaces.closed = {2: OSError(errno.EACCES, "Permission denied")}

    world.run()

    assert world.manager.lines[1].startswith("in-force: ")


@pytest.mark.parametrize("number", [errno.EPERM, errno.EROFS])
def test_one_namespace_s_failure_is_named_and_stops_no_other(number: int) -> None:
    """Its name stands in STATUS= and in the journal."""
    bad, good = FakeNamespace(2, "bad"), FakeNamespace(3, "good")
    bad.refuse = {TIME: number}
    world = world_of(bad, good)

    world.run()

    assert good.now == WANTED
    assert world.manager.lines[1].startswith("degraded: bad: cannot set net.ipv4")
    assert any(each.startswith("bad: cannot set") for each in world.journal.messages)


def test_a_reload_fails_where_a_namespace_does() -> None:
    """kad reload says what is not as the policy wants it, wherever that is."""
    bad = FakeNamespace(2, "bad")
    bad.refuse = {TIME: errno.EROFS}
    world = world_of(bad)

    world.run(Step(reasons=frozenset({Reason.RELOAD})))

    told = world.state.written[-1].reload
    assert told is not None
    assert told.outcome == "failed"
    assert "bad: cannot set net.ipv4.tcp_keepalive_time" in (told.error or "")


def test_a_fight_in_a_namespace_is_its_own() -> None:
    """The sixth change within a minute is left for a while; the others are not."""
    fighter, calm = FakeNamespace(2, "one"), FakeNamespace(3, "two")
    world = world_of(fighter, calm)

    world.run(*[sets(fighter, 600)] * 6, sets(calm, 600))

    assert fighter.now[TIME] == 600
    assert calm.now == WANTED
    assert any("one: net.ipv4.tcp_keepalive_time was changed 6 times" in each
               for each in world.journal.messages)  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "action", "outcome"),
    [
        (Mode.AUDIT, Action.RESTORE, "accepted"),
        (Mode.ENFORCE, Action.WARN, "accepted"),
        (Mode.ENFORCE, Action.RESTORE, "failed"),
    ],
)
def test_a_fight_that_kad_takes_no_part_in_fails_no_reload(
    mode: Mode, action: Action, outcome: str
) -> None:
    """All is as mode and action want it."""
    fighter = FakeNamespace(2, "one")
    world = World(POLICY._replace(mode=mode, action=action))
    world.namespaces.there = [fighter]
    changes = [sets(fighter, 600 + each) for each in range(7)]

    world.run(*changes, Step(reasons=frozenset({Reason.RELOAD})))

    status = world.state.written[-1]
    assert status.state == "degraded"
    assert status.reload is not None
    assert status.reload.outcome == outcome


def test_on_stop_puts_back_in_every_namespace() -> None:
    """What kad found, parameter by parameter, where its values still stand; it says where."""
    kept, changed = FakeNamespace(2), FakeNamespace(3, "theirs")
    world = World(POLICY._replace(on_stop=OnStop.RESTORE))
    world.namespaces.there = [kept, changed]

    world.run(Step(lambda: changed.now.update({TIME: 77})))

    assert kept.now == DEFAULTS
    assert changed.now == {**DEFAULTS, TIME: 77}
    assert (
        world.journal.messages[-1] == "original values restored in 2 namespaces (net:[2], theirs)"
    )
    assert world.memory.known == {3: Known(DEFAULTS, PUT)}


def test_on_stop_puts_back_what_the_policy_names_no_more() -> None:
    """kad has set it all the same."""
    other = FakeNamespace(2, "web")
    world = World(POLICY._replace(on_stop=OnStop.RESTORE))
    world.namespaces.there = [other]
    shorter = POLICY._replace(on_stop=OnStop.RESTORE, values={TIME: 120})

    world.run(policy_becomes(world, shorter))

    assert other.now == DEFAULTS
    assert not world.memory.known


def test_what_a_stop_leaves_of_kad_s_own_values_is_not_somebody_s_later() -> None:
    """Excluded since; what an earlier kad set, and the policy names no more, is put back too."""
    part, excluded = FakeNamespace(2, "web", WANTED), FakeNamespace(3, "ci-7")
    short = POLICY._replace(on_stop=OnStop.RESTORE, values={TIME: 120})
    world = World(short)
    world.namespaces.there = [part, excluded]
    world.memory.known[2] = Known(DEFAULTS, PUT)

    world.run(policy_becomes(world, short._replace(namespaces=ALL._replace(exclude=("ci-*",)))))

    assert (part.now, excluded.now) == (DEFAULTS, {**DEFAULTS, TIME: 120})
    assert world.memory.known == {3: Known(DEFAULTS, {TIME: (120,)}, excluded=True)}


def test_a_value_that_cannot_be_put_back_is_told() -> None:
    """The others are, and kad stops as it should."""
    bad, good = FakeNamespace(2, "bad"), FakeNamespace(3)
    world = World(POLICY._replace(on_stop=OnStop.RESTORE))
    world.namespaces.there = [bad, good]

    world.run(Step(lambda: bad.refuse.update({TIME: errno.EPERM})))

    assert good.now == DEFAULTS
    assert bad.now == {**DEFAULTS, TIME: 120}
    assert "bad: cannot set net.ipv4.tcp_keepalive_time to 7200" in world.journal.messages[-1]
    assert world.memory.known.keys() == {2}


def test_a_policy_that_comes_to_name_what_agrees_already_is_shown_so() -> None:
    """Nothing is written, and the state file has the parameter in force."""
    other = FakeNamespace(2, "web")
    world = World(POLICY._replace(values={TIME: 120}))
    world.namespaces.there = [other]

    world.run(policy_becomes(world, POLICY._replace(values={TIME: 120, INTVL: 75})))

    assert other.writes == [(TIME, 120)]
    told = world.state.written[-1].namespaces[1].parameters[INTVL]
    assert (told.policy, told.state) == (75, State.IN_FORCE)


def test_a_name_that_comes_late_is_followed() -> None:
    """A process is put into its unit, and ip-netns(8) names one, after the namespace is there."""
    new = FakeNamespace(2)
    overrides = (Override("docker-*.scope", {TIME: 60}),)
    world = world_of(rules=ALL._replace(overrides=overrides))
    names: list[str] = []

    def becomes(name: str) -> Step:
        return Step(lambda: setattr(new, "name", name), frozenset({Reason.NAMESPACES}))

    world.run(
        appears(world, new),
        Step(lambda: names.append(world.state.written[-1].namespaces[1].name)),
        becomes("docker-1.scope"),
    )

    assert names == ["net:[2]"]
    assert shown(world, "docker-1.scope") == (True, None)
    assert new.now[TIME] == 60


def test_a_name_that_excludes_and_comes_late_has_kad_s_values_taken_back() -> None:
    """ip netns attach, and a process that is put into its unit: kad was there before."""
    new = FakeNamespace(2)
    world = world_of(rules=ALL._replace(exclude=("ci-*",)))

    world.run(
        appears(world, new),
        Step(lambda: setattr(new, "name", "ci-7"), frozenset({Reason.NAMESPACES})),
    )

    assert len(new.writes) == 6
    assert new.now == DEFAULTS
    assert GIVEN_BACK.replace("web", "ci-7") in world.journal.messages
    assert shown(world, "ci-7") == (False, "excluded")
    assert not world.memory.known[2].put


def test_a_look_that_fails_is_told_and_leaves_kad_with_those_it_knows() -> None:
    """Not even /proc/self/mountinfo may be opened: no reason to end."""
    known, new = FakeNamespace(2, "web"), FakeNamespace(3)
    world = world_of(known)
    full = OSError(errno.EMFILE, "Too many open files", "/proc/self/mountinfo")

    world.run(
        Step(lambda: setattr(world.namespaces, "unseen", full)),
        appears(world, new),
        sets(known, 600),
    )

    assert known.now == WANTED
    assert not new.writes
    assert world.manager.lines[-2] == "degraded: /proc/self/mountinfo: Too many open files"


def test_a_machine_on_which_drift_is_left_stays_quiet_too() -> None:
    """What was said and shown once is not written to the state file again at each check."""
    world = world_of(*[FakeNamespace(inode) for inode in range(2, 5)])
    world.source.policy = POLICY._replace(mode=Mode.AUDIT, check_every=10)
    before: list[int] = []

    world.run(
        Step(lambda: before.append(len(world.state.written))),
        *[Step(after=None)] * 3,
    )

    assert len(world.state.written) == before[0]


def test_a_quiet_machine_stays_quiet() -> None:
    """Values in force everywhere: no write, no line, and nothing new in the state file."""
    others = [FakeNamespace(inode) for inode in range(2, 12)]
    world = world_of(*others)

    world.run(
        *[Step(each.writes.clear) for each in others],
        Step(lambda: world.journal.messages),
        *[Step(after=None)] * 50,
    )

    assert not any(each.writes for each in others)
    assert not world.journal.messages


class _Threadless(FakeNamespaces):
    """Namespaces of a system that has no thread left."""

    def open(self, found: Iterable[FakeNamespace]) -> dict[int, FakeNamespace | OSError]:
        """Fail while there is something to enter."""
        if [*found]:
            raise OSError(errno.EAGAIN, "can't start new thread", "thread")
        return {}


def test_a_thread_that_cannot_start_leaves_kad_with_its_own_namespace() -> None:
    """At boot too kad goes on, degraded, and says why."""
    world = World(POLICY)
    world.namespaces = _Threadless([FakeNamespace(2, "web")])

    world.run()

    assert world.kernel.now == WANTED
    assert world.manager.lines[1] == "degraded: thread: can't start new thread"


def test_a_namespace_that_cannot_be_read_at_first_is_let_go_and_told() -> None:
    """Its descriptors would else be left behind at each look."""
    bad, good = FakeNamespace(2, "bad"), FakeNamespace(3)

    def fail(parameter: Parameter) -> int:
        raise OSError(errno.EIO, "Input/output error", parameter)

    bad.read = fail  # type: ignore[method-assign]
    world = world_of(bad, good)

    world.run()

    assert good.now == WANTED
    assert world.namespaces.opened == {3}
    assert world.manager.lines[1] == "degraded: cannot open bad: Input/output error"
