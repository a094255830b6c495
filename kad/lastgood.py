"""Keep the last good policy, beside the bytes it came from, across restarts."""

import errno
from typing import NamedTuple

from kad import __version__
from kad.atomic import read_json, write_json
from kad.core.policy import Policy
from kad.core.shape import take

VERSION = 1


class Saved(NamedTuple):
    """A policy with the file and the raw bytes that it was validated from.

    `policy` is None where another version of kad validated it, perhaps by other rules.
    """

    file: str
    raw: bytes
    policy: Policy | None


class _Kept(NamedTuple):
    """What the file holds; what the policy holds is for the version that wrote it to say."""

    version: int
    kad: str
    namespace: str
    file: str
    raw: str
    policy: object


class LastGood:
    """`policy.json` in the state directory; `namespace` is the key of the one it belongs to."""

    def __init__(self, directory: str, namespace: str) -> None:
        self.path = f"{directory}/policy.json"
        self._namespace = namespace

    def read(self) -> Saved | None:
        """Give what was saved; None where there is nothing usable."""
        try:
            return self._understand(read_json(self.path))
        except (OSError, ValueError):
            return None

    def _understand(self, plain: object) -> Saved | None:
        kept = take(_Kept, plain)
        if (kept.version, kept.namespace) != (VERSION, self._namespace):
            return None
        policy = Policy.from_json(kept.policy) if kept.kad == __version__ else None
        return Saved(kept.file, kept.raw.encode(), policy)

    def write(self, file: str, raw: bytes, policy: Policy) -> None:
        """Replace it; OSError leaves the one before. A policy file is UTF-8, so text holds it.

        Without a directory, or on a read-only filesystem, there is no last good policy: no error.
        """
        content = {
            "version": VERSION,
            "kad": __version__,
            "namespace": self._namespace,
            "file": file,
            "raw": raw.decode(),
            "policy": policy.as_json(),
        }
        try:
            write_json(self.path, content, mode=0o600, durable=True)
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.EROFS}:
                raise
