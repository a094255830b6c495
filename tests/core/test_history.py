"""Which changes are drift, and what is said of them."""

import errno
import os

import pytest

from kad.core.history import History
from kad.core.news import news
from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, Policy
from kad.core.report import Outcome
from kad.core.summary import troubles
from kad.reconcile import reconcile
from tests.fakes import TIME, FakeKernel

ENFORCE = Policy(values={TIME: 120})
AUDIT = Policy(values={TIME: 120}, mode=Mode.AUDIT)
WARN = Policy(values={TIME: 120}, action=Action.WARN)


class Host:
    """One parameter of one namespace, over several passes."""

    def __init__(self, found: int) -> None:
        self.kernel = FakeKernel(dict.fromkeys(Parameter, found))
        self.history = History()

    def pass_(self, policy: Policy, found: int | None = None, now: float = 0) -> list[str]:
        """Have somebody write `found`, run a pass, and give what is said."""
        if found is not None:
            self.kernel.now[TIME] = found
        before = self.history.last
        report = reconcile(policy, self.kernel, self.history.judge(policy, now))
        return [each.message for each in news(before, self.history.learn(policy, report, now))]

    @property
    def outcome(self) -> Outcome:
        """How the last pass came out."""
        return self.history.last.results[TIME].outcome


def fought() -> Host:
    """Give one for which somebody else fights since a moment ago."""
    host = Host(120)
    host.pass_(ENFORCE)
    for now in range(6):
        host.pass_(ENFORCE, found=600, now=now)
    return host


@pytest.mark.parametrize(
    ("first", "second", "outcome", "said"),
    [
        (ENFORCE, ENFORCE, Outcome.WRITTEN, "drift: X is 600, policy says 120; restored"),
        (ENFORCE, WARN, Outcome.LEFT_WARN, "drift: X is 600, policy says 120; left (warn)"),
        (ENFORCE, AUDIT, Outcome.LEFT_AUDIT, "drift: X is 600, policy says 120; left (audit)"),
        (AUDIT, AUDIT, Outcome.LEFT_AUDIT, "drift: X is 600, policy says 120; left (audit)"),
        (AUDIT, ENFORCE, Outcome.WRITTEN, "X set to 120 (was 600)"),
        (AUDIT, WARN, Outcome.WRITTEN, "X set to 120 (was 600)"),
    ],
)
def test_what_a_foreign_change_is_depends_on_what_kad_had_put_in_force(
    first: Policy, second: Policy, outcome: Outcome, said: str
) -> None:
    """Drift differs from a value kad had put in force; in audit mode, any difference is drift."""
    host = Host(7200)
    host.pass_(first)

    messages = host.pass_(second, found=600)

    assert host.outcome is outcome
    assert messages == [said.replace("X", TIME)]


def test_a_value_that_was_right_at_start_counts_as_put_in_force() -> None:
    """A restarted daemon that found its own values tells the next change as drift."""
    host = Host(120)
    host.pass_(ENFORCE)

    assert host.pass_(ENFORCE, found=600) == [
        f"drift: {TIME} is 600, policy says 120; restored"
    ]  # fmt: skip


def test_drift_that_cannot_be_restored_is_told_with_its_reason_and_once() -> None:
    """The drift and the failed write are two lines; thirty seconds later there is none."""
    host = Host(120)
    host.pass_(ENFORCE)
    host.kernel.refuse = {TIME: errno.EROFS}

    first = host.pass_(ENFORCE, found=600)
    second = host.pass_(ENFORCE)
    third = host.pass_(ENFORCE, found=700)

    assert first == [
        f"drift: {TIME} is 600, policy says 120; failed",
        f"cannot set {TIME} to 120: Read-only file system",
    ]
    assert second == []
    assert third == [f"drift: {TIME} is 700, policy says 120; failed"]


def test_another_reason_for_the_same_failure_is_told() -> None:
    """What changed is said: now it fails for want of rights."""
    host = Host(7200)
    host.kernel.refuse = {TIME: errno.EROFS}
    host.pass_(ENFORCE)
    host.kernel.refuse = {TIME: errno.EPERM}

    assert host.pass_(ENFORCE) == [f"cannot set {TIME} to 120: {os.strerror(errno.EPERM)}"]


def test_a_parameter_that_left_the_policy_is_forgotten() -> None:
    """Taken into the policy again it is set, not restored."""
    host = Host(120)
    other = Policy(values={Parameter.PROBES: 120})
    host.pass_(ENFORCE)
    host.pass_(other, found=600)

    assert host.outcome is Outcome.UNMANAGED
    assert host.pass_(ENFORCE) == [f"{TIME} set to 120 (was 600)"]


