"""What an installation takes, beyond a Debian with python3 and no more."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tests.debian import Machine, machine_on
from tests.machine import MEMORY
from tests.package import debian, package

DEB = "/kad.deb"
# It answers its own question with no, and tells the size all the same.
ASK = "apt-get install --assume-no --no-install-recommends {} 2>&1 || true"
UNITS = {"B": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


@contextmanager
def small_machine(codename: str) -> Iterator[Machine]:
    """Give a machine that has python3 and no more, with kad's package at hand."""
    with debian(codename) as root, machine_on(root, directory=MEMORY) as machine:
        shutil.copy(package(codename), machine.layers[0] / DEB[1:])
        yield machine


def sizes_mb(codename: str) -> dict[str, list[float]]:
    """Give what apt says it would take, with all that is needed and nothing that is recommended."""
    with small_machine(codename) as machine:
        script = "; echo; ".join(["apt-get update -qq", ASK.format(DEB), ASK.format("tuned")])
        told = machine.sh(script, online=True).stdout
    found = re.findall(r"After this operation, ([\d.,]+) (k?B|MB|GB) of additional", told)
    if len(found) != len(("kad", "TuneD")):
        raise RuntimeError(told)
    kad, tuned = (float(number.replace(",", "")) * UNITS[unit] for number, unit in found)
    return {"kad": [kad], "TuneD": [tuned]}
