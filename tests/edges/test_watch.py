"""Every way a policy file can change is an event; reading it is none."""

import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from kad.watch import Watch, observer
from kad.watch.names import directories, names_met

CHECKOUT = Path(__file__).resolve().parents[2]
# Long enough for the slowest machine; what passes takes some milliseconds.
PATIENCE_S = 10
# What should not happen is waited for this long.
SILENCE_S = 0.2


class Watched:
    """A policy file in a directory of its own, and a watch on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / "etc"
        self.directory.mkdir()
        self.file = self.directory / "policy.toml"
        self.file.write_text("old", encoding="ascii")
        self.changed = threading.Event()
        self.watch = Watch(self.changed.set)

    def seen(self, change: Callable[[], object]) -> bool:
        """Do something; tell whether the watch saw it."""
        self.watch.refresh([str(self.file)])
        self.changed.clear()
        change()
        return self.changed.wait(PATIENCE_S)

    def silent(self, change: Callable[[], object]) -> bool:
        """Do something; tell whether the watch took no notice."""
        self.watch.refresh([str(self.file)])
        self.changed.clear()
        change()
        return not self.changed.wait(SILENCE_S)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """Give a watched file, and end the watch's threads."""
    made = Watched(tmp_path)
    yield made
    made.watch.close()


def write_in_place(each: Watched) -> None:
    """As `echo >` and `cp` do."""
    each.file.write_text("new", encoding="ascii")


def append_without_closing(each: Watched) -> None:
    """As a program does that keeps the file open."""
    with each.file.open("a", encoding="ascii") as file:
        file.write("more")
        file.flush()
        each.changed.wait(PATIENCE_S)


def rename_over(each: Watched) -> None:
    """As configuration management and most editors do."""
    new = each.directory / "policy.toml.tmp"
    new.write_text("new", encoding="ascii")
    new.rename(each.file)


def rename_over_from_elsewhere(each: Watched) -> None:
    """As `mv /root/policy.toml /etc/kad/` does."""
    new = each.root / "policy.toml"
    new.write_text("new", encoding="ascii")
    new.rename(each.file)


def sed(each: Watched) -> None:
    """Edit with a script."""
    subprocess.run(["sed", "-i", "s/old/new/", each.file], check=True)


def like_vim(each: Watched) -> None:
    """Move the old file aside, write a new one, take the old one away: backupcopy=no."""
    backup = each.directory / "policy.toml~"
    each.file.rename(backup)
    each.file.write_text("new", encoding="ascii")
    backup.unlink()


def delete(each: Watched) -> None:
    """Take the file away."""
    each.file.unlink()


def delete_and_create(each: Watched) -> None:
    """As a careless script does."""
    each.file.unlink()
    each.file.write_text("new", encoding="ascii")


def replace_the_directory(each: Watched) -> None:
    """As an image-based update does."""
    new = each.root / "etc.new"
    new.mkdir()
    (new / "policy.toml").write_text("new", encoding="ascii")
    each.directory.rename(each.root / "etc.old")
    new.rename(each.directory)


def remove_the_directory(each: Watched) -> None:
    """As an uninstallation does; a new installation is then seen too."""
    shutil.rmtree(each.directory)
    each.changed.wait(PATIENCE_S)
    each.watch.refresh([str(each.file)])
    each.changed.clear()
    each.directory.mkdir()
    each.changed.wait(PATIENCE_S)
    each.watch.refresh([str(each.file)])
    each.changed.clear()
    each.file.write_text("new", encoding="ascii")


def move_away(each: Watched) -> None:
    """Take the file to another directory."""
    each.file.rename(each.root / "gone.toml")


def change_the_mode(each: Watched) -> None:
    """Mend a file that others could write."""
    each.file.chmod(0o640)


def hard_link_in(each: Watched) -> None:
    """Put another file in its place by a link."""
    new = each.root / "new"
    new.write_text("new", encoding="ascii")
    each.file.unlink()
    os.link(new, each.file)


