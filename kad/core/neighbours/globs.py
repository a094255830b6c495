"""Match the path of a sysctl with a pattern, as systemd-sysctl does by glob(3)."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice

_INNERMOST = re.compile(r"\{([^{}]*)\}")
# More alternatives than anybody means; a pattern of many braces has millions.
_MOST = 256
_LONGEST = 1024


def is_pattern(key: str) -> bool:
    """Tell whether a key is more than one name; braces alone do not make it so."""
    return any(each in key for each in "*?[")


def matches(pattern: str, path: str) -> bool:
    """Tell whether the pattern, GLOB_BRACE included, names the path; `*` stops at a slash."""
    if len(pattern) > _LONGEST:
        return False
    return any(_matches(each, path) for each in islice(_alternatives(pattern), _MOST))


def _matches(pattern: str, path: str) -> bool:
    wanted, parts = pattern.split("/"), path.split("/")
    return len(wanted) == len(parts) and all(
        fnmatchcase(part, each) for part, each in zip(parts, wanted, strict=True)
    )


def _alternatives(pattern: str) -> Iterator[str]:
    braces = _INNERMOST.search(pattern)
    if braces is None:
        yield pattern
        return
    before, after = pattern[: braces.start()], pattern[braces.end() :]
    for each in braces[1].split(","):
        yield from _alternatives(before + each + after)
