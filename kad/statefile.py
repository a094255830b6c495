"""Keep the state file that `kad status` and scripts read."""

import os
from contextlib import suppress

from kad.atomic import read_json, write_json
from kad.core.status import Status


class StateFile:
    """`status.json` in the runtime directory."""

    def __init__(self, directory: str) -> None:
        self.path = f"{directory}/status.json"
        self._written: object = None

    def write(self, status: Status) -> None:
        """Replace it, or take it away, as it would tell what is no longer so; OSError."""
        self._written = None
        try:
            write_json(self.path, status.as_json(), mode=0o644)
        except OSError:
            self.remove()
            # On a full filesystem the one that is gone may have made room.
            write_json(self.path, status.as_json(), mode=0o644)
        self._written = self._there()

    def intact(self) -> bool:
        """Tell whether it is the file that was written last, untouched since."""
        return self._written is not None and self._written == self._there()

    def _there(self) -> object:
        try:
            there = os.stat(self.path)
        except OSError:
            return None
        return there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns

    def read(self) -> Status | None:
        """Give its content, None where there is none that this kad understands."""
        try:
            return Status.from_json(read_json(self.path))
        except (OSError, ValueError):
            return None

    def remove(self) -> None:
        """Take it away: a daemon that has ended has no state."""
        with suppress(OSError):
            os.unlink(self.path)
