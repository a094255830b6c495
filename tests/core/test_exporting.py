"""A policy as others understand it, and one made of what others wrote."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from kad.core.exporting import as_pod, as_sysctl_d
from kad.core.importing import as_toml, take
from kad.core.neighbours import sysctlconf
from kad.core.neighbours.setting import Setting, Text
from kad.core.parameters import Parameter
from kad.policyfile import validate
from tests.fakes import PROBES, TIME, WANTED

POLICY = "/etc/kad/policy.toml"
VALUES = st.dictionaries(st.sampled_from(Parameter), st.integers(1, 127), min_size=1)


def test_a_pod_gets_its_sysctls_as_kubernetes_names_them() -> None:
    """spec.securityContext.sysctls: names with dots, values as text."""
    pod = yaml.safe_load(as_pod(POLICY, WANTED))

    assert pod == {
        "securityContext": {
            "sysctls": [
                {"name": "net.ipv4.tcp_keepalive_time", "value": "120"},
                {"name": "net.ipv4.tcp_keepalive_intvl", "value": "30"},
                {"name": "net.ipv4.tcp_keepalive_probes", "value": "8"},
            ]
        }
    }


def test_the_fragment_says_where_it_belongs_and_since_when() -> None:
    """Older clusters need the administrator's leave, and a pod on the host's network gets none."""
    text = as_pod(POLICY, WANTED)

    assert "since Kubernetes 1.29, on nodes with Linux 4.5" in text
    assert "without hostNetwork" in text


@given(VALUES)
def test_a_parameter_outside_the_policy_is_not_exported(values: dict[Parameter, int]) -> None:
    """None of kad's business, here either."""
    pod = yaml.safe_load(as_pod(POLICY, values))
    names = [each["name"] for each in pod["securityContext"]["sysctls"]]

    assert names == [name for name in Parameter if name in values]


@given(VALUES)
def test_what_is_exported_and_imported_again_is_the_same_policy(
    values: dict[Parameter, int],
) -> None:
    """From host to host by way of sysctl.d."""
    text = as_sysctl_d(POLICY, values)

    found = sysctlconf.winners([Text("90-keepalive.conf", text)])

    assert validate(as_toml(take(found)).encode(), POLICY).values == values


def test_no_file_name_breaks_out_of_a_comment() -> None:
    """What is behind a line break would be a setting."""
    name = "/tmp/\nvm.panic = 1\u2028.toml"  # noqa: S108  # a name

    assert len(as_sysctl_d(name, {TIME: 1}).splitlines()) == 3
    assert yaml.safe_load(as_pod(name, {TIME: 1})).keys() == {"securityContext"}
    setting = Setting(name, 1, PROBES, PROBES, "5")
    assert validate(as_toml({PROBES: setting}).encode(), POLICY).values == {PROBES: 5}
