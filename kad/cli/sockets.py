"""Show which open connections keepalive protects, and what would be changed."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from functools import cache, partial
from time import sleep
from typing import NamedTuple

from kad.cli.daemons import running
from kad.cli.once import load
from kad.cli.socketstable import table
from kad.cli.terminal import Style
from kad.core.errors import DeniedError, KadError, MissingPolicyError
from kad.core.parameters import Parameter
from kad.core.policy import Policy
from kad.core.sockets.audit import Audit, merged
from kad.core.sockets.tending import sentence, unmatched
from kad.namespaces.entering import inside
from kad.namespaces.finding import Found, find
from kad.namespaces.own import own_namespace
from kad.procfs import Procfs
from kad.sockets.cgroups import Cgroups
from kad.sockets.diag import open_diag
from kad.sockets.looking import Room
from kad.sockets.survey import Scope, survey
from kad.sockets.tending import Tender

_REDRAW_S = 1.0


class Measure(NamedTuple):
    """The time that timers are held against, None for the kernel's, and where it comes from."""

    time_s: int | None
    file: str | None

    def __str__(self) -> str:
        time = "the kernel's time" if self.time_s is None else f"time {self.time_s} s"
        return f"{self.file or 'none'}: {time}"


def sockets(arguments: argparse.Namespace) -> int:
    """Show it."""
    if arguments.would:
        return _would(arguments)
    measure = measured_by(arguments.policy)
    if arguments.watch:
        return _watch(arguments, measure)
    found = audit(arguments, measure, Cgroups())
    if arguments.json:
        print(json.dumps(found.as_json(), indent=1))
    else:
        print("\n".join(table(found, str(measure), Style.of(sys.stdout))))
    return 0


def _watch(arguments: argparse.Namespace, measure: Measure) -> int:
    """Redraw in place; on what is no terminal, print page after page."""
    style, cgroups = Style.of(sys.stdout), Cgroups()
    try:
        while True:
            cgroups.look_again()
            lines = table(audit(arguments, measure, cgroups), str(measure), style)
            style.redraw(sys.stdout, lines)
            sleep(_REDRAW_S)
    except KeyboardInterrupt:
        return 0


def measured_by(option: str | None) -> Measure:
    """Take the daemon's policy, or the one that is named, or without any the kernel's own time."""
    named = _named(option)
    daemon = None if named else running()
    if daemon is not None:
        known = daemon.namespaces[0].parameters.get(Parameter.TIME)
        return Measure(known and known.policy, daemon.policy.file)
    try:
        path, policy = load(None, option)
    except MissingPolicyError:
        if named:
            raise
        return Measure(None, None)
    return Measure(policy.values.get(Parameter.TIME), path)


def _named(option: str | None) -> str | None:
    return option or os.environ.get("KAD_POLICY")


def audit(arguments: argparse.Namespace, measure: Measure, cgroups: Cgroups) -> Audit:
    """Look at the namespaces that are asked for."""
    audits: list[Audit] = []
    for name, room in rooms(arguments.namespace):
        try:
            audits.append(_audit_one(name, room, arguments, measure, cgroups))
        except OSError as error:
            if not room.by_kernel:
                raise
            _pass_over(name, arguments.namespace, error)
    return merged(audits)


def _audit_one(
    name: str, room: Room, arguments: argparse.Namespace, measure: Measure, cgroups: Cgroups
) -> Audit:
    kernel_s = room.time_s()
    scope = Scope(
        policy_s=kernel_s if room.by_kernel or measure.time_s is None else measure.time_s,
        kernel_s=kernel_s,
        loopback=arguments.loopback,
        listed=arguments.all,
        namespace=name,
    )
    with room.open() as diag:
        return survey(diag, scope, cgroups)


def rooms(namespace: str | None) -> Iterator[tuple[str, Room]]:
    """Go through kad's own namespace, the one that is named, or with `all` every one."""
    if namespace in {None, "host", "all"}:
        yield "host", Room(open_diag, partial(Procfs().read, Parameter.TIME))
    if namespace in {None, "host"}:
        return
    found = find()
    found.pop(own_namespace().inode, None)
    named = [(each.own_name(), each) for each in found.values()]
    meant = [(name, each) for name, each in named if namespace in {"all", name}]
    if not meant and namespace != "all":
        raise KadError(f"{namespace}: no such network namespace; see: kad namespaces")
    for name, each in sorted(meant):
        try:
            room = _room(each)
        except OSError as error:
            _pass_over(name, namespace, error)
        else:
            yield name, room


def _room(found: Found) -> Room:
    """Open a namespace's time from within: from then on it can be read from anywhere."""
    kernel = Procfs()
    inside(found, partial(kernel.read, Parameter.TIME))
    enter = partial(inside, found, open_diag)
    return Room(enter, partial(kernel.read, Parameter.TIME), by_kernel=True)


def _pass_over(name: str, namespace: str | None, error: OSError) -> None:
    """Go on without it where all are meant, and name one that is refused; else raise KadError."""
    if isinstance(error, PermissionError):
        why = f"{name}: {error.strerror}: to enter a network namespace kad needs CAP_SYS_ADMIN"
        if namespace != "all":
            raise DeniedError(why) from error
        _say_once(f"kad: {why}")
    elif not isinstance(error, FileNotFoundError):
        raise error
    elif namespace != "all":
        raise KadError(f"{name}: this network namespace has gone") from error


@cache
def _say_once(line: str) -> None:
    """Say it on stderr, by --watch not each second."""
    print(line, file=sys.stderr)


def _would(arguments: argparse.Namespace) -> int:
    """Say what a pass would do; DeniedError where kad may not look into sockets."""
    daemon = None if _named(arguments.policy) else running()
    path, policy = load(None, daemon.policy.file if daemon else arguments.policy)
    if not policy.sockets.wanted:
        print(f"nothing: [sockets] in {path} asks for neither rearm nor enable")
        return 0
    for line in _told(policy, arguments.namespace) or ["nothing: no open socket needs it"]:
        print(line)
    for line in unmatched(policy.sockets, Cgroups().units()):
        print(f"advice: {line}")
    return 0


def _told(policy: Policy, namespace: str | None) -> list[str]:
    meant = [room for _, room in rooms(namespace)]
    tender = Tender(lambda: meant, act=False)
    try:
        look = tender.look(policy.sockets, policy.values.get(Parameter.TIME))
        said = sentence(tender.tend(look), would=True)
    except PermissionError as error:
        raise DeniedError(f"cannot look into sockets: {error.strerror}") from error
    return said.split("; ") if said else []
