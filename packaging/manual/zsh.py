"""Write the completion for zsh."""

from collections.abc import Iterable, Iterator

from manual.commandline import CommandLine, Value

_SCRIPT = """\
#compdef kad
# zsh completion for kad(8); generated from its command line.

_kad() {
    local line state
    local -a commands
    commands=(
@COMMANDS@    )
    _arguments -C \\
        '(- *)--help[show how it is used]' \\
        '(- *)--version[show the version]' \\
        '1:command:->command' \\
        '*::argument:->argument'
    case $state in
        command) _describe command commands ;;
        argument)
            case $line[1] in
@ARGUMENTS@            esac ;;
    esac
}

_kad "$@"
"""


def script(commands: Iterable[CommandLine]) -> str:
    """Give the file."""
    commands = tuple(commands)
    names = "".join(f"        {_quoted(f'{each.name}:{each.summary}')}\n" for each in commands)
    arguments = "".join(_case(each) for each in commands)
    return _SCRIPT.replace("@COMMANDS@", names).replace("@ARGUMENTS@", arguments)


def _case(command: CommandLine) -> str:
    specs = " \\\n                    ".join(_quoted(each) for each in _specs(command))
    return f"                {command.name}) _arguments \\\n                    {specs} ;;\n"


def _specs(command: CommandLine) -> Iterator[str]:
    for option in command.options:
        takes = f":{option.value.metavar}:{_action(option.value)}" if option.value else ""
        yield f"{option.name}{'=' if takes else ''}[{_bare(option.help)}]{takes}"
    for argument in command.arguments:
        number = "*" if argument.many else ""
        yield f"{number}:{_bare(argument.help)}:{_action(argument.value)}"


def _action(value: Value) -> str:
    if value.choices:
        return f"({' '.join(value.choices)})"
    if value.is_any_word:
        return " "
    return '_files -g "*.(toml|yaml|yml)(-.)"' if value.is_policy else "_files"


def _bare(text: str) -> str:
    """Give text without what _arguments takes for its own."""
    return text.replace("[", "(").replace("]", ")").replace(":", ";")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
