"""Measure kad beside TuneD, systemd-sysctl and sysctl --system, as root: tests/bench/peers.py.

On a machine that tests/run has set up. Each release of Debian that kad is for is booted, with kad
and the release's own TuneD, and all are measured there in turn, so that noise meets each alike: the
numbers of one turn are a pair. Printed are medians and, in brackets, where nine in ten samples lie;
and the ratios of the pairs. What is measured is scheduled ahead of all else that this machine does,
which on one that is busy gives much the numbers that it has when it is quiet.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kad import __version__
from tests.bench.sizes import sizes_mb
from tests.bench.table import notes, table, verdicts
from tests.debian import add_packages
from tests.machine import ENVIRONMENT, Booted, base, install

RELEASES = {"bookworm": 12, "trixie": 13}


@contextmanager
def ahead_of_all() -> Iterator[None]:
    """Run in real time; so does what is started meanwhile."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    yield
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@contextmanager
def booted(codename: str) -> Iterator[Booted]:
    """Give a machine that runs, with kad and TuneD installed."""
    with base(codename) as root, install(root) as installed:
        add_packages(installed, "tuned")
        with Booted(installed) as machine, ahead_of_all():
            machine.boot()
            yield machine


def measured(machine: Booted, options: argparse.Namespace) -> dict[str, Any]:
    """Run the measurements inside, which tell on stderr how far they are."""
    counts = (options.runs, options.rounds, options.changes, options.idle)
    script = ("/usr/bin/python3", "-B", "-m", "tests.bench.inside", *counts)
    command = machine.inside("/usr/bin/env", "-C", "/checkout", *script)
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def processor() -> str:
    """Name this machine."""
    models = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("model name\t: ")[1:]
    name = models[0].splitlines()[0] if models else platform.machine()
    return (
        f"{name}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, Linux {os.uname().release}"
    )


def report(codename: str, options: argparse.Namespace) -> Iterator[str]:
    """Measure one release, and give what there is to say."""
    load = processor()
    with booted(codename) as machine:
        found = measured(machine, options)
    found["rows"]["size"] = sizes_mb(codename)
    versions = f"Debian {RELEASES[codename]}, kad {__version__}, {found['versions']}"
    yield f"{versions}; {load}; {options.runs} starts, {options.rounds} lives of ten edits each:\n"
    yield from table(found["rows"])
    yield ""
    yield from (f"* {line}" for line in (*notes(found["rows"]), *verdicts(found["rows"])))


def main() -> None:
    """Measure each release."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11, help="starts of each (11)")
    parser.add_argument("--rounds", type=int, default=3, help="lives of a daemon at rest (3)")
    parser.add_argument("--changes", type=int, default=105, help="foreign writes (105)")
    parser.add_argument("--idle", type=int, default=30, help="idle seconds in each life (30)")
    parser.add_argument("--release", choices=RELEASES, action="append", help="only this one")
    options = parser.parse_args()
    for codename in options.release or RELEASES:
        for line in report(codename, options):
            print(line, flush=True)


if __name__ == "__main__":
    main()
