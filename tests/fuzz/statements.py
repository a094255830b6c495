"""Draw what policies say, right and wrong, knowing what it means."""

import json
import re
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hypothesis import strategies as st

_T = TypeVar("_T")


class Draw(Protocol):
    """What hypothesis hands to a composite."""

    def __call__(self, strategy: st.SearchStrategy[_T], /) -> _T:
        """Draw from a strategy."""
        ...


WRONG = object()  # what a mistaken value means
DAY = 86400
SPANS: dict[tuple[str, ...], int] = {
    ("keepalive", "time"): 32767,
    ("keepalive", "intvl"): 32767,
    ("path", "idle_timeout"): 365 * DAY,
    ("drift", "check_every"): DAY,
}
CHOICES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("mode",): ("enforce", "audit"),
    ("drift", "action"): ("restore", "warn"),
    ("on_stop", "values"): ("keep", "restore"),
}
PROBES = ("keepalive", "probes")
KEYS = (*SPANS, *CHOICES, PROBES)
TABLES = ("keepalive", "path", "drift", "on_stop")
PLAIN_YAML = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*[A-Za-z0-9_]")


@dataclass(frozen=True)
class Value:
    """One value as both formats write it; None in a format that cannot."""

    toml: str | None
    yaml: str | None
    means: object = WRONG


@dataclass(frozen=True)
class Statement:
    """A key with its value; a table with statements where `inner` is a tuple."""

    key: str
    value: Value | None = None
    inner: tuple["Statement", ...] | None = None
    known: bool = True
    again: bool = False


def _toml_text(draw: Draw, text: str) -> str:
    basic = json.dumps(text)
    styles = [basic, f'""{basic}""', f'"""\n{basic[1:-1]}"""']
    styles.append('"' + "".join(f"\\u{ord(each):04x}" for each in text) + '"')
    if text.isprintable() and "'" not in text:
        styles += [f"'{text}'", f"'''{text}'''"]
    return str(draw(st.sampled_from(styles)))


def _yaml_text(draw: Draw, text: str) -> str:
    styles = [json.dumps(text), json.dumps(text, ensure_ascii=False)]
    styles.append('"' + "".join(f"\\U{ord(each):08x}" for each in text) + '"')
    if text.isprintable():
        styles.append("'" + text.replace("'", "''") + "'")
    if PLAIN_YAML.fullmatch(text):
        styles.append(text)
    return str(draw(st.sampled_from(styles)))


def _text(draw: Draw, text: str, means: object = WRONG) -> Value:
    return Value(_toml_text(draw, text), _yaml_text(draw, text), means)


def _number(draw: Draw, number: int, means: object = WRONG) -> Value:
    grouped = f"{number // 10}_{number % 10}" if number > 9 else f"+{number}"
    toml = draw(st.sampled_from([str(number), hex(number), oct(number), bin(number), grouped]))
    return Value(toml, str(number), means)


def _span(draw: Draw, seconds: int) -> Value:
    if draw(st.booleans()):
        return _number(draw, seconds, seconds)
    minutes, rest = divmod(seconds, 60)
    gap = draw(st.sampled_from(["", " ", "  "]))
    styles = [f"{seconds}", f"{seconds}s", f" {seconds}{gap}sec ", f"{minutes}m{gap}{rest}s"]
    styles += [f"{rest}{gap}seconds {minutes} min", f"{minutes}min{gap}{rest}"]
    return _text(draw, draw(st.sampled_from(styles)), seconds)


def _good(draw: Draw, path: tuple[str, ...]) -> Value:
    if path in CHOICES:
        choice = draw(st.sampled_from(CHOICES[path]))
        return _text(draw, choice, choice)
    if path == PROBES:
        number = draw(st.integers(1, 127))
        return _number(draw, number, number)
    return _span(draw, draw(st.integers(1, SPANS[path])))


