"""Take JSON that may hold anything for what it should hold."""

from collections.abc import Mapping
from enum import StrEnum
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

_Kind = TypeVar("_Kind")
_MOST = 2**64  # no number of kad's is larger, a cookie least of all; JSON's may be of any size


def take(kind: type[_Kind], plain: object) -> _Kind:
    """Give the value with all that is in it; ValueError where any of it is of another kind.

    Where it is an object for a named tuple, what that does not know is passed over: a newer kad may
    have written more. No sentence repeats the value: it may be nested too deeply for that.
    """
    taken: _Kind = _take(kind, plain)
    return taken


def give(value: object) -> object:
    """Give what JSON holds of a value: `take` takes it back."""
    if isinstance(value, Mapping):
        return {name: give(each) for name, each in value.items()}
    if not isinstance(value, tuple):
        return value
    if hasattr(value, "_fields"):
        names: tuple[str, ...] = value._fields
        return {field_name(name): give(getattr(value, name)) for name in names}
    return [give(each) for each in value]


def field_name(name: str) -> str:
    """Give the name in JSON of a named tuple's field: tuples have a method `count`."""
    return name.rstrip("_")


def _take(kind: Any, plain: Any) -> Any:  # noqa: ANN401 - as typing has it
    if isinstance(kind, UnionType):  # something or None
        return None if plain is None else _take(get_args(kind)[0], plain)
    if get_origin(kind) is tuple:
        return tuple(_take(get_args(kind)[0], each) for each in _take(list, plain))
    if get_origin(kind) is Mapping:
        of_key, of_value = get_args(kind)
        items = _take(dict, plain).items()
        return {_take(of_key, key): _take(of_value, value) for key, value in items}
    if hasattr(kind, "_fields"):
        of = kind.__annotations__.items()
        return kind(*(_take(each, _in(plain, field_name(name))) for name, each in of))
    if issubclass(kind, StrEnum):
        return kind(_take(str, plain))
    # Not isinstance(): true is no number.
    if kind is object or (type(plain) is kind and (kind is not int or -_MOST <= plain < _MOST)):
        return plain
    raise ValueError(f"something is no {kind.__name__}")


def _in(plain: object, name: str) -> object:
    table = _take(dict, plain)
    if name not in table:
        raise ValueError(f"lacks {name}")
    return table[name]
