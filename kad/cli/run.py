"""Wire the daemon together and run it."""

import errno
import faulthandler
import os
from collections.abc import Callable
from functools import partial
from time import gmtime, monotonic, strftime
from typing import TYPE_CHECKING, NamedTuple

from kad import policyfile
from kad.cli.advising import neighbours, units
from kad.core.errors import DeniedError, KadError, PolicyError
from kad.core.events import Event, Kind, Priority
from kad.core.parameters import Parameter
from kad.core.reasons import Reason
from kad.daemon.edges import Edges
from kad.daemon.loop import Daemon
from kad.daemon.mailbox import Mailbox
from kad.daemon.source import Source
from kad.directories import runtime_directory, state_directory
from kad.journal import Journal, Log, NativeLog, open_log
from kad.lastgood import LastGood
from kad.lock import RuntimeLock
from kad.namespaces import Namespaces
from kad.namespaces.memory import Memory
from kad.namespaces.own import MACHINE, OwnNamespace, boot_id, own_namespace
from kad.notify import Notify
from kad.originals import Originals
from kad.procfs import PassedFiles, Procfs, passed_files
from kad.signals import install
from kad.statefile import StateFile
from kad.stderr import Stderr
from kad.watch import Watch
from kad.writes import Writes

if TYPE_CHECKING:
    from argparse import Namespace

    from kad.sockets.tending import Tender


def run(arguments: "Namespace") -> int:
    """Run the daemon until it is told to stop."""
    # Any user may ask for the daemon and its state, and none may write them.
    os.umask(0o022)
    # Whom the service watchdog ends for a hang tells the journal where it hung.
    faulthandler.enable()
    mailbox = Mailbox()
    stopped = install(mailbox.nudge, mailbox.wakeup)
    log = open_log(os.environ)
    files = passed_files(os.environ)
    namespace = MACHINE if files else own_namespace()
    runtime = runtime_directory(os.environ, namespace.private)
    try:
        with RuntimeLock(runtime) as lock:
            # A daemon that was killed left its own; in a container it had the same pid.
            StateFile(runtime).remove()
            _daemon(
                arguments.policy,
                stopped,
                mailbox,
                Journal(log),
                _Place(files or Procfs(), namespace, runtime, lock),
            ).run()
    except KadError as error:
        _say_last_words(error, log)
        return error.exit_status
    return 0


class _Place(NamedTuple):
    """Where this daemon is, and the parameters as it has them there."""

    kernel: Procfs | PassedFiles
    namespace: OwnNamespace
    runtime: str
    lock: RuntimeLock


def _daemon(
    named: str | None,
    stopped: Callable[[], bool],
    mailbox: Mailbox,
    journal: Journal,
    place: _Place,
) -> Daemon:
    namespace, runtime = place.namespace, place.runtime
    state = state_directory(os.environ, namespace.private)
    directories = (state, runtime) if state else (runtime,)
    store = LastGood(state, namespace.key) if state else None
    find = partial(policyfile.find, None, named, os.environ)
    validate = partial(policyfile.validate_in_child, stopped=stopped)
    others = Namespaces(namespace, mailbox.listen, mailbox.ignore)
    edges = Edges(
        inbox=mailbox,
        lock=place.lock,
        kernel=Originals(place.kernel, directories, boot_id(os.environ), namespace.cookie),
        source=Source(find, validate, os.environ, store),
        watch=Watch(partial(mailbox.nudge, Reason.FILE)),
        writes=Writes(lambda: {**_own(place.kernel), **others.held()}, mailbox.listen),
        namespaces=others,
        memory=Memory(directories, boot_id(os.environ)),
        manager=Notify(os.environ),
        journal=journal,
        state=StateFile(runtime),
        sockets=partial(_sockets, place, others, stopped),
        neighbours=neighbours,
        units=units,
        monotonic=monotonic,
        utc=_utc,
    )
    watched = policyfile.candidates(named, os.environ)
    return Daemon(edges, watched, pid=os.getpid(), inode=namespace.inode, host=namespace.host)


def _own(kernel: Procfs | PassedFiles) -> dict[tuple[int, Parameter], int]:
    return {(0, parameter): file for parameter, file in kernel.held.items()}


def _sockets(place: _Place, others: Namespaces, stopped: Callable[[], bool]) -> "Tender":
    from kad.sockets.diag import open_diag  # noqa: PLC0415  # boot time: where the policy asks
    from kad.sockets.looking import Room  # noqa: PLC0415
    from kad.sockets.tending import Tender  # noqa: PLC0415

    if place.namespace is MACHINE:
        why = "not available: kad was given the parameters as open files, as by 253-openfile.conf"
        raise OSError(errno.ENOTSUP, why, "sockets")
    own = Room(open_diag, place.kernel.read)
    return Tender(
        lambda: [
            own,
            *(Room(enter, files.read, other=True) for enter, files in others.rooms(open_diag)),
        ],
        stopped=stopped,
    )


def _utc() -> str:
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())


def _say_last_words(error: KadError, log: Log) -> None:
    """Say why the daemon ends: to the journal with the fields of what happened."""
    lines = list(error.lines())
    if error.exit_status == PolicyError.exit_status:
        lines.append("no policy to put in force; mend it, then: systemctl start kad")
    for line in lines:
        if not isinstance(log, NativeLog):
            Stderr().line(f"kad: {line}")
        elif isinstance(error, PolicyError):
            file = error.mistakes[0].file
            Journal(log).event(Event(Kind.POLICY_REJECTED, line), KAD_POLICY_FILE=file)
        elif isinstance(error, DeniedError):
            Journal(log).event(Event(Kind.WRITE_FAILED, line, error.fields))
        else:
            Journal(log).say(Priority.ERR, line)
