"""Turn the policy file into a policy."""

from kad.policyfile.apart import validate_in_child
from kad.policyfile.finding import candidates, find
from kad.policyfile.opening import PolicyPath, read
from kad.policyfile.validating import validate

__all__ = ["PolicyPath", "candidates", "find", "read", "validate", "validate_in_child"]
