"""Time spans, held to systemd's own reading of them."""

import re
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kad.core.spans import UNITS, parse_span
from tests.fuzz.budget import tries

UNKNOWN = ["us", "ms", "M", "month", "y", "years", "S", "Min", "x", "infinity", "µs", "e", "minx"]
WORDS = st.one_of(
    st.integers(0, 99999).map(str),
    st.sampled_from(sorted(UNITS)),
    st.sampled_from([" ", "", "\t", "\n", "  ", "\r"]),
    st.sampled_from([*UNKNOWN, *"+-.,:;0_", "0x1", "1.5", "1e3", "٣", "\u00a0", "1234567890"]),
)
PARTS = st.tuples(st.integers(0, 99999), st.sampled_from(sorted(filter(None, UNITS))))
# What kad refuses on purpose though systemd takes it, by the words that say so.
ON_PURPOSE = "signs|below a second|months|years|fractions|infinity|too long or has no unit"


def systemd(*texts: str) -> list[int] | None:
    """Give the microseconds that systemd makes of spans; None where it refuses one of them."""
    command = ["systemd-analyze", "timespan", "--", *texts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}
    found = re.findall(r"^ *[μu]s: ([0-9]+)$", done.stdout, re.MULTILINE)
    return [int(each) for each in found] if done.returncode == 0 else None


needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="needs systemd-analyze"
)


@needs_systemd
@given(
    st.lists(
        st.lists(PARTS, min_size=1, max_size=4)
        .flatmap(st.permutations)
        .map(lambda parts: " ".join(f"{number}{unit}" for number, unit in parts)),
        min_size=20,
        max_size=50,
    )
)
@tries(20)
def test_systemd_means_the_same_by_every_span_that_kad_takes(texts: list[str]) -> None:
    """An operator who knows systemd.time(7) knows kad's spans."""
    assert systemd(*texts) == [parse_span(text) * 1_000_000 for text in texts]


@needs_systemd
@given(st.lists(WORDS, max_size=6).map("".join))
@example("5 30s")  # half an hour and five seconds to systemd, and a slip to kad
@tries(150)
def test_what_kad_refuses_systemd_refuses_too_or_kad_says_what_it_does_not_take(text: str) -> None:
    """No span is taken for another, and none is refused without a reason."""
    theirs = systemd(text)

    try:
        ours = parse_span(text)
    except ValueError as error:
        assert theirs is None or re.search(ON_PURPOSE, str(error))  # noqa: PT017 - either is right
    else:
        assert theirs == [ours * 1_000_000]
