"""What kad sends and reads beside its files: the journal's protocol, the kernel's numbers."""

import struct
from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kad.core.errors import ascii_line, printable
from kad.journal import serialize
from kad.procfs import Procfs
from tests.fakes import TIME
from tests.fuzz.budget import tries

NAMES = st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True)
VALUES = st.text() | st.text("a=\n\0\x1b\udcff", max_size=8) | st.text().map("X=1\n".join)


def journald(entry: bytes) -> dict[str, bytes]:
    """Read an entry by https://systemd.io/JOURNAL_NATIVE_PROTOCOL, byte by byte."""
    fields: dict[str, bytes] = {}
    at = 0
    while at < len(entry):
        end = entry.index(b"\n", at)
        equals = entry.find(b"=", at, end)
        if equals >= 0:
            name, value, at = entry[at:equals], entry[equals + 1 : end], end + 1
        else:
            (length,) = struct.unpack_from("<Q", entry, end + 1)
            name, value = entry[at:end], entry[end + 9 : end + 9 + length]
            at = end + 9 + length + 1
            assert entry[at - 1 : at] == b"\n"
        fields[name.decode("ascii")] = value
    return fields


@given(st.dictionaries(NAMES, VALUES, max_size=5))
@tries(300)
def test_the_journal_gets_what_was_said_whatever_it_was(fields: dict[str, str]) -> None:
    """No value is lost, and none makes a field of its own."""
    expected = {name: value.encode("utf-8", "surrogateescape") for name, value in fields.items()}

    assert journald(serialize(fields)) == expected


@given(
    st.text(st.characters()) | st.text("\\\n\x1b\x7f\x85\u2028\u202e\ud800\udcff\ufeff", max_size=6)
)
@tries(300)
def test_no_text_can_move_the_cursor_or_begin_a_line(text: str) -> None:
    """A file's name or content is shown, and never obeyed."""
    assert ascii_line(text).isascii()
    assert ascii_line(text).isprintable()
    assert printable(text).isprintable()


@given(st.binary(max_size=80) | st.integers().map(b"%d\n".__mod__))
@tries(150)
def test_a_kernel_s_file_holds_a_number_or_is_an_error(tmp_path: Path, content: bytes) -> None:
    """One parameter that cannot be read is told, and stops nothing."""
    file = tmp_path / TIME.replace(".", "/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)

    with suppress(OSError):
        assert type(Procfs(str(tmp_path)).read(TIME)) is int
