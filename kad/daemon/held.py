"""Hold the policy in force while its file comes, goes and is mistaken."""

from collections.abc import Callable, Iterator

from kad.core.errors import MissingPolicyError, PolicyError
from kad.core.events import Event, Kind
from kad.core.policy import Mode, Policy
from kad.core.report import UNDONE, Report
from kad.core.status import PolicyStatus
from kad.daemon.edges import PolicySource
from kad.daemon.source import Loaded


class HeldPolicy:
    """The policy in force, with what is wrong with the file now; there is none before `boot`."""

    def __init__(self, source: PolicySource, utc: Callable[[], str]) -> None:
        self._source = source
        self._utc = utc
        self._loaded: Loaded | None = None
        self._loaded_at = ""
        self._last_good = False
        self._kept = False
        self._new = False
        self.error: PolicyError | None = None

    def boot(self) -> Iterator[Event]:
        """Load at start, or fall back to the last good policy; PolicyError where there is none."""
        try:
            loaded = self._source.load()
        except MissingPolicyError:
            raise
        except PolicyError as error:
            kept = self._source.last_good(error)
            if kept is None:
                raise
            yield from self._reject(error)
            self._last_good = True
            loaded = kept
        self._hold(loaded)

    def load(self) -> Iterator[Event]:
        """Load again; a file that is bad or gone leaves the policy in force."""
        try:
            loaded = self._source.load()
        except PolicyError as error:
            yield from self._reject(error)
            return
        if self.error is not None:
            self.error, self._last_good = None, False
            yield Event(Kind.RECOVERED, f"policy {loaded.file} is valid again")
        self._hold(loaded)

    def _reject(self, error: PolicyError) -> Iterator[Event]:
        known = self.error is not None and self.error.mistakes == error.mistakes
        # Without its stack, which would keep what it stood for alive.
        self.error = error.with_traceback(None)
        if not known:
            text = f"policy rejected, the last good one stays: {error}"
            yield Event(Kind.POLICY_REJECTED, text)

    def _hold(self, loaded: Loaded) -> None:
        before, self._loaded = self._loaded, loaded
        if before is None or before != loaded:
            self._loaded_at, self._kept = self._utc(), False
        if before is None or (before.file, before.policy) != (loaded.file, loaded.policy):
            self._new = True

    def news(self, report: Report) -> Iterator[Event]:
        """Say that a new policy is in force, once a pass has tried it."""
        if self._new:
            self._new = False
            amiss = report.having(UNDONE)
            failed = ", ".join(each.parameter.key for each in amiss)
            but = f"; not set: {failed}" if failed else ""
            kept = " (last good)" if self._last_good else ""
            audit = " (audit)" if self.policy.mode is Mode.AUDIT else ""
            text = f"policy {self.file} in force: {self.policy}{audit}{kept}{but}"
            yield Event(Kind.POLICY_LOADED, text)

    def keep(self) -> None:
        """Keep it as the last good one, once; OSError where it cannot be, to be tried again."""
        if not self._kept:
            self._source.keep(self._held)
            self._kept = True

    @property
    def _held(self) -> Loaded:
        if self._loaded is None:
            raise RuntimeError("no policy was loaded")
        return self._loaded

    @property
    def file(self) -> str:
        """The file that it came from."""
        return self._held.file

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._held.policy

    @property
    def status(self) -> PolicyStatus:
        """What the state file says of it."""
        error = "\n".join(self.error.lines()) if self.error else None
        return PolicyStatus(self.file, self._loaded_at, self._last_good, error)
