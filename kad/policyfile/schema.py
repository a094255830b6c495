"""Describe the policy file as a JSON Schema, which editors complete and check by.

Our own walk over the model: what pydantic writes by itself shows spans as mere numbers, takes null,
loses descriptions and names the bounds differently from one release to the next.
"""

from enum import StrEnum
from typing import cast

from kad.core.policy import UNIT_NAME
from kad.core.spans import PATTERN
from kad.policyfile.model import (
    Key,
    PolicyModel,
    Table,
    bounds,
    is_list,
    is_span,
    is_table,
    lists_units,
    table_in,
)

# Where the packages lay it. The shipped policies name it in full: a policy is copied about,
# and a relative path would lead elsewhere from each place.
LOCATION = "/usr/share/kad/policy.schema.json"
_NAME: dict[str, object] = {"type": "string", "minLength": 1}


def describe() -> dict[str, object]:
    """Give the schema; $ref is not used, as some editors ignore what stands beside it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"file://{LOCATION}",
        "title": "kad policy",
        "description": PolicyModel.__doc__,
        **_table(PolicyModel),
    }


def _table(model: type[Table]) -> dict[str, object]:
    fields = model.model_fields.items()
    required = [name for name, field in fields if field.is_required()]
    return {
        "type": "object",
        "properties": {name: _property(field) for name, field in fields},
        **({"required": required} if required else {}),
        "additionalProperties": False,
        **cast("dict[str, object]", model.model_config.get("json_schema_extra", {})),
    }


def _property(field: Key) -> dict[str, object]:
    described: dict[str, object] = {"description": field.description}
    if is_table(field):
        return described | _table(cast("type[Table]", field.annotation))
    if not field.is_required() and field.default is not None:
        described["default"] = field.default
    if isinstance(field.annotation, type) and issubclass(field.annotation, StrEnum):
        return described | {"enum": [str(each) for each in field.annotation]}
    if is_list(field):
        return described | {"type": "array", "items": _item(field)}
    if field.annotation is str:
        return described | _NAME
    if field.annotation is bool:
        return described | {"type": "boolean"}
    return described | _number(field)


def _item(field: Key) -> dict[str, object]:
    table = table_in(field)
    if table is not None:
        return _table(table)
    return {"type": "string", "pattern": f"^{UNIT_NAME}$"} if lists_units(field) else _NAME


def _number(field: Key) -> dict[str, object]:
    lowest, highest = bounds(field)
    limits: dict[str, object] = {"minimum": lowest, "maximum": highest}
    if is_span(field):
        return {"type": ["integer", "string"], **limits, "pattern": PATTERN}
    return {"type": "integer", **limits}
