"""Write the completion for fish."""

from collections.abc import Iterable, Iterator

from manual.commandline import CommandLine, Value

# A path and, after a tab, what fish says of it.
_POLICY = r"(?:/|\.toml|\.yaml|\.yml)(?:\t|$)"
# The word so far, without the option in --policy=x.
_TYPED = "commandline -ct | string replace -r '^--[a-z-]*=' ''"
_HEAD = """\
# fish completion for kad(8); generated from its command line.
complete -c kad -f
complete -c kad -n __fish_use_subcommand -l help -d 'show how it is used'
complete -c kad -n __fish_use_subcommand -l version -d 'show the version'
"""


def script(commands: Iterable[CommandLine]) -> str:
    """Give the file."""
    return _HEAD + "".join(f"{line}\n" for each in commands for line in _lines(each))


def _lines(command: CommandLine) -> Iterator[str]:
    name, summary = command.name, _quoted(command.summary)
    yield f"complete -c kad -n __fish_use_subcommand -a {name} -d {summary}"
    seen = f"complete -c kad -n '__fish_seen_subcommand_from {name}'"
    for option in command.options:
        takes = f" -x -a {_candidates(option.value)}" if option.value else ""
        yield f"{seen} -l {option.name.removeprefix('--')} -d {_quoted(option.help)}{takes}"
    for argument in command.arguments:
        yield f"{seen} -a {_candidates(argument.value)}"


def _candidates(value: Value) -> str:
    if value.choices:
        return _quoted(" ".join(value.choices))
    if value.is_any_word:
        return "''"
    only = f" | string match -er '{_POLICY}'" if value.is_policy else ""
    return _quoted(f"(__fish_complete_path ({_TYPED}){only})")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
