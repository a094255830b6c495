"""What kad brings for systemd, as far as it can be judged without a systemd that runs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kad.core.events import Kind
from tests.debian import CHECKOUT

UNITS = CHECKOUT / "systemd"


def _catalog() -> dict[str, str]:
    """Give the text of each entry of the message catalog."""
    text = (UNITS / "kad.catalog").read_text(encoding="ascii")
    _, *parts = re.split(r"^-- ([0-9a-f]{32})\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_the_catalog_explains_every_event() -> None:
    """`journalctl -x` says of each entry what happened, why, and what to do."""
    catalog = _catalog()

    assert set(catalog) == {kind.message_id for kind in Kind}
    for text in catalog.values():
        headers, _, body = text.partition("\n\n")
        assert re.match(r"Subject: .*\nDefined-By: kad\nDocumentation: man:kad", headers)
        assert body.count("\n\n") >= 1


def test_catalog_entries_are_apart() -> None:
    """journald takes an entry for a new one only after an empty line."""
    text = (UNITS / "kad.catalog").read_text(encoding="ascii")

    assert re.search(r"[^\n]\n-- ", text) is None


def _settings(path: Path) -> list[str]:
    return re.findall(r"^[A-Z]\w+=.*$", path.read_text(encoding="ascii"), re.MULTILINE)


def test_the_unit_grants_one_capability() -> None:
    """kad may set what needs CAP_NET_ADMIN, and nothing else."""
    granted = [line for line in _settings(UNITS / "kad.service") if "Capabilit" in line]

    assert granted == ["AmbientCapabilities=CAP_NET_ADMIN", "CapabilityBoundingSet=CAP_NET_ADMIN"]


def _number(key: str) -> int:
    """Give a setting of kad.service; a time is in seconds there."""
    (value,) = re.findall(rf"^{key}=(\d+)s?$", (UNITS / "kad.service").read_text(), re.MULTILINE)
    return int(value)


def test_a_start_that_always_hangs_is_given_up() -> None:
    """All the starts that are allowed fit into the interval in which they are counted."""
    one = sum(map(_number, ("TimeoutStartSec", "TimeoutStopSec", "RestartSec")))

    assert one * _number("StartLimitBurst") < _number("StartLimitIntervalSec")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
@pytest.mark.parametrize("name", ["kad.service", "kad-metrics.timer", "kad-metrics.service"])
def test_systemd_has_nothing_to_say_about_the_units(tmp_path: Path, name: str) -> None:
    """No line is unknown or contradicts another."""
    for unit in UNITS.glob("kad*.[st]*"):
        text = unit.read_text(encoding="ascii").replace("/usr/bin/kad", "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="ascii")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / name],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
