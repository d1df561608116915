"""What the text of a cell looks like; the sniffer judges dialects and headers by it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

EMPTY, NUMBER, DATE, TIME, BOOLEAN, WORDS, ODD, MISSING = (
    "empty",
    "number",
    "date",
    "time",
    "boolean",
    "words",
    "odd",
    "missing",
)
# Dates and times in the forms of ISO 8601, of d/m/y and m/d/y, and with the name of a month.
_MONTH = r"(?:jan|feb|m[aä]r|apr|ma[yi]|jun|jul|au?g|sep|o[ck]t|nov|de[csz])[a-zé]*"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[ap]\.?m\.?)?(?:\s?(?:z|utc|gmt|[+-]\d{2}:?\d{2}))?"
_DAY = (
    r"(?:\d{4}(?P<one>[-/.])\d{1,2}(?P=one)\d{1,2}|\d{1,2}(?P<two>[-/.])\d{1,2}(?P=two)(?:\d{4}|\d{2})|\d{1,2}[-/. ]"
    + _MONTH
    + r"[-/. ,]{0,2}\d{2,4}|"
    + _MONTH
    + r"[-/. ]\d{1,2}(?:,? \d{2,4})?|"
    + _MONTH
    + r"[-/. ]\d{2,4})"
)
_NUMBER = (
    r"[(]?[-+−]?\s?(?:[$€£¥₹]|usd|eur|gbp|idr|rp\.?)?\s?[-+]?(?:\d{1,3}(?:[,.'  ]\d{3})+(?:[.,]\d+)?"
    r"|\d+(?:[.,]\d*)?|[.,]\d+)(?:e[-+]?\d+)?\s?(?:%|[$€£¥]|usd|eur)?[)]?"
)
_TYPED = (NUMBER, DATE, TIME, BOOLEAN, MISSING)
_KINDS = re.compile(
    rf"(?P<{NUMBER}>{_NUMBER})"
    rf"|(?P<{DATE}>{_DAY}(?:[ tT,]{{1,2}}{_CLOCK})?)"
    rf"|(?P<{TIME}>{_CLOCK})"
    rf"|(?P<{BOOLEAN}>true|false|yes|no)"
    rf"|(?P<{MISSING}>n/?a|nan|null|none|nil|-+|\.+|\?|missing|unknown|#n/a|\\n)"
    r"|(?P<address>(?:https?|ftp)://\S+|[\w.+-]+@[\w-]+\.[\w.-]+|(?:\d{1,3}\.){3}\d{1,3})"
    rf"|(?P<{WORDS}>\w[\w .&'’()/#%°$€£*+:!?@\[\]=-]*)",
    re.IGNORECASE,
)


@lru_cache(maxsize=1 << 16)
def kind(cell: str) -> str:
    """The kind of a cell's text; long texts count by their beginning."""
    text = cell.strip()
    if not text:
        return EMPTY
    found = _KINDS.fullmatch(text[:200])
    if found is None:
        return ODD
    return next((name for name in _TYPED if found[name] is not None), WORDS)


def column_kind(cells: Iterable[str], share: float = 0.8) -> str | None:
    """Number, date, time or boolean where at least `share` of the cells that say something are one."""
    counts: dict[str, int] = {}
    for cell in cells:
        found = kind(cell)
        if found not in (EMPTY, MISSING):
            counts[found] = counts.get(found, 0) + 1
    if not counts:
        return None
    best = max(counts, key=lambda name: counts[name])
    typed = best in (NUMBER, DATE, TIME, BOOLEAN) and counts[best] >= share * sum(counts.values())
    return best if typed else None
