"""Write kad(8): the command, the daemon and what it tells."""

from kad import __version__
from kad.cli.reference import ENVIRONMENT, EXIT_STATUS, FILES
from kad.core.contention import LIMIT, WINDOW_S
from kad.core.events import Kind
from manual import troff
from manual.commandline import CommandLine, command_lines

_DESCRIPTION = """
kad keeps the three sysctls of Linux's TCP keepalive, `net.ipv4.tcp_keepalive_time`,
`net.ipv4.tcp_keepalive_intvl` and `net.ipv4.tcp_keepalive_probes`, as one policy file wants them.
IPv6 connections use the same three. What the policy means, key by key, is told in kad-policy(5).

The daemon, `kad run`, puts the policy in force, and compares it with the kernel ever after: when
the policy file changes, when it is told to reload, and every `drift.check_every`. It writes only
what differs, reads back what it wrote, and believes only that. A parameter that the policy leaves
out is none of its business. A pass over values in force writes nothing and logs nothing.

Every write to a parameter is seen and compared at once; one by way of another procfs mount, as from
inside a container, at the next check. A value that somebody else changed after kad had put it in
force is drift: it is named in the journal, and restored unless the policy says otherwise. A file
with a mistake changes nothing: the policy in force stays, kad says what is wrong, and is degraded
until the file is mended. At a start with such a file the last good policy is used where there is
one.
"""

_CONTENTION = f"""
When one parameter was changed by somebody else more than {LIMIT} times within {WINDOW_S:.0f} s, kad
says so once, and restores it only after a pause of 1 s, doubling up to 60 s. {WINDOW_S:.0f} s
without a foreign change end it.
"""

_LIMITS = """
Sysctls reach only sockets with SO_KEEPALIVE on. A program that never sets it takes no part, and one
that sets its own TCP_KEEPIDLE goes its own way: socket(7), tcp(7).

A lowered `time` reaches an open connection only when the timer that runs has fired, or by `rearm`
of `[sockets]`. Probes are for
idle connections: where data is in flight, `net.ipv4.tcp_retries2` or TCP_USER_TIMEOUT decides.

kad expects its policy on a local filesystem. One that hangs stops the checks; the values stay.
"""

_TROUBLE = """
The values stay in the kernel whatever becomes of kad, and what it cannot do it tries again at each
check. It is told once, and so is its end; nothing wants a restart.
"""

# What is told, and what it means; the tests compare each sentence with what kad says in the end.
TROUBLES = {
    "cannot set net.ipv4.tcp_keepalive_time to 120: Read-only file system": "The others are set "
    "all the same. At start, where none can be set, kad ends with 77.",
    "cannot read net.ipv4.tcp_keepalive_time: No such file or directory": "/proc is not as it "
    "should be.",
    "policy rejected, the last good one stays: /etc/kad/policy.toml: no such file": "The policy "
    "in force stays in force. At start kad takes the last good one, where there is one and the "
    "file is bad, not gone; else it ends with 78.",
    "could not be checked: the child process was ended by a signal: Killed": "A new policy could "
    "not be validated, for want of memory or processes. The one in force stays.",
    "cannot write the state file: /run/kad/status.json: No space left on device": "`kad status` "
    "and `kad reload` get no answer.",
    "/run/kad/lock was removed; made anew": "Somebody emptied the runtime directory.",
    "cannot keep the last good policy: /var/lib/kad/policy.json: No space left on device": "A "
    "start with a bad file would find an older one. A directory that is absent or read-only is "
    "not told.",
    "/var/lib/kad/originals.json is damaged, or another kad's: what kad found at first is not "
    "known": "`on_stop.values` set to `restore` puts nothing back.",
    "no inotify instance left, see fs.inotify.max_user_instances": "A change of the policy file, "
    "or of a parameter, is seen at the next check only.",
    "cannot tell systemd the state: /run/systemd/notify: nobody reads it": "The watchdog may end "
    "kad.",
    "cannot finish a check: out of memory": "Values were compared before that; the rest is left "
    "for the next check.",
    "lines lost here, as nobody read them: 5": "kad does not wait for whoever reads its stderr.",
}

_NAMESPACES = """
A new network namespace starts with the kernel's defaults, whatever its parent has: so does every
container. With `scope = "all"` kad keeps all of the machine to the policy, those that appear later
too: within a second where they have a name, or a veth of kad's own namespace, else at the next
check; of thousands that are there at a start, 200 after 200. That takes
CAP_SYS_ADMIN and CAP_SYS_PTRACE, which the unit gets by the drop-in
/usr/share/kad/dropins/namespaces.conf.

A namespace has the name that ip-netns(8) knows it by, else that of the systemd unit or scope of its
oldest process, else `net:[INODE]`. One whose values somebody set on purpose is left alone unless
the policy says otherwise: values other than the kernel's defaults when kad meets it, or set within
10 s of its appearance; what kad had set there meanwhile is put back, and the journal says so. What
is there when kad first looks is of any age. kad remembers what it set itself, until the next boot.
One that a later policy leaves alone keeps what kad set there; the journal says so. It never keeps a
namespace alive, and does not find one that only an open descriptor does. `kad apply` and `kad plan`
are about kad's own namespace alone.
"""

