"""Understand the profiles of TuneD: tuned.conf(5)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kad.core.neighbours.setting import PATHS, Setting, Text, proc_path
from kad.core.parameters import Parameter

_HEADER = re.compile(r"\[(.+)\]")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_YES = frozenset({"True", "true", "1"})


class Unit(NamedTuple):
    """A section of a profile, with those of its options that set a parameter.

    `replace` drops what earlier profiles say in a section of that name, `drop` some options of it.
    """

    type: str
    enabled: bool
    replace: bool
    drop: frozenset[str]
    settings: Mapping[Parameter, Setting]


class Profile(NamedTuple):
    """A profile, with the names of those to be loaded before it."""

    includes: tuple[str, ...]
    units: Mapping[str, Unit]


class _Option(NamedTuple):
    line: int
    value: str


_Section = dict[str, _Option]


def parse(text: Text) -> Profile:
    """Read a tuned.conf; what TuneD would not understand is passed over."""
    sections = _sections(text)
    includes = _value(sections.pop("main", {}), "include")
    units = {name: _unit(name, options, text.file) for name, options in sections.items()}
    return Profile(_names(includes), units)


def all_settings(profiles: Iterable[Profile]) -> tuple[Setting, ...]:
    """Give every line that sets a parameter, whether or not another profile wins over it."""
    units = (unit for profile in profiles for unit in profile.units.values())
    return tuple(each for unit in units if _sets(unit) for each in unit.settings.values())


def winners(profiles: Iterable[Profile]) -> dict[Parameter, Setting]:
    """Give the lines that win when the profiles are merged in this order."""
    merged: dict[str, Unit] = {}
    for profile in profiles:
        for name, unit in profile.units.items():
            merged[name] = _merge(merged.get(name), unit)
    sysctls = (unit for unit in merged.values() if _sets(unit))
    return {parameter: each for unit in sysctls for parameter, each in unit.settings.items()}


def _sets(unit: Unit) -> bool:
    return unit.enabled and unit.type == "sysctl"


def _merge(older: Unit | None, newer: Unit) -> Unit:
    if older is None or newer.replace:
        return newer
    kept = {name: each for name, each in older.settings.items() if each.key not in newer.drop}
    return newer._replace(settings={**kept, **newer.settings})


def _unit(name: str, options: _Section, file: str) -> Unit:
    return Unit(
        type=_value(options, "type") or name,
        enabled=_value(options, "enabled") in _YES | {""},
        replace=_value(options, "replace") in _YES,
        drop=frozenset(_names(_value(options, "drop"))),
        settings={each.parameter: each for each in _settings(options, file)},
    )


def _settings(options: _Section, file: str) -> Iterator[Setting]:
    for key, option in options.items():
        parameter = PATHS.get(proc_path(key))
        if parameter is not None:
            value = re.sub(r'^"(.*)"$', r"\1", option.value)
            yield Setting(file, option.line, parameter, key, value)


def _value(options: _Section, key: str) -> str:
    return options[key].value if key in options else ""


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, re.split(r"\s*[,;]\s*", text)))


def _sections(text: Text) -> dict[str, _Section]:
    """Read the sections as Python's configparser, which TuneD uses, without its strictness."""
    sections: dict[str, _Section] = {}
    section: _Section = {}
    indent: int | None = None  # of the option before, whose value a deeper line continues
    for number, raw in text.lines():
        line = _COMMENT.sub("", raw).rstrip()
        bare = line.lstrip()
        deeper = indent is not None and len(line) - len(bare) > indent
        if not bare or bare.startswith(";") or deeper:
            continue
        header = _HEADER.match(bare)
        if header is not None:
            section, indent = sections.setdefault(header[1], {}), None
            continue
        key, equals, value = bare.partition("=")
        indent = len(line) - len(bare)
        if equals:
            section[key.rstrip()] = _Option(number, value.strip())
    return sections
