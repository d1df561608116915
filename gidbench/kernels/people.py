"""Kernels that fill the columns of `employee`, straight into Arrow buffers.

Every kernel takes `key` (from the seed) and `first`, the 0-based index of its first row; row r of its
output belongs to index first + r and depends on (key, first + r) alone. Text is written as UTF-8 bytes with
int32 offsets, validity as Arrow's bitmap (least significant bit first).
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.mixing import GAMMA, below, draw, permute_pair
from gidbench.kernels.registry import (
    I64,
    IN_I32,
    IN_I64,
    IN_U8,
    IN_U16,
    OUT_I32,
    OUT_I64,
    OUT_U8,
    U64,
    helper,
    kernel,
)

FIRST_BIRTH_DAY = -3653  # 1960-01-01 in days since 1970-01-01
BIRTH_DAYS = 16_802  # .. 2005-12-31
SERIALS = 9_999  # the last four digits of a no_ktp: 0001 .. 9999
NAME_STRIDE = 16  # bytes per entry of a name table: a fixed-size copy becomes one vector store
NAME_SLOTS = 4096  # a name of weight w owns round(4096 * w) slots, at least one
MAX_NAME_BYTES = 3 * NAME_STRIDE + 2  # three names and the blanks between them
NO_KTP_BYTES = 16
MAX_PERSONAL_NUMBER_BYTES = 20
PASSPORT_BYTES = 9
PASSPORTS = (676, 10_000_000)  # two letters, seven digits

_NAME, _PASSPORT, _CREATED, _UPDATED, _DELETED = (np.uint64(s) for s in range(5))
_SERIALS = np.uint64(SERIALS)
_ONE, _TEN, _ZERO = np.uint64(1), np.uint64(10), np.uint64(48)
_DAY_SECONDS = 86_400
_CREATED_FIRST = 1_420_070_400  # 2015-01-01, seconds since 1970
_CREATED_END = 1_735_689_600  # 2025-01-01
_UPDATED_END = 1_751_328_000  # 2025-07-01
_DELETED_SPAN = 15_552_000  # 180 days
_ADULT_DAYS = 6_575  # 18 years: nobody is hired younger
_PASSPORT_SHARE = np.uint64(343_597_384)  # 8 % of 2^32
_DELETED_SHARE = np.uint64(42_949_673)  # 1 % of 2^32
_TWO_POW_32 = np.uint64(1 << 32)


@helper
def put_digits(out, at, value, width):
    """Write `value` as `width` decimal digits with leading zeros to out[at : at + width].

    Unsigned: a division by a constant is then one multiplication, without the corrections that flooring a
    negative number would need (identities took 75 ns a row with signed, 45 ns with unsigned division).
    """
    left = np.uint64(value)
    for place in range(width - 1, -1, -1):
        tens = left // _TEN
        out[at + place] = _ZERO + (left - tens * _TEN)
        left = tens


@kernel(U64, I64, IN_I32, IN_I32, OUT_I32, OUT_U8, OUT_U8)
def identities(key, first, areas, birth_codes, births, sexes, no_ktp):
    """Birth day (days since 1970), sex (0 man, 1 woman) and the 16 digits of no_ktp of each row.

    A no_ktp is area (6), DDMMYY with 40 added to a woman's day (6), serial (4). The index is split into
    (area and sex, day and serial) and permuted as a pair, so no two indices below capacity share a no_ktp.
    `birth_codes[d]` is DDMMYY of day d as a number.
    """
    lefts = np.uint64(areas.size * 2)
    rights = np.uint64(BIRTH_DAYS * SERIALS)
    for row in range(births.size):
        index = np.uint64(first + row)
        left, right = permute_pair(index % lefts, index // lefts, lefts, rights, key)
        sex = np.int64(left & _ONE)
        day = np.int64(right // _SERIALS)
        births[row] = FIRST_BIRTH_DAY + day
        sexes[row] = sex
        at = row * NO_KTP_BYTES
        put_digits(no_ktp, at, np.int64(areas[np.int64(left >> _ONE)]), 6)
        put_digits(no_ktp, at + 6, np.int64(birth_codes[day]) + sex * 400_000, 6)
        put_digits(no_ktp, at + 12, right % _SERIALS + _ONE, 4)


@helper
def put_name(out, at, table, entry):
    base = entry * NAME_STRIDE
    for place in range(NAME_STRIDE):  # always the whole stride: the next write covers what is too much
        out[at + place] = table[base + place]


@kernel(U64, I64, IN_U8, IN_U8, IN_U8, IN_U16, IN_U8, IN_U8, IN_U16, OUT_I32, OUT_U8)
def names(
    key, first, sexes, firsts, first_lengths, first_slots, lasts, last_lengths, last_slots, offsets, out
):
    """Full names: first and last; 30 % with a middle name, 6 % with a single name as many Indonesians have.

    `firsts` and `lasts` hold NAME_STRIDE bytes an entry; `first_slots` has NAME_SLOTS entries for men and
    then as many for women. `out` needs MAX_NAME_BYTES a row plus NAME_STRIDE at the end.
    """
    mask = np.uint64(NAME_SLOTS - 1)
    at = 0
    offsets[0] = 0
    for row in range(sexes.size):
        bits = draw(key, np.uint64(first + row), _NAME)
        pool = np.int64(sexes[row]) * NAME_SLOTS
        shape = np.int64(bits >> np.uint64(56))
        entry = np.int64(first_slots[pool + np.int64(bits & mask)])
        put_name(out, at, firsts, entry)
        at += np.int64(first_lengths[entry])
        if shape < 77:
            middle = np.int64(first_slots[pool + np.int64((bits >> np.uint64(12)) & mask)])
            if middle != entry:
                out[at] = 32
                put_name(out, at + 1, firsts, middle)
                at += 1 + np.int64(first_lengths[middle])
        if shape < 240 or first_lengths[entry] < 3:
            entry = np.int64(last_slots[np.int64((bits >> np.uint64(24)) & mask)])
            out[at] = 32
            put_name(out, at + 1, lasts, entry)
            at += 1 + np.int64(last_lengths[entry])
        offsets[row + 1] = at


@kernel(U64, I64, IN_I32, OUT_I64, OUT_I64, OUT_I64, OUT_U8)
def lifetimes(key, first, births, created, updated, deleted, deleted_valid):
    """created_at, updated_at, deleted_at in microseconds since 1970, in that order in time; 1 % deleted.

    Returns the number of rows whose deleted_at is null.
    """
    nulls = 0
    deleted_valid[:] = 0
    for row in range(births.size):
        index = np.uint64(first + row)
        low = max(_CREATED_FIRST, (np.int64(births[row]) + _ADULT_DAYS) * _DAY_SECONDS)
        start = low + np.int64(below(draw(key, index, _CREATED), np.uint64(_CREATED_END - low)))
        touch = start + np.int64(below(draw(key, index, _UPDATED), np.uint64(_UPDATED_END - start)))
        created[row] = start * 1_000_000
        updated[row] = touch * 1_000_000
        bits = draw(key, index, _DELETED)
        if bits % _TWO_POW_32 < _DELETED_SHARE:
            deleted[row] = (touch + np.int64(below(bits, np.uint64(_DELETED_SPAN)))) * 1_000_000
            deleted_valid[row >> 3] |= 1 << (row & 7)
        else:
            deleted[row] = 0
            nulls += 1
    return nulls


@kernel(I64, IN_I64, OUT_I32, OUT_U8)
def personal_numbers(first, created, offsets, out):
    """`EMP-` year of hire `-` id with at least seven digits; offsets (n + 1) and bytes, 20 a row at most."""
    at = 0
    offsets[0] = 0
    for row in range(created.size):
        number = first + row + 1
        digits = 7
        bound = 10_000_000
        while number >= bound:
            digits += 1
            bound *= 10
        out[at], out[at + 1], out[at + 2], out[at + 3], out[at + 8] = 69, 77, 80, 45, 45
        days = created[row] // 86_400_000_000
        put_digits(out, at + 4, 1968 + 4 * (days + 731) // 1461, 4)  # exact from 1968 to 2099
        put_digits(out, at + 9, number, digits)
        at += 9 + digits
        offsets[row + 1] = at


@kernel(U64, I64, OUT_I32, OUT_U8, OUT_U8)
def passports(key, first, offsets, valid, out):
    """passport_id of 8 % of the rows: two letters, seven digits, unique. Returns the number of nulls."""
    lefts, rights = np.uint64(PASSPORTS[0]), np.uint64(PASSPORTS[1])
    at = 0
    nulls = 0
    offsets[0] = 0
    valid[:] = 0
    for row in range(offsets.size - 1):
        index = np.uint64(first + row)
        if draw(key, index, _PASSPORT) % _TWO_POW_32 < _PASSPORT_SHARE:
            left, right = permute_pair(index % lefts, index // lefts, lefts, rights, key ^ GAMMA)
            out[at] = 65 + np.int64(left) // 26
            out[at + 1] = 65 + np.int64(left) % 26
            put_digits(out, at + 2, np.int64(right), 7)
            at += PASSPORT_BYTES
            valid[row >> 3] |= 1 << (row & 7)
        else:
            nulls += 1
        offsets[row + 1] = at
    return nulls
