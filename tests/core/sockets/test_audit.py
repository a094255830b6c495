"""The audit's numbers."""

from kad.core.sockets.audit import Audit, Process, Seen, grouped
from kad.core.sockets.connection import Class
from tests.connections import ON, connection

STALE, UNPROTECTED, PROTECTED = Class.STALE, Class.UNPROTECTED, Class.PROTECTED
COUNTS = {
    ("a.service", PROTECTED): 90,
    ("b.service", UNPROTECTED): 1,
    ("c.service", UNPROTECTED): 2,
    ("c.service", PROTECTED): 1,
    ("d.service", STALE): 3,
    ("e.service", PROTECTED): 90,
}


def test_what_is_most_in_need_comes_first() -> None:
    """Unprotected, then stale, then the largest, then by name."""
    units = [group.unit for group in grouped(COUNTS)]

    assert units == ["c.service", "b.service", "d.service", "a.service", "e.service"]


def test_the_json_has_the_documented_shape() -> None:
    """Scripts read it: names and nesting are promised."""
    seen = Seen(connection(ON, 7100), STALE, "d.service", Process(12, "java", 5))
    audit = Audit(grouped({("d.service", STALE): 1}), 7100, (seen,))

    assert audit.as_json() == {
        "version": 1,
        "totals": {
            "protected": 0,
            "stale": 1,
            "own": 0,
            "unprotected": 0,
            "busy": 0,
            "established": 1,
        },
        "units": [
            {"unit": "d.service", "protected": 0, "stale": 1, "own": 0, "unprotected": 0, "busy": 0}
        ],
        "connections": [
            {
                "namespace": "host",
                "unit": "d.service",
                "class": "stale",
                "local": "10.0.0.1:80",
                "remote": "10.0.0.2:1025",
                "pid": 12,
                "command": "java",
                "timer_s": 7100.0,
            }
        ],
    }
