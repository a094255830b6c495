"""A short soak; `tests/run --python -m tests.soak` runs a long one."""

from tests.netns import Machine
from tests.soak.run import soak

OPERATIONS = 250
# One that brings a fight too.
SEED = 13


def test_whatever_comes_in_whatever_order_is_answered_as_foretold(machine: Machine) -> None:
    """Every value is right, no line is missing or said twice, and nothing is left behind."""
    result = soak(machine, OPERATIONS, SEED, tell=print)

    assert result.done.total() >= OPERATIONS
    assert result.lines > 0
