"""The pass: any policy, any kernel state, one parameter at a time."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kad.core.history import History
from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, Policy
from kad.core.report import Outcome, Report
from kad.reconcile import reconcile
from tests.fakes import DEFAULTS, INTVL, PROBES, TIME, WANTED, WHOLE, FakeKernel

values = st.dictionaries(st.sampled_from(Parameter), st.integers(1, 127), min_size=1)
kernels = st.fixed_dictionaries({each: st.integers(-1, 2**31 - 1) for each in Parameter})
actions = st.sampled_from(Action)
policies = st.builds(lambda values, action: Policy(values, action=action), values, actions)


def once(policy: Policy, kernel: FakeKernel, history: History | None = None) -> Report:
    """Run one pass, with what was learnt from those before."""
    history = history or History()
    report = reconcile(policy, kernel, history.judge(policy, 0))
    return history.learn(policy, report, 0)


@given(policies, kernels)
def test_one_pass_reaches_the_policy_and_a_second_writes_nothing(
    policy: Policy, found: dict[Parameter, int]
) -> None:
    """Whatever the kernel has, one pass puts the policy in force, and then kad is silent."""
    kernel = FakeKernel(found)
    history = History()

    first = once(policy, kernel, history)
    writes = list(kernel.writes)
    second = once(policy, kernel, history)

    assert first.in_force
    assert kernel.now == {**found, **policy.values}
    assert kernel.writes == writes
    assert all(each.outcome in {Outcome.IN_FORCE, Outcome.UNMANAGED} for each in second)


@given(policies, kernels)
def test_only_what_differs_is_written_and_nothing_the_policy_leaves_out(
    policy: Policy, found: dict[Parameter, int]
) -> None:
    """A parameter that is left out, or right already, is not touched."""
    kernel = FakeKernel(found)

    once(policy, kernel)

    differs = {each for each, value in policy.values.items() if found[each] != value}
    assert [parameter for parameter, _ in kernel.writes] == [p for p in Parameter if p in differs]


@given(values, kernels)
def test_audit_mode_never_writes_and_tells_every_difference(
    wanted: dict[Parameter, int], found: dict[Parameter, int]
) -> None:
    """A rollout in audit mode changes nothing, and shows all that enforcing would."""
    kernel = FakeKernel(found)

    report = once(Policy(values=wanted, mode=Mode.AUDIT), kernel)

    left = {each.parameter for each in report if each.outcome is Outcome.LEFT_AUDIT}
    assert not kernel.writes
    assert left == {each for each, value in wanted.items() if found[each] != value}


@given(
    st.dictionaries(st.sampled_from(Parameter), st.sampled_from([errno.EPERM, errno.EIO])),
    st.sets(st.sampled_from(Parameter)),
    st.sets(st.sampled_from(Parameter)),
)
def test_one_failure_leaves_the_others_in_force(
    refuse: dict[Parameter, int], ignore: set[Parameter], unreadable: set[Parameter]
) -> None:
    """Each parameter comes out by itself, whatever happens to the other two."""
    kernel = FakeKernel()
    kernel.refuse, kernel.ignore, kernel.unreadable = refuse, ignore, unreadable

    report = once(WHOLE, kernel)

    for each in report:
        if each.parameter in unreadable:
            assert each.outcome is Outcome.UNREADABLE
        elif each.parameter in refuse:
            assert each.outcome is Outcome.REFUSED
        elif each.parameter in ignore:
            assert each.outcome is Outcome.DIFFERENT
        else:
            assert kernel.now[each.parameter] == WANTED[each.parameter]
            assert each.outcome is Outcome.WRITTEN


def test_a_report_tells_what_was_found_what_is_now_and_why_not() -> None:
    """A report holds the evidence: what was read first and last, and what the kernel said."""
    kernel = FakeKernel()
    kernel.refuse = {INTVL: errno.EROFS}
    kernel.ignore = {PROBES}

    results = once(WHOLE, kernel).results

    assert (results[TIME].found, results[TIME].now, results[TIME].error) == (7200, 120, None)
    assert (results[INTVL].found, results[INTVL].now) == (75, 75)
    assert results[INTVL].failure == f"cannot set {INTVL} to 30: Read-only file system"
    assert (
        results[PROBES].failure
        == f"cannot set {PROBES} to 8: the write succeeded but the value read back is 9"
    )


def test_a_value_that_cannot_be_read_back_is_not_believed() -> None:
    """kad believes only what it reads; a write alone proves nothing."""

    class Vanishing(FakeKernel):
        def write(self, parameter: Parameter, value: int) -> None:
            super().write(parameter, value)
            self.unreadable.add(parameter)

    report = once(Policy(values={TIME: 120}), Vanishing())

    assert report.results[TIME].outcome is Outcome.UNREADABLE
    assert not report.in_force


def test_a_parameter_that_is_left_out_may_be_unreadable() -> None:
    """What the policy does not name cannot degrade it."""
    kernel = FakeKernel()
    kernel.unreadable = {PROBES}

    report = once(Policy(values={TIME: 120}), kernel)

    assert report.in_force
    assert report.state == "in-force"


def test_a_bug_is_not_taken_for_a_refusal() -> None:
    """Only the kernel's errors are data; anything else keeps its traceback."""

    class Buggy(FakeKernel):
        def write(self, parameter: Parameter, value: int) -> None:
            raise ZeroDivisionError(parameter, value)

    with pytest.raises(ZeroDivisionError):
        once(WHOLE, Buggy(DEFAULTS))
