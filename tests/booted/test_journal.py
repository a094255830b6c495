"""What the journal of a real machine has of kad."""

from tests.machine import Booted
from tests.netns import wait_until

TIME = "net.ipv4.tcp_keepalive_time"


def _drift(machine: Booted) -> None:
    machine.told("sysctl", "-w", f"{TIME}=999")
    wait_until(lambda: machine.journal("KAD_EVENT=drift"))


def test_entries_have_fields_to_filter_by(machine: Booted) -> None:
    """`journalctl KAD_EVENT=drift` works, and a script needs to parse no sentence."""
    _drift(machine)

    (entry,) = machine.journal("KAD_EVENT=drift")

    expected = {
        "MESSAGE": f"drift: {TIME} is 999, policy says 120; restored",
        "MESSAGE_ID": "24371b1bcf7245ef97cefc8e180b4d00",
        "PRIORITY": "4",
        "KAD_PARAMETER": TIME,
        "KAD_POLICY_VALUE": "120",
        "KAD_FOUND_VALUE": "999",
        "KAD_OUTCOME": "restored",
        "KAD_NAMESPACE": "host",
        "KAD_POLICY_FILE": "/etc/kad/policy.toml",
        "SYSLOG_IDENTIFIER": "kad",
        "_SYSTEMD_UNIT": "kad.service",
    }
    assert {name: entry.get(name) for name in expected} == expected


def test_the_catalog_explains_an_entry(machine: Booted) -> None:
    """`journalctl -x` says what happened, why, and what to do."""
    _drift(machine)

    told = machine.told("journalctl", "-x", "KAD_EVENT=drift")

    assert f"Subject: Another process changed {TIME}" in told
    assert "kad had seen the policy's 120 in force" in told
    assert "write it into /etc/kad/policy.toml" in told


def test_a_quiet_machine_has_a_quiet_journal(machine: Booted) -> None:
    """After the start, values in force are no news."""
    before = len(machine.journal("-u", "kad"))
    checks = machine.told("cat", "/run/kad/status.json")

    machine.told("sleep", "2.5")

    assert len(machine.journal("-u", "kad")) == before
    assert machine.told("cat", "/run/kad/status.json") == checks
