"""Follow what another network namespace is called."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kad.daemon.edges import FoundNamespace


class Naming:
    """The names of one namespace, from the first look to the last.

    ip-netns(8)'s is its name while it is there. Its unit may come after it; once it has `grown` a
    unit is asked for no more, as the oldest process may be another one every time, and none
    is asked for again while the processes are the same: thousands take long.
    """

    __slots__ = ("_kept", "_pids")

    def __init__(self) -> None:
        self._kept: str | None = None
        self._pids: tuple[int, ...] = ()

    def name(self, found: "FoundNamespace", *, grown: bool) -> str:
        """Give the name as it is at this look."""
        if found.name is not None:
            return found.name
        kept = self._kept
        if kept is not None and (_is_unit(kept) or found.pids == self._pids):
            return kept
        name = found.own_name()
        if grown:
            self._kept, self._pids = name, found.pids
        return name


def _is_unit(name: str) -> bool:
    return not name.startswith("net:[")
