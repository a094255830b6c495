"""Tell in one namespace what kad found, what it put there and what is somebody's."""

from collections.abc import Mapping

from kad.core.namespaces import KERNEL_DEFAULTS, Known
from kad.core.parameters import Parameter

Values = Mapping[Parameter, int]


class Claims:
    """Begins with what is `known` of a namespace, None where it is met for the first time.

    `custom` tells whether somebody set values on purpose, be it to what the kernel has by default;
    `owed` whether what kad has put there is to be put back, as it should not have been.
    """

    __slots__ = ("custom", "found", "owed", "put", "seen")

    def __init__(self, values: Values, known: Known | None) -> None:
        known = known or Known(values)
        self.found = known.found
        # What of kad's may be there, be it of a parameter that the policy names no more.
        self.put = known.put
        self.custom = known.custom or self.found != KERNEL_DEFAULTS
        self.owed = known.owed
        # What kad last saw: not what somebody wrote while no kad looked.
        foreign = self.foreign(values)
        self.seen: Values = {
            each: self._wanted_last(each) if each in foreign else value
            for each, value in values.items()
        }

    def _wanted_last(self, parameter: Parameter) -> int:
        return (self.found[parameter], *self.put.get(parameter, ()))[-1]

    def foreign(self, values: Values) -> Values:
        """Give those that are neither what kad found nor what it put there."""
        return {
            each: value
            for each, value in values.items()
            if value != self.found[each] and value not in self.put.get(each, ())
        }

    def claim(self, values: Values) -> None:
        """Take down what kad is going to put there, which is to be remembered before it is."""
        new: dict[Parameter, tuple[int, ...]] = {}
        for each, value in values.items():
            before = self.put.get(each, ())
            if before[-1:] != (value,):
                # What of kad's is there stays kad's, should the new value not get there.
                there = tuple(earlier for earlier in before if earlier == self.seen[each])
                new[each] = (*there, value)
        if new:  # another one: the one before is remembered
            self.put = {**self.put, **new}

    def see(self, values: Values) -> None:
        """Take down what was seen; of what could not be read, what was seen before."""
        self.seen = {**self.seen, **values}

    def changed(self, values: Values) -> Values:
        """Give those that kad saw otherwise last."""
        return {each: value for each, value in values.items() if value != self.seen[each]}

    def cede(self, values: Values) -> bool:
        """Leave these to whoever set them; tell whether there are any."""
        if values:
            self.found, self.custom = {**self.found, **values}, True
        return bool(values)

    def to_be_put_back(self, values: Values) -> Values:
        """Give what kad found, of the parameters of which the value there is kad's."""
        if self.owed:  # nor is that what was there by chance
            self.cede(self.foreign(values))
        return {each: self.found[each] for each, put in self.put.items() if values[each] in put}

    def release(self) -> None:
        """Forget what kad put there once it is as it was found."""
        if self.seen == self.found:
            self.put, self.owed = {}, False
