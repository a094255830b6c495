"""Write kad(8): the command, the daemon and what it tells."""

from kad import __version__
from kad.cli.reference import ENVIRONMENT, EXIT_STATUS, FILES
from kad.core.contention import LIMIT, WINDOW_S
from kad.core.events import Kind
from manual import troff
from manual.commandline import CommandLine, command_lines

_DESCRIPTION = """
kad keeps the three sysctls of Linux's TCP keepalive, `net.ipv4.tcp_keepalive_time`,
`net.ipv4.tcp_keepalive_intvl` and `net.ipv4.tcp_keepalive_probes`, at the values set in one policy
file. IPv6 connections use the same three. The keys of the policy are described in kad-policy(5).

The daemon, `kad run`, puts the policy in force. After that it compares the policy with the kernel
when the policy file changes, when it is asked to reload, and every `drift.check_every`. It writes
only values that differ, and reads each back to verify it. A parameter that the policy leaves out is
never written. If all values are in force, kad writes nothing and logs nothing.

A write to a parameter is noticed and compared at once. If it goes through another procfs mount, as
from inside a container, it is noticed at the next check. A value that another process changed after
kad had put it in force is drift: kad logs it, and restores the value unless the policy says
otherwise.

A policy file with a mistake changes nothing: the policy in force remains, and kad reports what is
wrong and is degraded until the file is fixed. If the file has a mistake when kad starts, kad uses
the last good policy, if there is one.
"""

_CONTENTION = f"""
If another process changes a parameter more than {LIMIT} times within {WINDOW_S:.0f} s, kad logs
this once, and restores that parameter only after a pause of 1 s, doubling up to 60 s. This ends
after {WINDOW_S:.0f} s without a change by another process.
"""

_LIMITS = """
Sysctls apply only to sockets with SO_KEEPALIVE on. They have no effect on a program that never
turns it on, nor on one that sets its own TCP_KEEPIDLE: socket(7), tcp(7).

A lowered `time` affects an open connection only once its running timer has fired, or if `rearm` in
`[sockets]` is set. Probes are for idle connections: while data is in flight,
`net.ipv4.tcp_retries2` or TCP_USER_TIMEOUT decides.

kad expects the policy on a local filesystem. If the filesystem hangs, the checks stop and the
values remain. A write to the policy through another hard link, or to a file that is mounted by
itself over the policy's path, is noticed at the next check: mount the directory instead.
"""

_TROUBLE = """
The values remain in the kernel whatever happens to kad. Whatever kad cannot do, it retries at each
check. A problem is logged once, and so is its end; no restart is needed.
"""

# What is told, and what it means; the tests compare each sentence with what kad says in the end.
TROUBLES = {
    "cannot set net.ipv4.tcp_keepalive_time to 120: Read-only file system": "The other parameters "
    "are set anyway. At start, if none can be set, kad exits 77.",
    "cannot read net.ipv4.tcp_keepalive_time: No such file or directory": "/proc is not as it "
    "should be.",
    "policy rejected, the last good one stays: /etc/kad/policy.toml: no such file": "The policy "
    "in force remains. At start, kad uses the last good policy if there is one and the file is "
    "bad, not missing; otherwise it exits 78.",
    "could not be checked: the child process was terminated by a signal: Killed": "A new policy "
    "could not be validated for lack of memory or processes. The one in force remains.",
    "cannot write the state file: /run/kad/status.json: No space left on device": "`kad status` "
    "and `kad reload` get no answer.",
    "/run/kad/lock was deleted by another process; created again": "Something emptied the runtime "
    "directory.",
    "cannot keep the last good policy: /var/lib/kad/policy.json: No space left on device": "A "
    "later start with a bad file would fall back to an older policy. If the state directory is "
    "absent or read-only, this is not reported.",
    "/var/lib/kad/originals.json is damaged or from another version of kad: the original values "
    "are lost": "`on_stop.values` set to `restore` restores nothing.",
    "no inotify instance left, see fs.inotify.max_user_instances": "A change of the policy file, "
    "or of a parameter, is noticed only at the next check.",
    "cannot report the state to systemd: /run/systemd/notify: nothing is reading it": "The "
    "watchdog may end kad.",
    "cannot finish a check: out of memory": "The values had already been compared; the rest is "
    "done at the next check.",
    "log lines dropped because stderr was blocked: 5": "kad does not wait for the reader of its "
    "stderr.",
}

