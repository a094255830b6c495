"""Print the JSON Schema of the policy file."""

import json

from kad.policyfile.schema import describe


def schema() -> int:
    """Print it; there is nothing that could be wrong with it."""
    print(json.dumps(describe(), indent=2))
    return 0
