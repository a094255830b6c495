"""What kad keeps on disk: replaced whole, read back with distrust."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kad import __version__
from kad.atomic import read_json, write_json
from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, OnStop, Policy
from kad.core.report import State
from kad.core.status import (
    ChecksStatus,
    DriftStatus,
    LastDrift,
    NamespaceStatus,
    ParameterStatus,
    PolicyStatus,
    ReloadStatus,
    SocketsStatus,
    Status,
)
from kad.lastgood import LastGood, Saved
from kad.originals import VERSION, Originals
from kad.statefile import StateFile
from tests.fakes import DEFAULTS, INTVL, PROBES, TIME, WANTED, WHOLE, FakeKernel

STATUS = Status(
    state=State.IN_FORCE,
    mode=Mode.ENFORCE,
    policy=PolicyStatus("/etc/kad/policy.toml", "2026-01-01T00:00:00Z"),
    namespaces=(
        NamespaceStatus(
            "host",
            1,
            managed=True,
            parameters=dict.fromkeys(Parameter, ParameterStatus(1, 1, State.IN_FORCE)),
        ),
    ),
    advice=("be careful",),
    generation=3,
    pid=812,
    reload=ReloadStatus(81234567, "accepted"),
    checks=ChecksStatus(12, "2026-01-01T00:06:00Z", 30),
    drift=DriftStatus(1, LastDrift(TIME, 120, 7200, "restored", "2026-01-01T00:05:00Z")),
    sockets=SocketsStatus({"stale": 1, "established": 1}, 7190.5),
)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Have another umask for a while."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_a_file_has_its_mode_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    """Anybody may read the state; a unit's UMask= does not take that away."""
    with umask(mask):
        StateFile(str(tmp_path)).write(STATUS)

    assert stat.S_IMODE((tmp_path / "status.json").stat().st_mode) == 0o644


def test_a_failed_write_leaves_the_file_before_and_nothing_beside_it(tmp_path: Path) -> None:
    """A disk that is full costs nothing that was there."""
    path = tmp_path / "state.json"
    write_json(str(path), {"old": True}, mode=0o600)
    tiny = "import resource, signal, sys; from kad.atomic import write_json;"
    tiny += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    tiny += "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10));"
    tiny += "write_json(sys.argv[1], list(range(100)), mode=0o600)"

    done = subprocess.run(
        [sys.executable, "-c", tiny, path], capture_output=True, text=True, check=False
    )

    assert "File too large" in done.stderr
    assert read_json(str(path)) == {"old": True}
    assert os.listdir(tmp_path) == ["state.json"]


def test_a_name_that_somebody_made_a_link_is_not_followed(tmp_path: Path) -> None:
    """What lies where kad writes aside is replaced, never written through."""
    victim = tmp_path / "victim"
    victim.write_text("untouched", encoding="utf-8")
    (tmp_path / "state.json.new").symlink_to(victim)

    write_json(str(tmp_path / "state.json"), {}, mode=0o600)

    assert victim.read_text(encoding="utf-8") == "untouched"


def test_killed_at_any_point_a_writer_leaves_readable_state(tmp_path: Path) -> None:
    """kill -9 between any two steps: the next start reads the old policy or the new one."""
    endless = (
        "import sys, itertools; from kad.lastgood import LastGood;"
        "from kad.core.policy import Policy; from kad.core.parameters import Parameter;"
        "store = LastGood(sys.argv[1], 'host'); print('go', flush=True);\n"
        "for n in itertools.count():"
        " store.write('/p.toml', b'#' * (n % 5000),"
        " Policy(values={Parameter.TIME: 1 + n % 100}))"
    )
    store = LastGood(str(tmp_path), "host")
    for attempt in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", endless, tmp_path], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.001 * attempt)
            writer.kill()
        saved = store.read()
        if saved is None:  # killed before the very first replacement
            assert not (tmp_path / "policy.json").exists()
        else:
            assert saved.policy is not None

    store.write("/p.toml", b"last", WHOLE)
    assert store.read() == Saved("/p.toml", b"last", WHOLE)


POLICIES = [
    WHOLE,
    Policy(values={INTVL: 5}),
    Policy(WANTED, Mode.AUDIT, 350, 1, Action.WARN, OnStop.RESTORE),
]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_kept_policy_comes_back_as_it_was(tmp_path: Path, policy: Policy) -> None:
    """The last good policy is the whole policy, with the bytes it came from."""
    store = LastGood(str(tmp_path), "host")

    store.write("/etc/kad/policy.toml", "\ufeff# ä".encode(), policy)

    assert store.read() == Saved("/etc/kad/policy.toml", "\ufeff# ä".encode(), policy)
    assert stat.S_IMODE((tmp_path / "policy.json").stat().st_mode) == 0o600


