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
    Key,
    PolicyModel,
    Problem,
    Table,
    bounds,
    is_list,
    is_span,
    is_table,
    judge,
    lists_units,
    table_in,
)

_DAY = 86400
_A_NAME = "the name of a network namespace (* and ? are allowed)"


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
    if problem.kind == "missing" and problem.path[-1] == "match":
        return Fault(problem.path[:-1], f"needs match, {_A_NAME}", shown=False)
    if problem.kind == "missing" or problem.message.endswith(NEEDS_ONE):
        return Fault(problem.path, NEEDS_ONE, shown=False)
    if problem.kind == "value_error":
        return Fault(problem.path, problem.message.removeprefix("Value error, "))
    return Fault(problem.path, f"must be {_expected(problem.path)}", _hint(problem))


def _expected(path: Path) -> str:
    if isinstance(path[-1], int):
        return "a table" if table_in(_field_at(path[:-1])) else _A_NAME
    field = _field_at(path)
    if table_in(field) or is_list(field):
        return _list_of(field) if is_list(field) else "a table"
    if field.annotation is str:
        return _A_NAME
    if field.annotation is bool:
        return "true or false"
    if isinstance(field.annotation, type) and issubclass(field.annotation, StrEnum):
        return " or ".join(f'"{choice}"' for choice in field.annotation)
    return _range(field)


def _list_of(field: Key) -> str:
    if table_in(field):
        return "a list of tables"
    return "a list of units" if lists_units(field) else "a list of names"


def _range(field: Key) -> str:
    _, highest = bounds(field)
    if not is_span(field):
        return f"1 to {highest}"
    return f"1 to {highest} s" if highest % _DAY else f"1 s to {format_span(highest)}"


def _hint(problem: Problem) -> str:
    match problem.path[-1], problem.value:
        case "probes", str():
            return " (write the number without quotes)"
        case "probes", int(value) if value == 0 and value is not False:
            return " (0 would cut healthy idle connections)"
        case "time" | "intvl" | "probes", float():
            return " (whole numbers only)"
    return ""


def _table_at(path: Path) -> type[Table]:
    """Give the model of the table at the path."""
    model: type[Table] = PolicyModel
    for key in path:
        if isinstance(key, str):  # a number is a place in a list of tables
            model = cast("type[Table]", table_in(model.model_fields[key]))
    return model


def _field_at(path: Path) -> Key:
    return _table_at(path[:-1]).model_fields[str(path[-1])]


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
