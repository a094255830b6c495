"""Advise on the policy in force, with what else sets its parameters."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kad.core.advice import OTHER_NAMESPACE, about_neighbours, advice
from kad.core.policy import Policy
from kad.core.report import Report

if TYPE_CHECKING:
    from kad.core.neighbours.setting import Setting


class Advisor:
    """What an expert would object to, with the neighbours' files as they were last read.

    `host` is whether kad's network namespace is PID 1's, None where that is not known.
    """

    def __init__(
        self, neighbours: Callable[[], tuple["Setting", ...]], *, host: bool | None
    ) -> None:
        self._neighbours = neighbours
        self._elsewhere = (OTHER_NAMESPACE,) if host is False else ()
        self._settings: tuple[Setting, ...] = ()

    def advice(self, policy: Policy, report: Report) -> tuple[str, ...]:
        """Give the advice."""
        found = {each.parameter: each.now for each in report if each.now is not None}
        others = about_neighbours(policy, self._settings)
        return (*advice(policy, found), *others, *self._elsewhere)

    def look_around(self, policy: Policy) -> bool:
        """Read the neighbours' files; tell whether there is other advice on them than before."""
        before = about_neighbours(policy, self._settings)
        self._settings = self._neighbours()
        return about_neighbours(policy, self._settings) != before
