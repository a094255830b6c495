"""Say in words what a set of values does to a dead connection."""

from collections.abc import Mapping

from kad.core.parameters import Parameter
from kad.core.spans import format_span


def complete(values: Mapping[Parameter, int]) -> bool:
    """Whether all three are known, and none is a value below 1 that only the kernel takes."""
    return all(values.get(parameter, 0) >= 1 for parameter in Parameter)


def dead_peer_s(values: Mapping[Parameter, int]) -> int:
    """Give the seconds from the last packet of an idle dead peer to its notice: tcp(7)."""
    probing = values[Parameter.INTVL] * values[Parameter.PROBES]
    return values[Parameter.TIME] + probing


def dead_peer(values: Mapping[Parameter, int]) -> str:
    """Say when and how a dead peer is noticed; needs all three values."""
    idle = format_span(values[Parameter.TIME])
    probes, apart = values[Parameter.PROBES], format_span(values[Parameter.INTVL])
    each = f"{probes} probes {apart} apart" if probes > 1 else f"1 probe and {apart}"
    total = format_span(dead_peer_s(values))
    return f"noticed {total} after its last packet: {idle} idle, then {each}"
