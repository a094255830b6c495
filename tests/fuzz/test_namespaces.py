"""Whatever comes in whatever order, whose a value is does not change."""

import errno
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kad.core.namespaces import YOUNG_S, Namespaces, Scope
from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, OnStop
from kad.core.reasons import Reason
from tests.fakes import TIME, WANTED, WHOLE, FakeNamespace, Step, World
from tests.fuzz.budget import tries

ALL = frozenset({Reason.FILE, Reason.WRITE, Reason.NAMESPACES})
# What an operator may change, a fifth of a namespace's youth or some of them apart.
EDITS: dict[str, st.SearchStrategy[Any]] = {
    "mode": st.sampled_from(Mode),
    "action": st.sampled_from(Action),
    "on_stop": st.sampled_from(OnStop),
    "values": st.sampled_from([WANTED, {**WANTED, TIME: 300}, {TIME: 90}]),
    "exclude": st.sampled_from([(), ("web", "net:*")]),
    "scope": st.sampled_from(Scope),
}
AFTER = st.sampled_from([0.1, 1.0, 2.0, 4.0, 20.0])
HAPPENS = st.one_of(
    *(st.tuples(st.just(each), values, AFTER) for each, values in EDITS.items()),
    st.tuples(st.just("refuse"), st.booleans(), AFTER),
    st.tuples(st.just("name"), st.sampled_from(["web", None]), AFTER),
    st.tuples(st.just("restart"), st.sampled_from([0.0, 1.0, 30.0]), AFTER),
)
WRITES = st.tuples(st.just("write"), st.integers(5000, 5999), AFTER)


class Life:
    """A namespace that appears under a running kad, and a policy that is edited."""

    def __init__(self) -> None:
        self.space = FakeNamespace(2, "web")
        self.world = World(WHOLE._replace(namespaces=Namespaces(Scope.ALL)))
        self.appeared = 0.0
        self.theirs: int | None = None

    def appears(self) -> None:
        """Have it be there."""
        self.world.namespaces.there.append(self.space)
        self.appeared = self.world.clock.now

    def happen(self, what: str, value: Any) -> None:  # noqa: ANN401  # by what it is
        """Have one thing happen."""
        policy = self.world.source.policy
        if what == "write":
            young = self.world.clock.now - self.appeared < YOUNG_S - 1
            if (young and policy.namespaces.scope is Scope.ALL) or self.theirs is not None:
                self.theirs = value
            self.space.now[TIME] = value
        elif what == "refuse":
            self.space.refuse = dict.fromkeys(Parameter, errno.EIO) if value else {}
        elif what == "name":
            self.space.name = value
        elif what in {"exclude", "scope"}:
            rules = policy.namespaces._replace(**{what: value})
            self.world.source.policy = policy._replace(namespaces=rules)
        else:
            self.world.source.policy = policy._replace(**{what: value})

    def live(self, events: list[tuple[str, Any, float]]) -> None:
        """Play all, with a kad that is restarted now and then, and come to rest under a policy."""
        steps = [Step(self.appears, frozenset({Reason.NAMESPACES}))]
        for what, value, after in events:
            if what == "restart":
                self.run(steps)
                self.world.clock.now += value
                steps = []
            else:
                steps.append(Step(self.doing(what, value), ALL, after))
        self.run(steps)
        self.space.refuse = {}
        self.world.source.policy = WHOLE._replace(namespaces=Namespaces(Scope.ALL))
        self.run([Step(after=200.0, reasons=ALL)] * 2)

    def doing(self, what: str, value: Any) -> Callable[[], None]:  # noqa: ANN401
        """Give it as a step's."""
        return lambda: self.happen(what, value)

    def run(self, steps: list[Step]) -> None:
        """Run a daemon, which looks once more at the end; what is theirs still stands then."""
        self.world.run(*steps, Step(reasons=ALL), Step(reasons=ALL))
        if self.theirs is not None:
            assert self.space.now[TIME] == self.theirs


@given(st.lists(HAPPENS, max_size=12))
@tries(300)
def test_kad_s_own_values_are_never_somebody_s(events: list[tuple[str, Any, float]]) -> None:
    """In the end the policy is in force, whatever came before."""
    life = Life()

    life.live(events)

    assert life.space.now == WANTED
    assert life.world.state.written[-1].namespaces[1].managed


@given(st.lists(HAPPENS | WRITES, max_size=12))
@tries(300)
def test_what_somebody_set_in_time_stays_his(events: list[tuple[str, Any, float]]) -> None:
    """No policy, restart or refused write later changes it; and nothing is owed in the end."""
    life = Life()

    life.live(events)

    assert not life.world.memory.known[2].owed