def test_a_reader_that_fails_and_recovers_is_told_twice() -> None:
    """A parameter that cannot be read is a failure of its own."""
    host = Host(120)
    host.pass_(ENFORCE)
    host.kernel.unreadable = {TIME}
    lost = host.pass_(ENFORCE)
    host.kernel.unreadable = set()

    assert lost == [f"cannot read {TIME}: No such file or directory"]
    assert host.pass_(ENFORCE) == [f"{TIME} is 120 as policy says"]


def test_a_fight_under_audit_is_reported_less_often_and_its_end_tells_what_is_left() -> None:
    """A flapping value cannot fill the journal of a host that is only being watched."""
    host = Host(120)
    host.pass_(AUDIT)

    said = [host.pass_(AUDIT, found=600 + now, now=now) for now in range(50)]
    after = [host.pass_(AUDIT, now=now) for now in range(50, 200)]

    assert [len(each) for each in said] == [1] * 6 + [0] * 44
    assert said[5] == [
        f"{TIME} was changed 6 times in 60 s by somebody else; reporting it less often"
    ]
    assert [each for each in after if each] == [
        [
            f"{TIME} was not changed by another process for 60 s; reporting it at once again",
            f"drift: {TIME} is 649, policy says 120; left (audit)",
        ]
    ]


def test_a_refused_write_in_a_fight_waits_for_the_next_pause() -> None:
    """The pass after a pause may fail; the next deadline lies ahead all the same."""
    host = fought()
    host.kernel.refuse = {TIME: errno.EIO}

    host.pass_(ENFORCE, now=6)

    assert host.history.deadline == 8


def test_a_refusal_in_a_fight_is_told_once_and_its_end_too() -> None:
    """Each pause ends with another try: what has not changed meanwhile is not said again."""
    host = fought()
    host.kernel.refuse = {TIME: errno.EIO}

    said = [host.pass_(ENFORCE, now=now / 2) for now in range(12, 60)]
    during = [*troubles(ENFORCE, host.history.last)]
    host.kernel.refuse = {}
    after = [host.pass_(ENFORCE, now=now) for now in range(30, 40)]

    assert [each for each in said if each] == [[f"cannot set {TIME} to 120: Input/output error"]]
    assert during == [f"cannot set {TIME} to 120: Input/output error"]
    assert [each for each in after if each] == [[f"{TIME} is 120 as policy says (was 600)"]]


@pytest.mark.parametrize(
    ("policy", "doing"), [(ENFORCE, "restored"), (AUDIT, "reported"), (WARN, "reported")]
)
def test_a_fight_is_called_what_kad_does_about_it(policy: Policy, doing: str) -> None:
    """Who only looks restores nothing, less often neither; whatever the value is by chance."""
    host = Host(120)
    host.pass_(ENFORCE)
    for now in range(8):
        host.pass_(policy, found=600 + now, now=now)
    differs = [*troubles(policy, host.history.last)]
    host.pass_(policy, found=120, now=9)

    assert differs == [f"{TIME} contended, {doing} less often"]
    assert [*troubles(policy, host.history.last)] == differs


def test_under_audit_a_fight_is_silent_however_the_value_flips() -> None:
    """Its end says what is left of it."""
    host = Host(120)
    host.pass_(AUDIT)
    for now in range(6):
        host.pass_(AUDIT, found=600 + now, now=now)

    said = [host.pass_(AUDIT, found=120 if now % 2 else 600, now=now) for now in range(6, 50)]
    after = [host.pass_(AUDIT, now=now) for now in range(50, 200)]

    assert not any(said)
    assert [each for each in after if each] == [
        [
            f"{TIME} was not changed by another process for 60 s; reporting it at once again",
            f"{TIME} is 120 as policy says",
        ]
    ]


def test_a_fight_does_not_end_while_something_is_put_off() -> None:
    """A write that failed is tried again when its pause is over, whatever wakes kad meanwhile."""
    host = fought()
    host.kernel.refuse = {TIME: errno.EIO}

    said = [line for now in range(6, 200) for line in host.pass_(ENFORCE, now=now)]
    host.kernel.refuse = {}
    host.pass_(ENFORCE, now=200)

    assert said == [
        f"cannot set {TIME} to 120: Input/output error",
        f"{TIME} was not changed by another process for 60 s; restoring it at once again",
        f"drift: {TIME} is 600, policy says 120; failed",
    ]
    assert host.kernel.now[TIME] == 120


