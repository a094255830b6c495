"""Describe the command line, and help who mistypes it."""

import argparse
import difflib
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from kad import __version__
from kad.cli.reference import exit_statuses
from kad.core.errors import UsageError


class Command(NamedTuple):
    """One command: what it does, in one line and in more, and how it is used."""

    summary: str
    more: str
    examples: tuple[str, ...]
    policy: bool = True
    argument: bool = False


_POSITIONAL = frozenset({"command", "argument", "files"})
COMMANDS = {
    "run": Command(
        "run the daemon in the foreground",
        "Puts the policy in force and keeps it there until SIGTERM or SIGINT. Rereads the policy "
        "file on SIGHUP and whenever the file changes. Exits 77 if it is not allowed to write, 78 "
        "without a valid policy.",
        ("kad run", "kad run --policy ./policy.toml"),
    ),
    "check": Command(
        "validate a policy and explain what it does",
        "For a valid policy, shows what it does, what happens to a dead connection under it, and "
        "advice. For an invalid one, lists every mistake and exits 78.",
        ("kad check", "kad check ./policy.toml"),
        argument=True,
    ),
    "plan": Command(
        "show what apply would change",
        "Prints one line for each value that differs. Exits 0 if there is nothing to change, 1 if "
        "there is, 78 for an invalid policy. What [sockets] would change is shown by kad sockets "
        "--would.",
        ("kad plan", "kad plan ./policy.yaml"),
        argument=True,
    ),
    "apply": Command(
        "put the policy in force once, without a daemon",
        "For containers and other init systems. Writes the values that differ and reads them back. "
        "Exits 1 if not all of the policy is in force, 77 if it is not allowed to write, 78 for an "
        "invalid policy.",
        ("sudo kad apply", "sudo kad apply ./policy.toml"),
        argument=True,
    ),
    "reload": Command(
        "make the running daemon reread its policy, and report the result",
        "Exits 0 if the daemon accepted the policy, 78 if it rejected it (with the reason), 77 if "
        "you are not allowed to signal the daemon, and 1 if no daemon is running, it does not "
        "answer in time, or a value could not be set.",
        ("sudo kad reload", "systemctl reload kad"),
        policy=False,
    ),
    "status": Command(
        "show policy, kernel and daemon side by side",
        "With a daemon, exits 0 if the policy is in force and 1 if not. Without one, exits 3 if "
        "the policy is in force anyway, 1 if not, 78 if there is no valid policy to compare with.",
        ("kad status", "kad status --watch", "kad status --json | jq .state"),
    ),
    "namespaces": Command(
        "list the network namespaces of this machine",
        "Shows their names, processes and values and, if a daemon manages them, how they compare "
        "with its policy. Only root sees those of other users.",
        ("sudo kad namespaces",),
        policy=False,
    ),
    "sockets": Command(
        "show which open connections are protected by keepalive",
        "Counts the established TCP connections, IPv4 and IPv6, by systemd unit, or by command if "
        "there is no unit: protected, stale (more is left on the timer than the policy's time), "
        "own (the program set a longer TCP_KEEPIDLE itself; only root can tell this from stale), "
        "unprotected (SO_KEEPALIVE is off) and busy (data or probes are in flight). Says what to "
        "do about each. Without a policy, timers are compared with each network namespace's own "
        "tcp_keepalive_time. --would shows what [sockets] in the policy would change, by unit, "
        "loopback included, in every namespace that the policy covers.",
        ("kad sockets", "kad sockets --all --loopback", "sudo kad sockets --would"),
    ),
    "demo": Command(
        "show keepalive at work, live, in a private test network",
        "Sets up two hosts, one with kad and one without, a firewall that drops idle connections, "
        "and a peer that vanishes silently; shows which programs notice, and when. Needs root and "
        "takes about 15 s; the kad that it runs logs to stderr. Touches nothing outside its own "
        "network namespaces, and leaves nothing behind. Exits 1 if a program on the host with kad "
        "noticed too late or not at all, if one on the host without kad noticed, or if the "
        "firewall did not tell the two apart.",
        ("sudo kad demo",),
        policy=False,
    ),
    "import": Command(
        "make a policy from what sysctl.d, sysctl.conf and TuneD set",
        "Prints a policy with the values of sysctl.conf(5) lines: from the files named or, without "
        "any, from this host, the active TuneD profile included. Says on stderr which lines to "
        "remove and which values kad does not accept. Exits 1 if there are no values to import.",
        ("kad import > policy.toml", "kad import /etc/sysctl.d/90-net.conf"),
        policy=False,
    ),
    "export": Command(
        "print the policy in the format of sysctl.d or Kubernetes",
        "Prints a sysctl.d(5) file, or a pod's securityContext. Exits 78 for an invalid policy.",
        ("kad export --to sysctl.d", "kad export --to kubernetes --policy ./policy.toml"),
    ),
    "schema": Command(
        "print the JSON Schema of the policy file, for editors",
        "With the schema, an editor completes keys, shows what they mean and marks mistakes as you "
        "type. The policies that come with kad refer to it in their first line.",
        ("kad schema > policy.schema.json",),
        policy=False,
    ),
}


