"""Match the path of a sysctl with a pattern, as systemd-sysctl does by glob(3)."""

import re
import string
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, pairwise

_BRACE = re.compile(r"\\.|[{},]", re.DOTALL)
# What may stand in brackets; glob(7) has `!` for the complement, and glibc `^` too.
_ITEM = r"\[:[a-z]+:\]|\\.|[^]\\]"
_TOKEN = re.compile(
    rf"(?P<star>\*)|(?P<any>\?)|\[(?P<not>[!^]?)(?P<set>(?:\]|{_ITEM})(?:{_ITEM})*)\]"
    r"|\\?(?P<plain>.)",
    re.DOTALL,
)
_RANGE = re.compile(r"\[:(?P<kind>[a-z]+):\]|\\?(?P<first>.)(?:-\\?(?P<last>.))?", re.DOTALL)
_CHARACTERS = string.ascii_letters + string.digits + string.punctuation
# The other kinds have no member among these characters.
_KINDS: Mapping[str, Callable[[str], bool]] = {
    "alnum": str.isalnum,
    "alpha": str.isalpha,
    "digit": str.isdigit,
    "graph": str.isprintable,
    "lower": str.islower,
    "print": str.isprintable,
    "punct": string.punctuation.__contains__,
    "upper": str.isupper,
    "xdigit": string.hexdigits.__contains__,
}
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
        re.fullmatch(_expression(each), part) for part, each in zip(parts, wanted, strict=True)
    )


def _expression(pattern: str) -> str:
    """Translate a pattern without braces into a regular expression, which never turns back."""
    pieces = [""]
    for token in _TOKEN.finditer(pattern):
        if token["star"]:
            pieces.append("")
        else:
            pieces[-1] += _piece(token)
    first, *rest = pieces
    if not rest:
        return first
    return first + "".join(f"(?>.*?{each})" for each in rest[:-1]) + f".*{rest[-1]}"


def _piece(token: re.Match[str]) -> str:
    """Translate what stands for one character."""
    if token["any"]:
        return "."
    if not token["set"]:
        return re.escape(token["plain"])
    allowed = set(_members(token["set"]))
    members = {*_CHARACTERS} - allowed if token["not"] else allowed
    return f"[{re.escape(''.join(sorted(members)))}]" if members else "(?!)"


def _members(inner: str) -> Iterator[str]:
    for each in _RANGE.finditer(inner):
        if each["kind"]:
            yield from filter(_KINDS.get(each["kind"], str.isspace), _CHARACTERS)
        else:
            first, last = each["first"], each["last"] or each["first"]
            yield from (character for character in _CHARACTERS if first <= character <= last)


def _alternatives(pattern: str) -> Iterator[str]:
    """Resolve the braces, the outermost first; where one has no end, none has a meaning."""
    cuts: list[int] = []
    depth = 0
    for mark in _BRACE.finditer(pattern):
        depth += {"{": 1, "}": -bool(depth)}.get(mark[0], 0)
        closes = mark[0] == "}" and cuts and not depth
        if closes or (depth == 1 and mark[0] == ",") or (mark[0] == "{" and not cuts):
            cuts.append(mark.start())
        if closes:
            break
    else:
        yield pattern
        return
    before, after = pattern[: cuts[0]], pattern[cuts[-1] + 1 :]
    for start, end in pairwise(cuts):
        yield from _alternatives(before + pattern[start + 1 : end] + after)
