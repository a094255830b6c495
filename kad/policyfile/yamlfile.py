"""Parse a policy written in YAML.

Events are read one by one, so that no alias is ever followed, no tag obeyed and no depth reached
that a policy does not need: PyYAML's own tree builder would do all three.
"""

import yaml

from kad.policyfile.document import (
    DEEPEST,
    REFUSED,
    Document,
    Flaw,
    Lines,
    Path,
    Spot,
    TooDeepError,
    UnreadableError,
)
from kad.policyfile.yamlscalars import resolve

_NO_TEXT = "half of a surrogate pair is not valid text"  # "\ud800"


def parse(text: str) -> Document:
    """Give values, places and what YAML allows and kad does not; UnreadableError for no YAML."""
    reader = _Reader(text)
    tree = reader.document()
    return Document(text, tree, reader.spots, tuple(reader.flaws))


class _Reader:
    """Build plain values from the events of one document."""

    def __init__(self, text: str) -> None:
        self.spots: dict[Path, Spot] = {}
        self.flaws: list[Flaw] = []
        self._lines = Lines(text)
        self._depth = 0
        try:
            self._loader = yaml.SafeLoader(text)
        except yaml.reader.ReaderError as error:
            why = f"not YAML: a character that is not allowed: U+{error.character:04X}"
            raise UnreadableError(error.position, why) from error

    def document(self) -> dict[str, object]:
        """Read all of it; an empty document has no keys."""
        self._next()  # the stream begins
        start = self._next()
        if isinstance(start, yaml.StreamEndEvent):
            return {}
        if isinstance(start, yaml.DocumentStartEvent) and start.tags:
            self._flaw(start, (), "YAML tags are not allowed")
        tree = self._root(self._next())
        self._next()  # the document ends
        after = self._next()
        if isinstance(after, yaml.DocumentStartEvent):
            self._flaw(after, (), "a second YAML document is not allowed")
        return tree

    def _root(self, event: yaml.Event) -> dict[str, object]:
        if isinstance(event, yaml.ScalarEvent) and not event.value and _is_bare(event):
            return {}
        if not isinstance(event, yaml.MappingStartEvent):
            raise UnreadableError(_start(event), "a policy must consist of keys and values")
        self._refuse_marks(event, ())
        return self._mapping(())

    def _value(self, event: yaml.Event, path: Path) -> object:
        self._refuse_marks(event, path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event, path)

    def _refuse_marks(self, event: yaml.Event, path: Path) -> None:
        """Refuse an anchor, alias or tag; whatever else is wrong within is still told."""
        marks = _marks(event)
        if marks:
            self._flaw(event, path, f"YAML {marks} are not allowed", refused=True)

    def _scalar(self, event: yaml.Event, path: Path) -> object:
        if not isinstance(event, yaml.ScalarEvent):
            return REFUSED  # an alias
        if not _is_text(event.value):
            self._flaw(event, path, _NO_TEXT, refused=True)
            return REFUSED
        try:
            return resolve(event.value) if _is_bare(event) else event.value
        except ValueError as error:
            self._flaw(event, path, str(error), refused=True)
            return REFUSED

    def _sequence(self, path: Path) -> list[object]:
        elements: list[object] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            place = (*path, len(elements))
            elements.append(self._value(event, place))
            self.spots[place] = Spot(_start(event), _start(event), _end(event))
        return elements

    def _mapping(self, path: Path) -> dict[str, object]:
        table: dict[str, object] = {}
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            name = self._key(key, path)
            value = self._next()
            if name is None or name in table:
                self._pass_by(value)
                continue
            place = (*path, name)
            self.spots[place] = Spot(_start(key), _start(value), _end(value))
            table[name] = self._value(value, place)
        return table

    def _key(self, event: yaml.Event, path: Path) -> str | None:
        """Give a key's name; None, with the flaw told, for one that is none."""
        why = _why_no_key(event)
        if why or not isinstance(event, yaml.ScalarEvent):
            self._flaw(event, path, why, refused=True)
            self._pass_by(event)
            return None
        self._refuse_marks(event, path)
        first = self.spots.get((*path, event.value))
        if first is not None:
            line, _ = self._lines.place(first.key)
            self._flaw(event, (*path, event.value), f"given twice (first on line {line})")
        return event.value

    def _pass_by(self, event: yaml.Event) -> None:
        """Leave out a value whose beginning was read."""
        if isinstance(event, yaml.CollectionStartEvent):
            outside = self._depth - 1
            while self._depth > outside:
                self._next()

    def _flaw(self, event: yaml.Event, path: Path, why: str, *, refused: bool = False) -> None:
        self.flaws.append(Flaw(_start(event), path, why, refused=refused))

    def _next(self) -> yaml.Event:
        event = self._event()
        if isinstance(event, yaml.CollectionStartEvent):
            self._depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            self._depth -= 1
        if self._depth > DEEPEST:
            raise TooDeepError(_start(event))
        return event

    def _event(self) -> yaml.Event:
        try:
            event: yaml.Event = self._loader.get_event()  # type: ignore[no-untyped-call]
        except yaml.MarkedYAMLError as error:
            why = " ".join(filter(None, (error.context, error.problem)))
            at = error.problem_mark.index if error.problem_mark else 0
            raise UnreadableError(at, f"not YAML: {why}") from error
        except (ValueError, OverflowError, IndexError) as error:  # "\U99999999", %YAML 1.99...9
            raise UnreadableError(self._loader.index, f"not YAML: {error}") from error
        return event


def _marks(event: yaml.Event) -> str:
    if isinstance(event, yaml.AliasEvent):
        return "aliases"
    if getattr(event, "anchor", None) is not None:
        return "anchors"
    return "tags" if getattr(event, "tag", None) is not None else ""


def _why_no_key(event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        return "a key must be a string"
    if _is_bare(event) and event.value == "<<":
        return "YAML merge keys are not allowed"
    return "" if _is_text(event.value) else _NO_TEXT


def _is_bare(event: yaml.ScalarEvent) -> bool:
    """Tell whether a scalar stands without quotes, so that it may be a number."""
    return not event.style and event.tag is None


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _start(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark else 0


def _end(event: yaml.Event) -> int:
    return event.end_mark.index if event.end_mark else 0
