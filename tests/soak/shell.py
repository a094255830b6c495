"""Be the other program that writes the parameters."""

import subprocess

from kad.core.parameters import Parameter
from tests.netns import Machine

_FILES = {each: f"/proc/sys/{each.replace('.', '/')}" for each in Parameter}
_READ = "; ".join(f"read {each.key} < {_FILES[each]}" for each in Parameter)
_SHOW = " ".join(f"${each.key}" for each in Parameter)


class Shell:
    """A shell in the machine that stays, as starting one for each write would cost the most.

    It is bash: other shells read byte by byte, and a parameter gives its first only.
    """

    def __init__(self, machine: Machine) -> None:
        self._process = subprocess.Popen(
            machine.inside("bash"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def _ask(self, command: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n")
        return self._process.stdout.readline()

    def set(self, parameter: Parameter, value: int) -> None:
        """Write a value."""
        assert self._ask(f"echo {value} > {_FILES[parameter]} && echo done") == "done\n"

    def values(self) -> dict[Parameter, int]:
        """Read the three values."""
        words = self._ask(f"{_READ}; echo {_SHOW}").split()
        return dict(zip(Parameter, map(int, words), strict=True))

    def close(self) -> None:
        """End it."""
        self._process.communicate()