def test_another_namespace_s_policy_is_not_taken(tmp_path: Path) -> None:
    """The last good policy belongs to one namespace."""
    LastGood(str(tmp_path), "net:7").write("/p.toml", b"", WHOLE)

    assert LastGood(str(tmp_path), "host").read() is None


def test_a_policy_that_another_version_of_kad_validated_is_validated_again(tmp_path: Path) -> None:
    """After an upgrade the bytes count, not the verdict of before."""
    store = LastGood(str(tmp_path), "host")
    store.write("/p.toml", b"bytes", WHOLE)
    path = tmp_path / "policy.json"
    path.write_text(path.read_text(encoding="utf-8").replace(__version__, "0.0"), encoding="utf-8")

    assert store.read() == Saved("/p.toml", b"bytes", None)


def damaged(good: str) -> list[str]:
    """Give what a crash, an upgrade or an editor may leave of a JSON file."""
    plain = json.loads(good)
    changed = [{**plain, key: None} for key in plain] + [{**plain, key: [7]} for key in plain]
    return [
        "",
        good[: len(good) // 2],
        "null",
        "[]",
        "[" * 100_000,
        "7",
        "\x00" * 40,
        '{"version": 99}',
        json.dumps({**plain, "version": 99}),
        *map(json.dumps, changed),
    ]


def test_a_damaged_last_good_policy_is_none(tmp_path: Path) -> None:
    """State cut short or from the future is no policy, and no traceback."""
    store = LastGood(str(tmp_path), "host")
    store.write("/p.toml", b"raw", WHOLE)
    path = tmp_path / "policy.json"
    for content in damaged(path.read_text(encoding="utf-8")):
        path.write_text(content, encoding="utf-8")
        saved = store.read()
        # Damage to the name or the version of who wrote it leaves the bytes, to be validated.
        assert saved is None or saved.policy is None or saved.file != "/p.toml"


@pytest.mark.parametrize(
    "changes",
    [
        {"values": {}},
        {"values": {PROBES: 0}},
        {"values": {"net.ipv4.ip_forward": 1}},
        {"values": {TIME: float("inf")}},
        {"values": {TIME: 60.0}},
        {"values": {TIME: "60"}},
        {"values": {TIME: True}},
        {"values": [[TIME, 60]]},
        {"check_every": 0},
        {"check_every": 86401},
        {"check_every": float("inf")},
        {"idle_timeout": False},
        {"idle_timeout": 10**9},
        {"mode": []},
        {"action": "Restore"},
        {"on_stop": None},
    ],
)
def test_a_stored_policy_that_could_never_have_been_valid_is_refused(
    changes: dict[str, object],
) -> None:
    """The state directory can put nothing into the kernel that a policy file could not."""
    with pytest.raises(ValueError, match=r"not a stored policy|not a valid|is no"):
        Policy.from_json({**WHOLE.as_json(), **changes})


def test_an_absent_state_directory_is_no_failure(tmp_path: Path) -> None:
    """Without one there is no last good policy, and that is all."""
    store = LastGood(str(tmp_path / "absent"), "host")

    store.write("/p.toml", b"", WHOLE)

    assert store.read() is None


def test_the_state_file_comes_back_as_it_was(tmp_path: Path) -> None:
    """`kad status` sees what the daemon wrote."""
    file = StateFile(str(tmp_path))

    file.write(STATUS)

    assert file.read() == STATUS
    file.remove()
    assert file.read() is None


def test_the_state_file_has_the_documented_shape(tmp_path: Path) -> None:
    """Scripts read it: names and nesting are promised."""
    StateFile(str(tmp_path)).write(STATUS)

    values = {"policy": 1, "found": 1, "state": "in-force"}
    assert json.loads((tmp_path / "status.json").read_text(encoding="utf-8")) == {
        "version": 1,
        "generation": 3,
        "pid": 812,
        "state": "in-force",
        "reason": None,
        "warnings": [],
        "mode": "enforce",
        "policy": {
            "file": "/etc/kad/policy.toml",
            "loaded_at": "2026-01-01T00:00:00Z",
            "last_good": False,
            "error": None,
        },
        "reload": {"began_usec": 81234567, "outcome": "accepted", "error": None},
        "checks": {"count": 12, "last_at": "2026-01-01T00:06:00Z", "every_s": 30},
        "drift": {
            "count": 1,
            "last": {
                "parameter": "net.ipv4.tcp_keepalive_time",
                "policy": 120,
                "found": 7200,
                "outcome": "restored",
                "at": "2026-01-01T00:05:00Z",
                "namespace": "host",
            },
        },
        "namespaces": [
            {
                "name": "host",
                "inode": 1,
                "managed": True,
                "parameters": {
                    "net.ipv4.tcp_keepalive_time": values,
                    "net.ipv4.tcp_keepalive_intvl": values,
                    "net.ipv4.tcp_keepalive_probes": values,
                },
            }
        ],
        "advice": ["be careful"],
        "sockets": {"totals": {"stale": 1, "established": 1}, "longest_stale_s": 7190.5},
    }


def test_a_state_file_knows_whether_somebody_else_changed_it(tmp_path: Path) -> None:
    """So the daemon heals it at the next check."""
    file = StateFile(str(tmp_path))
    before = file.intact()
    file.write(STATUS)
    written = file.intact()
    (tmp_path / "status.json").write_text("{}", encoding="ascii")
    damaged = file.intact()
    file.remove()

    assert (before, written, damaged, file.intact()) == (False, True, False, False)


def test_a_state_file_that_cannot_be_replaced_is_taken_away(tmp_path: Path) -> None:
    """`kad status` says that it knows nothing, rather than what is no longer so."""
    file = StateFile(str(tmp_path))
    file.write(STATUS)
    (tmp_path / "status.json.new").mkdir()

    with pytest.raises(OSError, match=r"status\.json"):
        file.write(STATUS)

    assert not (tmp_path / "status.json").exists()
    assert not file.intact()


def test_a_damaged_state_file_is_none(tmp_path: Path) -> None:
    """Nobody gets a traceback from a state file."""
    file = StateFile(str(tmp_path))
    file.write(STATUS._replace(state=State.DEGRADED))
    path = tmp_path / "status.json"
    for content in damaged(path.read_text(encoding="utf-8")):
        path.write_text(content, encoding="utf-8")
        # A null in place of what only a daemon knows is as good as any.
        status = file.read()
        assert status is None or json.loads(content) == json.loads(json.dumps(status.as_json()))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"version": 1', '"version": true'),
        ('"generation": 3', '"generation": 3.0'),
        ('"generation": 3', f'"generation": {10**400}'),
        ('"pid": 812', '"pid": [812]'),
        ('"state": "in-force"', '"state": "x"'),
        ('"mode": "enforce"', '"mode": null'),
        ('"began_usec": 81234567', '"began_usec": "81234567"'),
        ('"last_at": "2026-01-01T00:06:00Z"', '"last_at": "soon"'),
        ('"last_at": "2026-01-01T00:06:00Z"', '"last_at": "0001-01-01T00:00:00"'),
        ('"found": 1', '"found": 1e999'),
        ('"net.ipv4.tcp_keepalive_time": {', '"net.ipv4.ip_forward": {'),
        ('"advice": [', '"advice": [null, '),
        ('"namespaces": [', '"namespaces": [], "x": ['),
        ('"last_good": false', '"last": false'),
    ],
)
def test_a_state_that_is_not_whole_is_none(tmp_path: Path, good: str, bad: str) -> None:
    """`kad status` and `kad reload` meet nothing in it that they do not expect."""
    file = StateFile(str(tmp_path))
    file.write(STATUS)
    path = tmp_path / "status.json"
    text = path.read_text(encoding="utf-8")
    assert good in text

    path.write_text(text.replace(good, bad), encoding="utf-8")

    assert file.read() is None


