"""Which file is the policy."""

import os
import re
from pathlib import Path

import pytest

from kad.core.errors import MissingPolicyError, PolicyError, UsageError
from kad.policyfile import PolicyPath, find

NAMES = ("policy.toml", "policy.yaml", "policy.yml")


def test_the_argument_comes_first(tmp_path: Path) -> None:
    """A path on the command line wins over $KAD_POLICY and /etc/kad."""
    found = find("/a.toml", None, {"KAD_POLICY": "/c.toml"}, str(tmp_path))

    assert found == PolicyPath("/a.toml", named=True)


def test_the_option_counts_as_named(tmp_path: Path) -> None:
    """--policy names the file as well as an argument does."""
    found = find(None, "/b.yaml", {"KAD_POLICY": "/c.toml"}, str(tmp_path))

    assert found == PolicyPath("/b.yaml", named=True)


def test_the_environment_comes_before_the_directory(tmp_path: Path) -> None:
    """$KAD_POLICY is used where nothing was named, and does not count as named."""
    (tmp_path / "policy.toml").touch()

    found = find(None, None, {"KAD_POLICY": "/c.yml"}, str(tmp_path))

    assert found == PolicyPath("/c.yml", named=False)


@pytest.mark.parametrize("environ", [{}, {"KAD_POLICY": ""}])
@pytest.mark.parametrize("name", NAMES)
def test_the_directory_comes_last(tmp_path: Path, name: str, environ: dict[str, str]) -> None:
    """Any of the three names is found there; an empty $KAD_POLICY counts as unset."""
    (tmp_path / name).touch()

    found = find(None, None, environ, str(tmp_path))

    assert found == PolicyPath(str(tmp_path / name), named=False)


def test_argument_and_option_at_once_are_wrong_usage() -> None:
    """Two names for one thing: exit status 2."""
    with pytest.raises(UsageError, match="two policies given") as caught:
        find("/a.toml", "/a.toml", {})

    assert caught.value.exit_status == 2


@pytest.mark.parametrize("path", ["/p", "/p.json", "/p.toml.bak", "/p.TOML", "/toml", ""])
def test_another_suffix_is_a_mistake_that_names_the_three(path: str) -> None:
    """The suffix decides the format, wherever the path comes from."""
    for argument, option, environ in (
        (path, None, {}),
        (None, path, {}),
        (None, None, {"KAD_POLICY": path or "/"}),
    ):
        with pytest.raises(PolicyError, match=r"end in \.toml, \.yaml or \.yml") as caught:
            find(argument, option, environ)
        assert caught.value.exit_status == 78


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon and the state file speak of one path, whatever the directory of the day."""
    monkeypatch.chdir(tmp_path)

    assert find("x/../p.toml", None, {}).path == str(tmp_path / "p.toml")


def test_symbolic_links_are_left_in_the_path(tmp_path: Path) -> None:
    """A link is watched and read as a link: Kubernetes swaps its target."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    path = str(tmp_path / "link" / "p.toml")

    assert find(path, None, {}).path == path


@pytest.mark.parametrize("there", [NAMES, NAMES[:2], NAMES[1:], (NAMES[0], NAMES[2])], ids="+".join)
def test_two_files_in_the_directory_are_a_mistake_that_names_them(
    tmp_path: Path, there: tuple[str, ...]
) -> None:
    """Nobody is to guess which of them is in force; a dangling link counts as a file."""
    (tmp_path / there[0]).touch()
    for name in there[1:]:
        (tmp_path / name).symlink_to("nothing")

    with pytest.raises(PolicyError, match=re.escape(", ".join(there))) as caught:
        find(None, None, {}, str(tmp_path))

    assert not isinstance(caught.value, MissingPolicyError)


def test_a_dangling_link_alone_is_the_policy(tmp_path: Path) -> None:
    """The name is taken; reading it will tell that there is nothing behind."""
    (tmp_path / "policy.yaml").symlink_to("nothing")

    assert find(None, None, {}, str(tmp_path)).path == str(tmp_path / "policy.yaml")


@pytest.mark.parametrize("directory", [".", "absent", "file/below"])
def test_no_file_at_all_is_a_missing_policy(tmp_path: Path, directory: str) -> None:
    """The daemon ends with 78 and uses no last good policy, as nothing is there to be mended."""
    (tmp_path / "file").touch()

    with pytest.raises(MissingPolicyError, match=r"/policy\.toml: no such file") as caught:
        find(None, None, {}, str(tmp_path / directory))

    assert caught.value.exit_status == 78


@pytest.mark.usefixtures("as_nobody")
def test_a_directory_that_may_not_be_entered_is_no_missing_policy(tmp_path: Path) -> None:
    """Missing rights are told as such."""
    os.seteuid(0)
    (tmp_path / "closed").mkdir(mode=0o700)
    os.seteuid(65534)

    with pytest.raises(PolicyError, match="cannot be read by user nobody") as caught:
        find(None, None, {}, str(tmp_path / "closed"))

    assert not isinstance(caught.value, MissingPolicyError)


def test_a_relative_path_in_a_deleted_directory_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, even where the shell stands in a directory that is gone."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(PolicyError, match="no such file"):
        find("p.toml", None, {})
