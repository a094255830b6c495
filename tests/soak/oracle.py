"""Foretell what kad logs, what the kernel holds and what the state file says."""

from collections.abc import Iterator
from pathlib import Path

from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, Policy


class Oracle:
    """A kad without a clock, files or failures.

    `kernel` holds the values as they must be, `policy` is the one in force, `error` what is wrong
    with its file.
    """

    def __init__(self, file: Path, kernel: dict[Parameter, int]) -> None:
        self.file = file
        self.kernel = kernel
        self.policy = Policy(values={})
        self.error: str | None = None
        self.drifts = 0
        self._put: dict[Parameter, int] = {}
        self._left: set[Parameter] = set()
        # What was in the kernel, and the policy, when kad looked last.
        self._seen: dict[Parameter, tuple[int, int | None]] = {}

    def saved(self, policy: Policy) -> list[str]:
        """Give the lines for a file with a valid policy."""
        mended, self.error = self.error is not None, None
        new, self.policy = policy != self.policy, policy
        lines = [f"<5>policy {self.file} is valid again"] if mended else []
        lines += self.looked()
        audit = " (audit)" if policy.mode is Mode.AUDIT else ""
        return lines + ([f"<6>policy {self.file} in force: {policy}{audit}"] if new else [])

    def spoilt(self, error: str) -> list[str]:
        """Give the lines for a file that is mistaken or missing."""
        known, self.error = self.error == f"{self.file}{error}", f"{self.file}{error}"
        reject = f"<3>policy rejected, the last good one stays: {self.error}"
        return ([] if known else [reject]) + self.looked()

    def written(self, parameter: Parameter, value: int) -> list[str]:
        """Give the lines for a write by somebody else."""
        self.kernel[parameter] = value
        return self.looked()

    def looked(self) -> list[str]:
        """Give the lines of a pass: none where nothing has changed since the one before."""
        return [line for parameter in Parameter for line in self._of_one(parameter)]

    def _of_one(self, parameter: Parameter) -> Iterator[str]:
        policy, found = self.policy.values.get(parameter), self.kernel[parameter]
        new = self._seen.get(parameter) != (found, policy)
        if policy is None:
            self._put.pop(parameter, None)
            self._left.discard(parameter)
        elif found == policy:
            yield from self._agreed(parameter, policy)
        elif ending := self._why_left(parameter, policy):
            self._left.add(parameter)
            self.drifts += new
            if new:
                yield f"<4>drift: {parameter} is {found}, policy says {policy}; {ending}"
        else:
            yield from self._written(parameter, policy, new=new)
        self._seen[parameter] = self.kernel[parameter], policy

    def _why_left(self, parameter: Parameter, policy: int) -> str | None:
        if self.policy.mode is Mode.AUDIT:
            return "left (audit)"
        warns = self.policy.action is Action.WARN and self._put.get(parameter) == policy
        return "left (warn)" if warns else None

    def _agreed(self, parameter: Parameter, policy: int) -> Iterator[str]:
        if parameter in self._left:
            yield f"<5>{parameter} is {policy} as policy says"
        self._left.discard(parameter)
        if self.policy.mode is Mode.ENFORCE:
            self._put[parameter] = policy

    def _written(self, parameter: Parameter, policy: int, *, new: bool) -> Iterator[str]:
        found = self.kernel[parameter]
        if new and self._put.get(parameter) == policy:
            self.drifts += 1
            yield f"<4>drift: {parameter} is {found}, policy says {policy}; restored"
        else:
            yield f"<6>{parameter} set to {policy} (was {found})"
        self.kernel[parameter] = self._put[parameter] = policy
        self._left.discard(parameter)

    def restored(self) -> list[Parameter]:
        """Give the parameters whose values, changed now, would be set back."""
        return [each for each in self._put if self._why_left(each, self._put[each]) is None]

    def fought(self, parameter: Parameter) -> list[str]:
        """Give the lines for the change that is one too many, and is undone without a word."""
        self.drifts += 1
        many = f"{parameter} was changed 6 times in 60 s by somebody else"
        return [f"<4>{many}; restoring it less often"]

    def state(self) -> dict[str, object]:
        """Give what the state file says of it all."""
        state = "degraded" if self.error else "drifted" if self._left else "in-force"
        return {
            "state": state,
            "mode": str(self.policy.mode),
            "mistaken": self.error is not None,
            "reload": "rejected" if self.error else "accepted",
            "drifts": self.drifts,
            "parameters": {str(each): self._parameter(each) for each in Parameter},
        }

    def _parameter(self, parameter: Parameter) -> dict[str, object]:
        policy = self.policy.values.get(parameter)
        state = "drifted" if parameter in self._left else "in-force"
        state = state if policy is not None else "unmanaged"
        return {"policy": policy, "found": self.kernel[parameter], "state": state}
