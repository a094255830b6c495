"""Read the command line off kad's own parser, so that what is added there appears everywhere."""

import argparse
from collections.abc import Iterator
from typing import NamedTuple

from kad.cli.arguments import COMMANDS, describe


class Value(NamedTuple):
    """What an option or an argument takes: its name, and its choices or a policy file or any."""

    metavar: str
    choices: tuple[str, ...]

    @property
    def is_policy(self) -> bool:
        """Whether it is a policy file."""
        return self.metavar in {"POLICY", "PATH"}

    @property
    def is_any_word(self) -> bool:
        """Whether it is a number or a name, for which there is nothing to offer."""
        return self.metavar in {"SECONDS", "NAME"}


class Option(NamedTuple):
    """One option, by its long name; `value` is None for a mere switch."""

    name: str
    help: str
    value: Value | None


class Argument(NamedTuple):
    """One argument; `many` where it may be repeated."""

    help: str
    value: Value
    many: bool


class CommandLine(NamedTuple):
    """One command as it is typed; `usage` begins with `kad`."""

    name: str
    usage: str
    summary: str
    more: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    examples: tuple[str, ...]


def command_lines() -> Iterator[CommandLine]:
    """Give all commands, in the order of --help."""
    parsers = next(each.choices for each in _all(describe()) if isinstance(each.choices, dict))
    for name, command in COMMANDS.items():
        parser = parsers[name]
        yield CommandLine(
            name=name,
            usage=_usage(parser),
            summary=command.summary,
            more=command.more,
            options=tuple(_option(each) for each in _all(parser) if each.option_strings),
            arguments=tuple(_argument(each) for each in _all(parser) if not each.option_strings),
            examples=command.examples,
        )


def _all(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse tells it nowhere else


def _usage(parser: argparse.ArgumentParser) -> str:
    """Give argparse's own line, which knows what excludes what."""
    return " ".join(parser.format_usage().split()).removeprefix("usage: ").replace(" [-h]", "")


def _option(action: argparse.Action) -> Option:
    value = None if action.nargs == 0 else _value(action)
    return Option(action.option_strings[-1], action.help or "", value)


def _argument(action: argparse.Action) -> Argument:
    return Argument(action.help or "", _value(action), many=action.nargs in {"*", "+"})


def _value(action: argparse.Action) -> Value:
    choices = tuple(str(each) for each in action.choices or ())
    metavar = action.metavar if isinstance(action.metavar, str) else "|".join(choices)
    return Value(metavar or action.dest.upper(), choices)