def test_a_failure_is_of_the_value_that_was_tried() -> None:
    """A new policy in a fight was not refused yet."""
    host = fought()
    host.kernel.refuse = {TIME: errno.EROFS}
    host.pass_(ENFORCE, now=6)

    host.pass_(Policy(values={TIME: 300}), now=6.5)

    assert [*troubles(ENFORCE, host.history.last)] == [f"{TIME} contended, restored less often"]


def test_a_failure_that_ends_with_another_drift_is_told_as_over() -> None:
    """Who pairs write-failed with recovered must not wait for ever."""
    host = Host(120)
    host.pass_(ENFORCE)
    host.kernel.refuse = {TIME: errno.EROFS}
    host.pass_(ENFORCE, found=600)
    host.kernel.refuse = {}

    assert host.pass_(ENFORCE, found=9000) == [
        f"drift: {TIME} is 9000, policy says 120; restored",
        f"{TIME} is 120 as policy says (was 9000)",
    ]


def test_what_can_be_read_again_and_is_left_is_told() -> None:
    """That it could not be was an error."""
    host = Host(120)
    host.pass_(ENFORCE)
    host.pass_(WARN, found=600)
    host.kernel.unreadable = {TIME}
    host.pass_(WARN)
    host.kernel.unreadable = set()

    assert host.pass_(WARN) == [f"{TIME} can be read again"]


@pytest.mark.parametrize("taken", [True, False])
def test_what_was_not_set_and_is_only_looked_at_now_is_drift(taken: bool) -> None:  # noqa: FBT001
    """Audit tells each difference once."""
    host = Host(7200)
    if taken:
        host.kernel.ignore = {TIME}
    else:
        host.kernel.refuse = {TIME: errno.EINVAL}
    host.pass_(ENFORCE)

    said = [host.pass_(AUDIT), host.pass_(AUDIT)]

    assert said == [[f"drift: {TIME} is 7200, policy says 120; left (audit)"], []]


def test_a_new_policy_that_a_fight_puts_off_is_told_when_it_is_set() -> None:
    """Be it in a pass that also sees another change."""
    host = fought()
    new = Policy(values={TIME: 300})
    host.pass_(new, now=5.5)

    assert host.pass_(new, found=700, now=7) == [f"{TIME} set to 300 (was 700)"]


def test_a_policy_for_another_parameter_or_value_is_audited_anew() -> None:
    """What a new policy objects to is said, though nobody has changed the kernel since."""
    host = Host(7200)
    host.pass_(AUDIT)

    added = host.pass_(Policy(values={TIME: 120, Parameter.PROBES: 8}, mode=Mode.AUDIT))
    changed = host.pass_(Policy(values={TIME: 90, Parameter.PROBES: 8}, mode=Mode.AUDIT))

    assert added == [f"drift: {Parameter.PROBES} is 7200, policy says 8; left (audit)"]
    assert changed == [f"drift: {TIME} is 7200, policy says 90; left (audit)"]


def test_a_fight_that_kad_leaves_is_no_peace() -> None:
    """A contended parameter that is taken off the policy is just forgotten."""
    host = fought()

    assert host.pass_(Policy(values={Parameter.PROBES: 120}), now=6) == []
    assert host.history.deadline is None


def test_a_new_policy_value_in_a_fight_is_told_when_it_is_set() -> None:
    """The other's changes are not said one by one; the operator's own is."""
    host = fought()
    new = Policy(values={TIME: 60})

    deferred = host.pass_(new, now=5.5)
    written = host.pass_(new, now=7)

    assert deferred == []
    assert written == [f"{TIME} set to 60 (was 600)"]


def test_what_audit_mode_only_saw_in_force_is_not_put_there_by_kad() -> None:
    """From audit to enforce with `warn`: this daemon has not yet set the value, so it does."""
    host = Host(120)
    host.pass_(AUDIT)

    assert host.pass_(WARN, found=600) == [f"{TIME} set to 120 (was 600)"]


def test_a_failure_keeps_no_report_alive() -> None:
    """A parameter that is refused for weeks must not cost memory at each check."""
    host = Host(7200)
    host.kernel.refuse = {TIME: errno.EIO}
    for _ in range(3):
        host.pass_(ENFORCE)

    error = host.history.last.results[TIME].error
    assert error is not None
    assert error.__traceback__ is None
