"""What a shell offers when the operator presses the tabulator."""

import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from manual.commandline import command_lines

NAMES = {each.name for each in command_lines()}
OPTIONS = {each.name: {option.name for option in each.options} for each in command_lines()}
POLICIES = {"policy.toml", "other.yml"}

CASES = [
    ("kad ", NAMES),
    ("kad ch", {"check"}),
    ("kad xyz", set()),
    ("kad --", {"--help", "--version"}),
    ("kad status --", OPTIONS["status"]),
    ("kad status --w", {"--watch"}),
    ("kad reload --", {"--help", "--timeout"}),
    ("kad reload --timeout ", set()),
    ("kad check ", POLICIES | {"folder"}),
    ("kad check pol", {"policy.toml"}),
    ("kad check --policy o", {"other.yml"}),
    ("kad run --policy=o", {"other.yml"}),
    ("kad reload ", set()),
    ("kad check folder/", {"folder/a b.yaml"}),
]


def needs(shell: str) -> pytest.MarkDecorator:
    """Skip where the shell is absent; never in CI."""
    absent = not shutil.which(shell) and "CI" not in os.environ
    return pytest.mark.skipif(absent, reason=f"needs {shell} (tests/run installs it when root)")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Give a directory with policies and other files."""
    (tmp_path / "folder").mkdir()
    for name in (*POLICIES, "folder/a b.yaml", "notes.txt", "folder/notes.txt"):
        (tmp_path / name).touch()
    return tmp_path


def said(*command: str | Path, cwd: Path) -> set[str]:
    """Run a shell; it must not complain. Give the lines it prints."""
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.splitlines())


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_bash_completes(generated: Path, here: Path, typed: str, offered: set[str]) -> None:
    """Readline gives the words, `=` apart, and takes what the function leaves."""
    script = """
        . "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kad
        [[ ${#COMPREPLY[@]} = 0 ]] || printf '%s\\n' "${COMPREPLY[@]}"
    """
    words = typed.replace("=", " = ").split(" ")

    assert said("bash", "-c", script, "bash", generated / "bash/kad", *words, cwd=here) == offered


def test_bash_uses_it_for_kad(generated: Path, here: Path) -> None:
    """Sourcing the file is all."""
    script = f". {generated}/bash/kad; complete -p kad"

    assert said("bash", "-c", script, cwd=here) == {"complete -F _kad kad"}


@needs("fish")
@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_fish_completes(generated: Path, here: Path, typed: str, offered: set[str]) -> None:
    """Fish says what it would offer, with a description after a tab."""
    script = f"source {generated}/fish/kad.fish; complete -C '{typed}'"

    lines = said("fish", "--no-config", "-c", script, cwd=here)

    words = {line.split("\t")[0].removeprefix("--policy=").rstrip("/") for line in lines}
    assert words == offered


@needs("zsh")
def test_zsh_takes_it(generated: Path, here: Path) -> None:
    """Zsh has no fault to find."""
    assert said("zsh", "-n", generated / "zsh/_kad", cwd=here) == set()


@needs("zsh")
@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("kad sta", "kad status"),
        ("kad status --w", "kad status --watch"),
        ("kad check pol", "kad check policy.toml"),
        ("kad check --policy oth", "kad check --policy other.yml"),
        ("kad run --policy=oth", "kad run --policy=other.yml"),
    ],
)
def test_zsh_completes(generated: Path, here: Path, typed: str, line: str) -> None:
    """A real line editor on a terminal, a real tabulator."""
    zsh = _Zsh(here)
    zsh.type(f"fpath=({generated}/zsh $fpath); autoload -Uz compinit; compinit -u -D; PS1=\n")

    # Then the line's beginning makes it a word to print; ^A goes there, ^E back.
    zsh.type(f"{typed}\t\x01print -r -- 'TYPED' \x05 .END\n")

    assert zsh.printed("TYPED ", " .END") == line
    zsh.end()


class _Zsh:
    """An interactive zsh without anybody's configuration."""

    def __init__(self, cwd: Path) -> None:
        self._terminal, other = pty.openpty()
        self._process = subprocess.Popen(
            ["zsh", "-f", "-i"],
            cwd=cwd,
            env={"PATH": os.environ["PATH"], "HOME": str(cwd), "TERM": "vt100", "COLUMNS": "200"},
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def printed(self, start: str, end: str) -> str:
        """Wait for a line of output that begins and ends so; give what is between."""
        seen = ""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            ready, _, _ = select.select([self._terminal], [], [], 1)
            seen += os.read(self._terminal, 4096).decode() if ready else ""
            for line in seen.replace("\r", "\n").split("\n"):
                if line.startswith(start) and line.endswith(end):
                    return " ".join(line.removeprefix(start).removesuffix(end).split())
        pytest.fail(f"zsh said only {seen!r}")

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)
