"""Patterns of text: literal text and, in braces, what changes from row to row.

`{seq}` `{seq:07}`: the row's number from 1, with at least so many digits. `{digits:N}` `{letters:N}` `{lower:N}`
`{hex:N}`: N random characters. `{year}` `{month}` `{day}`: of the date or timestamp that the column is correlated
with. `{value}` `{value:slug}`: the text that it is correlated with, as it is or as lower-case words between dots.
`{{` and `}}` are braces.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from gidbench.errors import InputError

DIGITS = string.digits
_ALPHABETS = {
    "digits": DIGITS,
    "letters": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "hex": "0123456789abcdef",
}
_DATE_PARTS = ("year", "month", "day")
_MOST_CHARACTERS = 32
_WIDEST_NUMBER = 18
_KNOWN = "{seq}, {seq:07}, {digits:4}, {letters:2}, {lower:2}, {hex:8}, {year}, {month}, {day}, {value}, {value:slug}"


@dataclass(frozen=True)
class Literal:
    text: str


@dataclass(frozen=True)
class RowNumber:
    """The row's number from 1; `width` digits at least, with leading zeros."""

    width: int


@dataclass(frozen=True)
class DatePart:
    """`year` (four digits), `month` or `day` (two) of another column."""

    part: str


@dataclass(frozen=True)
class Random:
    """`count` characters of an ASCII alphabet, each as probable as the others."""

    count: int
    alphabet: str


@dataclass(frozen=True)
class Value:
    """The text of another column; as a `slug`: lower case, with dots for everything but letters and digits."""

    slug: bool


Piece = Literal | RowNumber | DatePart | Random | Value


@lru_cache(maxsize=256)
def parse(pattern: str) -> tuple[Piece, ...]:
    """The pieces of a pattern. Raises InputError that shows the piece which cannot be understood."""
    if not pattern:
        raise InputError("a pattern is empty", f"Write text and {_KNOWN}")
    if re.search(r"[\x00-\x1f\x7f]", pattern):
        raise InputError(f"the pattern {pattern!r} holds a control character", "Leave it out")
    pieces: list[Piece] = []
    place = 0
    for found in re.finditer(r"\{\{|\}\}|\{([^{}]*)\}|([{}])", pattern):
        _literal(pieces, pattern[place : found.start()])
        place = found.end()
        if found[2]:
            _refuse(pattern, f"the brace at character {found.start() + 1} stands alone", "Double it")
        if found[1] is None:
            _literal(pieces, found[0][0])
        else:
            pieces.append(_piece(pattern, found[1]))
    _literal(pieces, pattern[place:])
    return tuple(pieces)


def capacity(pieces: tuple[Piece, ...]) -> int | None:
    """How many different texts the random pieces can make; None where the row's number makes each different."""
    product = 1
    for piece in pieces:
        if isinstance(piece, RowNumber):
            return None
        if isinstance(piece, Random):
            product *= len(piece.alphabet) ** piece.count
    return product


def _literal(pieces: list[Piece], text: str) -> None:
    if text and pieces and isinstance(pieces[-1], Literal):
        pieces[-1] = Literal(pieces[-1].text + text)
    elif text:
        pieces.append(Literal(text))


def _piece(pattern: str, text: str) -> Piece:
    name, colon, argument = text.partition(":")
    if name == "seq":
        if not colon:
            return RowNumber(0)
        width = _number(pattern, text, argument, _WIDEST_NUMBER)
        return RowNumber(width)
    if name in _ALPHABETS:
        return Random(_number(pattern, text, argument, _MOST_CHARACTERS), _ALPHABETS[name])
    if name in _DATE_PARTS and not colon:
        return DatePart(name)
    if name == "value" and argument in ("", "slug"):
        return Value(bool(argument))
    return _refuse(pattern, f"{{{text}}} is unknown", f"Use {_KNOWN}")


def _number(pattern: str, text: str, argument: str, most: int) -> int:
    if not argument.isascii() or not argument.isdigit() or not 1 <= int(argument) <= most:
        _refuse(pattern, f"{{{text}}} needs a number from 1 to {most}", f"Use {_KNOWN}")
    return int(argument)


def _refuse(pattern: str, what: str, remedy: str) -> NoReturn:
    raise InputError(f"in the pattern {pattern!r} {what}", remedy)
