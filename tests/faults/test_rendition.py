"""The page for people and the table for the tests are one."""

from pathlib import Path

from manual.kad8 import TROUBLES
from tests.faults.rendition import page


def test_the_page_is_the_table_s() -> None:
    """What README.md tells is what was tested."""
    written = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")

    assert written == page(), (
        "tests/run --python -m tests.faults.rendition > tests/faults/README.md"
    )


def test_the_manual_quotes_what_kad_says() -> None:
    """Who searches kad(8) for a line of the journal finds it there."""
    written = page()

    assert [told for told in TROUBLES if told not in written] == []
