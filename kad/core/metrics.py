"""Say the state in numbers, in a text that OpenMetrics and node_exporter's collector both take.

The collector reads the older Prometheus format: there `# EOF` is a comment, and a counter whose
TYPE leaves out `_total`, as OpenMetrics wants it, is of no type, which changes nothing for rate().
"""

from collections.abc import Iterator, Mapping

from kad.core.parameters import Parameter
from kad.core.report import State
from kad.core.status import Status, moment

_Samples = Mapping[str, float]


def metrics(status: Status | None) -> str:
    """Give the text; with None for want of any valid policy."""
    return "".join(f"{line}\n" for line in (*_lines(status), "# EOF"))


def _lines(status: Status | None) -> Iterator[str]:
    in_force = status is not None and status.state == State.IN_FORCE
    degraded = status is None or status.state == State.DEGRADED
    yield from _family("kad_in_force", "gauge", "Whether the policy is in force.", _one(in_force))
    yield from _family(
        "kad_degraded", "gauge", "Whether kad cannot do what the policy wants.", _one(degraded)
    )
    if status is not None:
        yield from _values(status)
        yield from _from_daemon(status)


def _values(status: Status) -> Iterator[str]:
    parameters = status.namespaces[0].parameters.items()
    policy = {name: each.policy for name, each in parameters if each.policy is not None}
    found = {name: each.found for name, each in parameters if each.found is not None}
    text = "The value of the policy, in seconds or as a count."
    yield from _family("kad_policy_value", "gauge", text, _labelled(policy))
    text = "The value of the kernel, in seconds or as a count."
    yield from _family("kad_found_value", "gauge", text, _labelled(found))


def _from_daemon(status: Status) -> Iterator[str]:
    if status.drift is not None:
        text = "Drifts since the daemon started."
        yield from _family("kad_drift", "counter", text, {"_total": status.drift.count_})
    if status.checks is not None:
        at = moment(status.checks.last_at).timestamp()
        text = "When the daemon last compared the kernel with the policy."
        yield from _family("kad_last_check_timestamp_seconds", "gauge", text, {"": at})


def _family(name: str, kind: str, text: str, samples: _Samples) -> Iterator[str]:
    """Give a family; the samples' keys are what stands behind its name."""
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for suffix, value in samples.items():
        yield f"{name}{suffix} {value:.0f}"


def _one(holds: bool) -> _Samples:  # noqa: FBT001
    return {"": int(holds)}


def _labelled(values: Mapping[Parameter, int]) -> _Samples:
    return {f'{{parameter="{name}"}}': value for name, value in values.items()}
