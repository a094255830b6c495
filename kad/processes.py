"""Read what proc(5) tells of a process."""


def cgroups_of(pid: int | str) -> str:
    """Give proc_pid_cgroup(5) as it is: a group's name may hold any byte but a newline.

    FileNotFoundError or ProcessLookupError where it has ended.
    """
    path = f"/proc/{pid}/cgroup"
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return file.read()
