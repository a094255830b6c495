"""A fault befalls the daemon, lasts for some checks, and ends."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.faults.row import TIME, Fault
from tests.faults.scene import Scene, scene_for
from tests.faults.table import FAULTS
from tests.netns import wait_until


def drift(value: int) -> str:
    """Give the line for drift that was put right."""
    return f"<4>drift: {TIME} is 7200, policy says {value}; restored"


def assert_told(scene: Scene, *lines: str) -> None:
    """Assert that the log comes to have these lines, each once, and no others."""
    wanted = sorted(scene.sentences(lines))

    def told() -> bool:
        return not Counter(wanted) - Counter(scene.running.lines())

    try:
        wait_until(told)
    finally:
        assert sorted(scene.running.lines()) == wanted


def befall(fault: Fault) -> None:
    """Have a fault come and go; assert all that the table says."""
    with scene_for(rootless=fault.rootless) as scene, ExitStack() as lasting:
        if fault.known:
            scene.start_once()
        if fault.at_start:
            lasting.enter_context(fault.how(scene))
        sound = fault.answers if fault.at_start else "status.json"
        with scene.started(fault.prefix, fault.environ, sound) as daemon:
            if not fault.at_start:
                lasting.enter_context(fault.how(scene))
            told = while_it_lasts(scene, fault)
            lasting.close()
            told += fault.recovered
            assert_told(scene, *told)
            scene.drift(7200)
            assert_told(scene, *told, drift(fault.after[0]))
            assert scene.values() == fault.after
            assert scene.status().returncode == 0
            assert daemon.stop() == 0


def while_it_lasts(scene: Scene, fault: Fault) -> list[str]:
    """Assert what holds over several checks; give what was told."""
    told = [*fault.started, *fault.log]
    scene.check_now(fault.answers)
    if fault.restores:
        scene.drift(7200)
        told.append(drift(fault.values[0]))
    scene.check_now(fault.answers)
    assert_told(scene, *told)
    assert scene.values() == fault.values
    status = scene.status()
    assert fault.shows in status.stdout + status.stderr
    assert status.returncode == fault.status
    return told


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[None]]]:
    """Have the faults that are asked for befall machines of their own, some at a time.

    They spend most of their time waiting for the next check.
    """
    asked = {item.name for item in request.session.items}
    with ThreadPoolExecutor(4) as pool:
        yield {
            each.what: pool.submit(befall, each)
            for each in FAULTS
            if any(f"[{each.what}]" in name for name in asked)
        }


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_is_told_once_and_its_end_too(
    fault: Fault, outcomes: dict[str, Future[None]]
) -> None:
    """The values stay, drift is put right all the same, and nothing wants a restart."""
    outcomes[fault.what].result()
