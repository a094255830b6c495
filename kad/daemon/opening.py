"""Open the other network namespaces part by part, and tell of those that cannot be opened."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from kad.core.namespaces import Namespaces
from kad.core.parameters import Parameter
from kad.core.report import State
from kad.core.status import NamespaceStatus, ParameterStatus
from kad.core.summary import and_more
from kad.daemon.attempts import Attempts
from kad.daemon.edges import FoundNamespace, NamespaceFinder, NamespaceKernel

# Thousands take seconds, in which nothing else is heard: a stop, a drift, the service watchdog.
AT_ONCE = 200
_OPEN = "open all network namespaces"

Begin = Callable[[FoundNamespace, NamespaceKernel], OSError | None]


class _Failure(NamedTuple):
    """The name of one that could not be opened, why, and since when if that was seen."""

    name: str
    error: OSError
    since: float | None


class Opening:
    """Those that could not be opened, or not be read, with the name and why.

    `closed` are those of them that the policy does not exclude.
    """

    def __init__(self, finder: NamespaceFinder, attempts: Attempts) -> None:
        self._finder = finder
        self._attempts = attempts
        self._failed: dict[int, _Failure] = {}
        self.closed: Mapping[int, _Failure] = {}

    def open(self, new: Iterable[FoundNamespace], begin: Begin, since: float | None) -> bool:
        """Open a part and `begin` each; tell whether the next part is to follow at once.

        New ones appeared by `since`, None where that is not known. What failed comes last, the
        longest ago first, and holds up nothing that is new.
        """
        turns = {inode: turn for turn, inode in enumerate(self._failed)}
        waiting = sorted(new, key=lambda each: turns.get(each.inode, -1))
        part, rest = {each.inode: each for each in waiting[:AT_ONCE]}, waiting[AT_ONCE:]
        opened = dict(self._finder.open(part.values()))
        errors: dict[int, OSError | None] = {}
        try:
            for inode in tuple(opened):
                kernel = opened.pop(inode)
                if isinstance(kernel, OSError):
                    errors[inode] = kernel
                else:
                    errors[inode] = begin(part[inode], kernel)
        finally:  # out of memory, for one: what was not begun is not kept open
            for inode, kernel in opened.items():
                if not isinstance(kernel, OSError):
                    self._finder.drop(inode)
        failed = {inode: error for inode, error in errors.items() if error is not None}
        follows = any(each.inode not in turns for each in rest) or len(failed) < len(errors)
        self._failed = {
            **{each.inode: self._failed[each.inode] for each in rest if each.inode in turns},
            **{
                inode: _Failure(part[inode].own_name(), error, self._since(inode, since))
                for inode, error in failed.items()
            },
        }
        return bool(rest) and follows

    def _since(self, inode: int, now: float | None) -> float | None:
        return self._failed[inode].since if inode in self._failed else now

    def failed_first_at(self, inode: int) -> float | None:
        """Say when it was first seen, though not opened; None where it may be older."""
        return self._failed[inode].since

    def has_failed(self, inode: int) -> bool:
        """Whether it could not be opened at an earlier look."""
        return inode in self._failed

    def tell(self, rules: Namespaces) -> bool:
        """Say once which are closed; tell whether they are others than before."""
        before = self.closed.keys()
        self.closed = {
            inode: told for inode, told in self._failed.items() if not rules.excludes(told.name)
        }
        self._attempts.note(_OPEN, self._why())
        return self.closed.keys() != before

    @property
    def trouble(self) -> str | None:
        """Say that some are closed; None where none is."""
        why = self._why()
        return None if why is None else f"cannot open {why}"

    def _why(self) -> str | None:
        """Name one of those that are closed, the same each time, and why; None where none is."""
        if not self.closed:
            return None
        name, error, _ = self.closed[min(self.closed)]
        return f"{name}: {error.strerror}{and_more(self.closed)}"

    def forget(self) -> None:
        """Let go of all without a word."""
        self._failed, self.closed = {}, {}
        self._attempts.forget(_OPEN)

    def statuses(self) -> Iterator[NamespaceStatus]:
        """Give each as the state file has it."""
        for inode, (name, error, _) in self.closed.items():
            values = {each: ParameterStatus(None, None, State.FAILED) for each in Parameter}
            status = NamespaceStatus(name, inode, managed=True, parameters=values)
            yield status._replace(reason=error.strerror)
