"""Load the policy, validating a file only when its bytes have changed."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kad import policyfile
from kad.core.errors import Mistake, PolicyError, UncheckedPolicyError
from kad.core.policy import Policy
from kad.lastgood import LastGood, Saved
from kad.policyfile import PolicyPath


class Loaded(NamedTuple):
    """A valid policy, with the file and the bytes that it came from."""

    file: str
    raw: bytes
    policy: Policy


# StoppedError where it was not waited for.
Validate = Callable[[bytes, str], Policy]


class Source:
    """The policy file as the operator names it, and the last good one kept beside.

    `find` resolves which file it is, each time anew: with none named, the one in /etc/kad may be
    replaced by one with another suffix.
    """

    def __init__(
        self,
        find: Callable[[], PolicyPath],
        validate: Validate,
        environ: Mapping[str, str],
        store: LastGood | None,
    ) -> None:
        self._find = find
        self._validate = validate
        self._environ = environ
        self._store = store
        self._good: Loaded | None = None
        self._bad: tuple[str, bytes] | None = None
        self._mistakes: tuple[Mistake, ...] = ()

    def load(self) -> Loaded:
        """Give the policy of the file as it is now; PolicyError for every way it can be bad."""
        where = self._find()
        raw = policyfile.read(where, self._environ)
        good = self._good or self._validated(where.path)
        if good is not None and (good.file, good.raw) == (where.path, raw):
            self._good = good
        elif self._bad == (where.path, raw):
            raise PolicyError(*self._mistakes)
        else:
            self._good = self._judge(where.path, raw)
        return self._good

    def _judge(self, path: str, raw: bytes) -> Loaded:
        try:
            return Loaded(path, raw, self._validate(raw, path))
        except UncheckedPolicyError:
            raise
        except PolicyError as error:
            self._bad, self._mistakes = (path, raw), error.mistakes
            raise

    def last_good(self, error: PolicyError) -> Loaded | None:
        """Give what was kept for the file that the error is about, when it is bad at start."""
        path = error.mistakes[0].file
        self._good = self._validated(path)
        # A child that gave no verdict is not tried twice: the boot waits.
        if self._good is None and not isinstance(error, UncheckedPolicyError):
            self._good = self._validated_anew(path)
        return self._good

    def _validated(self, path: str) -> Loaded | None:
        """Give what was kept for the file, where this version of kad has validated it."""
        saved = self._saved(path)
        if saved is None or saved.policy is None:
            return None
        return Loaded(path, saved.raw, saved.policy)

    def _validated_anew(self, path: str) -> Loaded | None:
        saved = self._saved(path)
        if saved is None:
            return None
        try:
            return Loaded(path, saved.raw, self._validate(saved.raw, path))
        except PolicyError:
            return None

    def _saved(self, path: str) -> Saved | None:
        saved = self._store.read() if self._store is not None else None
        return saved if saved is not None and saved.file == path else None

    def keep(self, loaded: Loaded) -> None:
        """Keep a policy as the last good one; OSError where it cannot be."""
        content = Saved(loaded.file, loaded.raw, loaded.policy)
        if self._store is not None and content != self._store.read():
            self._store.write(loaded.file, loaded.raw, loaded.policy)
