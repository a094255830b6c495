"""Which files kad believes."""

import errno
import os
import random
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kad.core.errors import MissingPolicyError, PolicyError
from kad.policyfile import PolicyPath, read

PolicyAt = Callable[..., PolicyPath]
LIMIT = 64 * 1024
STRANGER = 54321
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def refusal_of(path: PolicyPath, environ: dict[str, str] | None = None) -> str:
    """Read a file that kad must refuse, give the one sentence about it."""
    with pytest.raises(PolicyError) as caught:
        read(path, environ or {})
    (line,) = caught.value.lines()
    assert caught.value.exit_status == 78
    return line.removeprefix(f"{path.path}: ")


def test_a_file_is_read_to_the_last_byte(policy_at: PolicyAt) -> None:
    """The bytes come as they are: validation decides about them."""
    assert read(policy_at(b"\xff\0\r\n x"), {}) == b"\xff\0\r\n x"


def test_an_empty_file_is_read(policy_at: PolicyAt) -> None:
    """It is bad, but not for the reader to say."""
    assert read(policy_at(b""), {}) == b""


def test_64_kib_are_taken(policy_at: PolicyAt) -> None:
    """The limit itself is within it."""
    assert read(policy_at(b"#" * LIMIT), {}) == b"#" * LIMIT


def test_one_byte_more_is_refused(policy_at: PolicyAt) -> None:
    """A policy is small; whatever is not is none."""
    assert refusal_of(policy_at(b"#" * (LIMIT + 1))) == "is larger than 64 KiB"


def test_a_file_that_hides_its_size_is_refused(tmp_path: Path) -> None:
    """What counts is what can be read, not the size that the file claims: 0 for this one."""
    if os.geteuid() or not Path("/proc/kallsyms").is_file():
        pytest.skip("needs root and /proc/kallsyms, a large file that claims to be empty")
    (tmp_path / "policy.toml").symlink_to("/proc/kallsyms")

    path = PolicyPath(str(tmp_path / "policy.toml"), named=False)

    assert refusal_of(path) == "is larger than 64 KiB"


def test_a_symbolic_link_is_followed(policy_at: PolicyAt, tmp_path: Path) -> None:
    """Links are a common way to manage files; what stands at their end is checked."""
    policy_at(b"here", "elsewhere.toml")
    (tmp_path / "policy.toml").symlink_to("elsewhere.toml")

    assert read(PolicyPath(str(tmp_path / "policy.toml"), named=False), {}) == b"here"


def make_fifo(path: Path) -> None:
    """Make a fifo that nobody writes to."""
    os.mkfifo(path)


def make_device(path: Path) -> None:
    """Make a link to a device: making devices takes more rights than some roots have."""
    path.symlink_to("/dev/null")


def make_socket(path: Path) -> None:
    """Make a socket that nobody listens on."""
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's path is short
        listener.bind(path.name)
        os.chdir(here)


@pytest.mark.parametrize("make", [Path.mkdir, make_fifo, make_device, make_socket])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Directory, fifo, device, socket: a sentence, and at once."""
    make(tmp_path / "policy.toml")

    path = PolicyPath(str(tmp_path / "policy.toml"), named=False)

    assert refusal_of(path) == "is not a regular file"


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666, 0o620, 0o602, 0o777])
def test_a_file_that_others_may_write_is_refused(policy_at: PolicyAt, mode: int) -> None:
    """Whoever can write the policy can steer root's daemon."""
    path = policy_at()
    Path(path.path).chmod(mode)

    expected = f"is writable by group or others (mode {mode:04o}); fix with chmod go-w"
    assert refusal_of(path) == expected


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600, 0o755, 0o444])
def test_a_file_that_only_its_owner_may_write_is_taken(policy_at: PolicyAt, mode: int) -> None:
    """Who may read it, or run it, is no matter."""
    path = policy_at()
    Path(path.path).chmod(mode)

    assert read(path, {}) == b"keepalive.time = 60\n"


@needs_root
@pytest.mark.parametrize("named", [True, False])
def test_a_strangers_file_is_refused(policy_at: PolicyAt, *, named: bool) -> None:
    """Root believes only root, even where the command line names the file."""
    path = policy_at(named=named)
    os.chown(path.path, STRANGER, 0)

    assert refusal_of(path) == "is owned by 54321, must be owned by root; fix with chown root"


@needs_root
def test_who_called_sudo_may_own_the_file_that_was_named(policy_at: PolicyAt) -> None:
    """`sudo kad check ~/policy.toml` works."""
    path = policy_at(named=True)
    os.chown(path.path, STRANGER, 0)

    assert read(path, {"SUDO_UID": str(STRANGER)}) == b"keepalive.time = 60\n"


@needs_root
def test_who_called_sudo_may_not_own_a_file_that_was_not_named(policy_at: PolicyAt) -> None:
    """Sudo vouches for what the user typed, not for what lies in /etc/kad or $KAD_POLICY."""
    path = policy_at(named=False)
    os.chown(path.path, STRANGER, 0)

    refusal = refusal_of(path, {"SUDO_UID": str(STRANGER)})
    assert "must be owned by root; fix with chown root" in refusal


@needs_root
@pytest.mark.parametrize("uid", ["", "0", "54322", "-54321", "54321x", " 54321", "٥٤٣٢١", "9" * 99])
def test_another_sudo_uid_does_not_help(policy_at: PolicyAt, uid: str) -> None:
    """Only the plain number of the very owner counts; anything else is no uid, nor a traceback."""
    path = policy_at(named=True)
    os.chown(path.path, STRANGER, 0)

    assert "is owned by 54321, must be owned by " in refusal_of(path, {"SUDO_UID": uid})


