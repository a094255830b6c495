"""Find and load the policy that a command is given."""

import os

from kad import policyfile
from kad.core.policy import Policy


def named_policy(option: str | None) -> str | None:
    """Give the path that the caller names."""
    return option or os.environ.get("KAD_POLICY")


def load(argument: str | None, option: str | None) -> tuple[str, Policy]:
    """Give the policy file's path and its policy."""
    where = policyfile.find(argument, option, os.environ)
    return where.path, policyfile.validate(policyfile.read(where, os.environ), where.path)
