"""Kernels that read columns of texts as numbers, truth values, dates and moments, or say what they could be.

A column comes as Arrow's int32 offsets (n + 1) and bytes; an empty text is a null. Every kernel that reads fills
values (n) and Arrow's bitmap of those that are there, and returns the number of nulls, or -1 once a text is
something else. `gidbench.inference` says what counts as what.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import NO_DATE
from gidbench.kernels.memory import address_of, load1
from gidbench.kernels.moments import (
    DASH,
    DAY_FIRST,
    DOT,
    MONTH_FIRST,
    SLASH,
    YEAR_FIRST,
    read_any_moment,
    read_day,
)
from gidbench.kernels.numerals import HARD, NONE, ZERO, decimal_parts, read_double, read_whole
from gidbench.kernels.readings import read_truth
from gidbench.kernels.registry import (
    I64,
    IN_I32,
    IN_U8,
    OUT_F64,
    OUT_I32,
    OUT_I64,
    OUT_U8,
    helper,
    kernel,
)

# What a text can be read as; each is a bit.
(
    TRUTH,
    INTEGER,
    NUMBER,
    MOMENT,
    YMD_DASH,
    YMD_SLASH,
    DMY_SLASH,
    MDY_SLASH,
    DMY_DASH,
    MDY_DASH,
    DMY_DOT,
    MDY_DOT,
) = (1 << bit for bit in range(12))
EVERYTHING = (1 << 12) - 1
_EXACT = 1 << 53  # up to here a double holds every whole number


@kernel(IN_I32, IN_U8, OUT_I64, OUT_U8)
def read_integers(offsets, data, values, valid):
    """Whole numbers. Returns nulls, and whether one is beyond 2^53, where a double has no room for all."""
    base, nulls, large = address_of(data), 0, False
    valid[:] = 0
    for row in range(values.size):
        start, length = np.int64(offsets[row]), np.int64(offsets[row + 1] - offsets[row])
        if length == 0:
            values[row] = 0
            nulls += 1
            continue
        good, value = read_whole(base + start, length, data.size - start)
        if not good:
            return -1, False
        values[row] = value
        large |= value > _EXACT or value < -_EXACT
        valid[row >> 3] |= 1 << (row & 7)
    return nulls, large


@kernel(IN_I32, IN_U8, OUT_F64, OUT_U8, OUT_U8)
def read_numbers(offsets, data, values, valid, hard):
    """Decimal numbers. Returns nulls, and how many are `hard` (bytes, n): whether a double loses nothing is open."""
    base, nulls, difficult = address_of(data), 0, 0
    valid[:] = 0
    for row in range(values.size):
        start, length = np.int64(offsets[row]), np.int64(offsets[row + 1] - offsets[row])
        hard[row] = 0
        if length == 0:
            values[row] = 0
            nulls += 1
            continue
        kind, value = read_double(base + start, length)
        if kind == NONE:
            return -1, 0
        if kind == HARD:
            hard[row] = 1
            difficult += 1
        values[row] = value
        valid[row >> 3] |= 1 << (row & 7)
    return nulls, difficult


@kernel(IN_I32, IN_U8, IN_I32, IN_U8)
def same_numbers(offsets, data, other_offsets, other):
    """Whether the texts of two columns are the same numbers, row by row."""
    base, beside = address_of(data), address_of(other)
    for row in range(offsets.size - 1):
        left = decimal_parts(base + np.int64(offsets[row]), np.int64(offsets[row + 1] - offsets[row]))
        right = decimal_parts(
            beside + np.int64(other_offsets[row]), np.int64(other_offsets[row + 1] - other_offsets[row])
        )
        if not left[0] or not right[0] or left[1] != right[1] or left[2] != right[2]:
            return False
        if left[3] != right[3] or left[4] != right[4]:
            return False
    return True


@kernel(IN_I32, IN_U8, OUT_U8, OUT_U8)
def read_truths(offsets, data, values, valid):
    """true and false in any case, as bits."""
    base, nulls = address_of(data), 0
    valid[:] = 0
    values[:] = 0
    for row in range(offsets.size - 1):
        start, length = np.int64(offsets[row]), np.int64(offsets[row + 1] - offsets[row])
        if length == 0:
            nulls += 1
            continue
        good, value = _truth(base + start, length)
        if not good:
            return -1
        values[row >> 3] |= value << (row & 7)
        valid[row >> 3] |= 1 << (row & 7)
    return nulls


@helper
def _truth(at, length):
    if length != 4 and length != 5:
        return False, 0
    return read_truth(at, length)


@kernel(IN_I32, IN_U8, I64, I64, OUT_I32, OUT_U8)
def read_days(offsets, data, order, separator, values, valid):
    """Dates of one order and one separator, as days since 1970-01-01."""
    base, nulls = address_of(data), 0
    valid[:] = 0
    for row in range(values.size):
        start, length = np.int64(offsets[row]), np.int64(offsets[row + 1] - offsets[row])
        values[row] = 0
        if length == 0:
            nulls += 1
            continue
        day = read_day(base + start, length, order, separator)
        if day == NO_DATE:
            return -1
        values[row] = day
        valid[row >> 3] |= 1 << (row & 7)
    return nulls


@kernel(IN_I32, IN_U8, OUT_I64, OUT_U8)
def read_moments(offsets, data, values, valid):
    """Moments, and days as their midnights, as microseconds since 1970."""
    base, nulls = address_of(data), 0
    valid[:] = 0
    for row in range(values.size):
        start, length = np.int64(offsets[row]), np.int64(offsets[row + 1] - offsets[row])
        values[row] = 0
        if length == 0:
            nulls += 1
            continue
        good, value = read_any_moment(base + start, length, data.size - start)
        if not good:
            return -1
        values[row] = value
        valid[row >> 3] |= 1 << (row & 7)
    return nulls


@kernel(IN_I32, OUT_U8)
def find_empty(offsets, valid):
    """The bitmap of texts that are not empty; returns how many are."""
    nulls = 0
    valid[:] = 0
    for row in range(offsets.size - 1):
        if offsets[row + 1] > offsets[row]:
            valid[row >> 3] |= 1 << (row & 7)
        else:
            nulls += 1
    return nulls


@helper
def _dates(at, length):
    """The kinds of date that a text without a time can be."""
    if length < 8 or length > 10:
        return 0
    if length == 10 and load1(at + 4) == DASH:
        return YMD_DASH if read_day(at, length, YEAR_FIRST, DASH) != NO_DATE else 0
    if length == 10 and load1(at + 4) == SLASH:
        return YMD_SLASH if read_day(at, length, YEAR_FIRST, SLASH) != NO_DATE else 0
    separator = load1(at + length - 5)
    if separator == SLASH:
        day_first, month_first = DMY_SLASH, MDY_SLASH
    elif separator == DASH:
        day_first, month_first = DMY_DASH, MDY_DASH
    elif separator == DOT:
        day_first, month_first = DMY_DOT, MDY_DOT
    else:
        return 0
    found = 0
    if read_day(at, length, DAY_FIRST, separator) != NO_DATE:
        found |= day_first
    if read_day(at, length, MONTH_FIRST, separator) != NO_DATE:
        found |= month_first
    return found


@kernel(IN_I32, IN_U8)
def possible_kinds(offsets, data):
    """(kinds that all texts but the empty ones can be read as, how many are not empty).

    NUMBER is there, too, where a `hard` one may turn out to lose something in a double. Where nothing is left the
    rest is not looked at, and 1 is returned.
    """
    base, kinds, count = address_of(data), EVERYTHING, 0
    for row in range(offsets.size - 1):
        start, length = np.int64(offsets[row]), np.int64(offsets[row + 1] - offsets[row])
        if length == 0:
            continue
        count += 1
        at, first, found = base + start, load1(base + start), 0
        if (first >= ZERO and first <= 57) or first == DASH or first == DOT:
            if kinds & INTEGER and read_whole(at, length, data.size - start)[0]:
                found |= INTEGER
            if kinds & NUMBER and read_double(at, length)[0] != NONE:
                found |= NUMBER
            if not found:
                found = _dates(at, length)
                if read_any_moment(at, length, data.size - start)[0]:
                    found |= MOMENT
        elif _truth(at, length)[0]:
            found = TRUTH
        kinds &= found
        if kinds == 0:
            return 0, 1
    return kinds, count