_BAD_ANYWHERE = [
    *(Value(each, each) for each in ("true", "1.5", "-1", "[]", "[1, 2]", "{}", "0")),
    *(Value(each, each) for each in ('"soon"', '""', '"5ms"', "'1.5h'", "'é\\'", '"😀\\t"')),
    Value("{ a = 1, b.c = [] }", "{ a: 1, b: {c: []} }"),
    Value("[ # c = 1\n 1,\n]", "[ # c: 1\n 1,\n ]"),
    *(Value(each, None) for each in ("1979-05-27", "1979-05-27 07:32:00Z", "07:32:00", "+inf")),
    *(Value(each, None) for each in ("nan", "'''a\n]\n'''", '"""\\\n  x"""')),
    *(Value(None, each) for each in ("05", "0x5", "1_0", "12:30", "~", "null", "1e3", "+5", ".5")),
    *(Value(None, each) for each in ("&a 5", "!!int 5", "*a", "! 5", "&b [b]", "!x {}", ".nan")),
    *(Value(None, each) for each in ("2001-12-14", "0b1", "0o7", "!!binary aGk=", '&a "5"', "no")),
]


def _bad(draw: Draw, path: tuple[str, ...]) -> Value:
    if path in CHOICES:
        return draw(st.sampled_from([*_BAD_ANYWHERE, _text(draw, "Enforce"), _number(draw, 5)]))
    over = SPANS.get(path, 127) + draw(st.sampled_from([1, 2**31, 2**64, 10**40]))
    bad = [*_BAD_ANYWHERE, _number(draw, over)]
    if path == PROBES:
        bad.append(_text(draw, "5"))
    return draw(st.sampled_from(bad))


def _statement(draw: Draw, path: tuple[str, ...], *, faulty: bool) -> Statement:
    bad = faulty and draw(st.integers(0, 3)) == 3
    again = faulty and draw(st.integers(0, 7)) == 7
    value = _bad(draw, path) if bad else _good(draw, path)
    return Statement(path[-1], value, again=again)


_STRANGE = st.one_of(
    st.sampled_from(
        ["Time", "tme", "a.b", "", " ", "=", ": ", "#", "'", '"', "\\", "é", "😀", "\t"]
    ),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=4),
).filter(lambda key: key not in {*TABLES, *(path[-1] for path in KEYS)})


def _strangers(draw: Draw, *, faulty: bool) -> list[Statement]:
    some = faulty and draw(st.integers(0, 3)) == 3
    names = draw(st.lists(_STRANGE, max_size=2, unique=True)) if some else []
    return [Statement(name, Value("1", "1"), known=False) for name in names]


def _table(draw: Draw, name: str, *, faulty: bool) -> Statement:
    if faulty and draw(st.integers(0, 11)) == 11:
        return Statement(name, Value('"no table"', '"no table"'))
    paths = [path for path in KEYS if path[0] == name]
    chosen = draw(st.lists(st.sampled_from(paths), unique=True, min_size=0 if faulty else 1))
    inner = [_statement(draw, path, faulty=faulty) for path in chosen]
    inner += _strangers(draw, faulty=faulty)
    return Statement(name, inner=tuple(draw(st.permutations(inner))))


def _statements(draw: Draw, *, faulty: bool) -> list[Statement]:
    some = draw(st.lists(st.sampled_from(TABLES), unique=True))
    needed = not faulty or draw(st.integers(0, 3)) != 3
    if needed and "keepalive" not in some:
        some.append("keepalive")
    tables = [_table(draw, name, faulty=faulty) for name in some]
    mode = [_statement(draw, ("mode",), faulty=faulty)] if draw(st.booleans()) else []
    return draw(st.permutations([*mode, *tables, *_strangers(draw, faulty=faulty)]))


@st.composite
def statements(draw: Draw, *, faulty: bool) -> list[Statement]:
    """Draw what a policy says, mistaken here and there where `faulty`."""
    return _statements(draw, faulty=faulty)


def meaning(said: list[Statement]) -> dict[tuple[str, ...], object]:
    """Give what each key means."""
    found: dict[tuple[str, ...], object] = {}
    for each in said:
        if each.value is not None:
            found[(each.key,)] = each.value.means
        for inner in each.inner or ():
            if inner.value is not None:
                found[each.key, inner.key] = inner.value.means
    return found


def writable(said: list[Statement], kind: str) -> bool:
    """Whether the format has a way to write every value."""
    flat = [each for one in said for each in (one, *(one.inner or ()))]
    return all(each.value is None or getattr(each.value, kind) is not None for each in flat)
