"""Where the keys and values of a TOML document stand.

Documents are written by a generator that notes the place of every key and value as it writes, in
every style that TOML knows; tomllib tells what they mean.
"""

import tomllib
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kad.policyfile.document import DEEPEST, Path, Spot, TooDeepError, UnreadableError
from kad.policyfile.tomlplaces import Locator

Draw = Callable[[st.SearchStrategy[str]], str]

GAPS = st.sampled_from(["", " ", "\t", "  "])
NAMES = st.one_of(
    st.sampled_from(["time", "a-b_1", "1", "true", "a.b", "", " ", "a b", "#", "=", "]", "'", '"']),
    st.text(alphabet="ab\"'\\.#[]{}=, é😀\t", max_size=4),
)
TEXTS = st.one_of(
    st.sampled_from(["", "2min", "# no comment", "[a]", "a = 1", "'''", '"""', "\\", '""', "''"]),
    st.text(alphabet="ab\"'\\.#[]{}=, é😀\t", max_size=12),
)
SCALARS = st.sampled_from(
    [
        *("0", "-17", "+99", "1_000", "0xdead_beef", "0o17", "0b1", "true", "false"),
        *("3.14", "-0.01", "5e+22", "6.626e-34", "inf", "-inf", "1979-05-27", "07:32:00.999"),
        *("1979-05-27T07:32:00Z", "1979-05-27 07:32:00-07:00", "1979-05-27 07:32:00.5"),
        *('"\\u00e9\\n\\"\\\\"', '""', "''", '""""""', "''''''", "'\\'", '"\'#"', "'\"#'"),
        *('"""a""b"""', '""""a"""', '"""a"""""', '"""\\""""""', '"""\n\n#\n"""', '"""\\\n  a"""'),
        *("'''a''b'''", "''''a'''", "'''a'''''", "'''\\'''", "'''\n]\n'''"),
    ]
)


