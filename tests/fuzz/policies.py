"""Write policy files in every style, knowing where their mistakes stand.

Statements are written as TOML or as YAML: what they mean and which of them are mistaken is known
from the draw, where they stand from the writing. kad has no part in it.
"""

import json
import re
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.fuzz.statements import PLAIN_YAML, WRONG, Draw, Statement


@dataclass
class Written:
    """A text, with the places of the mistakes in it, in characters; -1 is the file alone."""

    text: str = ""
    mistakes: set[int] = field(default_factory=set)


class _Writer:
    """What the two formats have in common."""

    def __init__(self, draw: Draw, said: list[Statement]) -> None:
        self.draw = draw
        self.written = Written()
        if not any(each.key == "keepalive" for each in said):
            self.written.mistakes.add(-1)

    @property
    def at(self) -> int:
        return len(self.written.text)

    def put(self, text: str) -> None:
        self.written.text += text

    def mistake(self, at: int) -> None:
        self.written.mistakes.add(at)

    def choose(self, *choices: str) -> str:
        return str(self.draw(st.sampled_from(choices)))

    def gap(self) -> None:
        self.put(self.choose("", " ", "  "))

    def key(self, each: Statement) -> None:
        if not each.known:
            self.mistake(self.at)
        self.put(self.key_text(each.key))

    def key_text(self, name: str) -> str:
        raise NotImplementedError

    def value(self, each: Statement) -> None:
        raise NotImplementedError


def _needs_one(each: Statement) -> bool:
    return each.key == "keepalive" and each.inner == ()


class _Toml(_Writer):
    """Write statements as TOML."""

    def __init__(self, draw: Draw, said: list[Statement]) -> None:
        super().__init__(draw, said)
        self.trivia()
        headers = [each for each in said if each.inner is not None and self.choose("[", "=") == "["]
        for each in said:
            if each not in headers:
                self.root(each)
        for each in headers:
            self.header(each)

    def key_text(self, name: str) -> str:
        return _toml_key(self.draw, name)

    def trivia(self) -> None:
        self.put(self.choose("", "", "\n", "# [a] = '\"\n", " \t\n\n"))

    def end(self) -> None:
        self.gap()
        self.put(self.choose("\n", "\n", " # '''\n", '# """ ]\n'))
        self.trivia()

    def root(self, each: Statement) -> None:
        if each.inner and self.choose("dotted", "inline") == "dotted":
            for inner in each.inner:
                self.assign(inner, each)
                self.end()
        elif each.inner is not None:
            self.inline(each)
            self.end()
        else:
            self.assign(each)
            self.end()

    def header(self, each: Statement) -> None:
        if _needs_one(each):
            self.mistake(self.at)
        self.put("[")
        self.gap()
        self.key(each)
        self.gap()
        self.put("]")
        self.end()
        for inner in each.inner or ():
            self.assign(inner)
            self.end()

    def assign(self, each: Statement, table: Statement | None = None) -> None:
        self.once(each, table)
        if each.again:
            self.end()
            self.repeat(each, table)

    def repeat(self, each: Statement, table: Statement | None = None) -> None:
        self.prefix(table)
        self.mistake(self.at)
        self.put(f"{self.key_text(each.key)} = [{{a = 1}}]")

    def prefix(self, table: Statement | None) -> None:
        if table is not None:
            self.put(self.key_text(table.key))
            self.gap()
            self.put(".")
            self.gap()

    def once(self, each: Statement, table: Statement | None = None) -> None:
        self.prefix(table)
        self.key(each)
        self.gap()
        self.put("=")
        self.gap()
        self.value(each)

    def value(self, each: Statement) -> None:
        assert each.value is not None
        if each.known and each.value.means is WRONG:
            self.mistake(self.at)
        self.put(each.value.toml or "")

    def inline(self, each: Statement) -> None:
        self.key(each)
        self.gap()
        self.put("=")
        self.gap()
        if _needs_one(each):
            self.mistake(self.at)
        self.put("{")
        for number, inner in enumerate(each.inner or ()):
            self.put("," if number else "")
            self.gap()
            self.once(inner)
            if inner.again:
                self.put(" , ")
                self.repeat(inner)
            self.gap()
        self.put("}")


def _toml_key(draw: Draw, name: str) -> str:
    styles = [json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")]
    styles.append('"' + "".join(f"\\U{ord(each):08x}" for each in name) + '"')
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        styles += [name] * 3
    if name.isprintable() and "'" not in name:
        styles.append(f"'{name}'")
    return str(draw(st.sampled_from(styles)))


class _Yaml(_Writer):
    """Write statements as YAML."""

    def __init__(self, draw: Draw, said: list[Statement]) -> None:
        super().__init__(draw, said)
        self.put(self.choose("", "# c: 1\n", "---\n", "%YAML 1.1\n---\n", "--- # c\n"))
        if not said or self.choose("block", "block", "flow") == "flow":
            self.flow(said)
            self.put("\n")
        else:
            self.block(said, "")
        self.put(self.choose("", "...\n", "# end"))

    def key_text(self, name: str) -> str:
        styles = [json.dumps(name), '"' + "".join(f"\\U{ord(each):08x}" for each in name) + '"']
        if PLAIN_YAML.fullmatch(name):
            styles += [name] * 3
        if name.isprintable() and name.isascii():
            styles.append("'" + name.replace("'", "''") + "'")
        return self.choose(*styles)

    def block(self, said: list[Statement], indent: str) -> None:
        for each in said:
            self.put(indent)
            self.key(each)
            self.gap()
            self.put(":")
            self.put(self.choose(" ", "  "))  # PyYAML takes no tab here
            if each.inner and self.choose("block", "flow") == "block":
                self.put(self.choose("\n", "# c\n", "\n\n"))
                self.block(list(each.inner), indent + self.choose(" ", "  ", "    "))
                continue
            self.value(each)
            self.put(self.choose("\n", " # c: d\n", "\n\n", " \n"))
            if each.again:
                self.put(indent)
                self.mistake(self.at)
                self.put(f"{self.key_text(each.key)}: [a]\n")

    def value(self, each: Statement) -> None:
        if each.inner is not None:
            if _needs_one(each):
                self.mistake(self.at)
            self.flow(list(each.inner))
            return
        assert each.value is not None
        if each.known and each.value.means is WRONG:
            self.mistake(self.at)
        self.put(each.value.yaml or "")

    def flow(self, said: list[Statement]) -> None:
        self.put("{")
        for number, each in enumerate(said):
            self.put("," if number else "")
            self.gap()
            self.key(each)
            self.put(": ")
            self.value(each)
            if each.again:
                self.put(" , ")
                self.mistake(self.at)
                self.put(f"{self.key_text(each.key)}: {{a: [b]}}")
            self.gap()
        self.put("}")


def toml(draw: Draw, said: list[Statement]) -> Written:
    """Write statements as TOML."""
    return _Toml(draw, said).written


def yaml(draw: Draw, said: list[Statement]) -> Written:
    """Write statements as YAML."""
    return _Yaml(draw, said).written
