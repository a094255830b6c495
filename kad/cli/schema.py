"""Print the JSON Schema of the policy file."""

import argparse
import json

from kad.policyfile.schema import describe


def schema(_: argparse.Namespace) -> int:
    """Print it; there is nothing that could be wrong with it."""
    print(json.dumps(describe(), indent=2))
    return 0
