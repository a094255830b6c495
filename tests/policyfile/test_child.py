"""The child process that validates for the daemon."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import kad
from kad.core.errors import MissingPolicyError, PolicyError, StoppedError
from kad.policyfile import validate, validate_in_child

ROOT = Path(kad.__file__).parents[1]
HEAVY = ("pydantic", "yaml", "tomllib", "subprocess", "kad.policyfile.model")


def run(program: str) -> str:
    """Run a program that knows nothing but kad, give what it prints."""
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    command = (sys.executable, "-I", "-c", start + textwrap.dedent(program))
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b'mode = "audit"\n[keepalive]\ntime = "2min"\nprobes = 3\n', "/p.toml"),
        (b"keepalive: {intvl: 30}\npath: {idle_timeout: 350s}\n", "/p.yaml"),
    ],
)
def test_the_child_gives_the_same_policy(raw: bytes, path: str) -> None:
    """It is the same code, in another process."""
    assert validate_in_child(raw, path) == validate(raw, path)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"[keepalive]\nprobes = 0\ntime = '1y'\n", "/p.toml"),
        (b"[keepalive\n", "/p.toml"),
        (b"\xff", "/a b.toml"),
        (b'keepalive: {time: &a "\\ud800", "\\ud800": 1}\n"\xf0\x9f\x98\x80": 1\n', "/p.yaml"),
        (b"", "/\udcff\n\xe4.yaml"),
    ],
)
def test_the_child_tells_the_same_mistakes(raw: bytes, path: str) -> None:
    """All of them, with their places, whatever characters are in them or in the path."""
    with pytest.raises(PolicyError) as here:
        validate(raw, path)
    with pytest.raises(PolicyError) as there:
        validate_in_child(raw, path)

    assert there.value.lines() == here.value.lines()
    assert there.value.mistakes == here.value.mistakes


def test_64_kib_reach_the_child() -> None:
    """More than a pipe holds at once."""
    raw = b"keepalive.time = 1\n" + b"#" * (64 * 1024 - 19)

    assert validate_in_child(raw, "/p.toml") == validate(raw, "/p.toml")


def test_the_package_itself_is_light() -> None:
    """Importing it loads no parser and no model: boot waits for the daemon."""
    loaded = run("import kad.policyfile; print(*sys.modules)").split()

    assert "kad.policyfile" in loaded
    assert not {*HEAVY} & {*loaded}


def test_the_daemons_memory_stays_free_of_the_model() -> None:
    """Nor does validating in the child load them into the parent, for TOML or YAML."""
    loaded = run(
        """
        from kad.policyfile import validate_in_child
        validate_in_child(b"keepalive.time = 1", "/p.toml")
        validate_in_child(b"keepalive: {time: 1}", "/p.yaml")
        print(*sys.modules)
        """
    ).split()

    assert "subprocess" in loaded
    assert not {"pydantic", "yaml", "tomllib", "kad.policyfile.model"} & {*loaded}


def test_toml_needs_no_yaml_parser() -> None:
    """PyYAML is imported only for a YAML file."""
    loaded = run(
        """
        from kad.policyfile import validate
        validate(b"keepalive.time = 1", "/p.toml")
        print(*sys.modules)
        """
    ).split()

    assert "pydantic" in loaded
    assert "yaml" not in loaded


def test_a_child_that_cannot_be_started_is_told() -> None:
    """As when an upgrade took the interpreter away: the daemon keeps the policy in force."""
    said = run(
        """
        sys.executable = "/gone/python3"
        from kad.core.errors import PolicyError
        from kad.policyfile import validate_in_child
        try:
            validate_in_child(b"keepalive.time = 1", "/p.toml")
        except PolicyError as error:
            print(*error.lines())
        """
    )

    assert said == "/p.toml: could not be checked: No such file or directory\n"


@pytest.mark.parametrize(
    ("module", "code", "why"),
    [
        (
            "model",
            "raise MemoryError('no room')",
            "the child process exited with status 1: MemoryError: no room",
        ),
        ("child", "def main(): print('well?')", "no valid result in b'well?\\n'"),
        ("child", "def main(): print('{}')", "no valid result in b'{}\\n'"),
        ("child", "def main(): print('[1]')", "no valid result in b'[1]\\n'"),
        ("child", "def main(): pass", "no valid result in b''"),
    ],
)
def test_a_child_without_a_verdict_is_told(
    tmp_path: Path, module: str, code: str, why: str
) -> None:
    """A kad with a broken file in it, as a failed update leaves one, says so in a sentence."""
    shutil.copytree(ROOT / "kad", tmp_path / "kad")
    (tmp_path / "kad" / "policyfile" / f"{module}.py").write_text(code)

    said = run(
        f"""
        sys.path.insert(0, {str(tmp_path)!r})
        from kad.core.errors import PolicyError
        from kad.policyfile import validate_in_child
        try:
            validate_in_child(b"keepalive.time = 1", "/p.toml")
        except PolicyError as error:
            print(*error.lines())
        """
    )

    assert said == f"/p.toml: could not be checked: {why}\n"


@contextmanager
def signal_to_the_child(
    number: signal.Signals, then: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Send a signal to the validating child as soon as it is seen."""
    done = threading.Event()

    def hunt() -> None:
        while not done.is_set():
            for each in children():
                os.kill(each, number)
                then()
                done.set()
            time.sleep(0.001)

    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        yield
    finally:
        done.set()
        hunter.join()


