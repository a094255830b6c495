"""Print the policy as others understand it."""

import argparse

from kad.cli.policies import load
from kad.core.exporting import FORMATS


def export(arguments: argparse.Namespace) -> int:
    """Print the policy's values; PolicyError tells all its mistakes."""
    path, policy = load(None, arguments.policy)
    print(FORMATS[arguments.to](path, policy.values), end="")
    return 0
