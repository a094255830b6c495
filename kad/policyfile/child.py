"""Print the verdict on the policy at stdin as JSON, for `validate_in_child`."""

import json
import sys

from kad.core.errors import PolicyError
from kad.policyfile.validating import validate


def main() -> None:
    """Read the policy's bytes; the only argument is the path they came from."""
    print(json.dumps(_verdict(sys.stdin.buffer.read(), sys.argv[1])))  # noqa: T201 - the parent reads it


def _verdict(raw: bytes, path: str) -> dict[str, object]:
    try:
        return {"policy": validate(raw, path).as_json()}
    except PolicyError as error:
        return {"mistakes": [(each.line, each.column, each.text) for each in error.mistakes]}
