"""Read the bytes of a policy file that only trusted hands can have written."""

import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kad.core.errors import MissingPolicyError, Mistake, PolicyError

_LIMIT = 64 * 1024
# A fifo without a writer must not block, nor a terminal become ours.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_IRREGULAR = "is not a regular file"


class PolicyPath(NamedTuple):
    """An absolute path, symbolic links in it left alone; `named` on the command line or not.

    A file that was named may also belong to the user who called sudo.
    """

    path: str
    named: bool


def read(policy_path: PolicyPath, environ: Mapping[str, str]) -> bytes:
    """Give the content; what was opened is checked, never the name, which may change meanwhile."""
    path = policy_path.path
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise refusal(path, error) from error
    try:
        _check(path, os.fstat(descriptor), _trusted(policy_path, environ))
        return _content(path, descriptor)
    except OSError as error:
        raise refusal(path, error) from error
    finally:
        os.close(descriptor)


def refusal(path: str, error: OSError | ValueError) -> PolicyError:
    """Say why the system, or Python for a NUL in the name, does not let kad at the file."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return MissingPolicyError(Mistake(path, 0, 0, "no such file"))
    if not isinstance(error, OSError):
        return PolicyError(Mistake(path, 0, 0, f"cannot be read: {error}"))
    if error.errno == errno.ENXIO:  # open(2): a socket, or a device without a driver
        return PolicyError(Mistake(path, 0, 0, _IRREGULAR))
    who, hint = "", ""
    if isinstance(error, PermissionError):
        group = _group_name(os.getegid())
        who = f" by user {_user_name(os.geteuid())}"
        closed = _closed_directory(path)
        hint = (
            f" ({closed}: chmod 0755, or chgrp {group} and 2755)"
            if closed
            else (f" (chmod 0644, or chgrp {group} and 0640)")
        )
    return PolicyError(Mistake(path, 0, 0, f"cannot be read{who}: {error.strerror}{hint}"))


def _closed_directory(path: str) -> str | None:
    """Give the first directory on the way that may not be searched."""
    names = os.path.dirname(path).split("/")
    on_the_way = ("/".join(names[: end + 1]) or "/" for end in range(len(names)))
    return next((each for each in on_the_way if not _may_search(each)), None)


def _may_search(directory: str) -> bool:
    return os.access(directory, os.X_OK, effective_ids=True)


def _trusted(policy_path: PolicyPath, environ: Mapping[str, str]) -> set[int]:
    """Give the uids whose files are taken: root, kad itself, whoever named the file by sudo."""
    caller = environ.get("SUDO_UID", "")
    is_uid = caller.isascii() and caller.isdecimal() and len(caller) <= len(str(2**32))
    return {0, os.geteuid()} | ({int(caller)} if policy_path.named and is_uid else set())


def _check(path: str, found: os.stat_result, trusted: set[int]) -> None:
    reasons = tuple(_reasons_against(found, trusted))
    if reasons:
        raise PolicyError(*(Mistake(path, 0, 0, reason) for reason in reasons))


def _reasons_against(found: os.stat_result, trusted: set[int]) -> Iterator[str]:
    if not stat.S_ISREG(found.st_mode):
        yield _IRREGULAR
        return
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = stat.S_IMODE(found.st_mode)
        yield f"is writable by group or others (mode {mode:04o}); fix with chmod go-w"
    if found.st_uid not in trusted:
        takes = " or ".join(_user_name(uid) for uid in sorted(trusted))
        owner = _user_name(found.st_uid)
        yield f"is owned by {owner}, must be owned by {takes}; fix with chown root"
    if found.st_size > _LIMIT:
        yield _too_large()


def _content(path: str, descriptor: int) -> bytes:
    """Read to the end; one byte over the limit is too many, whatever size the file claimed."""
    content = bytearray()
    while chunk := os.read(descriptor, _LIMIT + 1 - len(content)):
        content += chunk
        if len(content) > _LIMIT:
            raise PolicyError(Mistake(path, 0, 0, _too_large()))
    return bytes(content)


def _too_large() -> str:
    return f"is larger than {_LIMIT // 1024} KiB"


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
