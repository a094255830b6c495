"""Make a policy out of what other files set."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence

from kad import neighbours
from kad.core.errors import DeniedError, KadError
from kad.core.importing import as_toml, remarks, take
from kad.core.neighbours import sysctlconf
from kad.core.neighbours.setting import Setting, Text
from kad.core.parameters import Parameter


def import_(arguments: argparse.Namespace) -> int:
    """Print the policy, and on stderr what is to be done about the lines."""
    if arguments.files:
        texts = _named(arguments.files)
        return _print(sysctlconf.winners(texts), sysctlconf.all_settings(texts))
    host = neighbours.read()
    return _print(host.winners(), host.all_settings())


def _print(winners: Mapping[Parameter, Setting], settings: Iterable[Setting]) -> int:
    taken = take(winners)
    if taken:
        print(as_toml(taken), end="")
    for line in remarks(winners, settings):
        sys.stderr.write(f"kad: {line}\n")
    if not winners:
        sys.stderr.write("kad: no line sets any of the three parameters\n")
    return 0 if taken else 1


def _named(files: Sequence[str]) -> list[Text]:
    """Read the files as `sysctl -p FILE...` does; KadError for one that cannot be."""
    try:
        return [neighbours.read_text(file) for file in files]
    except OSError as error:
        kind = DeniedError if isinstance(error, PermissionError) else KadError
        raise kind(f"{error.filename}: cannot be read: {error.strerror}") from error
