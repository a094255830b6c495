"""Write kad-policy(5): the policy file, key by key."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kad import __version__
from kad.core.advice import CONNTRACK_S, FEWEST_PROBES, LONGEST_DEAD_S
from kad.core.parameters import Parameter
from kad.core.spans import UNITS, format_span
from kad.neighbours import SYSCTL_CONF, SYSCTL_D
from kad.policyfile.document import DEEPEST
from kad.policyfile.schema import LOCATION, describe
from manual import troff

_CHECKOUT = Path(__file__).resolve().parents[2]
_DAY = 86400

_DESCRIPTION = """
The policy states what TCP keepalive values a host should have. It is one file, in TOML or, with the
same keys, in YAML; the suffix decides which. kad(8) uses the first of these that is given: its
argument, `--policy`, `$KAD_POLICY`, the file in /etc/kad. Two policy files in /etc/kad at once are
a mistake.

Only `[keepalive]` with at least one parameter is required. If a parameter is left out, kad leaves
the kernel's value alone.

A running kad notices a saved file within a second; no restart is needed. `kad check` explains what
a policy does, or lists every mistake in it with its line and column. A file with a mistake changes
nothing: the policy in force remains.
"""

_BOUNDS = """
The bounds of the parameters are those of setsockopt(2) for TCP_KEEPIDLE, TCP_KEEPINTVL and
TCP_KEEPCNT. The sysctls accept more values, some of them harmful: 0 probes, for example, cuts
healthy idle connections.
"""

_SPANS = """
A span is a number of whole seconds, `120` or `"120"`, or a string of numbers with units as in
systemd.time(7), in any order, with or without spaces: `"2min"`, `"1h 30min"`. A last number without
a unit is in seconds. Fractions, signs, units below a second, months, years and `infinity` are
mistakes.
"""

_REFUSED = f"""
These are mistakes in any file:

* unknown keys and duplicate keys
* booleans or floats instead of a number
* nesting of more than {DEEPEST} levels

These are mistakes in YAML:

* anchors, aliases, tags and a second document
* numbers that are not plain decimals: `05`, `0x5`, `1_000`, `12:30`, null

A file is refused, whatever it contains, if it

* is writable by group or others
* is owned neither by root, nor by the user that kad runs as, nor, for a file named on the command
line, by the user who called sudo(8)
* is larger than 64 KiB
* is not UTF-8
* is not a regular file, after following symbolic links

kad checks the file that it has opened, not the name.

The daemon runs as user kad and must be able to read the file. Files in /etc/kad inherit its group,
kad, so a policy of mode 0640 works. `kad check`, run by root without an argument, also reports
whether that user can read the file.
"""

_LIST = f"{', '.join(SYSCTL_D[:-1])} or {SYSCTL_D[-1]}"

_ADVICE = f"""
Advice is not a mistake. `kad check` and `kad status` advise against

* a `time` that is not below `path.idle_timeout`
* a `time` of exactly {CONNTRACK_S} s, which races conntrack's timers
* fewer than {FEWEST_PROBES} probes, which drop good connections when packets are lost
* values by which a dead peer is noticed only after more than {format_span(LONGEST_DEAD_S)}
* running kad in a network namespace other than that of PID 1, so that the policy does not apply to
the host

They also name each line of another file that would give a parameter of the policy another value:

* at boot: a file of sysctl.d(5) in {_LIST}
* at `sysctl --system`: one of these, or {SYSCTL_CONF}
* if TuneD is running or is started at boot: its active profile, or one that this includes

`kad import` says which of these lines to remove.

