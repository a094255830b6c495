"""Read the values that stand in the kernel now."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from kad.core.parameters import Parameter
from kad.namespaces.entering import Reading, read_each
from kad.namespaces.finding import Found
from kad.procfs import Procfs


def own_values() -> Mapping[Parameter, int]:
    """Give those of this namespace; what cannot be read is left out."""
    kernel, values = Procfs(), {}
    for each in Parameter:
        with suppress(OSError):
            values[each] = kernel.read(each)
    return values


def values_in(found: Iterable[Found]) -> Mapping[int, Reading]:
    """Give those of other namespaces by inode; what the caller may not enter is left out."""
    try:
        return read_each(found)
    except OSError:  # no thread is left
        return {}
