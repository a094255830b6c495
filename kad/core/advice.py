"""Advise on a valid policy; advice is never an error."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from kad.core.errors import ascii_line
from kad.core.namespaces import Namespaces, Scope
from kad.core.parameters import Parameter
from kad.core.policy import Policy
from kad.core.spans import format_span
from kad.core.words import complete, dead_peer_s

if TYPE_CHECKING:
    from kad.core.neighbours.setting import Setting

# nf_conntrack's defaults have several timers of 300 s; a probe at the same second may come late.
CONNTRACK_S = 300
FEWEST_PROBES = 4
LONGEST_DEAD_S = 3600

OTHER_NAMESPACE = "kad is not in PID 1's network namespace: this policy does not apply to the host"


def advice(policy: Policy, found: Mapping[Parameter, int]) -> tuple[str, ...]:
    """Give what an expert would object to.

    `found` is what the kernel has; it stands in for the parameters that the policy leaves out.
    """
    values = {**found, **policy.values}
    own = (*_about_time(policy, values), *_about_death(policy, values))
    return (*own, *_about_namespaces(policy.namespaces), *_about_overrides(policy, own))


def _about_namespaces(wish: Namespaces) -> Iterator[str]:
    if wish.scope is Scope.HOST and wish != Namespaces():
        yield 'namespaces.scope is "host": the other keys of [namespaces] have no effect'
    elif "host" in (*wish.exclude, *(each.match for each in wish.overrides)):
        yield "[namespaces] names host, which has no effect: host always follows [keepalive]"


def _about_overrides(policy: Policy, own: Collection[str]) -> Iterator[str]:
    """Say of the other namespaces' values what is not said of kad's own."""
    if policy.namespaces.scope is Scope.ALL:
        for each in policy.namespaces.overrides:
            there = policy._replace(values={**policy.values, **each.values})
            said = (*_about_time(there, there.values), *_about_death(there, there.values))
            yield from (f"in {ascii_line(each.match)}: {line}" for line in said if line not in own)


def _about_time(policy: Policy, values: Mapping[Parameter, int]) -> Iterator[str]:
    time, path = values.get(Parameter.TIME), policy.idle_timeout
    if time is not None and path is not None and time >= path:
        yield (
            f"keepalive.time is {format_span(time)} and path.idle_timeout {format_span(path)}: "
            "the path forgets an idle connection before the first probe"
        )
    if policy.values.get(Parameter.TIME) == CONNTRACK_S:
        yield "keepalive.time is exactly 300 s: this races conntrack's 300 s timers; use less"


def _about_death(policy: Policy, values: Mapping[Parameter, int]) -> Iterator[str]:
    probes = policy.values.get(Parameter.PROBES)
    if probes is None and values.get(Parameter.PROBES, 1) < 1:
        yield (
            f"{Parameter.PROBES} is {values[Parameter.PROBES]}, which cuts healthy idle "
            "connections; set keepalive.probes"
        )
    if probes is not None and probes < FEWEST_PROBES:
        yield (
            f"keepalive.probes is {probes}: fewer than {FEWEST_PROBES} drop good connections "
            "when packets are lost"
        )
    if complete(values) and dead_peer_s(values) > LONGEST_DEAD_S:
        total = format_span(dead_peer_s(values))
        yield f"a dead peer is noticed only after {total}; under an hour is usual"


def about_neighbours(policy: Policy, settings: Iterable["Setting"]) -> tuple[str, ...]:
    """Name the lines of other files that set a parameter of the policy to something else."""
    return tuple(
        f"{each.place} sets {each.parameter} to {ascii_line(each.value)}; "
        f"policy says {policy.values[each.parameter]}"
        for each in settings
        if each.parameter in policy.values and each.number != policy.values[each.parameter]
    )
