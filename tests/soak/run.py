"""Run a soak from a daemon's start to its end."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import NamedTuple

from tests.netns import Machine, wait_until
from tests.soak.oracle import Oracle
from tests.soak.policies import FIRST, text_of
from tests.soak.shell import Shell
from tests.soak.soak import Soak
from tests.soak.witness import Footprint, Witness

# What a young process still learns is none of its growth.
_YOUTH = 0.1
# CPython's cache of attributes fills slowly, up to 4096 names: some 300 KB.
_MOST_GROWTH_KB = 1024
_REPORTS = 50


class Result(NamedTuple):
    """What was done, and what the daemon held after a tenth of it and at the end."""

    done: Counter[str]
    lines: int
    before: Footprint
    after: Footprint

    def summary(self, minutes: float) -> str:
        """Say it in one line."""
        parts = ", ".join(f"{count} {name}s" for name, count in sorted(self.done.items()))
        before, after = self.before, self.after
        return (
            f"{self.done.total()} operations in {minutes:.0f} min: {parts}; "
            f"RSS {before.rss_kb / 1024:.1f} -> {after.rss_kb / 1024:.1f} MB, "
            f"descriptors {before.descriptors} -> {after.descriptors}, "
            f"threads {before.threads} -> {after.threads}; "
            f"every value as the policy says; {self.lines} journal lines as foretold"
        )


def soak(machine: Machine, operations: int, seed: int, tell: Callable[[str], None]) -> Result:
    """Do so many random operations; AssertionError where anything is not as foretold."""
    with _started(machine) as (one, witness):
        young = one.begin(seed)
        for number in range(1, operations + 1):
            one.step()
            if number == int(operations * _YOUTH):
                young = one.rest()
            if number % max(1, operations // _REPORTS) == 0:
                tell(f"{number} operations, {witness.footprint()}")
        one.rest()
        with suppress(AssertionError):  # the next one says what was left behind
            wait_until(lambda: witness.footprint().held <= young.held)
        old = witness.at_rest()
        grown = old.rss_kb - young.rss_kb
        assert old.held <= young.held, f"from {young} to {old}"
        assert grown < _MOST_GROWTH_KB, f"from {young} to {old}"
    return Result(one.done, witness.lines, young, old)


@contextmanager
def _started(machine: Machine) -> Iterator[tuple[Soak, Witness]]:
    """Start a daemon; at the end it must stop as it should, without a word more."""
    machine.write_policy(text_of(FIRST, 0))
    with closing(Shell(machine)) as shell:
        oracle = Oracle(machine.policy, shell.values())
        with machine.daemon() as daemon, closing(Witness(machine, daemon)) as witness:
            yield Soak(machine, shell, oracle, witness), witness
            assert daemon.stop() == 0
            witness.expect([])
