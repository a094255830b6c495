"""Open the network namespaces in which connections are looked at."""

import sys
from collections.abc import Callable, Iterator
from functools import cache, partial

from kad.capabilities import missing
from kad.cli.measure import Measure
from kad.core.errors import DeniedError, KadError
from kad.core.parameters import Parameter
from kad.namespaces.entering import inside
from kad.namespaces.finding import Found, find
from kad.namespaces.own import own_namespace
from kad.procfs import Procfs
from kad.sockets.diag import open_diag
from kad.sockets.looking import Room


def rooms(
    namespace: str | None, measure: Measure, meant: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[str, Room]]:
    """Go through kad's own namespace, the one that is named, or with `all` every one that is meant.

    KadError where the one that is named is not there, or is closed.
    """
    if namespace in {None, "host"}:
        yield "host", _host(measure)
        return
    found = find()
    own = found.pop(own_namespace().inode, None)
    here = own is not None and namespace == own.own_name()
    if here or namespace == "all":
        yield "host", _host(measure)
    if here:
        return
    for right in missing("CAP_SYS_PTRACE") if namespace == "all" else ():
        _say_once(
            f"kad: namespaces with only other users' processes are not listed: kad needs {right}"
        )
    names = [(each.own_name(), each) for each in found.values()]
    asked = [(name, each) for name, each in names if namespace in {"all", name}]
    if not asked and namespace != "all":
        raise KadError(f"{namespace}: no such network namespace; see: kad namespaces")
    for name, each in sorted((name, each) for name, each in asked if meant(name)):
        try:
            room = _room(name, each, measure)
        except OSError as error:
            pass_over(name, namespace, error)
        else:
            yield name, room


def _host(measure: Measure) -> Room:
    return Room(open_diag, Procfs().read, measure.here)


def _room(name: str, found: Found, measure: Measure) -> Room:
    """Open a namespace's parameters from within: then they can be read from anywhere."""
    kernel = Procfs()

    def opened() -> int:
        kernel.read(Parameter.INTVL)
        return kernel.read(Parameter.TIME)

    policy = measure.elsewhere(name, found.inode, inside(found, opened))
    return Room(partial(inside, found, open_diag), kernel.read, policy, other=True)


def pass_over(name: str, namespace: str | None, error: OSError) -> None:
    """Go on without it where all are meant, and name one that is refused; else raise KadError."""
    if isinstance(error, PermissionError):
        why = f"{name}: {error.strerror}: to enter a network namespace kad needs CAP_SYS_ADMIN"
        if namespace != "all":
            raise DeniedError(why) from error
        _say_once(f"kad: {why}")
    elif not isinstance(error, FileNotFoundError):
        raise error
    elif namespace != "all":
        raise KadError(f"{name}: this network namespace no longer exists") from error


@cache
def _say_once(line: str) -> None:
    """Say it on stderr, by --watch not each second."""
    print(line, file=sys.stderr)
