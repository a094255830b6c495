"""Say which file holds the policy."""

import os
from collections.abc import Mapping

from kad.core.errors import MissingPolicyError, Mistake, PolicyError, UsageError
from kad.policyfile.opening import PolicyPath, refusal

_NAMES = ("policy.toml", "policy.yaml", "policy.yml")
_SUFFIXES = (".toml", ".yaml", ".yml")


def find(
    argument: str | None,
    option: str | None,
    environ: Mapping[str, str],
    directory: str = "/etc/kad",
) -> PolicyPath:
    """Choose by argument, option, $KAD_POLICY, directory, in this order."""
    if argument is not None and option is not None:
        raise UsageError("two policies given, as an argument and with --policy: give only one")
    given = argument if argument is not None else option
    if given is not None:
        return PolicyPath(_usable(given), named=True)
    path = environ.get("KAD_POLICY") or _only_one_in(directory)
    return PolicyPath(_usable(path), named=False)


def _usable(path: str) -> str:
    if not path.endswith(_SUFFIXES):
        why = "the name of a policy file must end in .toml, .yaml or .yml"
        raise PolicyError(Mistake(path, 0, 0, why))
    try:
        return os.path.abspath(path)
    except OSError as error:  # a relative path, and the current directory is gone
        raise refusal(path, error) from error


def _only_one_in(directory: str) -> str:
    there = [name for name in _NAMES if _exists(os.path.join(directory, name))]
    if len(there) > 1:
        why = f"more than one policy file: {', '.join(there)}; keep only one"
        raise PolicyError(Mistake(directory, 0, 0, why))
    if not there:
        why = "no such file, and no policy.yaml or policy.yml next to it"
        raise MissingPolicyError(Mistake(os.path.join(directory, _NAMES[0]), 0, 0, why))
    return os.path.join(directory, there[0])


def _exists(path: str) -> bool:
    """Tell whether the name is taken; a symbolic link to nothing takes it too."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:  # a directory that may not be searched is no absent policy
        raise refusal(path, error) from error
    return True


def candidates(
    option: str | None, environ: Mapping[str, str], directory: str = "/etc/kad"
) -> tuple[str, ...]:
    """Give every path under which `find` may find the policy, for a watch."""
    given = option if option is not None else environ.get("KAD_POLICY")
    if given:
        return (_usable(given),)
    return tuple(os.path.join(directory, name) for name in _NAMES)
