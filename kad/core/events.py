"""Name what kad tells the journal, with the ids and priorities that users filter by."""

from collections.abc import Mapping
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import NamedTuple

from kad.core.errors import ascii_line
from kad.core.report import Result


class Priority(IntEnum):
    """syslog(3) levels, as journald's PRIORITY= takes them."""

    ERR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6


class Kind(Enum):
    """What happened: the value of KAD_EVENT, its MESSAGE_ID and its priority."""

    POLICY_LOADED = ("policy-loaded", "699951b630204735b8aaf0a88228e955", Priority.INFO)
    POLICY_REJECTED = ("policy-rejected", "d70360ec03154c10a14928955817f6e3", Priority.ERR)
    VALUE_SET = ("value-set", "750bc3d5fbab4663a031cfef289fa859", Priority.INFO)
    DRIFT = ("drift", "24371b1bcf7245ef97cefc8e180b4d00", Priority.WARNING)
    CONTENTION = ("contention", "560750405a2d47bfabb2489a223fd3c6", Priority.WARNING)
    WRITE_FAILED = ("write-failed", "c579084653294bcd81d7712118d9d3cd", Priority.ERR)
    WATCH_LOST = ("watch-lost", "726a05a973784baeb172b3a6015805a6", Priority.WARNING)
    NAMESPACES_SET = ("namespaces-set", "97e9ac3be8e84b24b30638c3c24dc8c3", Priority.INFO)
    SOCKETS_CHANGED = ("sockets-changed", "91142152c87949819b4736b8ab13985f", Priority.NOTICE)
    RECOVERED = ("recovered", "a23fc0f9c23c4a5aa47c9aa8fdd323ff", Priority.NOTICE)

    def __init__(self, event: str, message_id: str, priority: Priority) -> None:
        self.event = event
        self.message_id = message_id
        self.priority = priority


class Event(NamedTuple):
    """One line for the journal; `fields` are the KAD_ fields that apply."""

    kind: Kind
    message: str
    fields: Mapping[str, str] = MappingProxyType({})

    def entry(self) -> dict[str, str]:
        """Give the journal's fields, MESSAGE in ASCII."""
        return {
            "MESSAGE": ascii_line(self.message),
            "MESSAGE_ID": self.kind.message_id,
            "PRIORITY": str(int(self.kind.priority)),
            "SYSLOG_IDENTIFIER": "kad",
            "KAD_EVENT": self.kind.event,
            **self.fields,
        }


def about(kind: Kind, message: str, result: Result, **fields: str) -> Event:
    """Make an event about one parameter."""
    known = {
        "KAD_PARAMETER": str(result.parameter),
        "KAD_POLICY_VALUE": result.policy,
        "KAD_FOUND_VALUE": result.found,
    }
    named = {name: str(value) for name, value in known.items() if value is not None}
    return Event(kind, message, {**named, **fields})
