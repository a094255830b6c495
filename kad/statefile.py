"""Keep the state file that `kad status` and scripts read."""

import os
from contextlib import suppress

from kad.atomic import read_json, write_json
from kad.core.status import Status


class StateFile:
    """`status.json` in the runtime directory."""

    def __init__(self, directory: str) -> None:
        self.path = f"{directory}/status.json"

    def write(self, status: Status) -> None:
        """Replace it; OSError leaves the one before."""
        write_json(self.path, status.as_json(), mode=0o644)

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
