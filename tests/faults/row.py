"""What a row of the table holds."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from kad.core.parameters import Parameter
from tests.faults.scene import WANTED, Scene

TIME, INTVL, PROBES = Parameter
STARTED = (
    f"<6>{TIME} set to 120 (was 7200)",
    f"<6>{INTVL} set to 30 (was 75)",
    f"<6>{PROBES} set to 8 (was 9)",
    "<6>policy {policy} in force: time 120 s, intvl 30 s, probes 8",
)
Injection = Callable[[Scene], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """What happens to a daemon that runs, or starts, and what its operator reads.

    `how` injects it for the length of its block; its docstring says in which way. `log` are the
    lines that tell it, each once however long it lasts; `recovered` those that follow its end. In
    them {policy}, {run} and {state} stand for the policy file and the two directories.
    `restores` tells whether drift is put right in the meantime, and `answers` by what the test
    knows that a check has ended: `status.json`, `READY=1`, or neither. `known` means a policy that
    needs not be validated, as the daemon has had it before.
    """

    what: str
    how: Injection
    log: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    status: int = 0
    shows: str = "in force"
    values: tuple[int, ...] = WANTED
    after: tuple[int, ...] = WANTED
    restores: bool = True
    answers: str = "status.json"
    at_start: bool = False
    started: tuple[str, ...] = STARTED
    known: bool = False
    rootless: bool = False
    prefix: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """What keeps the daemon from starting, its exit status and its last words."""

    what: str
    how: Injection
    status: int
    log: tuple[str, ...]
    prefix: tuple[str, ...] = ()


@dataclass(frozen=True)
class Command:
    """A command line for a shell, how it ends, and what it says on stderr."""

    line: str
    status: int
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Other:
    """What a test of its own shows: the fault, how it is made, and what comes of it."""

    what: str
    how: str
    log: str
