"""The plain-Python twin of each kernel: slow, obvious, and written from the descriptions alone.

Python's own integers, `datetime`, `re` and `set` do the work here, so that a twin shares no arithmetic with
its kernel. Texts are bytes, moments are datetimes, null is None.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

import numpy as np

M1, M2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # of SplitMix64
TWO_64 = 1 << 64
GAMMA = 0x9E3779B97F4A7C15
EPOCH = dt.date(1970, 1, 1)
MISSING, INVALID, TOO_SHORT, TOO_LONG, PRECISION_LOST = 1, 2, 3, 4, 5
BLANKS = b" \t\n\v\f\r"

# --- buffers --------------------------------------------------------------------------------------


def pack(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Arrow's (int32 offsets, uint8 bytes) of texts."""
    offsets = np.array([0, *accumulate(map(len, texts))], np.int32)
    return offsets, np.frombuffer(b"".join(texts), np.uint8)


def unpack(offsets: np.ndarray, data: np.ndarray) -> list[bytes]:
    content = data.tobytes()
    return [content[low:high] for low, high in zip(offsets.tolist(), offsets.tolist()[1:], strict=False)]


def place(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(memory that must be kept, int64 addresses, int32 lengths) of texts."""
    held = np.frombuffer(b"".join(texts) or b"\0", np.uint8)
    starts = [0, *accumulate(map(len, texts))][: len(texts)]
    addresses = np.array([held.ctypes.data + start for start in starts], np.int64)
    return held, addresses, np.array([len(text) for text in texts], np.int32)


def at_places(addresses: np.ndarray, lengths: np.ndarray) -> list[bytes]:
    """The texts at addresses."""
    return [
        ctypes.string_at(at, length) for at, length in zip(addresses.tolist(), lengths.tolist(), strict=True)
    ]


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


def churn(words: list[int], passes: int, state: int) -> int:
    """The work that drift is measured by."""
    for word in words * passes:
        state = mix64((state + word) % TWO_64)
    return state


def mix64(z: int) -> int:
    z = (z ^ z // 2**30) * M1 % TWO_64
    z = (z ^ z // 2**27) * M2 % TWO_64
    return z ^ z // 2**31


def draw(key: int, row: int) -> int:
    return mix64((key + GAMMA * (row + 1)) % TWO_64)


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


def permute(number: int, count: int, key: int) -> int:
    """The bijection of 0 .. count - 1: as a pair of about equal sides, again until it is below count."""
    lefts = int(count**0.5) + 1
    rights = -(-count // lefts)
    while True:
        left, right = permute_pair(number // rights, number % rights, lefts, rights, key)
        number = left * rights + right
        if number < count:
            return number


# --- people ---------------------------------------------------------------------------------------

FIRST_BIRTH, LAST_BIRTH = dt.date(1960, 1, 1), dt.date(2005, 12, 31)
BIRTHS = (LAST_BIRTH - FIRST_BIRTH).days + 1
FIRST_BIRTH_DAYS = (FIRST_BIRTH - EPOCH).days
_UNIX = dt.datetime(1970, 1, 1)


def column_key(seed: int, table: str, column: str) -> int:
    digest = hashlib.blake2b(f"{seed}\0{table}\0{column}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def subkey(key: int, purpose: str) -> int:
    return mix64((key + int.from_bytes(purpose.encode()[:8], "little")) % TWO_64)


def identity(number: int, areas: Sequence[int]) -> tuple[dt.date, int, str]:
    """(birth date, 0 man or 1 woman, no_ktp) of a number in mixed radix: area, sex, day, serial."""
    number, serial = divmod(number, 9_999)
    number, day = divmod(number, BIRTHS)
    area, sex = divmod(number, 2)
    birth = FIRST_BIRTH + dt.timedelta(days=day)
    return (
        birth,
        sex,
        f"{areas[area]:06d}{birth.day + 40 * sex:02d}{birth.month:02d}{birth.year % 100:02d}{serial + 1:04d}",
    )


def name(
    number: int,
    sex: int,
    firsts: Sequence[str],
    first_slots: Sequence[Sequence[int]],
    lasts: Sequence[str],
    last_slots: Sequence[int],
) -> str:
    """`first_slots[sex]` and `last_slots` hold 4096 positions in the pools; twelve bits choose one."""
    chosen = [number >> shift & 4095 for shift in (0, 12, 24)]
    shape = number >> 56
    first, middle = firsts[first_slots[sex][chosen[0]]], firsts[first_slots[sex][chosen[1]]]
    words = [first]
    if shape < round(0.30 * 256) and middle != first:
        words.append(middle)
    if shape < round(0.9375 * 256) or len(first.encode()) < 3:
        words.append(lasts[last_slots[chosen[2]]])
    return " ".join(words)


def share(number: int, span: int) -> int:
    """The share of a number in 2^64, as a share of `span`."""
    return number * span // TWO_64


def after(number: int, source: int, gap: int, within: int, low: int, high: int) -> int:
    least = max(low, source + gap)
    most = max(least, min(high, least + within))
    return least + share(number, most - least + 1)


def employee(
    seed: int, row: int, areas: Sequence[int], names: tuple[list[str], list[list[int]], list[str], list[int]]
) -> dict[str, object]:
    """Row `row` (from 0) of the shipped spec, worked out from its text by hand."""

    def bits(column: str, purpose: str = "value") -> int:
        return draw(subkey(column_key(seed, "employee", column), purpose), row)

    def is_null(column: str, fraction: float) -> bool:
        return bits(column, "null") < int(fraction * TWO_64)

    def moment(seconds: int) -> dt.datetime:
        return _UNIX + dt.timedelta(seconds=seconds)

    def since(when: dt.datetime) -> int:
        return (when - _UNIX) // dt.timedelta(seconds=1)

    room = len(areas) * 2 * BIRTHS * 9_999
    number = permute(row, room, subkey(column_key(seed, "employee", "no_ktp"), "permute"))
    birth, sex, no_ktp = identity(number, areas)
    low, high = dt.datetime(2015, 1, 1), dt.datetime(2024, 12, 31, 23, 59, 59)
    born = since(dt.datetime.combine(birth, dt.time()))
    bounds = since(low), since(high)
    created = after(bits("created_at"), born, 6_575 * 86_400, bounds[1] - bounds[0], *bounds)
    bounds = since(dt.datetime.min), since(dt.datetime(2025, 6, 30, 23, 59, 59))
    updated = after(bits("updated_at"), created, 0, bounds[1] - bounds[0], *bounds)
    bounds = since(dt.datetime.min), since(dt.datetime.max)
    deleted = after(bits("deleted_at"), updated, 0, 180 * 86_400, *bounds)
    return {
        "id": row + 1,
        "name": name(bits("name"), sex, *names),
        "personal_number": f"EMP-{moment(created).year}-{row + 1:07d}",
        "no_ktp": no_ktp,
        "passport_id": None if is_null("passport_id", 0.92) else passport(seed, row),
        "bod": birth,
        "g_id": None,
        "created_at": moment(created),
        "updated_at": moment(updated),
        "deleted_at": None if is_null("deleted_at", 0.99) else moment(deleted),
    }


def passport(seed: int, row: int) -> str:
    key = subkey(column_key(seed, "employee", "passport_id"), "permute")
    number = permute(row, 676 * 10**7, key)
    letters = []
    for _ in range(2):  # digits are taken off the low end, the first piece first
        number, digit = divmod(number, 26)
        letters.append(chr(65 + digit))
    return "".join(reversed(letters)) + f"{number % 10**7:07d}"


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


def meaning(value: object) -> tuple[int, int] | bytes | None:
    """What a cell says: (kind, number), text as bytes, or nothing. Kinds: 1 whole, 2 decimal, 3 moment, 4 truth."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return 4, int(value)
    if isinstance(value, int):
        return 1, value
    if isinstance(value, dt.datetime):
        return 3, (value - _UNIX) // dt.timedelta(microseconds=1)
    if isinstance(value, dt.date):
        return 3, (value - EPOCH).days * 86_400_000_000
    return _meaning_of_text(str(value))


def _meaning_of_text(text: str) -> tuple[int, int] | bytes:
    if (
        re.fullmatch(r"-?(0|[1-9][0-9]*)", text, re.ASCII)
        and abs(int(text)) < 2**63
        and len(text.lstrip("-")) <= 19
    ):
        return 1, int(text)
    if text.lower() in ("true", "false"):
        return 4, int(text.lower() == "true")
    if match := re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(\.\d{1,6})?)?", text, re.ASCII):
        clock = (match[2] or "00:00") + (match[3] or ":00") + (match[4] or ".0").ljust(7, "0")
        if match[3] or not match[4]:
            try:
                return meaning(dt.datetime.fromisoformat(f"{match[1]} {clock}"))
            except ValueError:
                pass
    if match := re.fullmatch(r"(-?)(0|[1-9][0-9]*)\.([0-9]+)", text, re.ASCII):
        fraction = match[3].rstrip("0")
        if len(match[2]) + len(fraction) + (1 if fraction else 0) <= 19:
            number = int(match[2] + fraction) * (-1 if match[1] else 1)
            return (2 + 256 * len(fraction) if fraction else 1), number
    return text.encode()


