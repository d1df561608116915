"""The rules of `gidbench.inference` again, one value at a time, in plain Python."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

Read = Callable[[str], Any]
WHOLE = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)?(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?", re.ASCII)
DAY = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})", re.ASCII)
MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)([ T](\d\d):(\d\d)(:(\d\d)(\.(\d{1,6}))?)?)?", re.ASCII)


def truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower()) if text.isascii() else None


def whole(text: str) -> int | None:
    if not WHOLE.fullmatch(text) or text == "-0":
        return None
    return int(text) if -(2**63) <= int(text) < 2**63 else None


def number(text: str) -> float | None:
    found = NUMBER.fullmatch(text)
    if not found or not (found[1] or found[2]) or (found[3] and not found[2] and found[3][1] not in "+-"):
        return None
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return None
    if len(Decimal(text).normalize().as_tuple().digits) > 17 or Decimal(text) != Decimal(repr(value)):
        return None
    return value


def year_first(separator: str) -> Read:
    def read(text: str) -> dt.date | None:
        found = re.fullmatch(rf"(\d{{4}}){separator}(\d\d){separator}(\d\d)", text, re.ASCII)
        return found and day(found[1], found[2], found[3])

    return read


def year_last(separator: str, *, day_first: bool) -> Read:
    def read(text: str) -> dt.date | None:
        found = DAY.fullmatch(text)
        if not found or found[2] != separator:
            return None
        return day(found[4], found[3], found[1]) if day_first else day(found[4], found[1], found[3])

    return read


def day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def moment(text: str) -> dt.datetime | None:
    found = MOMENT.fullmatch(text)
    date = found and day(found[1], found[2], found[3])
    if not found or not date:
        return None
    try:
        time = dt.time(
            int(found[5] or 0), int(found[6] or 0), int(found[8] or 0), int((found[10] or "").ljust(6, "0"))
        )
    except ValueError:
        return None
    return dt.datetime.combine(date, time)


CERTAIN: list[tuple[str, Read]] = [
    ("bool", truth),
    ("int64", whole),
    ("double", number),
    ("date32[day]", year_first("-")),
    ("date32[day]", year_first("/")),
    ("timestamp[us]", moment),
]


def infer(texts: list[str]) -> tuple[str, list[Any]]:
    """(name of the type, values) of a column."""
    values = [text for text in texts if text]

    def fits(read: Read) -> bool:
        return all(read(text) is not None for text in values)

    def result(name: str, read: Read) -> tuple[str, list[Any]]:
        return name, [read(text) if text else None for text in texts]

    if values:
        for name, read in CERTAIN:
            if fits(read):
                return result(name, read)
        for separator in "/-.":
            orders = [year_last(separator, day_first=first) for first in (True, False)]
            fitting = [read for read in orders if fits(read)]
            if len(fitting) == 1:
                return result("date32[day]", fitting[0])
    return "string", [text or None for text in texts]