class Writer:
    """A document in the making, with the places of what was written so far."""

    def __init__(self, draw: Draw) -> None:
        self.spots: dict[Path, Spot] = {}
        self.text = ""
        self.draw = draw

    def gap(self) -> None:
        """Write blanks, or none."""
        self.text += self.draw(GAPS)

    def trivia(self) -> None:
        """Write what may stand between any two lines or elements."""
        self.text += self.draw(st.sampled_from(["", "", " ", "\n", "\n# [a] = '\"\n\t", "\n\n  "]))

    def end_line(self) -> None:
        """End a statement, with or without a comment."""
        self.gap()
        self.text += self.draw(st.sampled_from(["", "# c = 1", "#'''", '# """ ]'])) + "\n"
        self.trivia()

    def key(self, name: str) -> int:
        """Write one key in one of its styles, give its place."""
        at = len(self.text)
        styles = ['"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"']
        styles += ['"' + "".join(f"\\U{ord(character):08x}" for character in name) + '"']
        if "'" not in name:
            styles.append(f"'{name}'")
        if name and all(each.isascii() and (each.isalnum() or each in "-_") for each in name):
            styles += [name] * 3
        self.text += self.draw(st.sampled_from(styles))
        return at

    def keys(self, base: Path, *names: str) -> Path:
        """Write a dotted key."""
        path = base
        for number, name in enumerate(names):
            if number:
                self.gap()
                self.text += "."
                self.gap()
            path = (*path, name)
            at = self.key(name)
            self.spots.setdefault(path, Spot(at, at, at))
        return path

    def assign(self, base: Path, *names: str, depth: int = 0) -> None:
        """Write `key = value`."""
        path = self.keys(base, *names)
        key = self.spots[path].key
        self.gap()
        self.text += "="
        self.gap()
        at = len(self.text)
        self.value(path, depth)
        self.spots[path] = Spot(key, at, len(self.text))

    def value(self, path: Path, depth: int) -> None:
        """Write a value: a scalar, an array, an inline table."""
        kinds = ["scalar", "scalar", "text"] + ["array", "table"] * (depth < 3)
        match self.draw(st.sampled_from(kinds)):
            case "scalar":
                self.text += self.draw(SCALARS)
            case "text":
                text = self.draw(TEXTS).replace("\\", "\\\\").replace('"', '\\"')
                self.text += f'"{text}"'
            case "array":
                self.array(path, depth)
            case "table":
                self.inline_table(path, depth)

    def array(self, path: Path, depth: int) -> None:
        """Write an array, over several lines perhaps."""
        self.text += "["
        for index in range(int(self.draw(st.sampled_from("0123")))):
            self.trivia()
            at = len(self.text)
            self.value((*path, index), depth + 1)
            self.spots[*path, index] = Spot(at, at, len(self.text))
            self.trivia()
            self.text += ","
        self.text = self.text.removesuffix(self.draw(st.sampled_from([",", ""])))
        self.trivia()
        self.text += "]"

    def inline_table(self, path: Path, depth: int) -> None:
        """Write an inline table, on one line as TOML 1.0 has it."""
        self.text += "{"
        for number, name in enumerate(self.names()):
            self.text += "," if number else ""
            self.gap()
            if self.draw(st.sampled_from(["one", "two"])) == "two":
                self.assign(path, name, "x", depth=depth + 1)
                self.text += ","
                self.gap()
                self.assign(path, name, "y", depth=depth + 1)
            else:
                self.assign(path, name, depth=depth + 1)
            self.gap()
        self.text += "}"

    def names(self) -> list[str]:
        """Draw a few names that differ."""
        several = st.lists(NAMES, max_size=3, unique=True)
        return cast("list[str]", self.draw(cast("st.SearchStrategy[str]", several)))

    def header(self, *names: str) -> Path:
        """Write `[a.b]`."""
        start = len(self.text)
        self.text += "["
        self.gap()
        new = tuple(names) not in self.spots
        path = self.keys((), *names)
        self.gap()
        self.text += "]"
        if new:
            self.spots[path] = Spot(self.spots[path].key, start, len(self.text))
        self.end_line()
        return path

    def body(self, base: Path) -> None:
        """Write a table's own keys."""
        for name in self.names():
            if self.draw(st.sampled_from(["plain", "dotted"])) == "dotted":
                self.assign(base, name, "x", "y")
                self.end_line()
                self.assign(base, name, "z")
            else:
                self.assign(base, name)
            self.end_line()

    def section(self, name: str) -> None:
        """Write a table of its own, the table around it before or after it, or an array of them."""
        match self.draw(st.sampled_from(["table", "outer first", "outer last", "array"])):
            case "table":
                self.body(self.header(name))
            case "outer first":
                self.header(name)
                self.body(self.header(name, "sub"))
            case "outer last":
                self.body(self.header(name, "a", "b"))
                self.header(name)
            case "array":
                self.array_of_tables(name)

    def element(self, name: str, index: int) -> None:
        """Write one table of an array of them."""
        start = len(self.text)
        self.text += "[["
        key = self.key(name)
        self.text += "]]"
        spot = Spot(key, start, len(self.text))
        self.spots.setdefault((name,), spot)
        self.spots[name, index] = spot
        self.end_line()
        self.body((name, index))

    def array_of_tables(self, name: str) -> None:
        """Write `[[name]]` twice, with a table inside the second."""
        self.element(name, 0)
        self.element(name, 1)
        start = len(self.text)
        self.text += "["
        self.key(name)
        self.text += "."
        key = self.key("sub")
        self.text += "]"
        self.spots[name, 1, "sub"] = Spot(key, start, len(self.text))
        self.end_line()
        self.body((name, 1, "sub"))


@st.composite
def documents(draw: Callable[[st.SearchStrategy[object]], object]) -> tuple[str, dict[Path, Spot]]:
    """Write a document, in TOML 1.0, note the place of everything in it."""
    writer = Writer(cast("Draw", draw))
    writer.trivia()
    names = writer.names()
    roots = int(writer.draw(st.sampled_from("0123")))
    for name in names[:roots]:
        writer.assign((), name)
        writer.end_line()
    for name in names[roots:]:
        writer.section(name)
    return writer.text, writer.spots


