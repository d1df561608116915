"""What a cell says, as text: the rules themselves, one cell at a time.

The kernels do the same for what is frequent; tests hold both against each other.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta

from gidbench.kernels.sheet_cells import DATE, ELAPSED, NUMBER, TIME

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_HEX = "[0-9A-Fa-f]"
_ESCAPE = re.compile(f"_x([Dd][89ABab]{_HEX}{_HEX})__x([Dd][C-Fc-f]{_HEX}{_HEX})_|_x({_HEX}{{4}})_")
_ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_ISO_CLOCK = re.compile(r"T?(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?Z?", re.ASCII)
_ISO_SPAN = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?", re.ASCII)
_MOST_WHOLE_DIGITS = 17
_MOST_ELAPSED_DAYS = 16_000_000
_DAY_S, _DAY_MS = 86_400, 86_400_000
_EPOCH_1900, _EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)
_LAST = date(9999, 12, 31)


def number_text(raw: str) -> str:
    """A number in the shortest form that gives the same double; whole ones up to 17 digits without exponent."""
    text = raw.strip(" \t\r\n")
    if not _NUMBER.fullmatch(text):
        return raw
    if _WHOLE.fullmatch(text) and len(text.lstrip("+-0")) <= _MOST_WHOLE_DIGITS:
        return str(int(text))
    return float_text(float(text))


def float_text(value: float) -> str:
    """A double as text, likewise."""
    if math.isfinite(value) and value.is_integer() and abs(value) < 10**_MOST_WHOLE_DIGITS:
        return str(int(value))
    return repr(value)


def serial_text(raw: str, kind: int, since_1904: bool) -> tuple[str, bool]:
    """(text, whether it stayed a number) of a number under the format of a date or time."""
    text = raw.strip(" \t\r\n")
    if not _NUMBER.fullmatch(text):
        return raw, False
    found = moment_text(float(text), kind, since_1904)
    return (number_text(raw), True) if found is None else (found, False)


def moment_text(value: float, kind: int, since_1904: bool) -> str | None:
    """A serial number as a date, a time or both; None where the calendar has none for it.

    Rounded to the millisecond. Days before March 1900 are those that Excel shows; 60, which it shows as the
    29 February 1900 that there never was, is the 28.
    """
    if not 0 <= value < _MOST_ELAPSED_DAYS:
        return None
    day = math.floor(value)
    ms = round((value - day) * _DAY_S * 1000)
    if kind == ELAPSED:
        hours, rest = divmod(day * _DAY_MS + ms, 3_600_000)
        return f"{hours}{_clock(rest)[2:]}"
    if value < 1 and ms < _DAY_MS and (kind == TIME or not since_1904):
        return _clock(ms)
    if not since_1904 and 0 < value < 60:
        day += 1
    epoch = _EPOCH_1904 if since_1904 else _EPOCH_1900
    day, ms = day + ms // _DAY_MS, ms % _DAY_MS
    if day > (_LAST - epoch).days:
        return None
    shown = (epoch + timedelta(days=day)).isoformat()
    return f"{shown} {_clock(ms)}" if ms else shown


def _clock(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{rest:03}".rstrip("0") if rest else text


def iso_text(raw: str) -> str:
    """A date or time that the file writes in ISO 8601, in our form; what is none stays."""
    text = raw.strip(" \t\r\n")
    day, rest = "", text
    if len(text) > 2 and (span := _ISO_SPAN.fullmatch(text)):
        seconds = int(span[1] or 0) * 3600 + int(span[2] or 0) * 60 + int(span[3] or 0)
        shown = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        fraction = (span[4] or "")[:6].rstrip("0")
        return f"{shown}.{fraction}" if fraction else shown
    if found := _ISO_DATE.match(text):
        try:
            day = date(int(found[1]), int(found[2]), int(found[3])).isoformat()
        except ValueError:
            return raw
        rest = text[found.end() :]
        if not rest:
            return day
        if rest[0] not in "T ":
            return raw
        rest = rest[1:]
    clock = _ISO_CLOCK.fullmatch(rest)
    if not clock or int(clock[1]) > 23 or int(clock[2]) > 59 or int(clock[3] or 0) > 59:
        return raw
    shown = f"{clock[1]}:{clock[2]}:{clock[3] or '00'}"
    if fraction := (clock[4] or "")[:6].rstrip("0"):
        shown += f".{fraction}"
    if not day:
        return shown
    return day if shown == "00:00:00" else f"{day} {shown}"


def truth_text(raw: str) -> str:
    text = raw.strip(" \t\r\n").lower()
    return {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}.get(text, raw)


def unescaped(text: str) -> str:
    """Text with its _xHHHH_ decoded (ECMA-376 part 1, 22.9.2.19); half a surrogate pair stays as it is."""
    return _ESCAPE.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    if match[1]:
        return chr(0x10000 + ((int(match[1], 16) - 0xD800) << 10) + int(match[2], 16) - 0xDC00)
    unit = int(match[3], 16)
    return match[0] if 0xD800 <= unit < 0xE000 else chr(unit)


def python_text(value: object) -> tuple[str, bool]:
    """(text, whether it is a number) of what a library gives for a cell."""
    if value is None:
        return "", False
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), False
    if isinstance(value, int | float):
        return (str(value) if isinstance(value, int) else float_text(value)), True
    if isinstance(value, datetime):
        value += timedelta(microseconds=500)
        shown = value.date().isoformat()
        clock = _clock(
            (value.hour * 3600 + value.minute * 60 + value.second) * 1000 + value.microsecond // 1000
        )
        return (shown if clock == "00:00:00" else f"{shown} {clock}"), False
    if isinstance(value, date):
        return value.isoformat(), False
    if isinstance(value, time):
        ms = (value.hour * 3600 + value.minute * 60 + value.second) * 1000 + (value.microsecond + 500) // 1000
        return _clock(min(ms, _DAY_MS - 1)), False
    if isinstance(value, timedelta):
        ms = round(value / timedelta(milliseconds=1))
        hours, rest = divmod(abs(ms), 3_600_000)
        return f"{'-' if ms < 0 else ''}{hours}{_clock(rest)[2:]}", False
    return str(value), False


def cell_text(kind: int, raw: str, since_1904: bool) -> tuple[str, bool]:
    """(text, whether it is a number) of a numeric cell of a kind."""
    if kind == NUMBER:
        return number_text(raw), _NUMBER.fullmatch(raw.strip(" \t\r\n")) is not None
    if kind in (DATE, TIME, ELAPSED):
        return serial_text(raw, kind, since_1904)
    raise ValueError(f"no kind of number: {kind}")