_NAMESPACES = """
A new network namespace, such as that of a container, starts with the kernel's defaults, whatever
the values of its parent. With `scope = "all"`, kad manages all namespaces of the machine, including
those that appear later:

* a namespace that has a name, or a veth to kad's own namespace, within a second
* any other, at the next check
* if thousands are there at start, in batches of 200

This needs CAP_SYS_ADMIN and CAP_SYS_PTRACE, which the drop-in
/usr/share/kad/dropins/namespaces.conf gives to the unit.

A namespace is named as ip-netns(8) knows it. If ip-netns(8) has no name for it, it gets the name of
the systemd unit or scope of its oldest process, and failing that `net:[INODE]`.

A namespace whose values were set on purpose is left alone, unless the policy says otherwise. Values
count as set on purpose:

* if they are not the kernel's defaults when kad first finds the namespace
* if another process sets them within 10 s of the namespace's appearance. kad then restores what it
had set there meanwhile, and logs this; a value that happens to be the policy's cannot be told from
kad's, and is restored too. This rule does not apply to namespaces that exist when kad first looks,
unless an earlier kad saw them appear: their age is not known.

kad remembers until the next boot which values it set itself. If a later policy leaves a namespace
alone, the values that kad set there remain, and kad logs this, unless the policy was changed while
kad was not running.

kad never keeps a namespace alive, and does not find one that is kept only by an open descriptor.
`kad apply` and `kad plan` cover only kad's own namespace.
"""

_SOCKETS = """
`kad sockets` lists, by sock_diag(7), what any user may see. Only root can see whose a socket is if
it belongs to no unit, and whether the program set a long timer itself. In another network
namespace, timers are compared with the time that the policy puts in force there or, if the policy
leaves the namespace alone, with the time set there. An answered probe arms the timer with `intvl`:
if `intvl` is longer than `time`, timers are compared with `intvl`.

If `[sockets]` in the policy asks for it, the daemon changes open sockets in every pass, loopback
included: in its own network namespace and, with `scope = "all"`, in all that are not excluded. It
copies the descriptor with pidfd_getfd(2) and verifies, by inode and SO_COOKIE, that it is the
intended socket. A socket with its own TCP_KEEPIDLE is left alone.

Re-arming (`rearm`) turns SO_KEEPALIVE off and on in two adjacent calls. If kad is killed by SIGKILL
exactly between them, that one connection is left without keepalive.

With `enable`, kad turns SO_KEEPALIVE on again at the next check if something turned it off for a
connection of a listed unit. A listening socket is set only once. Removing a unit from the list
turns nothing off.

`enable` applies to sockets by the unit that created the socket or its listener; `exclude` also by
the units that hold it. A listener that systemd creates for a service belongs to the socket unit or,
if systemd cannot use BPF, to init.scope, for which `enable` is not intended. For such a listener,
set KeepAlive=yes in the socket unit: systemd.socket(5).

Changing sockets needs

* CAP_SYS_PTRACE, pidfd_getfd(2) and AF_NETLINK, which the drop-in
/usr/share/kad/dropins/sockets.conf gives to the unit
* a kernel that reports the inodes of descriptors (Linux 5.14)
* for `enable` and `exclude`, cgroups(7) version 2

If something is missing, kad names it and is degraded.
"""

_SIGNALS = {
    "SIGHUP": "Reread the policy now. `kad reload` sends it and waits for the result.",
    "SIGTERM, SIGINT": "Exit within a second. The values remain, unless the policy's "
    "`on_stop.values` says otherwise.",
}

_JOURNAL = """
If stderr is the journal, each entry has the fields below. On a terminal, kad prints the same
sentence in colour; otherwise it prints the sentence with a priority prefix: sd-daemon(3). The
events, which can be selected as in `journalctl KAD_EVENT=drift`, are:
"""

# One sentence each; journalctl -x tells more, from the message catalog.
_EVENTS = {
    Kind.POLICY_LOADED: "A policy from its file is in force.",
    Kind.POLICY_REJECTED: "The policy file cannot be used. The last good policy remains in force; "
    "at a start without one, kad exits. Gives the first mistake and the number of others.",
    Kind.VALUE_SET: "kad set a parameter to the policy's value or, when stopping, restored it.",
    Kind.NAMESPACES_SET: "kad set or restored parameters in other network namespaces, or no longer "
    "manages them. One line for all namespaces to which the same applies.",
    Kind.DRIFT: "Another process changed a parameter. Says what kad did about it.",
    Kind.CONTENTION: "Another process keeps changing a parameter; kad restores it (or only "
    "reports it, in audit or warn mode) less often.",
    Kind.WRITE_FAILED: "A parameter could not be set or read. Gives the kernel's reason.",
    Kind.WATCH_LOST: "kad no longer notices changes of the policy file, or writes to the "
    "parameters, at once, but only at each check.",
    Kind.SOCKETS_CHANGED: "kad re-armed timers of connections, or turned keepalive on, as "
    "requested by `[sockets]` in the policy. Gives the number, the units, and how many failed.",
    Kind.RECOVERED: "A problem that had been logged is gone.",
}