_SOCKETS = """
`kad sockets` lists by sock_diag(7) what any user may see; whose a socket is without a unit, and
whether a long timer is the program's own wish, is seen by root alone. Timers in another network
namespace are held against what the policy puts in force there, or, where it leaves it alone,
against what stands there. An answered probe arms a timer by `intvl`: where that is longer than
`time`, it is what a timer is held against.

Where `[sockets]` in the policy asks for it, the daemon tends open sockets in every pass, loopback
included, in its own network namespace, and with `scope = "all"` in all that are not excluded. It
copies the descriptor by pidfd_getfd(2), makes sure that it is the socket that was meant, by inode
and SO_COOKIE, and leaves it alone where it has a TCP_KEEPIDLE of its own. To `rearm` is to switch
SO_KEEPALIVE off and on in two adjacent calls: a kad that is killed by SIGKILL exactly between them
leaves that one connection without keepalive. Whoever switches SO_KEEPALIVE off for a connection in
a unit of `enable` finds it on again at the next check; a socket that listens is settled for good.
Taking a unit off the list switches nothing off. `enable` goes by the unit that made the socket or
its listener, `exclude` also by those that hold it. A listener that systemd makes for a service is
the socket unit's; where systemd cannot use BPF it is init.scope's, which `enable` is not meant for:
set KeepAlive=yes in the socket unit, systemd.socket(5).

This takes CAP_SYS_PTRACE, pidfd_getfd(2) and AF_NETLINK, which the drop-in
/usr/share/kad/dropins/sockets.conf gives to the unit, a kernel that tells the inodes of descriptors
(Linux 5.14), and, for `enable` and `exclude`, cgroups(7) version 2. What is missing is named, and
kad is degraded.
"""

_SIGNALS = {
    "SIGHUP": "Reads the policy now. `kad reload` sends it, and waits for the verdict.",
    "SIGTERM, SIGINT": "Ends the daemon within a second. The values stay, unless the policy's "
    "`on_stop.values` says otherwise.",
}

_JOURNAL = """
Where stderr is the journal, each entry has the fields below; on a terminal it is the same sentence
in colour, else the sentence with its priority in front: sd-daemon(3). The events, which
`journalctl KAD_EVENT=drift` and the like find, are:
"""

# One sentence each; journalctl -x tells more, from the message catalog.
_EVENTS = {
    Kind.POLICY_LOADED: "A policy is in force, from its file.",
    Kind.POLICY_REJECTED: "The policy file cannot be used; the last good policy stays, or, at a "
    "start without one, kad ends. Tells the first mistake, and how many more there are.",
    Kind.VALUE_SET: "kad set a parameter as the policy wants it, or at its stop put it back.",
    Kind.NAMESPACES_SET: "kad set parameters of other network namespaces, put them back, or leaves "
    "them alone from now on: one line for all of which the same is to be said.",
    Kind.DRIFT: "Somebody else changed a parameter. Tells what kad did about it.",
    Kind.CONTENTION: "Somebody else changes a parameter again and again; kad restores it, or "
    "where it only watches reports it, less often.",
    Kind.WRITE_FAILED: "A parameter could not be set, or not be read. Tells the kernel's reason.",
    Kind.WATCH_LOST: "kad no longer sees changes of the policy file, or writes to the parameters, "
    "at once, but at each check.",
    Kind.SOCKETS_CHANGED: "kad re-armed timers of connections, or switched keepalive on, as the "
    "policy's `[sockets]` asks for. Tells how many, in which units, and how many could not be.",
    Kind.RECOVERED: "What had been wrong is right again.",
}

_FIELDS = {
    "KAD_EVENT": "The event, as above.",
    "KAD_PARAMETER": "The parameter's full name, `net.ipv4.tcp_keepalive_time` for one.",
    "KAD_POLICY_VALUE": "What the policy wants.",
    "KAD_FOUND_VALUE": "What the kernel had.",
    "KAD_OUTCOME": "What became of a drift: `restored`, `warned` (said, and left), `deferred` (to "
    "be restored later, in a contention) or `failed`.",
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
            troff.paragraphs("Options stand after the command. Every command has `--help`."),
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
    fields = troff.paragraphs("The fields, where they apply:")
    return troff.table(events), fields, troff.table(_FIELDS.items())


def _event(kind: Kind) -> str:
    priority = kind.priority.name.lower()
    return f"{_EVENTS[kind]} Priority {priority}, MESSAGE_ID `{kind.message_id}`."