@needs_root
def test_all_reasons_are_told_at_once(policy_at: PolicyAt) -> None:
    """One look at the message, one repair."""
    path = policy_at(b"#" * (LIMIT + 1))
    os.chown(path.path, STRANGER, 0)
    Path(path.path).chmod(0o666)

    with pytest.raises(PolicyError) as caught:
        read(path, {})

    assert [line.removeprefix(f"{path.path}: ").split()[1] for line in caught.value.lines()] == [
        "writable",
        "owned",
        "larger",
    ]


@needs_root
def test_the_user_kad_runs_as_may_own_the_file(policy_at: PolicyAt, as_nobody: None) -> None:
    """The effective uid counts; root's files are taken too, a third user's are not."""
    assert as_nobody is None
    os.seteuid(0)
    own, roots, foreign = (policy_at(name.encode(), f"{name}.toml") for name in "abc")
    os.chown(own.path, 65534, 0)
    os.chown(foreign.path, STRANGER, 0)
    os.seteuid(65534)

    assert read(own, {}) == b"a"
    assert read(roots, {}) == b"b"
    assert refusal_of(foreign).endswith("must be owned by root or nobody; fix with chown root")


def test_a_file_that_kad_may_not_read_says_how_to_help(
    policy_at: PolicyAt, as_nobody: None
) -> None:
    """The daemon runs as its own user: mode 0600 is the mistake made first."""
    assert as_nobody is None
    os.seteuid(0)
    path = policy_at()
    Path(path.path).chmod(0o600)
    os.seteuid(65534)

    with pytest.raises(PolicyError) as caught:
        read(path, {})

    assert str(caught.value) == (
        f"{path.path}: cannot be read by user nobody: Permission denied"
        " (chmod 0644, or chgrp nogroup and 0640)"
    )
    assert not isinstance(caught.value, MissingPolicyError)


def test_users_without_a_name_are_told_by_number(policy_at: PolicyAt, as_nobody: None) -> None:
    """A container often knows no names."""
    assert as_nobody is None
    os.seteuid(0)
    path = policy_at()
    Path(path.path).chmod(0o600)
    os.setegid(STRANGER)
    os.seteuid(STRANGER)

    try:
        assert refusal_of(path) == (
            "cannot be read by user 54321: Permission denied (chmod 0644, or chgrp 54321 and 0640)"
        )
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("target", [None, "nothing", "file/below"])
def test_a_file_that_is_not_there_is_a_missing_policy(tmp_path: Path, target: str | None) -> None:
    """No file, a link to nothing, a link through a file: nothing to fall back from."""
    (tmp_path / "file").touch()
    if target:
        (tmp_path / "policy.toml").symlink_to(target)

    with pytest.raises(MissingPolicyError, match="no such file"):
        read(PolicyPath(str(tmp_path / "policy.toml"), named=False), {})


def test_a_loop_of_links_is_told(tmp_path: Path) -> None:
    """The kernel's own words, in kad's sentence."""
    (tmp_path / "policy.toml").symlink_to("policy.toml")

    path = PolicyPath(str(tmp_path / "policy.toml"), named=False)

    assert refusal_of(path) == f"cannot be read: {os.strerror(errno.ELOOP)}"


@pytest.mark.parametrize("name", ["x" * 300, "x\0y"])
def test_an_impossible_name_is_told(tmp_path: Path, name: str) -> None:
    """Too long for the filesystem, or with a NUL in it."""
    path = PolicyPath(f"{tmp_path}/{name}.toml", named=True)

    with pytest.raises(PolicyError, match="cannot be read: ") as caught:
        read(path, {})

    assert "\0" not in caught.value.lines()[0]


@contextmanager
def swapped_all_the_time(name: Path, targets: list[str]) -> Iterator[None]:
    """Point a symbolic link at any of the targets, as fast as can be, while this lasts."""
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            spare = name.with_suffix(".new")
            spare.symlink_to(random.choice(targets))  # noqa: S311 - nothing secret
            spare.rename(name)

    name.symlink_to(targets[0])
    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        yield
    finally:
        stop.set()
        swapper.join()


def test_what_was_opened_is_checked_and_not_the_name(policy_at: PolicyAt, tmp_path: Path) -> None:
    """However the name is swapped between open, check and read: good content or a refusal."""
    policy_at(b"good", "good.toml")
    policy_at(b"evil", "evil.toml")
    (tmp_path / "evil.toml").chmod(0o666)
    make_fifo(tmp_path / "fifo")
    path = PolicyPath(str(tmp_path / "policy.toml"), named=False)
    evil = "is writable by group or others (mode 0666); fix with chmod go-w"
    expected = {"good", evil, "is not a regular file"}
    outcomes: set[str] = set()
    enough, until = 3000, time.monotonic() + 30

    with swapped_all_the_time(Path(path.path), ["good.toml", "evil.toml", "fifo"]):
        while enough > 0 or (outcomes < expected and time.monotonic() < until):
            enough -= 1
            try:
                outcomes.add(read(path, {}).decode())
            except PolicyError as error:
                outcomes.add(error.mistakes[0].text.split(":")[0])

    assert outcomes == expected


def test_no_descriptor_is_left_open(policy_at: PolicyAt, tmp_path: Path) -> None:
    """A daemon reads its policy for years, good or bad."""
    good, bad = policy_at(), policy_at(name="bad.toml")
    Path(bad.path).chmod(0o666)
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(20):
        read(good, {})
        refusal_of(bad)
        refusal_of(PolicyPath(str(tmp_path), named=False))

    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert stat.S_IMODE(Path(good.path).stat().st_mode) == 0o644
