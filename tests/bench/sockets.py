"""Measure the audit of connections beside `ss -tno`, as root.

The connections lie within a network namespace of their own, in a control group that looks like a
unit, held by as many processes as the limit of open files makes necessary.
"""

import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from kad.procfs import Procfs
from kad.sockets.cgroups import Cgroups
from kad.sockets.diag import open_diag
from kad.sockets.survey import Bounds, survey
from tests.units import unit

RUNS = 7
SIZES = (1_000, 10_000, 100_000)
PAIRS = 8_000  # that one process holds: a listener has 28,000 ports of a peer to accept from
_IN_NAMESPACE = "--in-namespace"


def hold(pairs: int, address: str) -> None:
    """Make a process that holds connections to itself until this one ends."""
    ready, done = os.pipe()
    if os.fork():
        os.close(done)
        os.read(ready, 1)
        os.close(ready)
        return
    listener = socket.create_server((address, 0), backlog=4096)
    kept = []
    for _ in range(pairs):
        kept.append(socket.create_connection(listener.getsockname()))
        kept.append(listener.accept()[0])
    os.write(done, b"x")
    signal.pause()  # the end of the namespace is its end


def made(size: int) -> None:
    """Make so many sockets that are connected."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    left = size // 2
    for number in range(1, 100):
        if left:
            hold(min(left, PAIRS), f"127.0.0.{number}")
            left -= min(left, PAIRS)


def took(action: Callable[[], object]) -> float:
    """Give the median of some runs, in milliseconds."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def run(*command: str) -> None:
    """Run a command, what it prints aside."""
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def audit() -> None:
    """Take the audit once, with nothing remembered."""
    with open_diag() as diag:
        found = survey(diag, Bounds(7200, Procfs().read, loopback=True), Cgroups())
    assert found.groups


def measure(size: int) -> None:
    """Print one row."""
    made(size)
    kad = (sys.executable, "-m", "kad", "sockets", "--loopback")
    ss = took(lambda: run("ss", "-tno"))
    own, command = took(audit), took(lambda: run(*kad))
    print(
        f"| {size:>7,} | {ss:>6.0f} | {own:>6.0f} | {own / ss:>5.1f} | {command:>6.0f} |",
        flush=True,
    )


def main(arguments: Sequence[str]) -> None:
    """Print the table, each row from a namespace of its own."""
    if arguments[:1] == [_IN_NAMESPACE]:
        measure(int(arguments[1]))
        return
    print("| sockets | ss -tno | kad's audit | to ss | kad sockets |  (ms)", flush=True)
    for size in SIZES:
        with unit("bench.service") as group:
            enter = ["sh", "-c", 'echo 0 > "$0/cgroup.procs" && exec "$@"', str(group)]
            space = ["unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
            again = [sys.executable, __file__, _IN_NAMESPACE, str(size)]
            subprocess.run([*enter, *space, *again], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
