"""The state in numbers, as a parser of OpenMetrics reads it."""

from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

from kad.core.metrics import metrics
from kad.core.parameters import Parameter
from kad.core.policy import Mode
from kad.core.report import State
from kad.core.status import (
    ChecksStatus,
    DriftStatus,
    NamespaceStatus,
    ParameterStatus,
    PolicyStatus,
    Status,
)
from tests.fakes import INTVL, PROBES, TIME

PARAMETERS: dict[Parameter, ParameterStatus] = {
    TIME: ParameterStatus(120, 7200, State.DRIFTED),
    INTVL: ParameterStatus(30, None, State.FAILED),
    PROBES: ParameterStatus(None, 9, State.UNMANAGED),
}
ALONE = Status(
    state=State.DRIFTED,
    mode=Mode.ENFORCE,
    policy=PolicyStatus("/etc/kad/policy.toml", "2026-01-01T00:00:00Z"),
    namespaces=(NamespaceStatus("host", 1, managed=True, parameters=PARAMETERS),),
)
WITH_DAEMON = ALONE._replace(
    state=State.IN_FORCE,
    pid=812,
    checks=ChecksStatus(12, "2026-01-01T00:06:00Z", 30),
    drift=DriftStatus(3, None),
)


def samples(status: Status | None) -> dict[str, float]:
    """Parse the metrics; give each sample by its name and parameter."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in openmetrics.text_string_to_metric_families(metrics(status))
        for sample in family.samples
    }


def test_metrics_tell_policy_kernel_and_daemon() -> None:
    """What an alarm or a graph needs, by the names that are promised."""
    assert samples(WITH_DAEMON) == {
        "kad_in_force": 1,
        "kad_degraded": 0,
        f"kad_policy_value {TIME}": 120,
        f"kad_policy_value {INTVL}": 30,
        f"kad_found_value {TIME}": 7200,
        f"kad_found_value {PROBES}": 9,
        "kad_drift_total": 3,
        "kad_last_check_timestamp_seconds": 1767225960,
    }


def test_what_only_a_daemon_knows_is_absent_without_one() -> None:
    """An absent number is no zero."""
    found = samples(ALONE)

    assert found["kad_in_force"] == found["kad_degraded"] == 0
    assert not {"kad_drift_total", "kad_last_check_timestamp_seconds"} & set(found)


def test_degraded_and_without_a_valid_policy_are_numbers_too() -> None:
    """An alarm has something to look at when it matters most."""
    degraded = samples(WITH_DAEMON._replace(state=State.DEGRADED))

    assert (degraded["kad_in_force"], degraded["kad_degraded"]) == (0, 1)
    assert samples(None) == {"kad_in_force": 0, "kad_degraded": 1}


def test_every_family_has_its_type_and_help() -> None:
    """A graph's legend says what it shows."""
    families = list(openmetrics.text_string_to_metric_families(metrics(WITH_DAEMON)))

    assert [family.name for family in families if not family.documentation] == []
    assert {family.name: family.type for family in families} == {
        "kad_in_force": "gauge",
        "kad_degraded": "gauge",
        "kad_policy_value": "gauge",
        "kad_found_value": "gauge",
        "kad_drift": "counter",
        "kad_last_check_timestamp_seconds": "gauge",
    }


def test_the_older_format_s_parser_reads_the_same_numbers() -> None:
    """node_exporter reads the Prometheus text format, where `# EOF` is a comment."""
    older = {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in prometheus.text_string_to_metric_families(metrics(WITH_DAEMON))
        for sample in family.samples
    }

    assert older == samples(WITH_DAEMON)
