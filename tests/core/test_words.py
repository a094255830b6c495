"""What a policy means, and what an expert would object to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kad.core.advice import advice
from kad.core.namespaces import Namespaces, Override, Scope
from kad.core.parameters import Parameter
from kad.core.policy import Policy
from kad.core.words import dead_peer, dead_peer_s
from tests.fakes import DEFAULTS, INTVL, PROBES, TIME, WANTED


def test_a_dead_peer_is_described_in_words() -> None:
    """Nobody has to multiply."""
    assert dead_peer(WANTED) == (
        "noticed 6 min after its last packet: 2 min idle, then 8 probes 30 s apart"
    )
    assert dead_peer(DEFAULTS) == (
        "noticed 2 h 11 min 15 s after its last packet: 2 h idle, then 9 probes 1 min 15 s apart"
    )


@pytest.mark.parametrize(
    ("values", "idle_timeout", "said"),
    [
        (WANTED, None, []),
        (WANTED, 121, []),
        (WANTED, 120, ["the path forgets an idle connection before the first probe"]),
        ({TIME: 300, INTVL: 30, PROBES: 8}, None, ["races conntrack's 300 s timers"]),
        ({TIME: 299, INTVL: 30, PROBES: 8}, None, []),
        ({TIME: 120, INTVL: 30, PROBES: 3}, None, ["drop good connections"]),
        ({TIME: 120, INTVL: 30, PROBES: 4}, None, []),
        ({TIME: 3000, INTVL: 75, PROBES: 8}, None, []),
        ({TIME: 3001, INTVL: 75, PROBES: 8}, None, ["noticed only after 1 h 1 s"]),
    ],
)
def test_advice_names_what_an_expert_would_object_to(
    values: dict[Parameter, int], idle_timeout: int | None, said: list[str]
) -> None:
    """Each bound, from both sides."""
    given_advice = advice(Policy(values=values, idle_timeout=idle_timeout), DEFAULTS)

    assert len(given_advice) == len(said)
    for sentence, part in zip(given_advice, said, strict=True):
        assert part in sentence


def test_what_the_policy_leaves_out_is_taken_from_the_kernel() -> None:
    """A policy for probes alone leaves the first probe at two hours."""
    policy = Policy(values={PROBES: 8}, idle_timeout=350)

    said = advice(policy, DEFAULTS)

    assert len(said) == 2
    assert said[0].startswith("keepalive.time is 2 h and path.idle_timeout 5 min 50 s")


@pytest.mark.parametrize("probes", [0, -1])
def test_no_probes_at_all_are_named_though_the_policy_has_none(probes: int) -> None:
    """They cut healthy connections: harm that somebody else has done."""
    said = advice(Policy(values={TIME: 120}), {**DEFAULTS, PROBES: probes})

    assert said == (
        f"{PROBES} is {probes}, which cuts healthy idle connections; set keepalive.probes",
    )


def test_what_nobody_knows_is_no_advice() -> None:
    """Where the kernel cannot be read, only the policy is judged."""
    assert advice(Policy(values={PROBES: 8}, idle_timeout=350), {}) == ()


def test_other_namespaces_values_are_judged_too() -> None:
    """Only what is not said of the host already, with the name that it is about."""
    override = Override("docker-*", {TIME: 3600})
    everywhere = Namespaces(Scope.ALL, overrides=(override, Override("ok", {TIME: 60})))
    policy = Policy(values={**WANTED, PROBES: 3}, idle_timeout=350, namespaces=everywhere)

    said = advice(policy, DEFAULTS)

    assert len(said) == 3
    assert said[0].startswith("keepalive.probes is 3")
    assert said[1].startswith("in docker-*: keepalive.time is 1 h and path.idle_timeout")
    assert said[2].startswith("in docker-*: a dead peer is noticed only after 1 h 1 min")


def test_rules_for_namespaces_that_are_not_looked_after_are_named() -> None:
    """Whoever excludes or overrides meant scope to be all."""
    left = Policy(values=WANTED, namespaces=Namespaces(exclude=("ci-*",)))

    (said,) = advice(left, DEFAULTS)

    assert said == 'namespaces.scope is "host": the other keys of [namespaces] have no effect'


@pytest.mark.parametrize(
    "rules",
    [{"exclude": ("ci-*", "host")}, {"overrides": (Override("host", {TIME: 60}),)}],
)
def test_a_rule_for_the_host_itself_is_named(rules: dict[str, Any]) -> None:
    """Neither keeps kad from its own namespace, and the operator may think so."""
    policy = Policy(values=WANTED, namespaces=Namespaces(scope=Scope.ALL, **rules))

    (said,) = advice(policy, DEFAULTS)

    assert said == "[namespaces] names host, which has no effect: host always follows [keepalive]"


@given(st.integers(1, 32767), st.integers(1, 32767), st.integers(1, 127))
def test_the_words_and_the_number_agree(time: int, intvl: int, probes: int) -> None:
    """tcp(7): time, and then probes times intvl."""
    values = {TIME: time, INTVL: intvl, PROBES: probes}

    assert dead_peer_s(values) == time + intvl * probes
    assert dead_peer(values).startswith("noticed ")