def cell_hash(value: object, salt: int, factor: int) -> tuple[int, int]:
    """Both lanes of a cell."""
    what = meaning(value)
    if what is None:
        return 0, 0
    if isinstance(what, tuple):
        one = mix64((what[1] + salt + what[0] * GAMMA) % TWO_64)
        return one, one * factor % TWO_64
    one, two = (salt + len(what) * GAMMA) % TWO_64, factor
    padded = what.ljust(max(32, -(-len(what) // 8) * 8), b"\0")
    for start in range(0, len(padded), 8):
        word = int.from_bytes(padded[start : start + 8], "little") * GAMMA % TWO_64
        word ^= word >> 32
        one = (one ^ word) * M1 % TWO_64
        two = (two + word) * M2 % TWO_64
        one, two = one ^ one >> 29, two ^ two >> 32
    one = mix64(one)
    return one, mix64((two + one) % TWO_64)


def digest(rows: Iterable[dict[str, object]]) -> str:
    """`records:digest` of rows by column name."""
    totals, count = [0, 0], 0
    for row in rows:
        sums = [0, 0]
        for name, value in row.items():
            words = hashlib.blake2b(name.lower().encode(), digest_size=16).digest()
            salt, factor = (int.from_bytes(words[at : at + 8], "little") for at in (0, 8))
            for lane, part in enumerate(cell_hash(value, salt, factor | 1)):
                sums[lane] = (sums[lane] + part) % TWO_64
        first = mix64((sums[0] + GAMMA) % TWO_64)
        totals[0] += first
        totals[1] += mix64(sums[1] ^ first)
        count += 1
    return f"{count}:{totals[0] % TWO_64:016x}{totals[1] % TWO_64:016x}"


# --- intake ---------------------------------------------------------------------------------------


def measure(text: bytes, shortest: int, longest: int) -> int:
    """Code of the length in characters without the blanks around."""
    length = len(text.strip(BLANKS).decode())
    if length == 0:
        return MISSING
    if length < shortest:
        return TOO_SHORT
    return TOO_LONG if length > longest else 0


def national_id(text: bytes, number_cell: bool = False) -> tuple[int, int]:
    """(number or -1, code); the text may be that of a number's cell."""
    digits = re.sub(rb"[ \t\n\v\f\r.-]", b"", text)
    if not digits:
        return -1, MISSING
    if re.fullmatch(rb"\d+([.,]\d*)?[eE]\+?\d+", text.strip(BLANKS)):
        return -1, PRECISION_LOST
    if number_cell and (b"." in text or len(re.findall(rb"\d", text)) > 16):
        return -1, PRECISION_LOST
    if not re.fullmatch(rb"[0-9]{16}", digits) or len(set(digits)) == 1:
        return -1, INVALID
    if number_cell and digits != text:
        return -1, PRECISION_LOST if int(digits) > 2**53 else INVALID
    if number_cell and int(digits) > 2**53:
        return -1, PRECISION_LOST
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
