"""Hold the namespaces that kad has met, for as long as each is there."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from kad.core.report import Report
from kad.daemon.edges import NamespaceFinder, NamespaceMemory
from kad.daemon.other import Other

if TYPE_CHECKING:
    from kad.core.namespaces import Known


class Population:
    """The other namespaces by inode, in the order in which they were met.

    `gone` counts those that turned out to be there no more.
    """

    def __init__(self, finder: NamespaceFinder, memory: NamespaceMemory) -> None:
        self._finder = finder
        self._memory = memory
        self._others: dict[int, Other] = {}
        self.gone = 0

    def __len__(self) -> int:
        return len(self._others)

    def __contains__(self, inode: int) -> bool:
        return inode in self._others

    def __iter__(self) -> Iterator[Other]:
        return iter(self._others.values())

    def get(self, inode: int) -> Other | None:
        """Give the one that has the inode; None where none is known."""
        return self._others.get(inode)

    def add(self, other: Other) -> None:
        """Look after it from now on."""
        self._others[other.inode] = other

    def each(self, do: Callable[[Other], object], others: Iterable[Other] | None = None) -> None:
        """Do something with each, and let go of those that turn out to have gone."""
        gone: dict[int, Known | None] = {}
        for other in list(self if others is None else others):
            try:
                do(other)
            except FileNotFoundError:
                self._finder.drop(other.inode)
                del self._others[other.inode]
                gone[other.kernel.cookie] = None
            except OSError:
                continue  # no matter of the others'; what cannot be read is told by its own pass
        if gone:
            self.gone += len(gone)
            self._memory.keep(gone)

    def keep(self, others: Iterable[Other]) -> None:
        """Remember what is known of those that are still there."""
        there = (other for other in others if self.get(other.inode) is other)
        self._memory.keep({other.kernel.cookie: other.known for other in there})

    def put_back(self, others: Iterable[Other]) -> list[tuple[Other, Report]]:
        """Set what kad found; what of kad's is there all the same stays remembered."""
        done: list[tuple[Other, Report]] = []
        self.each(lambda other: done.append((other, other.put_back())), list(others))
        self._memory.keep({other.kernel.cookie: other.left for other, _ in done})
        return done

    def clear(self) -> None:
        """Look after none from now on."""
        for inode in self._others:
            self._finder.drop(inode)
        self._others = {}
