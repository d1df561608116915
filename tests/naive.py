"""The plain-Python twin of each kernel: slow, obvious, and written from the descriptions alone.

Python's own integers, `datetime`, `re` and `set` do the work here, so that a twin shares no arithmetic with
its kernel. Texts are bytes, moments are datetimes, null is None.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

import numpy as np

TWO_64 = 1 << 64
GAMMA = 0x9E3779B97F4A7C15
EPOCH = dt.date(1970, 1, 1)
MISSING, INVALID, TOO_SHORT, TOO_LONG = 1, 2, 3, 4
BLANKS = b" \t\n\v\f\r"

# --- buffers --------------------------------------------------------------------------------------


def pack(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Arrow's (int32 offsets, uint8 bytes) of texts."""
    offsets = np.array([0, *accumulate(map(len, texts))], np.int32)
    return offsets, np.frombuffer(b"".join(texts), np.uint8)


def unpack(offsets: np.ndarray, data: np.ndarray) -> list[bytes]:
    content = data.tobytes()
    return [content[low:high] for low, high in zip(offsets.tolist(), offsets.tolist()[1:], strict=False)]


def bits(bitmap: np.ndarray, count: int) -> list[bool]:
    """The first `count` bits of an Arrow validity bitmap."""
    return [bool(int(bitmap[row // 8]) & 2 ** (row % 8)) for row in range(count)]


# --- mixing ---------------------------------------------------------------------------------------


def splitmix64(seed: int) -> Iterator[int]:
    """The reference generator, state and all (Vigna's splitmix64.c)."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) % TWO_64
        yield mix64(state)


def mix64(z: int) -> int:
    z = (z ^ z // 2**30) * 0xBF58476D1CE4E5B9 % TWO_64
    z = (z ^ z // 2**27) * 0x94D049BB133111EB % TWO_64
    return z ^ z // 2**31


def draw(key: int, row: int, stream: int) -> int:
    return mix64((key + GAMMA * (8 * row + stream + 1)) % TWO_64)


def below(number: int, bound: int) -> int:
    """The share of the upper 32 bits in 2^32, as a share of `bound`."""
    return number // 2**32 * bound // 2**32


def permute_pair(left: int, right: int, lefts: int, rights: int, key: int) -> tuple[int, int]:
    """Four rounds, keyed with key + round * GAMMA; each turns one side by a function of the other."""
    for turn in (1, 2, 3, 4):
        salt = key + turn * GAMMA
        if turn % 2:
            left = (left + below(mix64((right + salt) % TWO_64), lefts)) % lefts
        else:
            right = (right + below(mix64((left + salt) % TWO_64), rights)) % rights
    return left, right


# --- people ---------------------------------------------------------------------------------------

FIRST_BIRTH, LAST_BIRTH = dt.date(1960, 1, 1), dt.date(2005, 12, 31)
_BIRTHS = (LAST_BIRTH - FIRST_BIRTH).days + 1
_NAME, _PASSPORT, _CREATED, _UPDATED, _DELETED = range(5)
_UNIX = dt.datetime(1970, 1, 1)


def identity(key: int, row: int, areas: Sequence[int]) -> tuple[dt.date, int, str]:
    """(birth date, 0 man or 1 woman, no_ktp): the row as (area and sex, day and serial), both mixed."""
    lefts, rights = 2 * len(areas), _BIRTHS * 9_999
    left, right = permute_pair(row % lefts, row // lefts, lefts, rights, key)
    area, sex = divmod(left, 2)
    day, serial = divmod(right, 9_999)
    birth = FIRST_BIRTH + dt.timedelta(days=day)
    return (
        birth,
        sex,
        f"{areas[area]:06d}{birth.day + 40 * sex:02d}{birth.month:02d}{birth.year % 100:02d}{serial + 1:04d}",
    )


def name(
    key: int,
    row: int,
    sex: int,
    firsts: Sequence[str],
    first_slots: Sequence[Sequence[int]],
    lasts: Sequence[str],
    last_slots: Sequence[int],
) -> str:
    """`first_slots[sex]` and `last_slots` hold 4096 positions in the pools; twelve bits choose one."""
    number = draw(key, row, _NAME)
    chosen = [number >> shift & 4095 for shift in (0, 12, 24)]
    shape = number >> 56
    first, middle = firsts[first_slots[sex][chosen[0]]], firsts[first_slots[sex][chosen[1]]]
    words = [first]
    if shape < round(0.30 * 256) and middle != first:
        words.append(middle)
    if shape < round(0.9375 * 256) or len(first.encode()) < 3:
        words.append(lasts[last_slots[chosen[2]]])
    return " ".join(words)


def lifetime(key: int, row: int, birth: dt.date) -> tuple[dt.datetime, dt.datetime, dt.datetime | None]:
    """(created, updated, deleted), all of them whole seconds."""

    def seconds(moment: dt.datetime) -> int:
        return round((moment - _UNIX).total_seconds())

    grown = dt.datetime.combine(birth, dt.time()) + dt.timedelta(days=6575)
    start = seconds(max(grown, dt.datetime(2015, 1, 1)))
    created = start + below(draw(key, row, _CREATED), seconds(dt.datetime(2025, 1, 1)) - start)
    updated = created + below(draw(key, row, _UPDATED), seconds(dt.datetime(2025, 7, 1)) - created)
    number = draw(key, row, _DELETED)
    deleted = None
    if number % 2**32 < round(0.01 * 2**32):
        deleted = _UNIX + dt.timedelta(seconds=updated + below(number, 180 * 86_400))
    return _UNIX + dt.timedelta(seconds=created), _UNIX + dt.timedelta(seconds=updated), deleted


def personal_number(row: int, created: dt.datetime) -> str:
    return f"EMP-{created.year}-{row + 1:07d}"


def passport(key: int, row: int) -> str | None:
    if draw(key, row, _PASSPORT) % 2**32 >= round(0.08 * 2**32):
        return None
    left, right = permute_pair(row % 676, row // 676, 676, 10_000_000, key ^ GAMMA)
    return f"{chr(65 + left // 26)}{chr(65 + left % 26)}{right:07d}"


# --- G_IDs ----------------------------------------------------------------------------------------


def gid_encode(ordinal: int) -> str:
    ordinal, number = divmod(ordinal, 100)
    ordinal, low = divmod(ordinal, 26)
    digit_and_year, high = divmod(ordinal, 26)
    return f"G{digit_and_year:03d}{chr(65 + high)}{chr(65 + low)}{number:02d}"


def gid_decode(text: bytes) -> int:
    match = re.fullmatch(rb"G([0-9]{3})([A-Z])([A-Z])([0-9]{2})", text)
    if not match:
        return -1
    high, low = ord(match[2]) - 65, ord(match[3]) - 65
    return ((int(match[1]) * 26 + high) * 26 + low) * 100 + int(match[4])


# --- digests --------------------------------------------------------------------------------------

_NULL = 0x6E756C6C


def fold_integer(row: int, salt: int, value: int | None) -> int:
    return _fold(row, salt, _NULL if value is None else mix64((value + salt) % TWO_64))


def fold_text(row: int, salt: int, value: bytes | None) -> int:
    if value is None:
        return _fold(row, salt, _NULL)
    state = (salt + len(value) * GAMMA) % TWO_64
    for start in range(0, len(value) // 8 * 8 + 1, 8):  # the last word may be empty, and counts all the same
        state = mix64((state + int.from_bytes(value[start : start + 8], "little")) % TWO_64)
    return _fold(row, salt, state)


def _fold(row: int, salt: int, value: int) -> int:
    return mix64(((row ^ salt) * GAMMA + value) % TWO_64)


# --- intake ---------------------------------------------------------------------------------------


def measure(text: bytes, shortest: int, longest: int) -> int:
    """Code of the length in characters without the blanks around."""
    length = len(text.strip(BLANKS).decode())
    if length == 0:
        return MISSING
    if length < shortest:
        return TOO_SHORT
    return TOO_LONG if length > longest else 0


def national_id(text: bytes) -> tuple[int, int]:
    """(number or -1, code)"""
    digits = re.sub(rb"[ \t\n\v\f\r.-]", b"", text)
    if not digits:
        return -1, MISSING
    if not re.fullmatch(rb"[0-9]{16}", digits) or len(set(digits)) == 1:
        return -1, INVALID
    return int(digits), 0


_TIME = rb"(?:[ T][0:.Z]*)?"
_DATES = (
    rb"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})" + _TIME,
    rb"(?P<d>\d{1,2})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<y>\d{4})" + _TIME,
    rb"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)",
)


def days_from_civil(year: int, month: int, day: int) -> int | None:
    """Days since 1970-01-01; `datetime` knows no year 0, but 400 years are always 146,097 days."""
    moved = 400 if year == 0 else 0
    try:
        return (dt.date(year + moved, month, day) - EPOCH).days - 146_097 * (moved // 400)
    except ValueError:
        return None


def parse_date(text: bytes) -> int | None:
    """Days since 1970-01-01 of ISO, d/m/y, yyyymmdd or an Excel serial from 61 on."""
    for pattern in _DATES:
        if match := re.fullmatch(pattern, text):
            return days_from_civil(int(match["y"]), int(match["m"]), int(match["d"]))
    if re.fullmatch(rb"\d{1,5}", text) and int(text) > 60:
        return (dt.date(1899, 12, 30) - EPOCH).days + int(text)
    return None


def birth_date(text: bytes, earliest: int, latest: int) -> tuple[int, int]:
    """(days or 0, code)"""
    text = text.strip(BLANKS)
    if not text:
        return 0, MISSING
    day = parse_date(text)
    if day is None:
        return 0, INVALID
    if day < earliest:
        return 0, TOO_SHORT
    return (0, TOO_LONG) if day > latest else (day, 0)


def passport_id(text: bytes) -> tuple[bytes | None, int]:
    """(normalised or None, code)"""
    text = re.sub(rb"[ \t\n\v\f\r]", b"", text).upper()
    if not text:
        return None, 0
    return (text, 0) if re.fullmatch(rb"[A-Z]{1,2}[0-9]{6,8}", text) else (None, INVALID)


def first_seen(keys: Iterable[int], seen: set[int]) -> list[bool]:
    """Whether each key is new, in order; -1 is no key. `seen` grows."""
    fresh = []
    for key in keys:
        fresh.append(key != -1 and key not in seen)
        if key != -1:
            seen.add(key)
    return fresh
