"""Show which open connections keepalive protects, and what would be changed."""

import argparse
import json
import resource
import sys
from collections.abc import Callable, Iterator
from functools import partial
from time import sleep

from kad.cli.advising import units
from kad.cli.daemons import running
from kad.cli.measure import measured_by, measured_by_policy
from kad.cli.policies import load, named_policy
from kad.cli.rooms import pass_over, rooms
from kad.cli.socketstable import table
from kad.cli.terminal import Style
from kad.core.errors import DeniedError, KadError, printable
from kad.core.namespaces import Scope
from kad.core.parameters import Parameter
from kad.core.policy import Action, Mode, Policy
from kad.core.sockets.audit import Audit, merged
from kad.core.sockets.tending import sentences, unmatched
from kad.sockets.cgroups import Cgroups
from kad.sockets.looking import Room, limit_s
from kad.sockets.survey import Bounds, survey
from kad.sockets.tending import Tender

_REDRAW_S = 1.0


def sockets(arguments: argparse.Namespace) -> int:
    """Show it."""
    if arguments.would:
        return _would(arguments)
    if arguments.watch:
        return _watch(arguments)
    found, told_by = audit(arguments, Cgroups())
    if arguments.json:
        print(json.dumps(found.as_json(), indent=1))
    else:
        print("\n".join(table(found, told_by, Style.of(sys.stdout))))
    return 0


def _watch(arguments: argparse.Namespace) -> int:
    """Redraw in place; on what is no terminal, print page after page."""
    style, cgroups, last = Style.of(sys.stdout), Cgroups(), 0
    try:
        while True:
            cgroups.look_again()
            try:
                lines, last = table(*audit(arguments, cgroups), style), 0
            except KadError as error:
                lines, last = [f"kad: {line}" for line in error.lines()], error.exit_status
            style.redraw(sys.stdout, lines)
            sleep(_REDRAW_S)
    except KeyboardInterrupt:
        return last


def audit(arguments: argparse.Namespace, cgroups: Cgroups) -> tuple[Audit, str]:
    """Look at the namespaces that are asked for; say also what timers are held against."""
    measure = measured_by(arguments.policy)
    audits: list[Audit] = []
    times: dict[str, int] = {}
    for name, room in rooms(arguments.namespace, measure):
        try:
            bounds = _bounds(name, room, arguments)
            with room.open() as diag:
                audits.append(survey(diag, bounds, cgroups))
            times[name] = room.policy.get(Parameter.TIME) or room.read(Parameter.TIME)
        except OSError as error:
            if not room.other:
                raise
            pass_over(name, arguments.namespace, error)
    times.pop("host", None)
    return merged(audits), measure.told(times)


def _bounds(name: str, room: Room, arguments: argparse.Namespace) -> Bounds:
    return Bounds(
        limit_s=limit_s(room.policy, room.read),
        read=room.read,
        loopback=arguments.loopback,
        listed=arguments.all,
        namespace=name,
    )


def _would(arguments: argparse.Namespace) -> int:
    """Say what a pass would do; DeniedError where kad may not look into sockets."""
    daemon = None if named_policy(arguments.policy) else running()
    path, policy = load(None, daemon.policy.file if daemon else arguments.policy)
    if not policy.sockets.wanted:
        print(f"nothing: [sockets] in {path} sets neither rearm nor enable")
        return 0
    every = policy.namespaces.scope is Scope.ALL
    namespace = arguments.namespace or ("all" if every else "host")
    audits = policy.mode is Mode.AUDIT
    # A daemon that only warns does not put in force what drifted.
    ahead = daemon is None or audits or policy.action is Action.RESTORE
    measure = measured_by_policy(policy, path, daemon)
    where = partial(rooms, namespace, measure, partial(_is_meant, policy))
    if not any(True for _ in where()):
        print(f"nothing: [namespaces] in {path} does not cover {namespace}")
        return 0
    if audits:
        print("audit mode: nothing will be changed. In enforce mode kad would:")
    for line in _told(policy, where, ahead=ahead) or ["nothing: no open socket needs a change"]:
        print(printable(line))
    for line in unmatched(policy.sockets, units()):
        print(f"advice: {line}")
    return 0


def _is_meant(policy: Policy, name: str) -> bool:
    """Whether a daemon would tend the sockets of the namespace."""
    wish = policy.namespaces
    return name == "host" or (wish.scope is Scope.ALL and not wish.excludes(name))


def _told(
    policy: Policy, where: Callable[[], Iterator[tuple[str, Room]]], *, ahead: bool
) -> tuple[str, ...]:
    # A namespace in which there is something to do is held open by one descriptor.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    tender = Tender(lambda: (room for _, room in where()), act=False, ahead=ahead)
    try:
        for _ in range(2):  # by the second look what resisted is told, and what ended is not
            tended = tender.tend(tender.look(policy.sockets, policy.values))
    except OSError as error:
        kind = DeniedError if isinstance(error, PermissionError) else KadError
        raise kind(f"cannot inspect sockets: {error.strerror}") from error
    return sentences(tended, would=True)
