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
        "Puts the policy in force, and keeps it so until SIGTERM or SIGINT. SIGHUP reads the "
        "policy file again, as does every change of the file. Exits 77 where it may not write, "
        "78 without a valid policy.",
        ("kad run", "kad run --policy ./policy.toml"),
    ),
    "check": Command(
        "validate a policy, and say what it means",
        "Tells every mistake at once, or what a dead connection goes through under the policy, "
        "with advice. Exits 78 for an invalid policy.",
        ("kad check", "kad check ./policy.toml"),
        argument=True,
    ),
    "plan": Command(
        "show what apply would change",
        "One line for each value that differs. Exits 0 where nothing is to do, 1 where something "
        "is, 78 for an invalid policy.",
        ("kad plan", "kad plan ./policy.yaml"),
        argument=True,
    ),
    "apply": Command(
        "put the policy in force once, without a daemon",
        "For containers and other init systems. Writes what differs and reads it back. Exits 1 "
        "where not all is in force, 77 where it may not write, 78 for an invalid policy.",
        ("sudo kad apply", "sudo kad apply ./policy.toml"),
        argument=True,
    ),
    "reload": Command(
        "make the running daemon read its policy now, and report its verdict",
        "Exits 0 where the policy was accepted, 78 where it was rejected, with the reason, 77 "
        "where you may not signal it, and 1 where none answers or a value could not be set.",
        ("sudo kad reload", "systemctl reload kad"),
        policy=False,
    ),
    "status": Command(
        "show policy, kernel and daemon side by side",
        "With a daemon exits 0 where the policy is in force, else 1; without one 3 where it is in "
        "force all the same, 1 where not, 78 where there is no valid policy to compare with.",
        ("kad status", "kad status --watch", "kad status --json | jq .state"),
    ),
    "namespaces": Command(
        "list the network namespaces of this machine",
        "Their names, processes and values and, where a daemon looks after them, how they compare "
        "with its policy. Only root sees those of other users.",
        ("sudo kad namespaces",),
        policy=False,
    ),
    "sockets": Command(
        "show which open connections keepalive protects",
        "Counts the established TCP connections, IPv4 and IPv6, by systemd unit, else by command: "
        "protected, stale (more is left on the timer than the policy's time), own (a longer "
        "TCP_KEEPIDLE of the program's own; told from stale only by root), unprotected "
        "(SO_KEEPALIVE is off) and busy (data or probes are in flight). Says what helps. Without "
        "a policy the kernel's time counts, in each network namespace its own. --would shows what "
        "[sockets] in the policy would have changed, in all the namespaces that it is for.",
        ("kad sockets", "kad sockets --all --loopback", "sudo kad sockets --would"),
    ),
    "demo": Command(
        "show live what keepalive does, in a network of its own",
        "Two hosts, one of them kept by kad, a firewall that forgets idle connections, and a peer "
        "that vanishes without a word: who notices, and when. Takes root, and a quarter of a "
        "minute; what its kad does it tells on stderr. Touches nothing outside of the network "
        "namespaces that it makes, and leaves nothing. Exits 1 where kad did not keep its promise.",
        ("sudo kad demo",),
        policy=False,
    ),
    "import": Command(
        "make a policy out of what sysctl.d, sysctl.conf and TuneD set",
        "Prints a policy with the values of sysctl.conf(5) lines: those of the files named, else "
        "those of this host, the active TuneD profile included. Says on stderr which lines to "
        "remove, and which values kad does not take. Exits 1 where there is none to take.",
        ("kad import > policy.toml", "kad import /etc/sysctl.d/90-net.conf"),
        policy=False,
    ),
    "export": Command(
        "print the policy as sysctl.d or Kubernetes understands it",
        "Prints a file of sysctl.d(5), or the securityContext of a pod. Exits 78 for an invalid "
        "policy.",
        ("kad export --to sysctl.d", "kad export --to kubernetes --policy ./policy.toml"),
    ),
    "schema": Command(
        "print the JSON Schema of the policy file, for editors",
        "An editor that knows it completes keys, shows what they mean, and marks mistakes while "
        "one types. The policies that come with kad name it in their first line.",
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
        raise UsageError(f"no command; there are {', '.join(COMMANDS)}")
    return arguments


def _unknown_first(word: str) -> None:
    if word in {"-h", "--help", "--version"}:
        return
    if word.startswith("-"):
        raise UsageError(f"{word}: options stand after the command, as in: kad status --json")
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
        "kad COMMAND --help tells more, with examples; so do kad(8) and kad-policy(5). The policy\n"
        "is /etc/kad/policy.toml (or .yaml, .yml), or what $KAD_POLICY or --policy names.",
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
        parser.add_argument("argument", metavar="POLICY", nargs="?", help="the policy file")
    if command.policy:
        parser.add_argument("--policy", metavar="PATH", help="the policy file to use")
    if name == "reload":
        text = "how long to wait for the verdict (10)"
        parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=10, help=text)
    if name == "status":
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="print the state file's object")
        how.add_argument("--metrics", action="store_true", help="print OpenMetrics text")
        how.add_argument("--watch", action="store_true", help="redraw every second, until ^C")
    if name == "sockets":
        parser.add_argument("--loopback", action="store_true", help="this host's to itself too")
        parser.add_argument(
            "--namespace", metavar="NAME", help="ask in that network namespace; all: in every one"
        )
        parser.add_argument("--all", action="store_true", help="list each connection")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="print JSON")
        how.add_argument("--watch", action="store_true", help="redraw every second, until ^C")
        how.add_argument(
            "--would", action="store_true", help="show what the policy would have changed"
        )
    if name == "import":
        parser.add_argument(
            "files", metavar="FILE", nargs="*", help="a file of sysctl.conf(5) lines"
        )
    if name == "export":
        parser.add_argument(
            "--to", required=True, choices=("sysctl.d", "kubernetes"), help="the format to print"
        )
