"""When a pass failed for want of rights, and when for something else."""

import errno

import pytest

from kad.core.denial import denial
from kad.core.history import History
from kad.core.parameters import Parameter
from kad.core.policy import Policy
from kad.reconcile import reconcile
from tests.fakes import DEFAULTS, INTVL, PROBES, TIME, WANTED, FakeKernel


def denied(refuse: dict[Parameter, int], found: dict[Parameter, int] = DEFAULTS) -> str | None:
    """Run a pass over a kernel that refuses; give the error it ends in."""
    kernel = FakeKernel(found)
    kernel.refuse = refuse
    policy = Policy(values=WANTED)
    error = denial(reconcile(policy, kernel, History().judge(policy, 0)))
    return str(error) if error else None


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.EACCES, "Permission denied (kad needs CAP_NET_ADMIN in this network namespace)"),
        (
            errno.EPERM,
            "Operation not permitted (kad needs CAP_NET_ADMIN in this network namespace)",
        ),
        (errno.EROFS, "Read-only file system (/proc/sys is mounted read-only here)"),
    ],
)
def test_every_write_refused_names_what_is_missing(number: int, hint: str) -> None:
    """Which right, or which mount."""
    assert denied(dict.fromkeys(Parameter, number)) == f"cannot set {TIME} to 120: {hint}"


def test_a_write_that_was_not_needed_does_not_count() -> None:
    """One value is right already, the other two are refused: nothing can be done here."""
    refuse = {INTVL: errno.EPERM, PROBES: errno.EPERM}

    assert denied(refuse, {**DEFAULTS, TIME: 120}) is not None


@pytest.mark.parametrize(
    "refuse",
    [{}, {TIME: errno.EPERM}, dict.fromkeys(Parameter, errno.EIO), {TIME: errno.EIO}],
)
def test_anything_else_is_a_degraded_report(refuse: dict[Parameter, int]) -> None:
    """One write that succeeds, or fails for another reason, and kad stays."""
    assert denied(refuse) is None


def test_mixed_reasons_are_no_missing_right() -> None:
    """Only a clear case ends the daemon."""
    assert denied({TIME: errno.EPERM, INTVL: errno.EIO, PROBES: errno.EPERM}) is None