`kad check` also names units in `[sockets]` that are not running. `kad status` also reports if the
daemon runs a policy other than the one that the caller names.
"""

_SOCKETS = """
`[sockets]` affects programs other than kad, so nothing in it is enabled by default. `kad sockets
--would` shows what it would change. It needs rights that the unit gets only from a drop-in: kad(8).
Units are named as in systemctl(1), or by patterns; `nginx` means nginx.service and nginx.socket.
The units of a user's own systemd are part of `user@UID.service`.
"""

_EDITORS = f"""
The JSON Schema of the file is {LOCATION}; `kad schema` prints it too. Editors with taplo find it by
the first of these comments, in TOML; those with yaml-language-server by the second, in YAML:
"""

_SEE_ALSO = "kad(8), tcp(7), setsockopt(2), systemd.time(7), sysctl.d(5)"


def page(date: str) -> str:
    """Give the page."""
    default = (_CHECKOUT / "packaging" / "policy.toml").read_text(encoding="utf-8")
    schema: Mapping[str, Any] = describe()
    return "\n".join((
        troff.head("kad-policy", 5, date, __version__),
        troff.chapter("NAME", "kad\\-policy \\- the policy file of kad"),
        troff.chapter("SYNOPSIS", "\n.br\n".join(_paths())),
        troff.chapter("DESCRIPTION", troff.paragraphs(_DESCRIPTION)),
        troff.chapter("KEYS", *_keys(schema["properties"]), troff.paragraphs(_BOUNDS)),
        troff.chapter("SPANS OF TIME", troff.paragraphs(_SPANS + "\n\n" + _units())),
        troff.chapter("WHAT IS REFUSED", troff.paragraphs(_REFUSED)),
        troff.chapter("OPEN SOCKETS", troff.paragraphs(_SOCKETS)),
        troff.chapter("ADVICE", troff.paragraphs(_ADVICE)),
        troff.chapter("EDITORS", troff.paragraphs(_EDITORS), troff.example(_comments())),
        troff.chapter(
            "EXAMPLES",
            troff.paragraphs("The policy as installed:"),
            troff.example(default),
            troff.paragraphs("More are in /usr/share/doc/kad/examples:"),
            troff.table(_examples()),
        ),
        troff.chapter("SEE ALSO", troff.prose(_SEE_ALSO)),
        "",
    ))  # fmt: skip


def _paths() -> Iterator[str]:
    yield from (troff.bold(f"/etc/kad/policy.{suffix}") for suffix in ("toml", "yaml", "yml"))


def _keys(properties: Mapping[str, Any]) -> Iterator[str]:
    """Give the keys outside of a table first, then table by table."""
    loose = {name: each for name, each in properties.items() if "properties" not in each}
    yield troff.table((name, _meaning(name, each)) for name, each in loose.items())
    for name in (each for each in properties if each not in loose):
        yield from _table(name, f"[{name}]", properties[name])


def _table(name: str, heading: str, table: Mapping[str, Any]) -> Iterator[str]:
    """Give a table's own keys, then the tables that it has a list of."""
    inner = table["properties"]
    lists = {key: each for key, each in inner.items() if "properties" in each.get("items", {})}
    yield troff.part(
        troff.bold(heading),
        troff.paragraphs(table["description"]),
        troff.table(
            (key, _meaning(f"{name}.{key}", each))
            for key, each in inner.items()
            if key not in lists
        ),
    )
    for key, each in lists.items():
        described = {"description": each["description"], **each["items"]}
        yield from _table(f"{name}.{key}", f"[[{name}.{key}]]", described)


def _meaning(name: str, key: Mapping[str, Any]) -> str:
    parameter = next((each for each in Parameter if f"keepalive.{each.key}" == name), None)
    sets = f" Sets `{parameter}`." if parameter else ""
    default = f" Default: {_shown(key['default'])}." if key.get("default", []) != [] else ""
    return f"{_takes(key)} {key['description']}{sets}{default}"


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return format_span(default) if isinstance(default, int) else f'`"{default}"`'


def _takes(key: Mapping[str, Any]) -> str:
    """Say the type and the range of a key."""
    if "enum" in key:
        return f"{' or '.join(f'`{chr(34)}{each}{chr(34)}`' for each in key['enum'])}."
    if key["type"] == "boolean":
        return "`true` or `false`."
    if key["type"] == "array":
        return "A list of strings."
    if key["type"] == "string":
        return "A string."
    lowest, highest = key["minimum"], key["maximum"]
    if "pattern" not in key:
        return f"A whole number, {lowest} to {highest}."
    return f"A span, {lowest} s to {f'{highest} s' if highest % _DAY else format_span(highest)}."


def _units() -> str:
    """List the units with their names."""
    names: dict[int, list[str]] = {}
    for name, seconds in UNITS.items():
        names.setdefault(seconds, []).append(f"`{name}`")
    lists = (f"{', '.join(each for each in some if each != '``')}" for some in names.values())
    return f"The units: {'; '.join(lists)}."


def _comments() -> str:
    return f"#:schema {LOCATION}\n# yaml-language-server: $schema={LOCATION}"


def _examples() -> Iterator[tuple[str, str]]:
    """Give each example with the sentence that it begins with."""
    for path in sorted((_CHECKOUT / "examples").iterdir()):
        lines = path.read_text(encoding="utf-8").splitlines()[1:]
        prose = " ".join(line.lstrip("# ") or "\n" for line in lines if line.startswith("#"))
        yield path.name, prose.partition(" \n")[0]
