"""What an enemy may put into a policy file: 64 KiB of anything."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kad.core.errors import PolicyError
from kad.core.policy import Policy
from kad.policyfile import validate

PATHS = ("/p.toml", "/p.yaml")
LIMIT = 64 * 1024
GENEROUS_S = 20  # some take 0.3 s, and would take minutes without the precautions


def verdict(raw: bytes, path: str) -> Policy | tuple[str, ...]:
    """Validate; the places of mistakes lie in the file, and each is one line of ASCII."""
    try:
        return validate(raw, path)
    except PolicyError as error:
        assert error.exit_status == 78  # noqa: PT017 - either outcome is right
        for mistake in error.mistakes:
            assert 0 <= mistake.line <= raw.count(b"\n") + 1
            assert 0 <= mistake.column <= len(raw) + 1
            assert str(mistake).isprintable()
            assert str(mistake).isprintable()
        return error.lines()


def filled(unit: str, start: str = "", end: str = "") -> bytes:
    """Repeat up to the size limit."""
    room = LIMIT - len(start.encode()) - len(end.encode())
    return (start + unit * (room // len(unit.encode())) + end).encode()


TOML = {
    "arrays in arrays": filled("[", "a="),
    "tables in tables": filled("{a=", "a="),
    "a key of 32,000 parts": filled("a.", end="a=1"),
    "a table of 32,000 parts": filled("a.", "[", "a]"),
    "a deep table with many keys": ("[" + "a." * 16000 + "a]\n" + "a=1\n" * 8000).encode(),
    "tables of 16 parts": "".join(f"[{'a.' * 15}a{i}]\nb=1\n" for i in range(1500)).encode(),
    "a number of 64,000 digits": filled("1", "[keepalive]\ntime="),
    "a hexadecimal number": filled("f", "[keepalive]\ntime=0x"),
    "a float of 64,000 digits": filled("1", "[keepalive]\ntime=1."),
    "a long span": filled("1s", '[keepalive]\ntime="', '"'),
    "a long number in quotes": filled("1", '[keepalive]\ntime="', '"'),
    "a long unit": filled("a", '[keepalive]\ntime="1', '"'),
    "a long gap": filled(" ", '[keepalive]\ntime="1', '1"'),
    "a long array": filled("1,", "a=[", "]"),
    "nested arrays": filled("[[[[[[],[],[]]]]]],", "a=[", "]"),
    "one key again and again": filled("a=1\n"),
    "one inline key again and again": filled("a=1,", "a={", "a=1}"),
    "one table again and again": filled("[a]\n"),
    "one array of tables": filled("[[a]]\n"),
    "unknown keys": "".join(f"pat{i:04}=1\n" for i in range(6500)).encode(),
    "unknown tables": "".join(f"[pat{i:04}]\n" for i in range(6000)).encode(),
    "escaped keys": "".join(f'"\\u0041{i}"=1\n' for i in range(4400)).encode(),
    "quotes": filled('"'),
    "apostrophes": filled("'"),
    "quotes in quotes": filled('""x', 'a="""'),
    "apostrophes in apostrophes": filled("''x", "a='''"),
    "backslashes": filled("\\", 'a="'),
    "newlines": filled("\n"),
    "carriage returns": filled("\r"),
    "NUL": filled("\0"),
    "equals": filled("="),
    "a long key": filled("a", end="=1"),
    "escape sequences": filled("\x1b[2J"),
}
YAML = {
    "sequences in sequences": filled("[", "a: "),
    "mappings in mappings": filled("{", "a: "),
    "mappings with keys": filled("{a: ", "a: "),
    "sequences over lines": filled("[\n", "a: "),
    "dashes": filled("- ", "a:\n"),
    "question marks": filled("? "),
    "deep indentation": "".join(" " * i + "a:\n" for i in range(350)).encode(),
    "a laughing billion": b"a: &a [x,x,x,x]\n"
    + b"".join(b"%c: &%c [*%c,*%c,*%c]\n" % (i + 1, i + 1, i, i, i) for i in range(97, 122))
    + b"keepalive: *z\n",
    "an alias of itself": b"keepalive: &a {time: *a, <<: *a}\n",
    "anchors": filled("- &a b\n", "a:\n"),
    "aliases": filled("- *a\n", "a:\n"),
    "tags": filled("- !!int 5\n", "a:\n"),
    "a constructor": b"keepalive: !!python/object/apply:os.system ['touch /tmp/kad-was-here']\n",
    "unknown keys": "".join(f"a{i:05}: 1\n" for i in range(6500)).encode(),
    "one key again and again": filled("a: 1\n"),
    "unknown keys in flow": ("{" + ",".join(f"a{i}: 1" for i in range(6000)) + "}").encode(),
    "a long list": filled("a,", "k: [", "]"),
    "pairs": filled("a: b,", "k: [", "]"),
    "keys only": filled("? a\n"),
    "documents": filled("---\n"),
    "directives": filled("%A\n"),
    "tag directives": "".join(f"%TAG !a{i}! b\n" for i in range(4000)).encode(),
    "a directive with a long number": filled("1", "%YAML 1."),
    "a number of 64,000 digits": filled("1", "keepalive:\n  time: "),
    "nearly a number": filled("1", "keepalive:\n  time: ", "x"),
    "nearly a sexagesimal": filled("1:", "keepalive:\n  time: ", "x"),
    "nearly a float": filled("1e", "keepalive:\n  time: ", "x"),
    "nearly a grouped number": filled("1_", "keepalive:\n  time: ", "x"),
    "a character beyond Unicode": b'a: "\\U99999999"\n',
    "half a surrogate pair": b'"\\ud800": "\\udfff"\n',
    "a cut escape": b'a: "\\x',
    "a long plain text": filled("a b\n ", "k: "),
    "a long literal": filled(" x\n", "a: |\n"),
    "a long quoted text": filled("\\n", 'a: "', '"'),
    "newlines": filled("\n"),
    "line separators": filled("\u2028"),
    "tabs": filled("\t"),
    "colons": filled(": "),
    "percent signs": filled("%"),
    "exclamation marks": filled("!"),
    "NUL": filled("\0"),
}


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        *(pytest.param(raw, "/p.toml", id=f"TOML, {name}") for name, raw in TOML.items()),
        *(pytest.param(raw, "/p.yaml", id=f"YAML, {name}") for name, raw in YAML.items()),
    ],
)
def test_no_file_of_64_kib_keeps_kad_busy(raw: bytes, path: str) -> None:
    """A sentence or a policy, soon, whatever the file was made for."""
    assert len(raw) <= LIMIT
    began = time.monotonic()

    assert verdict(raw, path)

    assert time.monotonic() - began < GENEROUS_S


