"""Say in a line what became of many namespaces."""

from collections.abc import Iterable, Iterator
from itertools import islice

from kad.core.events import Event, Kind
from kad.core.report import UNDONE, State
from kad.core.summary import Elsewhere
from kad.daemon.other import Other

# So many names stand in a line; the state file has all.
_NAMED = 3


def done_in(what: str, names: list[str]) -> Iterator[Event]:
    """Say what was done, and in which; nothing where there are none."""
    if names:
        shown = ", ".join(islice(names, _NAMED)) + (", ..." if len(names) > _NAMED else "")
        yield Event(Kind.NAMESPACES_SET, f"{what} in {count(len(names))} ({shown})")


def count(number: int) -> str:
    """Say how many there are."""
    return f"{number} namespace{'' if number == 1 else 's'}"


def sum_up(others: Iterable[Other], why: str | None) -> Elsewhere:
    """Sum up those that are looked after; `why` not all are, None where they are."""
    ours = [other for other in others if other.reason is None]
    states = {other.report.state for other in ours}
    if why or State.DEGRADED in states:
        # A fight in which kad was told to do nothing is trouble, and no failure.
        failed = bool(why) or any(other.report.having(UNDONE) for other in ours)
        return Elsewhere(State.DEGRADED, "; ".join(_worst(ours, why)), failed=failed)
    if State.DRIFTED in states:
        return Elsewhere(State.DRIFTED, "; ".join(_worst(ours, None)))
    return Elsewhere(State.IN_FORCE, count(len(ours)))


def _worst(ours: Iterable[Other], why: str | None) -> Iterator[str]:
    """Say why not all are looked after, what is wrong in the worst of them, and how many more."""
    if why:
        yield why
    troubled = [other for other in ours if other.report.state is not State.IN_FORCE]
    troubled.sort(key=lambda other: other.report.state is not State.DEGRADED)
    for other in troubled[:1]:
        yield f"{other.name}: {other.trouble()}"
    if troubled[1:]:
        yield f"also not in force: {count(len(troubled) - 1)}"