def test_what_was_found_before_the_first_write_survives_a_crash(tmp_path: Path) -> None:
    """A daemon that was killed and started again still knows what to put back."""
    kernel = FakeKernel(DEFAULTS)
    Originals(kernel, [str(tmp_path)], "boot", 7).write(TIME, 120)

    again = Originals(kernel, [str(tmp_path)], "boot", 7)
    again.write(TIME, 90)

    assert dict(again.values) == {TIME: 7200}


@pytest.mark.parametrize(
    ("boot", "cookie"), [("another-boot", 7), ("another-boot", 0), ("boot", 8)]
)
def test_what_was_found_is_forgotten_with_the_boot_and_the_namespace(
    tmp_path: Path, boot: str, cookie: int
) -> None:
    """Never are values put back across a reboot, or into another namespace."""
    Originals(FakeKernel(DEFAULTS), [str(tmp_path)], "boot", 7).write(TIME, 120)

    assert not Originals(FakeKernel(WANTED), [str(tmp_path)], boot, cookie).values


@pytest.mark.parametrize(("before", "after"), [(7, 0), (0, 7)])
def test_what_was_found_survives_a_change_of_the_sandbox(
    tmp_path: Path, before: int, after: int
) -> None:
    """With the files passed by systemd kad does not know whose namespace they are of."""
    Originals(FakeKernel(DEFAULTS), [str(tmp_path)], "boot", before).write(TIME, 120)

    again = Originals(FakeKernel(WANTED), [str(tmp_path)], "boot", after)

    assert dict(again.values) == {TIME: 7200}


