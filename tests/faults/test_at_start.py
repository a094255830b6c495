"""What keeps the daemon from starting."""

import pytest

from tests.faults.row import Refusal
from tests.faults.scene import WANTED, scene_for
from tests.faults.table import REFUSALS
from tests.netns import KAD


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.what)
def test_a_refused_start_has_its_status_and_says_why(refusal: Refusal) -> None:
    """Nothing is half written, and the next start is a good one."""
    with scene_for() as scene:
        with refusal.how(scene):
            before = scene.values()
            command = (*refusal.prefix, *KAD, "run", "--policy", scene.policy)
            done = scene.machine.run(*command)
            told = scene.sentences(refusal.log)

            assert done.stderr.splitlines() == told
            assert (done.returncode, done.stdout) == (refusal.status, "")
            assert scene.values() == before

        with scene.started((), {}, "status.json"):
            assert scene.values() == WANTED
