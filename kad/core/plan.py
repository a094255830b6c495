"""Compare what the policy wants with what was found."""

from collections.abc import Mapping
from typing import NamedTuple

from kad.core.parameters import PARAMETERS, Parameter


class Change(NamedTuple):
    """A parameter whose value in the kernel differs from the policy's."""

    parameter: Parameter
    found: int
    policy: int


def plan(values: Mapping[Parameter, int], found: Mapping[Parameter, int]) -> tuple[Change, ...]:
    """Give what is to be written, in the kernel's order; what was not found is left out."""
    return tuple(
        Change(parameter, found[parameter], values[parameter])
        for parameter in PARAMETERS
        if parameter in values and parameter in found and found[parameter] != values[parameter]
    )
