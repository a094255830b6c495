"""Say where kad keeps what it writes."""

from collections.abc import Mapping


def runtime_directory(environ: Mapping[str, str], private: int | None) -> str:
    """Give the directory of the lock and the state file; it may not exist.

    `private` is the inode of kad's network namespace where that is not PID 1's, else None.
    """
    named = _first(environ.get("RUNTIME_DIRECTORY"))
    if named:
        return named
    return "/run/kad" if private is None else f"/run/kad/net-{private}"


def state_directory(environ: Mapping[str, str], private: int | None) -> str | None:
    """Give the directory of the last good policy; None in a namespace that will not come again."""
    named = _first(environ.get("STATE_DIRECTORY"))
    if named:
        return named
    return "/var/lib/kad" if private is None else None


def _first(paths: str | None) -> str | None:
    """Give the first of systemd.exec(5)'s colon-separated directories."""
    return paths.split(":")[0] if paths else None
