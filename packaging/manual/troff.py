"""Write man(7): the few macros that a page needs, and text that no macro mistakes for its own.

Our own, as argparse-manpage knows only options: most of a manual is none.
"""

import re
import textwrap
from collections.abc import Iterable

_LITERAL = re.compile(r"`([^`]+)`")
_PAGE = re.compile(r"\b([a-z][a-z0-9_.-]*)\(([1-8])\)")
_VARIABLE = re.compile(r"\b[A-Z][A-Z-]+\b")
# groff_char(7): as themselves these become typographic quotes, dashes and accents.
_AS_TYPED = str.maketrans({"\\": "\\(rs", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha"})


def literal(text: str) -> str:
    """Give text that is shown, and copied, as it was typed."""
    return text.translate(_AS_TYPED).replace("~", "\\(ti")


def bold(text: str) -> str:
    """Give text that is typed so."""
    return f"\\fB{literal(text)}\\fR"


def usage(line: str) -> str:
    """Give a usage line: words as they are typed, VARIABLES to be replaced."""
    return "".join(_usage_word(word) for word in re.split(r"([][|. ]+)", line))


def _usage_word(word: str) -> str:
    if _VARIABLE.fullmatch(word):
        return f"\\fI{literal(word)}\\fR"
    return bold(word) if re.search(r"\w", word) else word


def prose(text: str) -> str:
    """Give folded text; `in backquotes` it is literal, and name(8) is a page."""
    parts = _LITERAL.split(" ".join(text.split()))
    shown = "".join(bold(each) if odd % 2 else _plain(each) for odd, each in enumerate(parts))
    folded = textwrap.wrap(shown, 78, break_on_hyphens=False, break_long_words=False)
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in folded)


def _plain(text: str) -> str:
    pages = _PAGE.split(text)
    shown = [_dashes(pages[0])]
    for name, section, after in zip(pages[1::3], pages[2::3], pages[3::3], strict=True):
        shown.append(f"{bold(name)}({section}){_dashes(after)}")
    return "".join(shown)


def _dashes(text: str) -> str:
    """Keep the dashes of options and file names from becoming hyphens."""
    words = (
        literal(word) if re.match(r"\(?(--|[/$])", word) else word.replace("\\", "\\(rs")
        for word in text.split(" ")
    )
    return " ".join(words)


def head(name: str, section: int, date: str, version: str) -> str:
    """Begin a page, with ragged lines and whole words: they are read on a terminal."""
    return f'.TH {literal(name.upper())} {section} {date} "kad {version}" "kad"\n.nh\n.ad l'


def chapter(title: str, *body: str) -> str:
    """Give a section."""
    return _under(f".SH {title}", *body)


def part(title: str, *body: str) -> str:
    """Give a subsection; its title is troff already."""
    return _under(f".SS {title}", *body)


def _under(heading: str, *body: str) -> str:
    """Join; what follows a heading begins a paragraph by itself."""
    return f"{heading}\n" + "\n".join(body).removeprefix(".PP\n")


def paragraphs(text: str) -> str:
    """Give paragraphs, which an empty line parts; one of `* ` at each item is a list."""
    return "\n".join(_paragraph(each) for each in text.strip().split("\n\n"))


def _paragraph(text: str) -> str:
    if text.startswith("* "):
        items = text.removeprefix("* ").split("\n* ")
        return "\n".join(f".IP \\[u2022] 2\n{prose(each)}" for each in items)
    return f".PP\n{prose(text)}"


def item(tag: str, text: str) -> str:
    """Give an entry of a list; its tag is troff already."""
    return f".TP\n{tag}\n{prose(text)}"


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Give a list whose tags are typed so."""
    return "\n".join(item(bold(tag), text) for tag, text in rows)


def example(text: str) -> str:
    """Give lines that are kept as they are."""
    lines = (literal(line) for line in text.strip("\n").split("\n"))
    kept = (f"\\&{line}" if line.startswith((".", "\\(aq")) else line for line in lines)
    return "\n".join((".PP", ".RS 4", ".EX", *kept, ".EE", ".RE"))
