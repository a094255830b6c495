"""The checkout keeps its own rules: every linter is a test, so that one command checks all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sys.executable).parent  # the tools of the environment that runs the tests


def _assert_silent(*command: str | Path) -> None:
    """Run a linter on the checkout; what it has to say is the test's failure."""
    done = subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True, text=True)

    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)


def test_code_keeps_the_rules_of_style() -> None:
    """Every rule of ruff holds, save those that pyproject.toml lists with a reason."""
    _assert_silent(SCRIPTS / "ruff", "check")


def test_code_is_formatted() -> None:
    """A change's diff shows the change, never a formatter's opinion."""
    _assert_silent(SCRIPTS / "ruff", "format", "--check", "--diff")


def test_types_hold() -> None:
    """Strict types hold in kad and in its tests."""
    _assert_silent(SCRIPTS / "mypy")


def test_imports_go_down_only() -> None:
    """Every module has its layer, and knows none above it."""
    _assert_silent(SCRIPTS / "lint-imports", "--no-cache")


def test_words_are_spelled_right() -> None:
    """What an operator reads has no common misspelling."""
    _assert_silent(SCRIPTS / "codespell")


def _shell_scripts() -> list[Path]:
    """Find every file that starts as a shell script."""
    folders = (CHECKOUT / name for name in (".ci", "packaging", "tests"))
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted(
        path for path in files if path.read_bytes().startswith((b"#!/bin/sh", b"#!/bin/bash"))
    )


@pytest.mark.skipif(
    not shutil.which("shellcheck") and "CI" not in os.environ,
    reason="needs shellcheck (tests/run installs it when root)",
)
def test_shell_scripts_are_sound() -> None:
    """What root runs to install kad has no mistake that shellcheck knows."""
    scripts = _shell_scripts()

    assert CHECKOUT / "packaging/install" in scripts
    _assert_silent("/usr/bin/shellcheck", *scripts)
