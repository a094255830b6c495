"""Make a policy out of lines that set sysctls."""

import re
from collections.abc import Iterable, Iterator, Mapping

from kad.core.neighbours.globs import is_pattern
from kad.core.neighbours.setting import Setting
from kad.core.parameters import Parameter

_PLAIN = re.compile(r"[1-9][0-9]{0,9}")
_HEAD = """\
# A kad policy, made by kad import. kad check says what it means.

[keepalive]
"""


def take(winners: Mapping[Parameter, Setting]) -> dict[Parameter, Setting]:
    """Give the lines whose value kad accepts, in the kernel's order."""
    return {name: winners[name] for name in Parameter if name in winners and _fits(winners[name])}


def _fits(setting: Setting) -> bool:
    plain = _PLAIN.fullmatch(setting.value) is not None
    return plain and int(setting.value) <= setting.parameter.highest


def as_toml(taken: Mapping[Parameter, Setting]) -> str:
    """Give the policy file's text, each value below the line that it came from."""
    tables = (
        f"# {each.place}: {each.words}\n{name.key} = {each.value}\n" for name, each in taken.items()
    )
    return _HEAD + "".join(tables)


def remarks(winners: Mapping[Parameter, Setting], settings: Iterable[Setting]) -> Iterator[str]:
    """Say what was left out and why, and which of all the settings are to be removed."""
    taken = take(winners)
    for each in winners.values():
        if each.parameter not in taken:
            yield f"{each.place}: {each.words}: left out: {_why_not(each)}"
    yield from dict.fromkeys(_removal(each) for each in settings if each.parameter in taken)


def _why_not(setting: Setting) -> str:
    bounds = f"1 to {setting.parameter.highest}"
    if setting.value == "0" or _PLAIN.fullmatch(setting.value):
        return f"{setting.parameter} must be {bounds}"
    return f"{setting.parameter} must be a plain number, {bounds}"


def _removal(setting: Setting) -> str:
    if is_pattern(setting.key):
        names = f"add the line -{setting.parameter} to keep the pattern from it"
        return f"{setting.place}: {setting.words}: {names}"
    hint = " (a package's file: hide it behind a copy in /etc)" if _packaged(setting.file) else ""
    return f"{setting.place}: {setting.words}: remove this line{hint}"


def _packaged(file: str) -> bool:
    return file.startswith(("/usr/lib/", "/lib/"))
