"""Policy files in every style, right and wrong, and what is hardly a file at all."""

import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from kad.core.errors import PolicyError
from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, OnStop, Policy
from kad.policyfile import validate, validate_in_child
from kad.policyfile.document import Path
from kad.policyfile.tomlplaces import Locator
from tests.fuzz import policies
from tests.fuzz.budget import no_hang, tries
from tests.fuzz.policies import Written
from tests.fuzz.statements import WRONG, Statement, meaning, statements, writable

WRITERS = {"toml": policies.toml, "yaml": policies.yaml}
KINDS = st.sampled_from(sorted(WRITERS))
ENDS = st.tuples(st.sampled_from(["", "\ufeff"]), st.sampled_from(["\n", "\r\n"]))


def verdict(raw: bytes, path: str) -> Policy | list[tuple[int, int, str]]:
    """Validate; every mistake is a line that can be printed, and lies in the file."""
    lines = raw.decode(errors="replace").removeprefix("\ufeff").split("\n")
    with no_hang():
        try:
            return validate(raw, path)
        except PolicyError as error:
            mistakes = error.mistakes
    assert mistakes
    for each in mistakes:
        assert (each.line, each.column) == (0, 0) or 1 <= each.line <= len(lines)
        assert each.line == 0 or 1 <= each.column <= len(lines[each.line - 1]) + 1
        assert str(each).isprintable()
    return [(each.line, each.column, each.text) for each in mistakes]


def place(text: str, at: int) -> tuple[int, int]:
    """Give line and column as an editor counts them."""
    if at < 0:
        return 0, 0
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def policy_of(said: list[Statement]) -> Policy:
    """Give the policy that right statements make."""
    means: dict[tuple[str, ...], Any] = meaning(said)
    given_ = {each: means.get(("keepalive", each.key)) for each in Parameter}
    return Policy(
        values={each: value for each, value in given_.items() if value is not None},
        mode=Mode(means.get(("mode",), "enforce")),
        idle_timeout=means.get(("path", "idle_timeout")),
        check_every=means.get(("drift", "check_every"), 30),
        action=Action(means.get(("drift", "action"), "restore")),
        on_stop=OnStop(means.get(("on_stop", "values"), "keep")),
    )


def write(data: st.DataObject, said: list[Statement], kind: str) -> tuple[bytes, Written]:
    """Write statements down, with any end of line and any beginning."""
    written = WRITERS[kind](data.draw, said)
    mark, newline = data.draw(ENDS)
    return (mark + written.text.replace("\n", newline)).encode(), written


@given(statements(faulty=False), st.data())
@tries(150)
def test_right_statements_make_the_same_policy_however_they_are_written(
    said: list[Statement], data: st.DataObject
) -> None:
    """TOML or YAML, tables or dotted keys, any quotes, any line end: one meaning."""
    for kind in WRITERS:
        raw, _ = write(data, said, kind)

        assert verdict(raw, f"/p.{kind}") == policy_of(said)


@given(statements(faulty=True), KINDS, st.data())
@tries(500)
def test_every_mistake_is_told_at_its_place_and_nothing_else_is(
    said: list[Statement], kind: str, data: st.DataObject
) -> None:
    """The place of a value for a value, of a key for an unknown or repeated one."""
    assume(writable(said, kind))
    raw, written = write(data, said, kind)

    found = verdict(raw, f"/p.{kind}")

    if isinstance(found, Policy):
        assert written.mistakes == set()
        assert found == policy_of(said)
        assert WRONG not in meaning(said).values()
    else:
        told = [(line, column) for line, column, _ in found]
        assert told == sorted(place(written.text, at) for at in written.mistakes)


