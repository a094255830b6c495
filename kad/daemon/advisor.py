"""Advise on the policy in force, with what else is on this machine."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from kad.core.advice import OTHER_NAMESPACE, about_neighbours, advice
from kad.core.parameters import Parameter
from kad.core.policy import Policy, Sockets
from kad.daemon.tending import REST

if TYPE_CHECKING:
    from kad.core.neighbours.setting import Setting


class Advisor:
    """What an expert would object to, with the neighbours' files and the units as last read.

    `host` is whether kad's network namespace is PID 1's, None where that is not known.
    """

    def __init__(
        self,
        neighbours: Callable[[], tuple["Setting", ...]],
        units: Callable[[], Collection[str]],
        monotonic: Callable[[], float],
        *,
        host: bool | None,
    ) -> None:
        self._neighbours, self._running, self._monotonic = neighbours, units, monotonic
        self._elsewhere = (OTHER_NAMESPACE,) if host is False else ()
        self._settings: tuple[Setting, ...] = ()
        self._about_units: tuple[str, ...] = ()
        self._wish: Sockets | None = None
        self._rests_until = 0.0

    def advice(self, policy: Policy, found: Mapping[Parameter, int]) -> tuple[str, ...]:
        """Give the advice."""
        return (*advice(policy, found), *self._around(policy))

    def look_around(self, policy: Policy) -> bool:
        """Read the neighbours' files and the units; tell whether there is other advice on them."""
        before = self._around(policy)
        self._settings = self._neighbours()
        self._look_for_units(policy.sockets)
        return self._around(policy) != before

    def _look_for_units(self, wish: Sockets) -> None:
        """Walk through the control groups, of which there may be thousands, but seldom."""
        if not wish.enable and not wish.exclude:
            self._about_units = ()
        elif wish != self._wish or self._monotonic() >= self._rests_until:
            from kad.core.sockets.tending import unmatched  # noqa: PLC0415  # memory and boot time

            began = self._monotonic()
            self._about_units = tuple(unmatched(wish, self._running()))
            now = self._monotonic()
            self._rests_until = now + REST * (now - began)
        self._wish = wish

    def _around(self, policy: Policy) -> tuple[str, ...]:
        others = about_neighbours(policy, self._settings)
        return (*others, *self._elsewhere, *self._about_units)
