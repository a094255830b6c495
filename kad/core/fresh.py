"""Put the kernel's present values into a daemon's account of itself."""

from collections.abc import Iterator, Mapping

from kad.core.errors import ascii_line
from kad.core.parameters import Parameter
from kad.core.report import State
from kad.core.status import NamespaceStatus, ParameterStatus, Status
from kad.core.summary import and_more

Values = Mapping[Parameter, int]


def refreshed(daemon: Status, own: Values, others: Mapping[int, Values]) -> Status:
    """Give the state by the values of now, of kad's own namespace and by cookie of the others.

    Of those that the caller may not look into the daemon's word stands, as does what only a daemon
    knows to be wrong.
    """
    host, *rest = daemon.namespaces
    read = ((each, others.get(each.cookie or 0)) for each in rest)
    namespaces = (
        afresh(host, own),
        *(each if values is None else afresh(each, values) for each, values in read),
    )
    if namespaces == daemon.namespaces:
        return daemon
    now = daemon._replace(namespaces=namespaces)
    if daemon.state == State.DEGRADED:  # for more than what the values tell
        return now
    differences = tuple(_differences(namespaces))
    if not differences:
        return now._replace(state=State.IN_FORCE, reason=None)
    managed = (each.parameters.values() for each in namespaces if each.managed)
    failed = any(each.state == State.FAILED for some in managed for each in some)
    state = State.DEGRADED if failed else State.DRIFTED
    return now._replace(state=state, reason=ascii_line(differences[0] + and_more(differences)))


def afresh(told: NamespaceStatus, values: Values) -> NamespaceStatus:
    """Give a namespace with the values that were read; what is not among them could not be."""
    parameters = {name: _compare(each, values.get(name)) for name, each in told.parameters.items()}
    return told._replace(parameters=parameters)


def _compare(told: ParameterStatus, found: int | None) -> ParameterStatus:
    if told.policy is None:
        return told._replace(found=found)
    if found == told.policy:
        return told._replace(found=found, state=State.IN_FORCE)
    failed = found is None or told.state == State.FAILED
    return told._replace(found=found, state=State.FAILED if failed else State.DRIFTED)


def _differences(namespaces: tuple[NamespaceStatus, ...]) -> Iterator[str]:
    for number, each in enumerate(namespaces):
        where = f"{each.name}: " if number else ""
        for name, value in each.parameters.items() if each.managed else ():
            if value.found is None and value.policy is not None:
                yield f"{where}cannot read {name}"
            elif value.policy is not None and value.found != value.policy:
                yield f"{where}{name} is {value.found}, policy says {value.policy}"
