"""Draw the timeline of a dying connection."""

from collections.abc import Iterator, Mapping

from kad.core.parameters import Parameter
from kad.core.spans import format_span
from kad.core.words import dead_peer_s

WIDTH = 48


def timeline(values: Mapping[Parameter, int], idle_timeout: int | None) -> list[str]:
    """Draw, to scale, `-` for time that goes by, `!` for each probe and `x` for the end.

    `idle_timeout` in seconds, where given, marks when the path would forget the connection.
    """
    first, total = values[Parameter.TIME], dead_peer_s(values)
    drawn = max(total, idle_timeout or 0)
    marks = [
        (0, "last packet"),
        (_column(first, drawn), f"first probe: {format_span(first)}"),
        (_column(total, drawn), f"closed: {format_span(total)}"),
    ]
    if idle_timeout is not None:
        marks.append((_column(idle_timeout, drawn), f"path forgets: {format_span(idle_timeout)}"))
    return [_line(values, drawn), *_captions(sorted(marks))]


def _line(values: Mapping[Parameter, int], drawn: int) -> str:
    end = _column(dead_peer_s(values), drawn)
    line = ["-"] * (end + 1)
    for probe in range(values[Parameter.PROBES]):
        seconds = values[Parameter.TIME] + probe * values[Parameter.INTVL]
        line[_column(seconds, drawn)] = "!"
    line[0], line[end] = "|", "x"
    return "".join(line)


def _captions(marks: list[tuple[int, str]]) -> Iterator[str]:
    """Hang each caption under its column, the rightmost first, so that none overlaps."""
    while marks:
        column, text = marks.pop()
        stems = {each for each, _ in marks}
        yield "".join("|" if at in stems else " " for at in range(column)) + "^ " + text


def _column(seconds: int, drawn: int) -> int:
    return round(seconds / drawn * WIDTH)
