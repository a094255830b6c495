"""Measure every program on the machine that this runs on, in turn, and print the samples as JSON.

Only for a machine that tests/bench/peers.py booted: it has the system's own python, and services
that may be stopped.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import strangers, units
from tests.bench.kernel import WANTED, Kernel, Values
from tests.bench.rivals import (
    COLD,
    KAD,
    PROCPS,
    PYTHON,
    SYSTEMD,
    TUNED,
    Rival,
    edit_ms,
    forget,
    set_up,
    start_ms,
)

Samples = Iterator[tuple[str, str, float]]  # row, program, value

DAEMONS = (KAD, TUNED)
STARTED = (COLD, *DAEMONS, SYSTEMD, PROCPS, PYTHON)
EDITS = 10
# After a start, until all that it set off has ended.
SETTLED_S = 5.0
APART_S = 0.5
STRANGERS = {"fight": strangers.write_back, "blind": strangers.write_blindly}


def progress(text: str) -> None:
    """Say on stderr how far it is."""
    print(f"  {text}", file=sys.stderr, flush=True)


def bare_starts(kernel: Kernel, runs: int) -> Samples:
    """Start the programs themselves, kad once with nothing that it kept, and once with that."""
    units.stop_all()
    for _ in range(runs):
        for rival in STARTED:
            if rival is COLD:
                forget()
            yield "start", rival.name, start_ms(kernel, rival)


def unit_starts(kernel: Kernel, runs: int) -> Samples:
    """Start the services."""
    units.give_sandbox()
    for run in range(-1, runs):
        for rival in DAEMONS:
            values, active = units.start_ms(kernel, rival.unit)
            if run >= 0:
                yield "unit values", rival.name, values
                yield "unit active", rival.name, active
        yield "sandbox", KAD.name, units.sandbox_ms()


def other(turn: int) -> Values:
    """Give values for one of several edits; those of the last one are WANTED."""
    return WANTED if turn + 1 == EDITS else (60 + turn % 2, 20, 6)


def edits(kernel: Kernel, rival: Rival) -> Samples:
    """Edit the configuration of a program again and again."""
    for turn in range(EDITS):
        time.sleep(APART_S)
        units.forget_starts()
        yield "edit", rival.name, edit_ms(kernel, rival, other(turn))


def memory(name: str, rival: Rival) -> Samples:
    """Look at a daemon's memory once it is at rest."""
    time.sleep(SETTLED_S)
    rss, pss = units.Process(rival.unit).memory_mb()
    yield f"rss {name}", rival.name, rss
    yield f"pss {name}", rival.name, pss


def reloads(runs: int) -> Samples:
    """Have kad read its policy by command, as it stands."""
    for _ in range(runs):
        began = time.monotonic()
        units.systemctl("reload", KAD.unit)
        yield "reload", KAD.name, (time.monotonic() - began) * 1000
        time.sleep(APART_S)


def lives(kernel: Kernel, rounds: int, idle: float) -> Samples:
    """Follow each daemon through a start, rest and edits."""
    for turn in range(rounds * len(DAEMONS)):
        rival = DAEMONS[turn % len(DAEMONS)]
        units.start(kernel, rival.unit)
        yield from memory("start", rival)
        wakeups, cpu = units.Process(rival.unit).at_rest(idle)
        yield "wakeups", rival.name, wakeups
        yield "cpu", rival.name, cpu
        yield from edits(kernel, rival)
        yield from memory("edits", rival)
    units.stop_all()
    for rival in (SYSTEMD, PROCPS):
        with rival.told(WANTED):
            yield from edits(kernel, rival)


def drift(kernel: Kernel, runs: int) -> Samples:
    """Have a stranger write."""
    yield from (("drift", KAD.name, each) for each in strangers.restored_ms(kernel, runs))
    yield "drift", TUNED.name, strangers.left_ms(kernel, TUNED)
    for name, stranger in STRANGERS.items():
        yield name, KAD.name, strangers.cpu_during(kernel, stranger)
    units.stop_all()


def passes() -> Samples:
    """Have kad's own python, in which kad is installed, run the pass."""
    script = Path(__file__).with_name("onepass.py")
    command = ("/opt/kad/current/bin/python", "-I", str(script))
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    yield from (("pass", KAD.name, each) for each in json.loads(done.stdout))


def versions() -> str:
    """Name what is measured."""
    commands = (("tuned-adm", "--version"), ("systemctl", "--version"), ("python3", "--version"))
    lines = [subprocess.check_output(each, text=True).splitlines()[0] for each in commands]
    tuned, systemd, python = (line.split() for line in lines)
    return f"TuneD {tuned[-1]}, systemd {systemd[1]}, Python {python[1]}"


def samples(runs: int, rounds: int, changes: int, idle: float) -> Samples:
    """Measure all."""
    kernel = Kernel()
    set_up()
    progress("starts of the programs")
    yield from bare_starts(kernel, runs)
    for rival in DAEMONS:
        rival.save(WANTED)
    progress("starts of the services")
    yield from unit_starts(kernel, runs)
    units.start(kernel, KAD.unit)
    yield from reloads(runs)
    progress("memory, wakeups, edits")
    yield from lives(kernel, rounds, idle)
    progress("drift and fights")
    yield from drift(kernel, changes)
    yield from passes()


def main() -> None:
    """Take the counts from the command line."""
    runs, rounds, changes, idle = map(int, sys.argv[1:])
    rows: dict[str, dict[str, list[float]]] = {}
    for row, name, value in samples(runs, rounds, changes, idle):
        rows.setdefault(row, {}).setdefault(name, []).append(value)
    print(json.dumps({"versions": versions(), "rows": rows}))


if __name__ == "__main__":
    main()
