"""Describe the policy file as a JSON Schema, which editors complete and check by.

Our own walk over the model: what pydantic writes by itself shows spans as mere numbers, takes null,
loses descriptions and names the bounds differently from one release to the next.
"""

from enum import StrEnum
from typing import cast

from kad.core.spans import PATTERN
from kad.policyfile.model import Key, PolicyModel, Table, bounds, is_span, is_table

# Where the packages lay it. The shipped policies name it in full: a policy is copied about,
# and a relative path would lead elsewhere from each place.
LOCATION = "/usr/share/kad/policy.schema.json"


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
    if field.default is not None:
        described["default"] = field.default
    if isinstance(field.annotation, type) and issubclass(field.annotation, StrEnum):
        return described | {"enum": [str(each) for each in field.annotation]}
    return described | _number(field)


def _number(field: Key) -> dict[str, object]:
    lowest, highest = bounds(field)
    limits: dict[str, object] = {"minimum": lowest, "maximum": highest}
    if is_span(field):
        return {"type": ["integer", "string"], **limits, "pattern": PATTERN}
    return {"type": "integer", **limits}
