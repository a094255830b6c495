"""What the commands draw."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kad.cli.page import page
from kad.cli.terminal import Style
from kad.cli.timeline import WIDTH, timeline
from kad.core.parameters import Parameter
from kad.core.policy import Mode
from kad.core.report import State
from kad.core.status import (
    ChecksStatus,
    DriftStatus,
    LastDrift,
    NamespaceStatus,
    ParameterStatus,
    PolicyStatus,
    Status,
)
from tests.fakes import DEFAULTS, INTVL, PROBES, TIME, WANTED

PLAIN = Style(terminal=False, colour=False)


def status(*, time: int = 120, state: State = State.IN_FORCE) -> Status:
    """Give the state of a host whose kernel has `time`."""
    found = {TIME: time, INTVL: 30, PROBES: 9}
    parameters: dict[Parameter, ParameterStatus] = {
        TIME: ParameterStatus(120, found[TIME], State.IN_FORCE if time == 120 else State.DRIFTED),
        INTVL: ParameterStatus(30, 30, State.IN_FORCE),
        PROBES: ParameterStatus(None, 9, State.UNMANAGED),
    }
    return Status(
        state=state,
        mode=Mode.ENFORCE,
        policy=PolicyStatus("/etc/kad/policy.toml", "2026-01-01T00:00:00Z"),
        namespaces=(NamespaceStatus("host", 1, managed=True, parameters=parameters),),
    )


def test_the_page_shows_policy_kernel_and_daemon_side_by_side() -> None:
    """All one wants to know, and nothing else."""
    shown = status()._replace(
        pid=812,
        checks=ChecksStatus(12, "2026-01-01T00:06:00Z", 30),
        drift=DriftStatus(1, LastDrift(TIME, 120, 7200, "restored", "2026-01-01T00:05:00Z")),
        advice=("keepalive.time is exactly 300 s",),
    )

    assert page(shown, PLAIN) == [
        "kad        in force",
        "policy     /etc/kad/policy.toml, read 2026-01-01T00:00:00Z",
        "daemon     pid 812, checking every 30 s; 12 checks, last at 2026-01-01T00:06:00Z",
        "",
        "parameter                       policy   kernel  state",
        "net.ipv4.tcp_keepalive_time      120 s    120 s  in force",
        "net.ipv4.tcp_keepalive_intvl      30 s     30 s  in force",
        "net.ipv4.tcp_keepalive_probes        -        9  not in the policy",
        "",
        (
            "dead peer  noticed 6 min 30 s after its last packet: "
            "2 min idle, then 9 probes 30 s apart"
        ),
        (
            "drift      1 so far, last at 2026-01-01T00:05:00Z: "
            "net.ipv4.tcp_keepalive_time was 7200, policy says 120; restored"
        ),
        "advice     keepalive.time is exactly 300 s",
    ]


def test_a_drifted_page_tells_what_is_and_what_should_be() -> None:
    """What a dead peer means now, and what it means by the policy."""
    lines = page(status(time=7200, state=State.DRIFTED), PLAIN)

    assert lines[0] == "kad        drifted"
    assert lines[2] == "daemon     not running with this policy"
    assert lines[5] == "net.ipv4.tcp_keepalive_time      120 s   7200 s  drifted"
    assert [line.split()[0] for line in lines[-2:]] == ["dead", "by"]


def test_every_mistake_of_a_rejected_file_is_on_the_page() -> None:
    """Nobody has to look for the log."""
    bad = status()._replace(state=State.DEGRADED)
    bad = bad._replace(policy=bad.policy._replace(error="/p:1:1: one\n/p:2:1: two"))

    assert page(bad, PLAIN)[2:4] == ["           /p:1:1: one", "           /p:2:1: two"]


def test_what_is_wrong_beside_the_host_s_values_is_on_the_page() -> None:
    """Degraded alone tells nobody what to do."""
    why = "cannot apply [sockets]: CAP_SYS_PTRACE is missing"
    bad = status()._replace(state=State.DEGRADED, reason=why)

    assert page(bad, PLAIN)[:2] == ["kad        degraded", f"           {why}"]


def test_the_last_drift_of_another_namespace_has_its_name() -> None:
    """The table above is the host's."""
    last = LastDrift(TIME, 120, 7200, "restored", "2026-01-01T00:05:00Z", "web")

    lines = page(status()._replace(drift=DriftStatus(1, last)), PLAIN)

    assert lines[-1] == (
        "drift      1 so far, last at 2026-01-01T00:05:00Z: "
        "web: net.ipv4.tcp_keepalive_time was 7200, policy says 120; restored"
    )


