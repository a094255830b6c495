"""Read and write time spans as systemd.time(7) has them, in whole seconds."""

import re

UNITS = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 604800),
}
_REFUSED = {
    **dict.fromkeys(
        ("us", "usec", "µs", "μs", "ms", "msec"), "units below a second are not allowed"
    ),
    **dict.fromkeys(("M", "month", "months"), "months are not allowed (m or min is minutes)"),
    **dict.fromkeys(("y", "year", "years"), "years are not allowed"),
}
# A number without a unit is in seconds. systemd takes one anywhere; before another part it is a
# slip: "1 30min" is 30 min and a second there.
_TERM = re.compile(r"[ \t\r\n]*([0-9]{1,9})[ \t\r\n]*([^\W\d_]*)")
_GAP = r"[ \t\r\n]*"
_NAMED = "|".join(sorted(filter(None, UNITS), key=len, reverse=True))
# The grammar as one expression that every JSON Schema validator takes, for editors.
PATTERN = f"^{_GAP}([0-9]{{1,9}}{_GAP}({_NAMED}){_GAP})*[0-9]{{1,9}}{_GAP}({_NAMED})?{_GAP}$"
_HELP = "use whole seconds or a span such as 2min, 30s, 1h 30min"


def parse_span(text: str) -> int:
    """Give the seconds of `120`, `2min` or `1h 30min`; ValueError says why it is none."""
    rest = text.strip(" \t\r\n")
    if not rest:
        raise ValueError(f"is empty; {_HELP}")
    total = 0
    while rest:
        match = _TERM.match(rest)
        if match is None:
            raise ValueError(_why_not(rest))
        rest = rest[match.end() :]
        number, unit = match.groups()
        if unit not in UNITS or (not unit and rest):
            raise ValueError(_REFUSED.get(unit) or _why_not(unit + rest))
        total += int(number) * UNITS[unit]
    return total


def _why_not(rest: str) -> str:
    rest = rest.lstrip(" \t\r\n")
    if rest.startswith(("+", "-")):
        return "signs are not allowed"
    if re.match(r"[.,][0-9]", rest):
        return "fractions are not allowed"
    if rest[0] in "0123456789":
        return f"a number is too long or has no unit; {_HELP}"
    if rest == "infinity":
        return f"infinity is not allowed; {_HELP}"
    return f"is not a time span; {_HELP}"


def format_span(seconds: int) -> str:
    """Say seconds as people do: `6 min`, `1 h 30 min`, `45 s`."""
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"
