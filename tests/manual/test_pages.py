"""The man pages: sound, and complete because they are generated from the code."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kad import __version__
from kad.cli.reference import ENVIRONMENT, EXIT_STATUS
from kad.core.errors import KadError
from kad.core.events import Kind
from kad.neighbours import SYSCTL_CONF, SYSCTL_D
from kad.policyfile.schema import describe
from manual import troff
from manual.__main__ import generate
from manual.commandline import command_lines

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ("kad.8", "kad-policy.5")

needs_mandoc = pytest.mark.skipif(
    not shutil.which("mandoc") and "CI" not in os.environ,
    reason="needs mandoc (tests/run installs it when root)",
)


def shown(page: Path) -> str:
    """Give a page's text as a reader sees it, each run of blanks as one."""
    done = subprocess.run(
        ["mandoc", "-T", "ascii", "-O", "width=78", page],
        check=True,
        capture_output=True,
        text=True,
    )
    return " ".join(re.sub(r".\x08", "", done.stdout).split())


@needs_mandoc
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_fault(generated: Path, name: str) -> None:
    """What distributions' checkers say about manuals is nothing."""
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style", generated / name],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (0, "")


@needs_mandoc
def test_the_manual_has_every_command_option_event_and_status(generated: Path) -> None:
    """Nothing that kad takes, says or ends with is left out."""
    page = shown(generated / "kad.8")

    for command in command_lines():
        assert f"{command.usage} {command.summary[0].upper()}{command.summary[1:]}." in page
        assert " ".join(command.more.split()) in page
        for option in command.options:
            assert option.name in page
        for example in command.examples:
            assert example in page
    for kind in Kind:
        assert re.search(rf" {kind.event} .* MESSAGE_ID {kind.message_id}\. ", page)
    statuses = page.partition("EXIT STATUS")[2].partition("SIGNALS")[0]
    for status, meaning in EXIT_STATUS.items():
        assert f" {status} {meaning} " in statuses
    assert f"kad {__version__}" in page


def keys(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Go through all keys of the policy."""
    for name, each in schema.get("properties", {}).items():
        yield f"{path}{name}", each
        yield from keys(each, f"{name}.")


@needs_mandoc
def test_the_policy_page_has_every_key_with_range_and_default(generated: Path) -> None:
    """The manual and the schema say the same."""
    page = shown(generated / "kad-policy.5")

    for name, key in keys(describe()):
        assert f" {name.rpartition('.')[2]} " in page or f"[{name}]" in page
        assert key["description"] in page
        for choice in key.get("enum", ()):
            assert f'"{choice}"' in page
    assert "time A span, 1 s to 32767 s. " in page
    assert "probes A whole number, 1 to 127. " in page
    assert "check_every A span, 1 s to 1 d. " in page
    assert "Default: 30 s." in page
    assert 'action "restore" or "warn". ' in page
    assert 'Default: "restore".' in page
    for example in (ROOT / "examples").iterdir():
        assert f" {example.name} " in page


@needs_mandoc
def test_the_policy_page_names_all_files_that_are_advised_against(generated: Path) -> None:
    """Whoever got advice about a line finds in the manual why it was read."""
    chapter = shown(generated / "kad-policy.5").partition(" ADVICE ")[2].partition(" EDITORS ")[0]

    for place in (*SYSCTL_D, SYSCTL_CONF, "TuneD"):
        assert place in chapter


def test_every_variable_that_kad_reads_is_told() -> None:
    """The table of variables keeps up with the code."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "kad").rglob("*.py"))

    read = set(re.findall(r"""environ(?:\.get\(|\[)"([A-Z_]+)\"""", code))

    assert read == set(ENVIRONMENT)


def test_every_failure_ends_in_a_status_that_is_told() -> None:
    """A script can rely on the table."""
    family: list[type[KadError]] = [KadError, *KadError.__subclasses__()]

    assert {each.exit_status for each in family} <= set(EXIT_STATUS)


def test_a_build_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package built twice from one source is the same."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")

    for each in ("one", "two"):
        generate(tmp_path / each)

    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(files) == 4
    assert all(
        (tmp_path / "one" / each).read_bytes() == (tmp_path / "two" / each).read_bytes()
        for each in files
    )
    assert " 2023-11-14 " in (tmp_path / "one" / "kad.8").read_text(encoding="ascii")


@needs_mandoc
@pytest.mark.parametrize(
    "text", [r"a\b \n", ".TH x", "'quoted' `back`", "--option /a-b ~ ^ -1", "\\", "..", r"\fBx"]
)
def test_text_is_shown_as_it_was_written(tmp_path: Path, text: str) -> None:
    """No sentence of the code becomes a macro by chance."""
    page = tmp_path / "x.7"
    head = troff.head("x", 7, "2026-01-01", "1")
    name = troff.chapter("NAME", "x \\- y")
    page.write_text("\n".join((head, name, troff.chapter("X", troff.example(text)), "")))

    assert f"X {' '.join(text.split())} " in shown(page)