def with_crlf(text: str, spots: dict[Path, Spot]) -> tuple[str, dict[Path, Spot]]:
    """Turn all line ends into Windows's, move the places along."""

    def moved(at: int) -> int:
        return at + text.count("\n", 0, at)

    return text.replace("\n", "\r\n"), {
        path: Spot(moved(spot.key), moved(spot.value), moved(spot.end))
        for path, spot in spots.items()
    }


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Go through the scalars of a tree."""
    items = value.items() if isinstance(value, dict) else ()
    for key, inner in enumerate(value) if isinstance(value, list) else items:
        if isinstance(inner, dict | list):
            yield from leaves(inner, (*path, key))
        else:
            yield (*path, key), inner


def hold_against_tomllib(text: str) -> None:
    """Every value that tomllib found stands where the locator says, its key before it."""
    locator = Locator(text)

    assert not locator.repeats
    for path, value in leaves(tomllib.loads(text)):
        spot = locator.spots[path]
        found = tomllib.loads(f"it = {text[spot.value : spot.end]}")["it"]
        assert (found, type(found)) == (value, type(value)) or value != value  # noqa: PLR0124 - nan
        if isinstance(path[-1], str):
            key = text[spot.key : spot.value].rpartition("=")[0]
            assert list(leaves(tomllib.loads(f"{key} = 0")))[0][0] == path[-1:]  # noqa: RUF015


@given(documents())
@settings(max_examples=400)
def test_every_key_and_value_is_found_where_it_was_written(
    document: tuple[str, dict[Path, Spot]],
) -> None:
    """In tables, dotted, quoted, inline, in arrays, beside comments, with either line end."""
    for text, spots in (document, with_crlf(*document)):
        locator = Locator(text)

        assert locator.spots == spots
        assert locator.repeats == []
        hold_against_tomllib(text)


@given(documents(), st.data())
@settings(max_examples=300)
def test_a_damaged_document_is_followed_as_far_as_tomllib_can(
    document: tuple[str, dict[Path, Spot]], data: st.DataObject
) -> None:
    """One stretch cut out, doubled or put elsewhere: still never lost where tomllib is not."""
    text, _ = document
    assume(text)
    places = st.integers(0, len(text))
    start, end, to = data.draw(places), data.draw(places), data.draw(places)
    piece = text[min(start, end) : max(start, end)]
    cut = text[: min(start, end)] + text[max(start, end) :]

    for damaged in (cut, text[:to] + piece + text[to:], cut[:to] + piece + cut[to:]):
        if is_toml(damaged):
            hold_against_tomllib(damaged)


@given(st.text(alphabet="ab1=.\"'\\[]{}#,\n\r \t-:Tex_+", max_size=40))
@settings(max_examples=1000)
def test_whatever_tomllib_takes_the_locator_takes(text: str) -> None:
    """The locator may be lost only where tomllib is."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        try:
            Locator(text)
        except UnreadableError as error:
            assert 0 <= error.at <= len(text)  # noqa: PT017 - it may be lost, but not outside
    else:
        assert isinstance(tree, dict)
        hold_against_tomllib(text)


def is_toml(text: str) -> bool:
    """Ask tomllib."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    [
        *("a.b = 1\na.b = 2", "a = 1\na.b = 2", "a.b = 1\na = 2", "a = {b = 1, b = 2}"),
        *("[a]\n[a]", "[a.b]\n[a]\n[a]", "a = 1\n[a]", "a = 1\n[a.b]", "a.b = 1\n[a]"),
        *("[[a]]\n[a]", "[a]\n[[a]]", "a = []\n[[a]]", "[a.b]\n[[a]]", "a = {}\n[a.b]"),
        *("[a.b]\n[a]\nb.c = 1", "[[a]]\nb = 1\nb = 2", "[[a]]\n[[a]]\n[a.b]\n[a.b]"),
        *('"a" = 1\n\'a\' = 2', '"\\u0061" = 1\na = 2', "a = [{b = 1, b = 1}]"),
        *("a = {}\na.b = 1", "[a]\n[b]\n[a]\nc = 1"),
    ],
)  # fmt: skip
def test_every_repetition_that_tomllib_refuses_is_found_and_can_be_taken_out(text: str) -> None:
    """So that the rest of the file is judged all the same."""
    assert not is_toml(text)

    (repeat,) = Locator(text).repeats

    without = text[: repeat.start] + " " * (repeat.end - repeat.start) + text[repeat.end :]
    assert is_toml(without)
    assert repeat.start <= repeat.at < repeat.end


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * (DEEPEST + 1),
        "a = " + "{a = " * (DEEPEST + 1),
        "a = 1\na = " + "[" * (DEEPEST + 1),
        ".".join("a" * (DEEPEST + 1)),
        f"[{'.'.join('a' * (DEEPEST + 1))}]",
        "[[a]]\nb = 1\nb = " + "[{a=" * DEEPEST,
    ],
)
def test_the_depth_of_everything_is_limited(text: str) -> None:
    """Before tomllib, which would take minutes or give up."""
    with pytest.raises(TooDeepError):
        Locator(text)
