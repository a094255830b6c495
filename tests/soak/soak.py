"""Do random things to a kad, and hold it to what the oracle foretells."""

import time
from collections import Counter, deque
from collections.abc import Callable
from random import Random

from kad.core.parameters import Parameter
from kad.core.policy import Policy
from tests.netns import Machine, wait_until
from tests.soak.fights import Fights
from tests.soak.files import PolicyFile
from tests.soak.oracle import Oracle
from tests.soak.policies import FIRST, MISSING, MISTAKEN, of_one_length, random_policy, text_of
from tests.soak.shell import Shell
from tests.soak.witness import Footprint, Witness

# How often each is done, of a thousand: a new policy takes as long as a hundred reloads.
_OPERATIONS = {"reload": 397, "drift": 400, "edit": 100, "rewrite": 100, "command": 2, "fight": 1}
# kad waits a little before it reads a file, and longer where writes come thick and fast.
_BY_ITSELF = 0.3
_EDITS = {"policy": 30, "comment": 5, "same": 25, "mistaken": 20, "gone": 20}


class Soak:
    """One daemon that was started with FIRST, and all that is done to it."""

    def __init__(self, machine: Machine, shell: Shell, oracle: Oracle, witness: Witness) -> None:
        self._machine, self._shell = machine, shell
        self._oracle, self._witness = oracle, witness
        self._random = Random()  # noqa: S311  # no secret
        self._file = PolicyFile(machine.policy)
        self._good = machine.policy.read_text(encoding="utf-8")
        self._serial = 0
        self._fights = Fights()
        self._recent: deque[str] = deque(maxlen=20)
        self.done: Counter[str] = Counter()

    def begin(self, seed: int) -> Footprint:
        """Compare what the start logged; give the footprint of a kad that has done little."""
        self._random.seed(seed)
        self._witness.expect(self._oracle.saved(FIRST))
        return self.rest()

    def step(self) -> None:
        """Do one operation, and compare all that can be seen of it."""
        operations: dict[str, Callable[[], None]] = {
            "reload": self._reload,
            "drift": self._drift,
            "rewrite": self._rewrite,
            "edit": self._edit,
            "command": self._command,
            "fight": self._fight,
        }
        try:
            operations[self._choose(_OPERATIONS)]()
            assert self._shell.values() == self._oracle.kernel
        except AssertionError as error:
            error.add_note("the last operations:\n" + "\n".join(self._recent))
            raise

    def rest(self) -> Footprint:
        """Go back to FIRST; give the footprint, of a kad at rest."""
        self._did("edit", "rest")
        self._save_policy(FIRST, self._file.rename)
        self._reload()
        assert self._shell.values() == FIRST.values
        return self._witness.at_rest()

    def _choose(self, weights: dict[str, int]) -> str:
        return self._random.choices(list(weights), list(weights.values()))[0]

    def _did(self, name: str, *details: object) -> None:
        self.done[name] += 1
        self._recent.append(" ".join(map(str, (name, *details))))

    def _settle(self, lines: list[str]) -> None:
        """Have kad see for itself what was done, or tell it to look."""
        if self._random.random() < _BY_ITSELF:
            self._witness.expect(lines)
        else:
            self._hang_up(lines)

    def _hang_up(self, lines: list[str]) -> None:
        self._witness.hang_up(lines)
        found, expected = self._witness.state(), self._oracle.state()
        assert found == expected, f"expected {expected}, the state file has {found}"

    def _reload(self) -> None:
        self._did("reload")
        self._hang_up([])

    def _command(self) -> None:
        self._did("reload", "by command")
        status = self._machine.kad("reload").returncode
        self._witness.answered([])
        assert status == (78 if self._oracle.error else 0)

    def _rewrite(self) -> None:
        parameter = self._random.choice(list(Parameter))
        self._did("rewrite", parameter)
        self._shell.set(parameter, self._oracle.kernel[parameter])

    def _drift(self) -> None:
        parameter = self._random.choice(list(Parameter))
        if self._fights.near(parameter):
            self._rewrite()
            return
        wanted = self._oracle.policy.values.get(parameter, 1)
        value = self._random.choice((wanted, *[self._another(parameter) for _ in range(4)]))
        self._did("drift", parameter, value)
        self._write(parameter, value)

    def _another(self, parameter: Parameter) -> int:
        """Give a value that is neither the policy's nor the kernel's."""
        taken = {self._oracle.policy.values.get(parameter), self._oracle.kernel[parameter]}
        return self._random.choice([each for each in range(1, 120) if each not in taken])

    def _write(self, parameter: Parameter, value: int) -> None:
        policy = self._oracle.policy.values.get(parameter)
        foreign = value not in {policy, self._oracle.kernel[parameter]}
        written = time.monotonic()
        self._shell.set(parameter, value)
        lines = self._oracle.written(parameter, value)
        if policy is None:  # nothing is said of it, and the next operation is not to come first
            self._hang_up(lines)
        else:
            self._settle(lines)
            if foreign:
                self._fights.changed(parameter, written)

    def _fight(self) -> None:
        """Have somebody fight for a parameter; then leave it to him, which ends it."""
        able = [each for each in self._oracle.restored() if self._fights.missing(each)]
        if not able:
            self._reload()
            return
        parameter = self._random.choice(able)
        self._did("fight", parameter)
        for _ in range(self._fights.missing(parameter) - 1):
            self._write(parameter, self._another(parameter))
        self._shell.set(parameter, self._another(parameter))
        self._witness.expect(self._oracle.fought(parameter))
        wait_until(lambda: self._shell.values() == self._oracle.kernel)
        self._save_policy(random_policy(self._random, without=parameter), self._save)

    def _edit(self) -> None:
        kind = self._choose(_EDITS)
        self._did("edit", kind)
        if kind == "policy":
            self._save_policy(random_policy(self._random), self._save)
        elif kind == "comment":
            self._save_policy(self._oracle.policy, self._save)
        elif kind == "same":
            self._save(self._good)
            self._settle(self._oracle.saved(self._oracle.policy))
        elif kind == "mistaken":
            text = self._random.choice(list(MISTAKEN))
            self._save(of_one_length(text))
            self._settle(self._oracle.spoilt(MISTAKEN[text]))
        else:
            self._file.remove()
            self._settle(self._oracle.spoilt(MISSING))

    def _save(self, text: str) -> None:
        way = self._file.save(text, self._random)
        self._recent.append(f"  by {way}")

    def _save_policy(self, policy: Policy, save: Callable[[str], None]) -> None:
        self._serial += 1
        self._good = text_of(policy, self._serial)
        save(self._good)
        self._settle(self._oracle.saved(policy))
        for parameter in set(Parameter) - set(policy.values):
            self._fights.forget(parameter)