def test_what_cannot_be_read_is_a_dash() -> None:
    """No number is invented."""
    unknown = status()
    own = unknown.namespaces[0]
    parameters = {name: each._replace(found=None) for name, each in own.parameters.items()}
    unknown = unknown._replace(namespaces=(own._replace(parameters=parameters),))

    lines = page(unknown, PLAIN)

    assert "net.ipv4.tcp_keepalive_time      120 s        -  in force" in lines
    assert not [line for line in lines if line.startswith("dead peer")]


def test_colour_marks_the_state_and_nothing_else() -> None:
    """Green is good, red is bad, and the columns stay where they are."""
    coloured = page(status(time=7200, state=State.DEGRADED), Style(terminal=True, colour=True))

    assert "\x1b[1;31mdegraded\x1b[0m" in coloured[0]
    assert "\x1b[33mdrifted\x1b[0m" in coloured[5]
    assert "\x1b[32min force\x1b[0m" in coloured[6]


@pytest.mark.parametrize(
    ("environ", "style"),
    [
        ({"TERM": "xterm"}, Style(terminal=True, colour=True)),
        ({"TERM": "dumb"}, PLAIN),
        ({"NO_COLOR": "1"}, Style(terminal=True, colour=False)),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], style: Style
) -> None:
    """https://no-color.org; one that takes no escape sequences is drawn line by line."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert Style.of(Terminal()) == style
    assert not Style.of(io.StringIO()).terminal


def test_the_timeline_is_to_scale() -> None:
    """Idle time, each probe, the end; and when the path would have forgotten."""
    assert timeline(WANTED, 240) == [
        "|---------------!---!---!---!---!---!---!---!---x",
        "|               |               |               ^ closed: 6 min",
        "|               |               ^ path forgets: 4 min",
        "|               ^ first probe: 2 min",
        "^ last packet",
    ]


def test_a_path_that_forgets_later_is_told_after_the_end() -> None:
    """The scale is that of the dying connection, however long the path remembers."""
    assert timeline(WANTED, 720) == [
        "|---------------!---!---!---!---!---!---!---!---x",
        "|               |                               ^ closed: 6 min",
        "|               ^ first probe: 2 min",
        "^ last packet",
        "path forgets: 12 min, after the end",
    ]


@given(
    st.integers(1, 32767),
    st.integers(1, 32767),
    st.integers(1, 127),
    st.none() | st.integers(1, 31536000),
)
def test_any_policy_can_be_drawn(
    time: int, intvl: int, probes: int, idle_timeout: int | None
) -> None:
    """However extreme, the drawing fits and each caption is there."""
    values = {TIME: time, INTVL: intvl, PROBES: probes}

    lines = timeline(values, idle_timeout)

    assert len(lines[0]) <= WIDTH + 1
    assert lines[0].endswith("x")
    assert len(lines) == 4 + (idle_timeout is not None)
    assert all(len(line) < 100 for line in lines)


def test_all_three_parameters_are_drawn_from() -> None:
    """The kernel's defaults: two hours of silence first."""
    assert set(DEFAULTS) == set(Parameter)
    assert timeline(DEFAULTS, None)[0] == "|-------------------------------------------!!!!x"