TOKENS = {
    "toml": [
        *("[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#", "\n", "\r\n", "\r", " ", "\t"),
        *('"', "'", '"""', "'''", "\\", "\\u0061", "\\ud800", "\\U00110000", "\\x41", "\\\n"),
        *("keepalive", "time", "intvl", "probes", "mode", "drift", "a", "a.b", "1", "0x1", "1e5"),
        *("[keepalive]\n", "time = 1\n", "[a.b]\n", "[[a]]\n", "[a]\n", '"2min"', '"enforce"'),
        *("true", "inf", "nan", "1979-05-27", "T07:32:00Z", " 07:32:00", "+24:00", "0000-00-00"),
        *(
            "-",
            "+",
            "_",
            "\0",
            "\x7f",
            "\x85",
            "\u2028",
            "\ufeff",
            "é",
            "😀",
            "99999999999999999999",
        ),
    ],
    "yaml": [
        *(
            "[",
            "]",
            "{",
            "}",
            ":",
            ": ",
            ",",
            "#",
            " #",
            "\n",
            "\n ",
            "\n  ",
            "\r",
            " ",
            "\t",
            "- ",
        ),
        *(
            '"',
            "'",
            "|",
            ">",
            "|+1\n",
            ">-9\n",
            "? ",
            "! ",
            "!!",
            "!<",
            ">",
            "&",
            "&a ",
            "*",
            "*a ",
        ),
        *(
            "<<: ",
            "---",
            "\n---\n",
            "\n...\n",
            "%YAML 1.1\n",
            "%YAML ",
            "%TAG ! a:\n",
            "%",
            "@",
            "`",
        ),
        *("keepalive", "time", "intvl", "probes", "mode", "drift", "a", "a: b", "1", "05", "12:30"),
        *(
            "keepalive:\n",
            "  time: 1\n",
            "keepalive: {time: 1}\n",
            "2min",
            "!!binary ",
            "!!python/",
        ),
        *("~", "null", "true", "\\", "\\x", "\\ud800", "\\U00110000", "\\\n", "%41", "%ff"),
        *("\0", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe", "é", "😀", "99999999999999999999"),
    ],
}
SOUP = {
    kind: st.lists(st.sampled_from(each) | st.text(max_size=2), max_size=30).map("".join)
    for kind, each in TOKENS.items()
}


def encoded(text: str) -> bytes:
    """Give bytes, whatever the text."""
    return text.encode(errors="surrogatepass")


@given(KINDS.flatmap(lambda kind: st.tuples(st.just(kind), SOUP[kind])))
@tries(1000)
def test_any_words_of_a_format_end_in_a_policy_or_in_mistakes(case: tuple[str, str]) -> None:
    """Nothing that a parser knows makes it fail otherwise."""
    kind, text = case

    assert verdict(encoded(text), f"/p.{kind}")


@given(statements(faulty=True), KINDS, st.data())
@tries(400)
def test_a_file_that_was_damaged_ends_in_a_policy_or_in_mistakes(
    said: list[Statement], kind: str, data: st.DataObject
) -> None:
    """What an editor, a merge or a disk leaves of a policy."""
    text = write(data, said, kind)[0].decode()
    places = st.integers(0, len(text))
    start, end, to = sorted((data.draw(places), data.draw(places), data.draw(places)))
    other = data.draw(SOUP[kind])

    for damaged in (text[:start] + text[end:], text[:to] + other + text[to:], text[:to] + text):
        assert verdict(encoded(damaged), f"/p.{kind}")
    assert verdict(text.encode()[:to] + b"\xff" + text.encode()[to:], f"/p.{kind}")


def paths(value: object, base: Path = ()) -> Iterator[Path]:
    """Give the path of every key and every element."""
    items = value.items() if isinstance(value, dict) else ()
    for key, inner in enumerate(value) if isinstance(value, list) else items:
        yield (*base, key)
        yield from paths(inner, (*base, key))


def hold_against_tomllib(text: str) -> None:
    """See that the locator has each key that tomllib has, and no other."""
    try:
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return
    locator = Locator(text)
    tables = {path[:-1] for path in paths(tree) if path[-1] == 0}
    elements = {path for path in paths(tree) if path[:-1] in tables}

    assert locator.repeats == []
    # The elements of an array of tables have no place of their own.
    assert set(locator.spots) | elements == set(paths(tree))


@given(SOUP["toml"])
@tries(500)
def test_the_locator_and_tomllib_agree_on_which_keys_there_are(text: str) -> None:
    """No mistake is told of a key that is not there, and none is missed."""
    hold_against_tomllib(text.encode(errors="replace").decode())


@given(statements(faulty=True), st.data())
@tries(300)
def test_the_locator_and_tomllib_agree_on_policies(
    said: list[Statement], data: st.DataObject
) -> None:
    """In policies right and wrong."""
    assume(writable(said, "toml"))

    hold_against_tomllib(write(data, said, "toml")[0].decode().removeprefix("\ufeff"))


def outcome(judge: Callable[[bytes, str], Policy], raw: bytes, path: str) -> object:
    """Give the policy, or the mistakes."""
    try:
        return judge(raw, path)
    except PolicyError as error:
        return error.mistakes, error.exit_status


@given(KINDS, st.data())
@tries(12)
@example("toml", None)
def test_the_child_says_what_the_parent_would(kind: str, data: st.DataObject | None) -> None:
    """The daemon, which asks a child, and `kad check`, which does not, never differ."""
    raw = b'keepalive.time = "\xff'
    if data is not None:
        said = data.draw(statements(faulty=data.draw(st.booleans())))
        raw = data.draw(
            st.sampled_from([write(data, said, kind)[0], encoded(data.draw(SOUP[kind]))])
        )

    apart, here = (outcome(judge, raw, f"/p.{kind}") for judge in (validate_in_child, validate))

    assert apart == here
