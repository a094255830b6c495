"""Write the completion for bash; it needs bash alone, not bash-completion's functions."""

from collections.abc import Iterable

from manual.commandline import CommandLine, Value

_SCRIPT = """\
# bash completion for kad(8); generated from its command line.

# Completes file names, with a filter for their suffix where one is given.
_kad_files() {
    local name
    compopt -o filenames 2>/dev/null
    while read -r name; do
        if [[ -d $name || $name =~ ${1-} ]]; then COMPREPLY+=("$name"); fi
    done < <(compgen -f -- "$cur")
}

_kad() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local policy='\\.(toml|yaml|yml)$'
    COMPREPLY=()
    # bash takes --option=value apart.
    if [[ $cur = '=' ]]; then
        cur=
    elif [[ $prev = '=' ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    if [[ $COMP_CWORD = 1 ]]; then
        local words='@COMMANDS@'
        if [[ $cur = -* ]]; then words='--help --version'; fi
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi
    case ${COMP_WORDS[1]}:$prev in
@VALUES@    esac
    if [[ $cur = -* ]]; then
        case ${COMP_WORDS[1]} in
@OPTIONS@        esac
        return
    fi
    case ${COMP_WORDS[1]} in
@ARGUMENTS@    esac
}

complete -F _kad kad
"""


def script(commands: Iterable[CommandLine]) -> str:
    """Give the file."""
    commands = tuple(commands)
    names = [each.name for each in commands]
    blanks = {
        "@COMMANDS@": " ".join(names),
        "@VALUES@": "".join(_values(each) for each in commands),
        "@OPTIONS@": "".join(_options(each) for each in commands),
        "@ARGUMENTS@": "".join(_arguments(each) for each in commands),
    }
    text = _SCRIPT
    for blank, filling in blanks.items():
        text = text.replace(blank, filling)
    return text


def _values(command: CommandLine) -> str:
    return "".join(
        f"        {command.name}:{option.name}) {_reply(option.value)}; return ;;\n"
        for option in command.options
        if option.value
    )


def _options(command: CommandLine) -> str:
    words = " ".join(each.name for each in command.options)
    return f"            {command.name}) {_words(words)} ;;\n"


def _arguments(command: CommandLine) -> str:
    return "".join(
        f"        {command.name}) {_reply(each.value)} ;;\n" for each in command.arguments
    )


def _reply(value: Value) -> str:
    if value.choices:
        return _words(" ".join(value.choices))
    if value.is_any_word:
        return ":"
    return '_kad_files "$policy"' if value.is_policy else "_kad_files"


def _words(words: str) -> str:
    return f"mapfile -t COMPREPLY < <(compgen -W '{words}' -- \"$cur\")"
