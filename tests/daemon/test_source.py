"""The policy file is validated when its bytes have changed, and only then."""

import traceback
from functools import partial
from pathlib import Path

import pytest

from kad import policyfile
from kad.core.errors import MissingPolicyError, Mistake, PolicyError, UncheckedPolicyError
from kad.daemon.source import Source
from kad.lastgood import LastGood
from tests.fakes import TIME

GOOD = '[keepalive]\ntime = "2min"\n'
BAD = "[keepalive]\ntime = 0\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a valid policy file."""
    path = tmp_path / "policy.toml"
    path.write_text(GOOD, encoding="utf-8")
    path.chmod(0o644)
    return path


@pytest.fixture
def store(tmp_path: Path) -> LastGood:
    """Give a place for the last good policy."""
    return LastGood(str(tmp_path), "host")


def source(file: Path, store: LastGood | None = None) -> Source:
    """Give a source for the file, as a daemon that just started has it."""
    find = partial(policyfile.find, None, str(file), {})
    return Source(find, policyfile.validate_in_child, {}, store)


def bad(file: Path) -> PolicyError:
    """Say that a file is bad."""
    return PolicyError(Mistake(str(file), 2, 8, "keepalive.time: must be 1 to 32767, got 0"))


def test_a_file_is_loaded_and_an_unchanged_one_is_the_same_policy(file: Path) -> None:
    """A timer over an untouched file costs a read."""
    policies = source(file)

    first = policies.load()

    assert first.policy.values == {TIME: 120}
    assert policies.load() is first


def test_a_changed_file_is_a_new_policy(file: Path) -> None:
    """The bytes decide, not the time stamp."""
    policies = source(file)
    policies.load()
    file.write_text(GOOD.replace("2min", "90s"), encoding="utf-8")

    assert policies.load().policy.values == {TIME: 90}


def test_a_bad_file_is_refused_each_time_and_the_good_one_taken_again(file: Path) -> None:
    """A mended file needs no restart."""
    policies = source(file)
    policies.load()
    file.write_text(BAD, encoding="utf-8")
    for _ in range(2):
        with pytest.raises(PolicyError, match=r"policy\.toml:2:8: keepalive\.time"):
            policies.load()
    file.write_text(GOOD, encoding="utf-8")

    assert policies.load().policy.values == {TIME: 120}


def test_a_good_policy_s_file_is_checked_again_though_its_bytes_are_the_same(file: Path) -> None:
    """A policy that anybody may write is refused, whatever it says."""
    policies = source(file)
    policies.load()
    file.chmod(0o666)

    with pytest.raises(PolicyError, match="writable by group or others"):
        policies.load()


def test_the_last_good_policy_outlives_the_daemon(file: Path, store: LastGood) -> None:
    """After a restart over a bad file the policy before it is still there."""
    policies = source(file, store)
    policies.keep(policies.load())
    file.write_text(BAD, encoding="utf-8")
    restarted = source(file, store)

    with pytest.raises(PolicyError):
        restarted.load()
    kept = restarted.last_good(bad(file))

    assert kept is not None
    assert kept.policy.values == {TIME: 120}


def test_another_file_s_last_good_policy_is_not_taken(file: Path, store: LastGood) -> None:
    """A policy belongs to its path."""
    policies = source(file, store)
    policies.keep(policies.load())
    other = file.with_name("other.toml")
    other.write_text(BAD, encoding="utf-8")
    other.chmod(0o644)

    assert source(other, store).last_good(bad(other)) is None


@pytest.mark.parametrize(("raw", "known"), [(GOOD, True), (BAD, False)])
def test_after_an_upgrade_the_kept_bytes_are_validated_again(
    file: Path,
    store: LastGood,
    tmp_path: Path,
    raw: str,
    known: bool,  # noqa: FBT001
) -> None:
    """A newer kad may be stricter; what it would refuse it does not put in force."""
    policies = source(file, store)
    store.write(str(file), raw.encode(), policies.load().policy)
    path = tmp_path / "policy.json"
    text = path.read_text(encoding="utf-8").replace('"kad": "', '"kad": "0.')
    path.write_text(text, encoding="utf-8")

    kept = source(file, store).last_good(bad(file))

    assert (kept is not None) is known


def test_a_validation_without_a_verdict_is_not_tried_twice(
    file: Path, store: LastGood, tmp_path: Path
) -> None:
    """It may have taken all the time that the boot has for kad."""
    policies = source(file, store)
    policies.keep(policies.load())
    path = tmp_path / "policy.json"
    text = path.read_text(encoding="utf-8").replace('"kad": "', '"kad": "0.')
    path.write_text(text, encoding="utf-8")

    kept = source(file, store).last_good(UncheckedPolicyError(*bad(file).mistakes))

    assert kept is None


def test_no_state_directory_is_no_last_good_policy(file: Path) -> None:
    """In a namespace that will not come again nothing is kept."""
    policies = source(file)
    policies.keep(policies.load())

    assert policies.last_good(bad(file)) is None


def test_a_missing_file_is_told_apart_from_a_bad_one(file: Path) -> None:
    """Missing ends a start; bad falls back."""
    file.unlink()

    with pytest.raises(MissingPolicyError):
        source(file).load()


def test_an_upgrade_renews_what_is_kept(file: Path, store: LastGood, tmp_path: Path) -> None:
    """Else every start would validate twice until the next edit."""
    policies = source(file, store)
    policies.keep(policies.load())
    path = tmp_path / "policy.json"
    old = path.read_text(encoding="utf-8").replace('"kad": "', '"kad": "0.')
    path.write_text(old, encoding="utf-8")

    upgraded = source(file, store)
    upgraded.keep(upgraded.load())

    saved = store.read()
    assert saved is not None
    assert saved.policy is not None


def test_loading_a_bad_file_for_days_takes_no_memory(file: Path) -> None:
    """An exception that is raised again and again would keep every stack it went through."""
    policies = source(file)
    file.write_text(BAD, encoding="utf-8")
    for _ in range(50):
        with pytest.raises(PolicyError) as caught:
            policies.load()

    frames = traceback.extract_tb(caught.value.__traceback__)
    assert len(frames) < 5