WAYS = [
    write_in_place,
    append_without_closing,
    rename_over,
    rename_over_from_elsewhere,
    sed,
    like_vim,
    delete,
    delete_and_create,
    move_away,
    replace_the_directory,
    remove_the_directory,
    change_the_mode,
    hard_link_in,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_to_change_a_file_is_seen_and_the_next_one_too(
    watched: Watched, way: Callable[[Watched], None]
) -> None:
    """Whatever tool the operator uses, the change wakes kad, again and again."""
    assert watched.seen(partial(way, watched))
    assert watched.seen(lambda: watched.file.write_text("newer", encoding="ascii"))
    assert watched.watch.refresh([str(watched.file)]).lost is None


def test_a_config_map_s_swap_of_data_is_seen(watched: Watched) -> None:
    """Kubernetes swaps `..data`, a link on the way, and never touches the file's own name."""
    volume = watched.directory
    watched.file.unlink()
    for stamp in ("1", "2", "3"):
        (volume / f"..{stamp}").mkdir()
        (volume / f"..{stamp}" / "policy.toml").write_text(stamp, encoding="ascii")
    (volume / "..data").symlink_to("..1")
    watched.file.symlink_to("..data/policy.toml")

    def swap(stamp: str) -> None:
        (volume / "..data_tmp").symlink_to(f"..{stamp}")
        (volume / "..data_tmp").rename(volume / "..data")

    assert watched.seen(lambda: swap("2"))
    assert watched.file.read_text(encoding="ascii") == "2"
    assert watched.seen(lambda: swap("3"))


def test_a_link_s_target_elsewhere_is_watched(watched: Watched) -> None:
    """A policy kept in a checkout and linked to /etc/kad is seen where it lies."""
    elsewhere = watched.root / "checkout"
    elsewhere.mkdir()
    target = elsewhere / "kad.toml"
    target.write_text("old", encoding="ascii")
    watched.file.unlink()
    watched.file.symlink_to("../checkout/kad.toml")

    assert watched.seen(lambda: target.write_text("new", encoding="ascii"))
    assert watched.seen(lambda: rewrite(target))
    assert watched.seen(watched.file.unlink)


def rewrite(path: Path) -> None:
    """Delete a file and make it anew."""
    path.unlink()
    path.write_text("new", encoding="ascii")


def test_a_link_on_the_way_is_watched(watched: Watched) -> None:
    """A directory that is a link may be turned to another directory."""
    real = watched.root / "real"
    watched.directory.rename(real)
    watched.directory.symlink_to("real")
    other = watched.root / "other"
    shutil.copytree(real, other)

    def turn() -> None:
        (watched.root / "link").symlink_to("other")
        (watched.root / "link").rename(watched.directory)

    assert watched.seen(turn)
    assert watched.seen(lambda: (other / "policy.toml").write_text("new", encoding="ascii"))


def test_a_directory_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    """The watch begins where the path ends, and follows it as it grows."""
    changed = threading.Event()
    watch = Watch(changed.set)
    path = tmp_path / "a" / "b" / "policy.toml"
    watch.refresh([str(path)])
    for step in (path.parent.parent.mkdir, path.parent.mkdir, path.touch):
        changed.clear()
        step()
        assert changed.wait(PATIENCE_S)
        watch.refresh([str(path)])
    watch.close()


def test_reading_the_policy_does_not_wake_kad(watched: Watched) -> None:
    """Else kad would wake itself for ever."""
    assert watched.silent(lambda: watched.file.read_text(encoding="ascii"))
    assert watched.silent(partial(os.listdir, watched.directory))
    assert watched.silent(watched.file.stat)


def test_a_neighbour_does_not_wake_kad(watched: Watched) -> None:
    """What else happens in the directories on the way is none of kad's business."""
    neighbour = watched.directory / "other.toml"

    assert watched.silent(lambda: neighbour.write_text("x", encoding="ascii"))
    assert watched.silent((watched.root / "other").mkdir)
    assert watched.silent(neighbour.unlink)


def test_looking_after_the_watch_changes_nothing(watched: Watched) -> None:
    """A healthy watch is left alone."""
    first = watched.watch.refresh([str(watched.file)])
    second = watched.watch.refresh([str(watched.file)])

    assert (first.watching, first.began) == (True, True)
    assert (second.watching, second.began, second.lost) == (True, False, None)


def test_one_of_several_names_is_seen(watched: Watched) -> None:
    """policy.yaml beside policy.toml is a mistake that should be told at once."""
    names = [str(watched.directory / f"policy.{suffix}") for suffix in ("toml", "yaml", "yml")]
    watched.watch.refresh(names)
    watched.changed.clear()

    (watched.directory / "policy.yml").touch()

    assert watched.changed.wait(PATIENCE_S)


def test_a_dead_thread_is_noticed_and_the_watch_repaired(watched: Watched) -> None:
    """watchdog's threads can end without a word; the next look finds out and starts anew."""
    watched.watch.refresh([str(watched.file)])
    dead = [each for each in threading.enumerate() if type(each).__name__.startswith("Inotify")]
    for thread in dead:
        if not hasattr(thread, "watch"):  # the emitters' end means that a directory has gone
            thread.stop()  # type: ignore[attr-defined]
            thread.join(PATIENCE_S)

    health = watched.watch.refresh([str(watched.file)])

    assert (health.lost, health.watching, health.began) == (
        "a watching thread has exited",
        True,
        True,
    )
    assert watched.seen(partial(watched.file.write_text, "new", encoding="ascii"))


def test_a_watch_that_began_without_a_look_at_proc_is_not_lost_with_the_one_before(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No descriptor was left for a moment: which watches are whose is then not known."""
    watched.watch.refresh([str(watched.file)])
    before = [each for each in threading.enumerate() if type(each).__name__.startswith("Inotify")]
    look, blind = observer.kernel_watches, iter([None])
    monkeypatch.setattr(observer, "kernel_watches", lambda: next(blind, look()))
    other = [str(watched.root / "policy.toml")]

    watched.watch.refresh(other)
    for thread in before:
        thread.join(PATIENCE_S)

    assert watched.watch.refresh(other) == (None, True, False)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")
def test_a_proc_that_is_hidden_while_the_watches_are_read_leaves_none_out(tmp_path: Path) -> None:
    """What has just been listed is still there, though no name leads to it any more."""
    hiding = """if True:
        import os, subprocess, sys
        from kad.watch import Watch

        def listed_then_hidden(where):
            names = listdir(where)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/proc"], check=True)
            return names

        watch = Watch(lambda: None)
        watch.refresh(sys.argv[1:])
        listdir, os.listdir = os.listdir, listed_then_hidden
        print(watch.observer.died(), os.path.exists("/proc/self"))
    """
    command = ["unshare", "--mount", sys.executable, "-c", hiding, str(tmp_path)]

    done = subprocess.run(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE_S
    )

    assert done.stdout == "None False\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")
def test_a_watch_that_the_kernel_dropped_is_noticed_and_repaired(watched: Watched) -> None:
    """A filesystem that is mounted again, the same directory on it, has lost its watches."""
    image = watched.root / "image"
    with image.open("wb") as file:
        file.truncate(4 * 1024 * 1024)
    subprocess.run(["mkfs.ext2", "-q", image], check=True)
    mount = ["mount", "-o", "loop", str(image), str(watched.directory)]
    subprocess.run(mount, check=True)
    try:
        watched.file.write_text("old", encoding="ascii")
        watched.watch.refresh([str(watched.file)])
        subprocess.run(["umount", watched.directory], check=True)
        subprocess.run(mount, check=True)

        health = watched.watch.refresh([str(watched.file)])

        assert health.watching
        assert health.began
        assert watched.seen(partial(watched.file.write_text, "new", encoding="ascii"))
    finally:
        watched.watch.close()
        subprocess.run(["umount", "-l", watched.directory], check=True)


def test_a_directory_that_is_made_anew_is_no_lost_watch(watched: Watched) -> None:
    """Even where the filesystem gives it the same inode number at once."""
    for _ in range(3):
        watched.watch.refresh([str(watched.file)])
        shutil.rmtree(watched.directory)
        watched.directory.mkdir()
        watched.file.write_text("new", encoding="ascii")
        watched.changed.wait(PATIENCE_S)
        wait_for_silence(watched)

        assert watched.watch.refresh([str(watched.file)]).lost is None
        assert watched.seen(partial(watched.file.write_text, "newer", encoding="ascii"))


def wait_for_silence(watched: Watched) -> None:
    """Wait until no more events come."""
    while watched.changed.wait(SILENCE_S):
        watched.changed.clear()


def test_a_directory_that_may_not_be_read_is_told(watched: Watched) -> None:
    """The kernel watches only what kad could list."""
    watched.directory.chmod(0o311)
    root = os.geteuid() == 0
    os.chown(watched.directory, 65534 if root else -1, -1)
    watched.root.chmod(0o755)
    os.seteuid(65534 if root else os.geteuid())
    try:
        health = watched.watch.refresh([str(watched.file)])
    finally:
        os.seteuid(0 if root else os.geteuid())
        watched.directory.chmod(0o755)

    assert not health.watching
    assert health.lost is not None
    assert "Permission denied" in health.lost


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    """Have no file descriptor to spare, and so no inotify instance."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(number) for number in os.listdir("/proc/self/fd"))
    taken = [os.open("/dev/null", os.O_RDONLY) for _ in range(highest + 1)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(taken) + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for number in taken:
            os.close(number)


def test_a_watch_that_cannot_be_had_says_why_and_is_had_later(watched: Watched) -> None:
    """Exhausted limits cost the watch, not the daemon; the timer's pass tries again."""
    with no_descriptors_left():
        lost = watched.watch.refresh([str(watched.file)])
    healed = watched.watch.refresh([str(watched.file)])

    assert not lost.watching
    assert lost.lost is not None
    assert "fs.inotify.max_user_instances" in lost.lost
    assert (healed.watching, healed.began, healed.lost) == (True, True, None)
    assert watched.seen(lambda: watched.file.write_text("new", encoding="ascii"))


def test_a_loop_of_links_ends() -> None:
    """The kernel gives up after 40 links, and so does kad."""
    assert len(list(names_met("/proc/self/root/" * 100 + "x"))) < 200


def test_every_directory_on_the_way_is_named(tmp_path: Path) -> None:
    """Links, `..` and doubled slashes are resolved one name at a time, as the kernel does."""
    root = os.path.realpath(tmp_path)
    os.makedirs(f"{root}/a/b")
    os.symlink("../a//b/./../b", f"{root}/a/link")

    met = list(names_met(f"{root}/a/link/policy.toml"))[-5:]

    assert met == [
        (f"{root}/a", "link"),
        (root, "a"),
        (f"{root}/a", "b"),
        (f"{root}/a", "b"),
        (f"{root}/a/b", "policy.toml"),
    ]


def test_a_directory_is_watched_for_writes_only_where_the_file_lies(tmp_path: Path) -> None:
    """A busy directory on the way, /tmp or /var/log, does not wake kad's threads."""
    found = directories([f"{os.path.realpath(tmp_path)}/policy.toml"])

    assert [each.path for each in found.values() if each.last] == [os.path.realpath(tmp_path)]


def test_what_watchdog_logs_is_none_of_the_operator_s() -> None:
    """Each line on stderr is a sentence of kad's; a stopped watch has none to add."""
    late = "InotifyEmitter.queue_events() called when the thread is inactive"
    program = (
        "import logging, kad.watch.observer as kad; "
        f"logging.getLogger(kad.InotifyObserver.__module__).error({late!r})"
    )
    command = [sys.executable, "-c", program]

    done = subprocess.run(command, capture_output=True, check=True, cwd=CHECKOUT)

    assert done.stderr == b""
