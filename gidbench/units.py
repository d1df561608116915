"""Formatting at the edge, parsing at the door: base units inside, people's units outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from gidbench.errors import InputError

_SUFFIXES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9}
# A comma only between groups of three digits: in half of the world `1,5M` is one and a half million.
_COUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d[\d_]*)(?:\.(\d+))?(?:e\+?(\d{1,2}))?([kmbg]?)")
_ROUNDS_UP = 0.9995  # from here on a value shows as 1.00 of the next unit, not as 1000 of the one below


def parse_count(text: str) -> int:
    """Whole number from what people type: `1000000`, `1_000_000`, `1,000,000`, `1e6`, `2.5M`, `50k`.

    Raises InputError for anything else, and where the number is not whole.
    """
    match = _COUNT.fullmatch(text.strip().lower())
    if match:
        whole, fraction = match[1].replace("_", "").replace(",", ""), match[2] or ""
        scale = int(10 ** int(match[3] or 0)) * _SUFFIXES[match[4]]
        value, remainder = divmod(int(whole + fraction) * scale, int(10 ** len(fraction)))
        if remainder == 0:
            return value
    raise InputError(
        f"{text!r} is not a whole number of records", "Write it like 1000000, 1_000_000, 1e6, 50k or 2.5M"
    )


def format_count(value: float) -> str:
    """`1234567` -> `1,234,567`."""
    return f"{value:,.0f}"


def format_rate(per_second: float) -> str:
    """Rate with three significant digits: `12.3 M/s`, `456 K/s`, `78.0 /s`."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if per_second >= limit * _ROUNDS_UP:
            return f"{_three_digits(per_second / limit)} {suffix}/s"
    return f"{_three_digits(per_second)} /s"


def round_rate(rate: float) -> str:
    """`500 K`, `1 M`: for ticks and bounds, which are round."""
    return re.sub(r"\.0+ ", " ", format_rate(rate)).removesuffix("/s").strip()


def format_seconds(seconds: float) -> str:
    """Duration with three significant digits and the unit that fits: `1.23 s`, `45.6 ms`, `2 min 05 s`."""
    if seconds >= 120:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02d} s"
    for limit, factor, suffix in ((1.0, 1.0, "s"), (1e-3, 1e3, "ms")):
        if seconds >= limit * _ROUNDS_UP:
            return f"{_three_digits(seconds * factor)} {suffix}"
    return f"{_three_digits(seconds * 1e6)} µs"


def format_bytes(count: float) -> str:
    """Bytes in binary multiples: `1.50 GiB`, `12.0 MiB`, `512 B`."""
    for shift, suffix in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count >= (1 << shift) * (1 - 0.5 / 1024):
            return f"{_three_digits(count / (1 << shift))} {suffix}"
    return f"{count:.0f} B"


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def utc_text() -> str:
    """This moment in UTC, to the second, as result files and histories write it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def utc_now() -> datetime:
    """This moment in UTC without a zone, as the tables' timestamps are."""
    return datetime.now(UTC).replace(tzinfo=None)
