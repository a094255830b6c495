"""Say which rules of the model a policy breaks, in an operator's words instead of pydantic's."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple, cast

from kad.core.policy import Policy
from kad.core.spans import format_span
from kad.policyfile.document import Path
from kad.policyfile.model import (
    NEEDS_ONE,
    PolicyModel,
    Problem,
    Table,
    bounds,
    is_span,
    is_table,
    judge,
)

_DAY = 86400


class Fault(NamedTuple):
    """A rule broken by the value at the path, or by its last key; `shown` when the value helps."""

    path: Path
    why: str
    hint: str = ""
    by_key: bool = False
    shown: bool = True


def policy_or_faults(tree: Mapping[str, object]) -> tuple[Policy | None, list[Fault]]:
    """Give the policy, or all that is wrong with the values."""
    verdict = judge(tree)
    if isinstance(verdict, Policy):
        return verdict, []
    return None, [_fault(problem) for problem in verdict]


def _fault(problem: Problem) -> Fault:
    if problem.kind == "extra_forbidden":
        return Fault(problem.path, _unknown(problem.path), by_key=True, shown=False)
    if problem.kind == "missing" or problem.message.endswith(NEEDS_ONE):
        return Fault(problem.path, NEEDS_ONE, shown=False)
    if problem.kind == "value_error":
        return Fault(problem.path, problem.message.removeprefix("Value error, "))
    return Fault(problem.path, f"must be {_expected(problem.path)}", _hint(problem))


def _expected(path: Path) -> str:
    field = _table_at(path[:-1]).model_fields[str(path[-1])]
    if is_table(field):
        return "a table"
    if isinstance(field.annotation, type) and issubclass(field.annotation, StrEnum):
        return " or ".join(f'"{choice}"' for choice in field.annotation)
    _, highest = bounds(field)
    if not is_span(field):
        return f"1 to {highest}"
    return f"1 to {highest} s" if highest % _DAY else f"1 s to {format_span(highest)}"


def _hint(problem: Problem) -> str:
    match problem.path, problem.value:
        case ("keepalive", "probes"), str():
            return " (a number stands without quotes)"
        case ("keepalive", "probes"), int(value) if value == 0 and value is not False:
            return " (0 would cut healthy idle connections)"
        case ("keepalive", _), float():
            return " (whole numbers only)"
    return ""


def _table_at(path: Path) -> type[Table]:
    """Give the model of the table at the path."""
    model: type[Table] = PolicyModel
    for key in path:
        model = cast("type[Table]", model.model_fields[str(key)].annotation)
    return model


def _unknown(path: Path) -> str:
    name, known = str(path[-1]), list(_table_at(path[:-1]).model_fields)
    elsewhere = next((keys for keys in _every_key() if keys[-1] == name), None)
    if elsewhere:
        return f"unknown key here; did you mean {'.'.join(elsewhere)}?"
    close = get_close_matches(name, known, n=1)
    return "unknown key; " + (
        f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    )


def _every_key() -> Iterator[tuple[str, ...]]:
    """Go through the keys of the file, with the tables they stand in."""
    for name, field in PolicyModel.model_fields.items():
        yield (name,)
        if is_table(field):
            yield from ((name, key) for key in _table_at((name,)).model_fields)
