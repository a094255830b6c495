"""Measure kad.service on booted machines, with TuneD beside it: python tests/bench/boot.py.

As root, on a machine that tests/run has set up. Each release of Debian that kad is for is booted;
its kad has a policy that is unchanged since the start before, its TuneD a profile of the same
values. Both are started, from the kernel's own values, one after the other. "start" is from exec to
READY=1, and to TuneD's name on the bus.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.debian import add_packages
from tests.machine import Booted, base, install

UNITS = ("kad.service", "tuned.service")
POLICY = '[keepalive]\ntime = "2min"\nintvl = "30s"\nprobes = 8\n'
NAMES = {"time": 120, "intvl": 30, "probes": 8}
KERNEL = {"time": 7200, "intvl": 75, "probes": 9}
DEFAULTS = [f"net.ipv4.tcp_keepalive_{name}={value}" for name, value in KERNEL.items()]
PROFILE = "[main]\nsummary=The same values\n[sysctl]\n" + "".join(
    f"net.ipv4.tcp_keepalive_{name}={value}\n" for name, value in NAMES.items()
)
TUNED = """\
mkdir -p /etc/tuned/same /etc/tuned/profiles/same
cat >/etc/tuned/same/tuned.conf
cp /etc/tuned/same/tuned.conf /etc/tuned/profiles/same/
echo same >/etc/tuned/active_profile
echo manual >/etc/tuned/profile_mode
"""


def start_ms(machine: Booted, unit: str) -> float:
    """Give the time from a unit's exec to the moment systemd counts it as started."""
    began = int(machine.show("ExecMainStartTimestampMonotonic", unit))
    ended = int(machine.show("ActiveEnterTimestampMonotonic", unit))
    return (ended - began) / 1000


def memory_mb(machine: Booted, unit: str) -> tuple[float, float]:
    """Give resident and proportional memory of a unit's main process."""
    script = f"grep -E '^(Rss|Pss):' /proc/{machine.show('MainPID', unit)}/smaps_rollup"
    lines = machine.told("sh", "-c", script).splitlines()
    rss, pss = (int(line.split()[1]) / 1024 for line in lines)
    return rss, pss


def exposure(machine: Booted, unit: str) -> str:
    """Give the score of the loaded unit."""
    lines = machine.told("systemd-analyze", "security", "--no-pager", unit).splitlines()
    return lines[-1].split(":")[1].split()[0]


def rows(machine: Booted, runs: int) -> Iterator[str]:
    """Start both again and again, one after the other; give a line for each."""
    taken: dict[str, list[float]] = {unit: [] for unit in UNITS}
    for _ in range(runs):
        for unit in UNITS:
            machine.told("systemctl", "stop", *UNITS)
            machine.told("sysctl", "-qw", *DEFAULTS)
            machine.run("systemctl", "reset-failed", unit)  # so many starts are its limit
            machine.told("systemctl", "start", unit)
            taken[unit].append(start_ms(machine, unit))
    machine.told("systemctl", "start", *UNITS)
    for unit in UNITS:
        times = taken[unit]
        rss, pss = memory_mb(machine, unit)
        yield (
            f"{unit:<14} start {statistics.median(times):6.0f} ms ({min(times):.0f} to "
            f"{max(times):.0f})  RSS {rss:5.1f} MB  PSS {pss:5.1f} MB  "
            f"exposure {exposure(machine, unit)}"
        )
    pairs = zip(*taken.values(), strict=True)
    ratio = statistics.median(kad / tuned for kad, tuned in pairs)
    yield f"start, kad to TuneD, median of {runs} pairs: {ratio:.2f}"


def measure(codename: str, runs: int) -> None:
    """Measure one release, and print what is found."""
    with base(codename) as root, install(root) as installed, Booted(installed) as machine:
        add_packages(installed, "tuned")
        machine.write("/etc/kad/policy.toml", POLICY)
        machine.boot()
        machine.told("sh", "-c", TUNED, stdin=PROFILE)
        print(f"\n{codename}, {machine.told('systemctl', '--version').splitlines()[0]}")
        for row in rows(machine, runs):
            print(row, flush=True)
        print(machine.told("systemd-analyze", "critical-chain", "--no-pager", "kad.service"))
        print(machine.told("systemctl", "status", "--no-pager", "--full", "kad.service"))


def main() -> None:
    """Measure each release."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11, help="starts of each (11)")
    options = parser.parse_args()
    for codename in ("bookworm", "trixie"):
        measure(codename, options.runs)


if __name__ == "__main__":
    main()
