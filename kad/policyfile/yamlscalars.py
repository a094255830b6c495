"""Tell what a plain YAML scalar means, where YAML 1.1, YAML 1.2 and people agree."""

import re

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_LONGEST = 4300  # sys.int_info.default_max_str_digits: int() refuses more
_BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_NULLS = ("", "~", "null", "Null", "NULL")
# Anything that a parser of either version takes for a number or a time; yaml.org/type, and
# chapter 10.3 of YAML 1.2.
_NUMBER_LIKE = re.compile(
    r"""
      [-+]? [0-9][0-9_]* (?: \.[0-9_]* )? (?: [eE][-+]?[0-9]+ )?  # 05, 1_000, +5, 1.5, 1e3
    | [-+]? \.[0-9][0-9_]* (?: [eE][-+]?[0-9]+ )?
    | [-+]? \.(?: inf|Inf|INF ) | \.(?: nan|NaN|NAN )
    | [-+]? 0 (?: [xX][0-9a-fA-F_]+ | [oO][0-7_]+ | [bB][01_]+ )
    | [-+]? [0-9][0-9_]* (?: : [0-5]?[0-9] )+ (?: \.[0-9_]* )?     # 12:30 is 750 in YAML 1.1
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?: [Tt\ \t].* )?
    """,
    re.VERBOSE,
)


def resolve(text: str) -> bool | int | str:
    """Give the value of an unquoted scalar; ValueError says why it has none."""
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text in _NULLS:
        raise ValueError("null is not allowed")
    if _INTEGER.fullmatch(text) and len(text) <= _LONGEST:
        return int(text)
    if _NUMBER_LIKE.fullmatch(text):
        raise ValueError("numbers in YAML must be plain decimals")
    return text
