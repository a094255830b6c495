"""Draw the samples as a Markdown table, with kad's targets below."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from tests.bench.strangers import NEVER_S

Rows = dict[str, dict[str, list[float]]]

COLUMNS = ("kad", "TuneD", "systemd-sysctl", "sysctl --system")


class Line(NamedTuple):
    """A line of the table: the row of samples that it shows, and in which unit."""

    row: str
    label: str
    unit: str


class Target(NamedTuple):
    """What a row is to reach: kad's own number, or its ratio to TuneD's."""

    row: str
    bound: float
    ratio: bool = False
    quantile: float = 0.5


LINES = (
    Line("start", "exec to the values in the kernel", "ms"),
    Line("unit values", "the service: fork to the values in the kernel", "ms"),
    Line("unit active", "the service: fork to active", "ms"),
    Line("rss start", "resident memory (RSS) after the start", "MB"),
    Line("rss edits", "the same, after ten edits of the policy", "MB"),
    Line("pss start", "its proportional share (PSS) after the start", "MB"),
    Line("pss edits", "the same, after ten edits", "MB"),
    Line("wakeups", "wakeups when idle", "/s"),
    Line("cpu", "CPU when idle", "%"),
    Line("edit", "policy saved to its values in the kernel", "ms"),
    Line("drift", "a foreign write to the policy's value restored", "ms"),
    Line("fight", "CPU while another program writes back at once", "%"),
    Line("blind", "CPU while another program writes without end", "%"),
    Line("pass", "a pass over three values in force", "us"),
    Line("size", "disk, with all dependencies beyond a Debian with python3", "MB"),
)
TARGETS = (
    Target("start", 0.3, ratio=True),
    Target("unit active", 0.3, ratio=True),
    Target("rss start", 0.6, ratio=True),
    Target("rss edits", 0.6, ratio=True),
    Target("pss start", 0.6, ratio=True),
    Target("pss edits", 0.6, ratio=True),
    Target("wakeups", 0.05, ratio=True),
    Target("pass", 50),
    Target("edit", 250),
    Target("drift", 1),
    Target("drift", 5, quantile=0.99),
)


def quantile(samples: list[float], part: float) -> float:
    """Give what so large a part of the samples does not exceed, between two where it falls so."""
    ordered = sorted(samples)
    place = part * (len(ordered) - 1)
    low, rest = ordered[math.floor(place)], place % 1
    return low + rest * (ordered[math.ceil(place)] - low)


def number(value: float) -> str:
    """Give three digits, or as many as stand before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cell(samples: list[float], unit: str) -> str:
    """Give the median and, where there are several samples, how far nine in ten of them lie."""
    if not samples:
        return ""
    if math.isinf(max(samples)):
        return "never"
    middle = f"{number(quantile(samples, 0.5))} {unit}".rstrip()
    low, high = number(quantile(samples, 0.05)), number(quantile(samples, 0.95))
    return middle if low == high else f"{middle} ({low} to {high})"


def ratios(row: dict[str, list[float]]) -> list[float]:
    """Give kad's samples to those that TuneD gave in the same turns."""
    pairs = zip(row.get("kad", []), row.get("TuneD", []), strict=False)
    return [kad / tuned for kad, tuned in pairs if tuned and not math.isinf(tuned)]


def table(rows: Rows) -> Iterator[str]:
    """Give the lines of the table."""
    yield "| | " + " | ".join(COLUMNS) + " | kad to TuneD |"
    yield "|---" * (len(COLUMNS) + 2) + "|"
    for line in LINES:
        row = rows[line.row]
        cells = [cell(row.get(name, []), line.unit) for name in COLUMNS]
        yield f"| {line.label} | " + " | ".join((*cells, cell(ratios(row), ""))) + " |"


def notes(rows: Rows) -> Iterator[str]:
    """Give the numbers that belong to no program of the table."""
    yield f"a bare python that writes the three values: {cell(rows['start']['bare python'], 'ms')}"
    yield f"kad, exec to the values, with nothing kept: {cell(rows['start']['kad, cold'], 'ms')}"
    yield f"systemctl reload kad, the whole command: {cell(rows['reload']['kad'], 'ms')}"
    yield f"/bin/true in kad's sandbox, fork to exit: {cell(rows['sandbox']['kad'], 'ms')}"
    drift = rows["drift"]["kad"]
    yield f"{len(drift)} foreign writes: p99 {number(quantile(drift, 0.99))} ms"
    yield f"never: not within {NEVER_S:.0f} s"


def verdicts(rows: Rows) -> Iterator[str]:
    """Say which targets are met."""
    for target in TARGETS:
        row = rows[target.row]
        found = quantile(ratios(row) if target.ratio else row["kad"], target.quantile)
        verdict = "met" if found <= target.bound else "MISSED"
        kind = "to TuneD" if target.ratio else f"p{target.quantile * 100:.0f}"
        yield f"{target.row}, {kind}: {number(found)}, target {number(target.bound)}: {verdict}"