def children() -> list[int]:
    """Give the children of this process that validate a policy."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    pids = [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]
    return [
        pid for pid in pids if b"kad.policyfile.child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_a_killed_child_is_told() -> None:
    """As the kernel does when memory runs out; the daemon lives on with the policy in force."""
    with signal_to_the_child(signal.SIGKILL), pytest.raises(PolicyError) as caught:
        validate_in_child(b"keepalive.time = 1", "/p.toml")

    assert str(caught.value) == (
        "/p.toml: could not be checked: the child process was terminated by a signal: Killed"
    )
    assert not isinstance(caught.value, MissingPolicyError)


def test_a_child_that_hangs_does_not_outlast_a_stop() -> None:
    """SIGTERM does not wait for the verdict, and nothing stays behind."""
    stopped = threading.Event()
    with signal_to_the_child(signal.SIGSTOP, stopped.set), pytest.raises(StoppedError) as caught:
        validate_in_child(b"keepalive.time = 1", "/p.toml", stopped.is_set)

    assert (caught.value.exit_status, caught.value.lines()) == (0, ())
    assert children() == []


def test_a_child_that_hangs_is_given_up() -> None:
    """After 5 s, and it does not stay behind."""
    with signal_to_the_child(signal.SIGSTOP), pytest.raises(PolicyError) as caught:
        validate_in_child(b"keepalive.time = 1", "/p.toml")

    assert str(caught.value) == "/p.toml: could not be checked: no result within 5 s"
    assert children() == []


GROUP_SIGNALS = """\
import os, signal, sys, threading
from kad.core.errors import StoppedError
from kad.policyfile import validate_in_child
heard = []
number = int(sys.argv[1])
signal.signal(number, lambda *a: heard.append(a[0]))
threading.Timer(0.05, os.killpg, (0, number)).start()
stopped = lambda: bool({signal.SIGINT, signal.SIGTERM} & {*heard})
try:
    print(validate_in_child(b"[keepalive]\\ntime = 60\\n", "/p.toml", stopped), heard)
except StoppedError:
    print("stopped")
"""


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        (signal.SIGHUP, "time 60 s [1]"),
        (signal.SIGINT, "stopped"),
        (signal.SIGTERM, "stopped"),
    ],
)
def test_a_signal_for_all_of_kad_does_not_reject_the_policy(
    number: signal.Signals, outcome: str
) -> None:
    """^C and systemd's stop reach the child too; the daemon still hears them itself."""
    done = subprocess.run(
        [sys.executable, "-c", GROUP_SIGNALS, str(int(number))],
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout == f"{outcome}\n"


def test_a_child_may_be_stopped_by_itself() -> None:
    """Who cleans up after a kad that was killed need not kill the child too."""
    with signal_to_the_child(signal.SIGTERM), pytest.raises(PolicyError) as caught:
        validate_in_child(b"keepalive.time = 1", "/p.toml")

    assert str(caught.value).endswith("the child process was terminated by a signal: Terminated")
