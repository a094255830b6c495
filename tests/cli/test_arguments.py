"""The command line, and who mistypes it."""

import subprocess
import sys

import pytest

from kad import __version__
from kad.cli import main
from kad.cli.arguments import COMMANDS, parse
from kad.core.errors import UsageError


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], f"no command given; commands: {', '.join(COMMANDS)}"),
        (["chek"], "chek: no such command; did you mean check?"),
        (["xyzzy"], "xyzzy: no such command"),
        (["--policy", "p.toml", "check"], "--policy: options go after the command"),
        (["check", "--polcy", "p.toml"], "check: --polcy: no such option; did you mean --policy?"),
        (["plan", "a.toml", "b.toml"], "plan: b.toml: no such argument"),
        (["status", "p.toml"], "status: p.toml: no such argument"),
        (["reload", "--policy", "p.toml"], "reload: --policy: no such option"),
        (["check", "p.toml", "--policy", "q.toml"], "two policies given"),
        (["status", "--json", "--watch"], "status: argument --watch: not allowed with"),
        *(
            (
                ["reload", f"--timeout={given}"],
                "reload: argument --timeout: must be a whole number of seconds, 1 or more, got ",
            )
            for given in ("1m", "0", "-1", "1.5", "")
        ),
        (["check", "--policy"], "check: argument --policy: expected one argument"),
        (["check", "--pol", "p.toml"], "check: --pol: no such option; did you mean --policy?"),
    ],
)
def test_a_wrong_command_line_is_2_and_says_what_was_meant(
    capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    """One line that helps, and where to read on."""
    status = main(argv)

    error = capsys.readouterr().err
    assert status == 2
    assert error.startswith(f"kad: {said}")
    command = f"{argv[0]} " if argv[:1] and argv[0] in COMMANDS else ""
    assert error.endswith(f"Try 'kad {command}--help'.\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_shows_an_example(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """The quickest way to learn a command is to see it used."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"examples:\n  {COMMANDS[command].examples[0]}\n" in shown


def test_the_version_is_the_package_s() -> None:
    """What is installed says what it is."""
    done = subprocess.run(
        [sys.executable, "-m", "kad", "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"kad {__version__}\n"


def test_abbreviations_are_no_options() -> None:
    """What works today by chance would break when an option is added."""
    with pytest.raises(UsageError):
        parse(["status", "--js"])


def test_a_bug_keeps_its_traceback_and_is_70(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a bug shows one."""
    monkeypatch.setattr("kad.cli.arguments.parse", lambda _: 1 // 0)

    status = main(["check"])

    assert status == 70
    assert "ZeroDivisionError" in capsys.readouterr().err
