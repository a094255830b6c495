"""Say which limit of inotify was reached: the kernel's own words mislead."""

import errno

_REACHED = {
    # inotify_add_watch(2) says ENOSPC for its limit, which reads like a full disk.
    errno.ENOSPC: "no inotify watch left, see fs.inotify.max_user_watches",
    errno.EMFILE: "no inotify instance left, see fs.inotify.max_user_instances",
}


def inotify_words(number: int) -> str | None:
    """Give the words for an errno that means a limit, None for another."""
    return _REACHED.get(number)
