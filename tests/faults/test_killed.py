"""kill -9 between any two steps that leave a trace, from the start to the end of a daemon."""

import re
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tests.faults.scene import DEFAULTS, Scene, scene_for
from tests.kernel.conftest import POLICY
from tests.netns import KAD, Daemon, wait_until

RESTORING = POLICY + '[on_stop]\nvalues = "restore"\n'
STEPS = ("openat", "write", "pwrite64", "fchmod", "fsync", "rename", "unlink")
_CALL = re.compile(r"^(\w+)\((.*)", re.MULTILINE)
WORKERS = 3


def traced(scene: Scene, *options: str) -> tuple[str, ...]:
    """Give the program that runs kad under strace, which looks at the files that it writes."""
    names = [f"{scene.state_directory}/{name}.json" for name in ("policy", "originals")]
    names.append(f"{scene.run_directory}/status.json")
    files = [*names, *(f"{name}.new" for name in names)]
    files += [f"/proc/sys/net/ipv4/tcp_keepalive_{name}" for name in ("time", "intvl", "probes")]
    paths = [option for file in files for option in ("-P", file)]
    calls = f"trace={','.join(STEPS)}"
    # -D: kad is the child, and strace the grandchild.
    strace = ("strace", "-D", "-qq", "-o", "/run/trace", *paths, "-e", calls, *options)
    return (*strace, *KAD, "run", "--policy", str(scene.policy))


def live(scene: Scene, *options: str) -> int:
    """Have a daemon start, take another policy, and stop; give how it ended, perhaps earlier."""
    daemon = Daemon(scene.machine, traced(scene, *options), {})

    def came(times: int) -> bool:
        return daemon.process.poll() is not None or daemon.heard().count("READY=1") >= times

    try:
        wait_until(lambda: came(1))
        scene.machine.write_policy(RESTORING.replace("2min", "90s").replace("8", "10"))
        with suppress(IndexError, OSError):  # it may be dead by now
            daemon.signal(signal.SIGHUP)
        wait_until(lambda: came(2))
        with suppress(IndexError, OSError):
            daemon.signal(signal.SIGTERM)
        return daemon.wait()
    finally:
        daemon.close()


def forget(scene: Scene) -> None:
    """Have the machine be as before the first start."""
    scene.machine.write_policy(RESTORING)
    scene.must("sh", "-c", f"rm -f {scene.state_directory}/* {scene.run_directory}/*")
    assert scene.values() == DEFAULTS


def steps() -> list[tuple[str, int]]:
    """Live through it once; give each step as a system call, and which of its kind it is."""
    with scene_for() as scene:
        forget(scene)
        live(scene)
        trace = scene.seen("/run/trace").read_text("utf-8")
    met: Counter[str] = Counter()
    found = []
    for call, line in _CALL.findall(trace):
        met[call] += 1
        # A file that is only opened is as it was; the write to it is a step of its own.
        if call != "openat" or "O_CREAT" in line:
            found.append((call, met[call]))
    return found


def killed_at(scene: Scene, call: str, number: int) -> bool:
    """Have a daemon be killed in front of one step; then its successor must be right."""
    forget(scene)
    status = live(scene, "-e", f"inject={call}:signal=KILL:when={number}")
    with scene.started((), {}, "READY=1") as daemon:
        assert (call, number, scene.values()) == (call, number, (90, 30, 10))
        assert daemon.stop() == 0
    assert (call, number, scene.values()) == (call, number, DEFAULTS)
    kept = scene.must("ls", scene.run_directory, scene.state_directory).split()
    assert (call, number, [name for name in kept if name.endswith(".new")]) == (call, number, [])
    return status != 0


def test_killed_in_front_of_any_step_nothing_is_lost() -> None:
    """The next start has the policy in force, and its end puts back what the first one found."""
    each = steps()

    def some(first: int) -> int:
        with scene_for() as scene:
            return sum(killed_at(scene, *step) for step in each[first::WORKERS])

    with ThreadPoolExecutor(WORKERS) as pool:
        killed = sum(pool.map(some, range(WORKERS)))

    assert {call for call, _ in each} == set(STEPS)
    assert len(each) > 40
    # A change of the policy may be seen before its SIGHUP is, and then the state is written twice.
    assert len(each) - killed < 10
