"""Measure what looking after many network namespaces costs: as root, in namespaces of its own.

Each is mounted, as docker's are, and 2000 processes are spread over them. Times are the least of
several, as the machine may have other work to do.
"""

import argparse
import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import count

from kad.core.events import Event, Priority
from kad.core.namespaces import Namespaces, Scope
from kad.core.parameters import Parameter
from kad.core.policy import Mode, Policy
from kad.core.report import Report, State
from kad.core.status import PolicyStatus, Status, namespace_status
from kad.daemon.attempts import Attempts
from kad.daemon.others import Others
from kad.namespaces.entering import NamespaceFiles, enter
from kad.namespaces.finding import Found, find
from kad.namespaces.memory import Memory
from kad.statefile import StateFile
from kad.writes import Writes

CLONE_NEWNET, MS_BIND = 0x40000000, 0x1000
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROCESSES = 2000
RUNS = 9
UNSHARE = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")
libc = ctypes.CDLL(None, use_errno=True)


class Finder:
    """The daemon's, less what tells it of new ones."""

    def __init__(self) -> None:
        self._own = os.stat("/proc/self/ns/net").st_ino
        self.files: list[NamespaceFiles] = []

    def ready(self) -> None:
        """Be it."""

    def rest(self) -> None:
        """Be it."""

    def find(self) -> Mapping[int, Found]:
        """Give all but its own."""
        found = find()
        del found[self._own]
        return found

    def open(self, found: Iterable[Found]) -> Mapping[int, NamespaceFiles | OSError]:
        """Enter each."""
        opened = enter(found)
        self.files += (each for each in opened.values() if isinstance(each, NamespaceFiles))
        return opened

    def drop(self, _: int) -> None:
        """None goes while this measures."""

    def leave(self, _: Iterable[int]) -> None:
        """None is excluded."""

    def held(self) -> dict[tuple[int, Parameter], int]:
        """Give what is to be watched."""
        return {
            (each.cookie, name): file for each in self.files for name, file in each.held.items()
        }


def checked(result: int) -> None:
    """Stop where the kernel refused."""
    if result:
        sys.exit(os.strerror(ctypes.get_errno()))


def make(number: int) -> None:
    """Make namespaces, each with a mount and its share of the processes; end outside of them."""
    checked(libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, None))
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    for each in range(number):
        checked(libc.unshare(CLONE_NEWNET))
        path = f"/run/{each}".encode()
        os.close(os.open(path, os.O_CREAT))
        checked(libc.mount(b"/proc/self/ns/net", path, None, MS_BIND, None))
        for _ in range(each, PROCESSES, number):
            if not os.fork():
                signal.pause()
    checked(libc.setns(home, CLONE_NEWNET))


class Complaints:
    """Stops where not all is well."""

    def event(self, event: Event, **_: str) -> None:
        """Stop with it."""
        sys.exit(event.message)

    def say(self, _: Priority, message: str) -> None:
        """Stop with it."""
        sys.exit(message)


def policy(seconds: int) -> Policy:
    """Give a policy for all."""
    values = {Parameter.TIME: seconds, Parameter.INTVL: 30, Parameter.PROBES: 8}
    return Policy(values=values, namespaces=Namespaces(scope=Scope.ALL))


def took(do: Callable[[], object]) -> float:
    """Give the milliseconds."""
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def least(do: Callable[[], object]) -> float:
    """Give the milliseconds of the quickest of several runs."""
    return min(took(do) for _ in range(RUNS))


def resident() -> int:
    """Give this process's memory in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def status(others: Others) -> Status:
    """Give what the daemon writes to its state file."""
    own = namespace_status(Report({}), 1)
    file = PolicyStatus("/etc/kad/policy.toml")
    return Status(State.IN_FORCE, Mode.ENFORCE, file, (own, *others.statuses()))


def meet_all(others: Others, first: Policy) -> None:
    """Look until there is none that was not seen."""
    others.run(first, 0.0, look=True)
    while others.more:
        others.run(first, 0.0, look=True)


def measure(number: int) -> None:
    """Print one line of the table."""
    make(number)
    directory = tempfile.mkdtemp(dir="/run")
    finder, seconds = Finder(), count(100)
    finding = least(finder.find)
    others = Others(finder, Memory([directory], "boot"), Attempts(Complaints()))
    enter(())  # what a first thread costs is not each namespace's
    before = resident()
    first = policy(next(seconds))
    opening = took(lambda: meet_all(others, first))
    watching = took(Writes(finder.held, lambda *_: None).refresh)
    memory = (resident() - before) / number / 1024
    check = least(lambda: others.run(first, 0.0, look=False))
    timer = least(lambda: others.run(first, 0.0, look=True))
    new = least(lambda: others.run(policy(next(seconds)), 0.0, look=False))
    state = StateFile(directory)
    shown = least(lambda: state.write(status(others)))
    times = (finding, opening, watching, check, timer, new, shown)
    print(f"{number:10}", *(f"{each:9.1f}" for each in times), f"{memory:9.1f}")


def main() -> None:
    """Print the table, or the line of it that the process was started for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, default=[10, 100, 1000, 5000])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        measure(*options.numbers)
        return
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(
        "namespaces   find ms   open ms  watch ms  check ms  timer ms policy ms  state ms  kB each",
        flush=True,
    )
    for number in options.numbers:
        command = [*UNSHARE, sys.executable, __file__, "--inside", str(number)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": ROOT})


if __name__ == "__main__":
    main()
