"""What `kad sockets` draws."""

# ruff: noqa: E501 - a row is read best in one line

from kad.cli.programs import options_for, programs
from kad.cli.socketstable import table
from kad.cli.terminal import Style
from kad.core.sockets.audit import Audit, Process, Seen, grouped
from kad.core.sockets.connection import Class
from tests.connections import ON, connection

PLAIN = Style(terminal=False, colour=False)
COUNTS = {
    ("nginx.service", Class.UNPROTECTED): 999,
    ("nginx.service", Class.PROTECTED): 1,
    ("java", Class.STALE): 1,
}


def test_the_table_shows_the_worst_first_and_what_helps() -> None:
    """A share that is there at all is seen; a known program's own option is named."""
    assert table(Audit(grouped(COUNTS), 7100.2), "p.toml: time 120 s", PLAIN) == [
        "sockets    1001 established: 999 unprotected, 1 stale (up to 1 h 58 min 20 s left), 1 protected",
        "policy     p.toml: time 120 s",
        "",
        "unit          total unprotected stale  own protected busy",
        "nginx.service  1000         999     -    -         1    -  !!!!!!!!!!!!!!!!!!!=",
        "java              1           -     1    -         -    -  ~~~~~~~~~~~~~~~~~~~~",
        "",
        "! unprotected: SO_KEEPALIVE is off, so no sysctl applies: turn it on in the program, or for a unit with [sockets] enable",
        "    nginx.service: listen ... so_keepalive=on; towards servers: proxy_socket_keepalive on",
        "        https://nginx.org/en/docs/http/ngx_http_core_module.html#listen",
        "~ stale: the timer was armed under a longer time: [sockets] rearm = true fixes this",
        "= protected: keepalive is on and within the policy's time; nothing to do",
    ]


def test_who_may_not_look_is_told_what_a_long_timer_may_be() -> None:
    """Else he would have a program's own wish mended."""
    counts = grouped({("java", Class.STALE): 1})

    unlooked = table(Audit(counts, 7100, unlooked="kad needs CAP_SYS_PTRACE"), "", PLAIN)
    looked = table(Audit(counts, 7100), "", PLAIN)

    hint = "    or the program set a longer time itself; cannot tell: kad needs CAP_SYS_PTRACE"
    assert [each for each in unlooked if each not in looked] == [hint]


def test_no_connection_is_no_table() -> None:
    """A host without any has nothing to be advised on."""
    assert table(Audit(()), "none: the kernel's time", PLAIN) == [
        "sockets    0 established",
        "policy     none: the kernel's time",
    ]


def test_the_list_has_a_line_for_each_connection() -> None:
    """With its addresses, its process and what is left on its timer."""
    seen = Seen(connection(ON, 7100), Class.STALE, "java", Process(12, "java", 5), "blue")
    audit = Audit(grouped({("java", Class.STALE): 1}), 7100, (seen,))

    assert table(audit, "", PLAIN)[-2:] == [
        "class             left  unit  process           local                    remote",
        "stale         7100.0 s  java  java 12           10.0.0.1:80              10.0.0.2:1025  in blue",
    ]


def test_a_name_can_forge_nothing() -> None:
    """Any user may name a command as it likes."""
    lines = table(Audit(grouped({("a\n\x1b[2J", Class.BUSY): 1})), "", PLAIN)

    assert r"a\n\x1b[2J" in lines[4]


def test_every_known_program_has_a_source() -> None:
    """Nothing is advised that its documentation does not say."""
    assert all(each.source.startswith("https://") for each in programs())
    assert options_for("postgresql@15-main.service") is not None
    assert options_for("something.service") is None
