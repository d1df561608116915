"""Which number formats show dates and times."""

from __future__ import annotations

import re

from gidbench.kernels.sheet_cells import DATE, ELAPSED, NUMBER, TIME

_LONGEST = 1_024  # characters; Excel takes 255
_DATES = {*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58}
_TIMES = {18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56}
_ELAPSED = {46}
# Quoted text, an escaped or padding or filling character with the mark before it
_LITERALS = re.compile(r'"[^"]*"?|[\\_*].?', re.DOTALL)
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_SPAN = re.compile(r"h+|m+|s+", re.IGNORECASE)
_CLOCK = re.compile(r"am/pm|a/p|上午/下午", re.IGNORECASE)


def built_in(number: int) -> int:
    """The kind of cells under a number format that every program knows."""
    if number in _DATES:
        return DATE
    if number in _TIMES:
        return TIME
    return ELAPSED if number in _ELAPSED else NUMBER


def custom(code: str) -> int:
    """The kind of cells under a format code: NUMBER, DATE, TIME or ELAPSED. Its first section decides."""
    code = _LITERALS.sub("", code[:_LONGEST])
    code = code.split(";", 1)[0]
    elapsed = any(_SPAN.fullmatch(inner) for inner in _BRACKETS.findall(code))
    code = _BRACKETS.sub("", code)
    if re.fullmatch(r"\s*general\s*", code, re.IGNORECASE):
        return NUMBER
    code, clock = _CLOCK.subn("", code.lower())
    if re.search(r"[yd]", code):
        return DATE
    if elapsed:
        return ELAPSED
    if clock or re.search(r"[hs]", code):
        return TIME
    return DATE if "m" in code else NUMBER
