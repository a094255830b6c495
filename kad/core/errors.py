"""Name the failures an operator can act on, each with the exit status it ends in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


def ascii_line(text: str) -> str:
    r"""Escape all but printable ASCII, as `\n` or `\xe9`: for journal, STATUS= and terminal alike.

    A file name may hold anything; it must neither forge a second line nor move the cursor.
    """
    if text.isascii() and text.isprintable():  # mostly, and the codec costs boot time
        return text
    escaped = text.encode("unicode_escape").decode("ascii")
    return escaped.replace("\\\\", "\\")


def printable(text: str) -> str:
    """Escape what is not to be shown on a terminal: control characters and broken bytes."""
    return "".join(each if each.isprintable() else ascii_line(each) for each in text)


def os_error_words(error: OSError) -> str:
    """Say why the system refused, after the file where one is known."""
    why = error.strerror or str(error)
    return f"{error.filename}: {why}" if error.filename else why


class KadError(Exception):
    """What, where and why, in one line; shown without a traceback."""

    exit_status = 70
    # The journal's KAD_ fields that apply.
    fields: Mapping[str, str] = MappingProxyType({})

    def lines(self) -> tuple[str, ...]:
        """Give the sentences to print, each after `kad: `."""
        return (printable(str(self)),)


class StoppedError(KadError):
    """kad was told to stop while it waited for something: no mistake, and nothing to say."""

    exit_status = 0

    def lines(self) -> tuple[str, ...]:
        """Give none."""
        return ()


class DeniedError(KadError):
    """A right is missing; the sentence names it."""

    exit_status = 77


class UsageError(KadError):
    """The command line asks for something that kad does not do."""

    exit_status = 2


class Mistake(NamedTuple):
    """One thing wrong in a policy file, with the best place known: line and column from 1, or 0."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return printable(f"{place}: {self.text}")


class PolicyError(KadError):
    """The policy file cannot be used; all that is wrong with it, in the file's order."""

    exit_status = 78

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes

    def __str__(self) -> str:
        """Give the first mistake, and how many more there are."""
        more = len(self.mistakes) - 1
        return f"{self.mistakes[0]} (and {more} more)" if more else str(self.mistakes[0])

    def lines(self) -> tuple[str, ...]:
        """Give each mistake on a line of its own, as an editor can jump to it."""
        return tuple(str(mistake) for mistake in self.mistakes)


class UncheckedPolicyError(PolicyError):
    """The file could not be validated, for a reason that is not in the file and may pass."""

    exit_status = 70


class MissingPolicyError(PolicyError):
    """There is no policy file: nothing to fall back from, so the last good policy is not used."""
