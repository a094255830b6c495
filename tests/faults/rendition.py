"""Print the table for people, as README.md has it."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from tests.faults.row import Fault, Injection
from tests.faults.table import COMMANDS, FAULTS, OTHERS, REFUSALS

_PLACES = {
    "policy": PurePath("/etc/kad/policy.toml"),
    "run": "/run/kad",
    "state": "/var/lib/kad",
    "notify": "/run/systemd/notify",
    "pid": 812,
}
_PRIORITIES = {"<3>": "err", "<4>": "warning", "<5>": "notice", "<6>": "info"}
_HEAD = """\
# What happens when

Every fault that the tests of this folder make, and what kad's operator reads. In each of them the
values in force stay in force, drift is still put right wherever the kernel takes a write, each line
comes once however long the fault lasts, there is no traceback, and the end needs no restart.

This page is printed by `tests/run --python -m tests.faults.rendition` from the very table that the
tests run, [table.py](table.py).
"""


def _line(line: str) -> str:
    """Give a sentence of the log, its priority as a word in front."""
    text = line.format(**_PLACES)
    shown = text.removeprefix(text[:3]) if text[:3] in _PRIORITIES else text
    return f"{_PRIORITIES.get(text[:3], '')} `{shown}`".strip()


def _lines(lines: Sequence[str]) -> str:
    return "<br>".join(map(_line, lines)) or "nothing"


def _how(injection: Injection) -> str:
    return (injection.__doc__ or "").rstrip(".")


def _status(fault: Fault) -> str:
    return f"{fault.status}: {_line(fault.shows)}"


def _rows(*rows: Sequence[str]) -> Iterator[str]:
    heading, *rest = rows
    for row in (heading, ["---"] * len(heading), *rest):
        yield "| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in row) + " |"


def page() -> str:
    """Give the page."""
    lasting = (
        (each.what, _how(each.how), _lines(each.log), _status(each), _lines(each.recovered))
        for each in FAULTS
    )
    refused = ((each.what, _how(each.how), str(each.status), _lines(each.log)) for each in REFUSALS)
    commands = (
        (f"`{each.line.format(**_PLACES)}`", str(each.status), _lines(each.log))
        for each in COMMANDS
    )
    others = ((each.what, each.how, each.log) for each in OTHERS)
    return "\n".join((
        _HEAD,
        "## While it lasts, and when it ends\n",
        *_rows(("fault", "made by", "the log", "`kad status`", "at its end"), *lasting),
        "\n## What keeps kad from starting\n",
        *_rows(("fault", "made by", "exit status", "last words"), *refused),
        "\n## Commands\n",
        *_rows(("command", "exit status", "stderr"), *commands),
        "\n## Others\n",
        *_rows(("fault", "made by", "what comes of it"), *others),
        "",
    ))  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(page())