class _Parser(argparse.ArgumentParser):
    """argparse, with our own words for a mistake."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog.removeprefix('kad ')}: {message}")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments after the program's name; UsageError for what is not known."""
    parser = describe()
    if argv and argv[0] not in COMMANDS:
        _unknown_first(argv[0])
    arguments, rest = parser.parse_known_args(argv)
    if rest:
        _unknown_rest(arguments, rest[0])
    if arguments.command is None:
        raise UsageError(f"no command given; commands: {', '.join(COMMANDS)}")
    return arguments


def _unknown_first(word: str) -> None:
    if word in {"-h", "--help", "--version"}:
        return
    if word.startswith("-"):
        raise UsageError(f"{word}: options go after the command, as in: kad status --json")
    raise UsageError(f"{word}: no such command{_suggestion(word, COMMANDS)}")


def _unknown_rest(arguments: argparse.Namespace, word: str) -> None:
    options = [f"--{name}" for name in vars(arguments) if name not in _POSITIONAL]
    what = "option" if word.startswith("-") else "argument"
    text = f"{arguments.command}: {word}: no such {what}"
    if what == "argument" and "--policy" in options and "argument" not in vars(arguments):
        raise UsageError(f"{text}; did you mean --policy {word}?")
    raise UsageError(text + _suggestion(word, [*options, "--help"]))


def _suggestion(word: str, known: object) -> str:
    close = difflib.get_close_matches(word, list(known), 1)  # type: ignore[call-overload]
    return f"; did you mean {close[0]}?" if close else ""


def describe() -> argparse.ArgumentParser:
    """Give the whole command line, for its manual and completions too."""
    parser = _Parser(
        prog="kad",
        description="Keep a Linux host's TCP keepalive under policy.",
        epilog=f"exit status:\n{exit_statuses()}\n\n"
        "For more, with examples, see kad COMMAND --help, kad(8) and kad-policy(5). The policy is\n"
        "/etc/kad/policy.toml (or .yaml, .yml), unless $KAD_POLICY or --policy names another file.",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"kad {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, command in COMMANDS.items():
        _add(commands.add_parser(
            name,
            help=command.summary,
            description=command.more,
            epilog="examples:\n" + "\n".join(f"  {each}" for each in command.examples),
            formatter_class=_Formatter,
            allow_abbrev=False,
        ), name, command)  # fmt: skip
    return parser


class _Formatter(argparse.HelpFormatter):
    """Folds what is one line, and keeps the lines of examples and tables."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return text
        return super()._fill_text(text, width, indent)


def _seconds(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        why = f"must be a whole number of seconds, 1 or more, got {text!r}"
        raise argparse.ArgumentTypeError(why)
    return int(text)


def _add(parser: argparse.ArgumentParser, name: str, command: Command) -> None:
    if command.argument:
        parser.add_argument("argument", metavar="POLICY", nargs="?", help="the policy file to use")
    if command.policy:
        parser.add_argument("--policy", metavar="PATH", help="the policy file to use")
    if name == "reload":
        text = "how long to wait for the result; default: 10"
        parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=10, help=text)
    if name == "status":
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--json", action="store_true", help="print JSON, in the format of the state file"
        )
        how.add_argument(
            "--metrics", action="store_true", help="print metrics in OpenMetrics format"
        )
        how.add_argument("--watch", action="store_true", help="redraw every second until ^C")
    if name == "sockets":
        parser.add_argument("--loopback", action="store_true", help="include loopback connections")
        parser.add_argument(
            "--namespace",
            metavar="NAME",
            help="look in network namespace NAME; all: in every one",
        )
        parser.add_argument("--all", action="store_true", help="also list each connection")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="print JSON")
        how.add_argument("--watch", action="store_true", help="redraw every second until ^C")
        how.add_argument(
            "--would",
            action="store_true",
            help="show what the policy would change, and change nothing",
        )
    if name == "import":
        parser.add_argument(
            "files", metavar="FILE", nargs="*", help="a file in sysctl.conf(5) format"
        )
    if name == "export":
        parser.add_argument(
            "--to", required=True, choices=("sysctl.d", "kubernetes"), help="the format to print"
        )
