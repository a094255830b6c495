"""Soak a kad, as root: tests/run --python -m tests.soak --operations 100000.

Everything is made up from the seed, save how much time things take. Files go to $TMPDIR; on a disk
each policy in force waits for it.
"""

import argparse
import tempfile
import time
from pathlib import Path
from random import SystemRandom

from tests.netns import Machine
from tests.soak.run import soak


def main() -> None:
    """Run it; a traceback tells what was not as foretold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=100_000, help="how many (100000)")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9))
    options = parser.parse_args()
    print(f"soak: seed {options.seed}", flush=True)
    began = time.monotonic()

    def told(line: str) -> None:
        print(f"{time.monotonic() - began:8.0f} s  {line}", flush=True)

    with tempfile.TemporaryDirectory(prefix="kad-soak-") as directory:
        machine = Machine(Path(directory), rootless=False)
        try:
            result = soak(machine, options.operations, options.seed, told)
        finally:
            machine.close()
    print(f"soak: {result.summary((time.monotonic() - began) / 60)}")


if __name__ == "__main__":
    main()
