"""Replace a file so that a reader, or the next start after a crash, sees the old or the new one."""

import json
import os
from contextlib import suppress


def write_json(
    path: str, content: object, *, mode: int, durable: bool = False, indent: int | None = 1
) -> None:
    """Write JSON to `path` with exactly `mode`, whatever the umask; OSError loses nothing.

    `durable` makes it survive a power cut, at the cost of waiting for the disk; `indent` is None
    where there is much, and nobody to read it.
    """
    text = json.dumps(content, indent=indent) + "\n"
    # One name, not a fresh one each time: what a crash leaves behind is overwritten, not piled up.
    aside = f"{path}.new"
    with suppress(FileNotFoundError):
        os.unlink(aside)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(aside, flags, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(aside)
        raise OSError(error.errno, error.strerror, path) from error


def read_json(path: str) -> object:
    """Read JSON; ValueError where it is none, cut short for instance, and OSError."""
    with open(path, encoding="utf-8") as file:
        try:
            return json.load(file)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