_FIELDS = {
    "KAD_EVENT": "The event, as above.",
    "KAD_PARAMETER": "The parameter's full name, such as `net.ipv4.tcp_keepalive_time`.",
    "KAD_POLICY_VALUE": "What the policy wants.",
    "KAD_FOUND_VALUE": "What the kernel had.",
    "KAD_OUTCOME": "The outcome of a drift: `restored`, `warned` (reported and left), `deferred` "
    "(to be restored later, because of contention) or `failed`.",
    "KAD_NAMESPACE": "The network namespace; `host` for kad's own.",
    "KAD_POLICY_FILE": "The policy file.",
}

_SEE_ALSO = "kad-policy(5), tcp(7), socket(7), sysctl(8), sysctl.d(5), journalctl(1), systemctl(1)"


def page(date: str) -> str:
    """Give the page."""
    commands = tuple(command_lines())
    return "\n".join((
        troff.head("kad", 8, date, __version__),
        troff.chapter("NAME", "kad \\- keep a Linux host\\(aqs TCP keepalive under policy"),
        troff.chapter("SYNOPSIS", _synopsis(commands)),
        troff.chapter("DESCRIPTION", troff.paragraphs(_DESCRIPTION + _CONTENTION)),
        troff.chapter(
            "COMMANDS",
            troff.paragraphs("Options go after the command. Every command has `--help`."),
            *(_command(each) for each in commands),
        ),
        troff.chapter("NETWORK NAMESPACES", troff.paragraphs(_NAMESPACES)),
        troff.chapter("SOCKETS", troff.paragraphs(_SOCKETS)),
        troff.chapter("EXIT STATUS", troff.table(_statuses())),
        troff.chapter("SIGNALS", troff.table(_SIGNALS.items())),
        troff.chapter("ENVIRONMENT", troff.table(ENVIRONMENT.items())),
        troff.chapter("FILES", troff.table(FILES.items())),
        troff.chapter("JOURNAL", troff.paragraphs(_JOURNAL), *_journal()),
        troff.chapter(
            "WHEN SOMETHING IS WRONG",
            troff.paragraphs(_TROUBLE),
            troff.table(TROUBLES.items()),
        ),
        troff.chapter("LIMITS", troff.paragraphs(_LIMITS)),
        troff.chapter("SEE ALSO", troff.prose(_SEE_ALSO)),
        "",
    ))  # fmt: skip


def _synopsis(commands: tuple[CommandLine, ...]) -> str:
    lines = [*(each.usage for each in commands), "kad --help", "kad --version"]
    return "\n.br\n".join(troff.usage(line) for line in lines)


def _command(command: CommandLine) -> str:
    options = [
        (each.name, each.value and each.value.metavar, each.help) for each in command.options
    ]
    named = [(each.value.metavar, None, each.help) for each in command.arguments]
    tags = [
        troff.item(
            troff.usage(f"{name} {value}" if value else name), f"{text[:1].upper()}{text[1:]}."
        )
        for name, value, text in (*named, *options)
        if name != "--help"
    ]
    summary = f"{command.summary[:1].upper()}{command.summary[1:]}."
    return troff.part(
        troff.usage(command.usage),
        troff.paragraphs(f"{summary} {command.more}"),
        *tags,
        troff.paragraphs("Examples:" if len(command.examples) > 1 else "Example:"),
        troff.example("\n".join(command.examples)),
    )


def _statuses() -> list[tuple[str, str]]:
    return [(str(status), meaning) for status, meaning in EXIT_STATUS.items()]


def _journal() -> tuple[str, ...]:
    events = ((kind.event, _event(kind)) for kind in Kind)
    fields = troff.paragraphs("The fields, if applicable:")
    return troff.table(events), fields, troff.table(_FIELDS.items())


def _event(kind: Kind) -> str:
    priority = kind.priority.name.lower()
    return f"{_EVENTS[kind]} Priority {priority}, MESSAGE_ID `{kind.message_id}`."