def test_no_alias_is_followed() -> None:
    """A billion laughs are a handful of mistakes, each told at its place."""
    lines = verdict(YAML["a laughing billion"], "/p.yaml")

    assert isinstance(lines, tuple)
    assert "/p.yaml:27:12: keepalive: YAML aliases are not allowed, got *z" in lines
    assert len(lines) < 200


@given(st.binary(max_size=200), st.sampled_from(PATHS))
def test_any_bytes_end_in_a_policy_or_in_sentences(raw: bytes, path: str) -> None:
    """No traceback and no hang for any content whatever."""
    assert verdict(raw, path)


@given(
    st.text(alphabet="ab1:=.\"'\\[]{}#,\n\r \t-&*!|>%@`?~<\0\x85\u2028\ufeff😀", max_size=60),
    st.sampled_from(PATHS),
)
@settings(max_examples=1000)
def test_any_text_ends_in_a_policy_or_in_sentences(text: str, path: str) -> None:
    """The characters that mean something to one of the parsers, in any order."""
    assert verdict(text.encode(), path)


SOURCES = {
    "/p.toml": '''\
mode = "enforce" # c
[keepalive]
time = "2min"
"intvl" = \'30s\'
probes = 8
path = { idle_timeout = """350s""" }
[drift]
check_every = 0x1e
action = "restore"
[[on_stop]]
values = [ "keep", 1979-05-27 07:32:00 ]
''',
    "/p.yaml": """\
%YAML 1.1
---
mode: enforce # c
keepalive:
  time: 2min
  "intvl": '30s'
  probes: 8
path: { idle_timeout: "350s" }
drift:
- check_every: &a 30
  action: >-
    restore
on_stop: {values: *a, ? [b] : !!str keep}
...
""",
}


@given(st.sampled_from(PATHS), st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=1000)
def test_a_damaged_policy_ends_in_a_policy_or_in_sentences(path: str, seed: int, cuts: int) -> None:
    """Bytes changed, cut out, doubled: what editors, disks and people do to files."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    raw = bytearray(SOURCES[path].encode())
    for _ in range(cuts):
        at, to = sorted((chance.randrange(len(raw) + 1), chance.randrange(len(raw) + 1)))
        match chance.randrange(4):
            case 0:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                raw[at:at] = chance.choice(b"\"'[]{}=:.,#-&*!|>\n\r \t").to_bytes()
            case 2:
                raw[at:at] = raw[at : min(to, at + 20)]
            case 3:
                del raw[at : min(to, at + 20)]

    assert verdict(bytes(raw), path)