def test_what_was_found_is_kept_before_the_value_is_written(tmp_path: Path) -> None:
    """A crash between the two steps loses nothing."""
    path = tmp_path / "originals.json"

    class Crashing(FakeKernel):
        def write(self, parameter: object, value: int) -> None:
            raise KeyboardInterrupt(parameter, value, path.exists())

    with pytest.raises(KeyboardInterrupt, match="True"):
        Originals(Crashing(), [str(tmp_path)], "boot", 7).write(TIME, 120)


def test_damaged_originals_are_none(tmp_path: Path) -> None:
    """What cannot be understood is not put back."""
    path = tmp_path / "originals.json"
    Originals(FakeKernel(), [str(tmp_path)], "boot", 7).write(TIME, 120)
    for content in damaged(path.read_text(encoding="utf-8"))[:7]:
        path.write_text(content, encoding="utf-8")
        assert not Originals(FakeKernel(), [str(tmp_path)], "boot", 7).values


@pytest.mark.parametrize("value", ["1e999", "NaN", "7200.0", "true", '"7200"', "2147483648", "[7]"])
def test_originals_that_no_kernel_can_have_had_are_none(tmp_path: Path, value: str) -> None:
    """The daemon starts all the same, and puts none of it back."""
    path = tmp_path / "originals.json"
    Originals(FakeKernel(), [str(tmp_path)], "boot", 7).write(TIME, 120)
    path.write_text(path.read_text(encoding="utf-8").replace("7200", value), encoding="utf-8")

    assert not Originals(FakeKernel(), [str(tmp_path)], "boot", 7).values


@pytest.mark.parametrize("values", [None, {"x": 1}])
def test_originals_of_a_past_boot_are_no_trouble_whatever_is_in_them(
    tmp_path: Path, values: object
) -> None:
    """After an upgrade and a reboot there is nothing that could have been put back."""
    old = {"version": VERSION - 1, "boot": "another", "values": values}
    (tmp_path / "originals.json").write_text(json.dumps(old), encoding="utf-8")

    assert Originals(FakeKernel(), [str(tmp_path)], "boot", 7).replace_unusable() == []


def test_unusable_originals_are_named_once(tmp_path: Path) -> None:
    """Not at each start until the next boot; what the other directory has is kept."""
    directories = [str(tmp_path / "state"), str(tmp_path / "run")]
    for each in directories:
        Path(each).mkdir()
    Originals(FakeKernel(DEFAULTS), directories[1:], "boot", 7).write(TIME, 120)
    damaged = tmp_path / "state" / "originals.json"
    damaged.write_text("{", encoding="utf-8")

    named = Originals(FakeKernel(), directories, "boot", 7).replace_unusable()
    again = Originals(FakeKernel(), directories, "boot", 7)

    assert named == [str(damaged)]
    assert again.replace_unusable() == []
    assert dict(again.values) == {TIME: 7200}


def test_of_two_directories_with_originals_the_first_counts(tmp_path: Path) -> None:
    """A file left in the runtime directory says nothing against the state directory's."""
    directories = [str(tmp_path / "state"), str(tmp_path / "run")]
    for each, kernel in zip(directories, (DEFAULTS, WANTED), strict=True):
        Path(each).mkdir()
        Originals(FakeKernel(kernel), [each], "boot", 7).write(TIME, 60)

    both = Originals(FakeKernel(), directories, "boot", 7)

    assert dict(both.values) == {TIME: 7200}
    both.write(INTVL, 30)
    assert [each.parent.name for each in tmp_path.glob("*/originals.json")] == ["state"]


def test_without_a_place_to_keep_it_what_was_found_is_still_known(tmp_path: Path) -> None:
    """A read-only state directory costs the memory of a crash, nothing more."""
    kernel = FakeKernel()
    originals = Originals(kernel, [str(tmp_path / "absent")], "boot", 7)

    originals.write(TIME, 120)

    assert (dict(originals.values), kernel.now[TIME]) == ({TIME: 7200}, 120)
