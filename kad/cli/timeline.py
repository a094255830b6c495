"""Draw the timeline of a dying connection."""

from collections.abc import Iterator, Mapping

from kad.core.parameters import Parameter
from kad.core.spans import format_span
from kad.core.words import dead_peer_s

WIDTH = 48


def timeline(values: Mapping[Parameter, int], idle_timeout: int | None) -> list[str]:
    """Draw, to scale, `-` for time that goes by, `!` for each probe and `x` for the end.

    `idle_timeout` in seconds, where given, tells when the path would forget the connection.
    """
    first, total = values[Parameter.TIME], dead_peer_s(values)
    marks = [
        (0, "last packet"),
        (_column(first, total), f"first probe: {format_span(first)}"),
        (WIDTH, f"closed: {format_span(total)}"),
    ]
    later = []
    if idle_timeout is not None:
        forgets = f"path forgets: {format_span(idle_timeout)}"
        if idle_timeout <= total:
            marks.append((_column(idle_timeout, total), forgets))
        else:
            later = [f"{forgets}, after the end"]
    return [_line(values, total), *_captions(sorted(marks)), *later]


def _line(values: Mapping[Parameter, int], total: int) -> str:
    line = ["-"] * (WIDTH + 1)
    for probe in range(values[Parameter.PROBES]):
        seconds = values[Parameter.TIME] + probe * values[Parameter.INTVL]
        line[_column(seconds, total)] = "!"
    line[0], line[WIDTH] = "|", "x"
    return "".join(line)


def _captions(marks: list[tuple[int, str]]) -> Iterator[str]:
    """Hang each caption under its column, the rightmost first, so that none overlaps."""
    while marks:
        column, text = marks.pop()
        stems = {each for each, _ in marks}
        yield "".join("|" if at in stems else " " for at in range(column)) + "^ " + text


def _column(seconds: int, total: int) -> int:
    return round(seconds / total * WIDTH)
