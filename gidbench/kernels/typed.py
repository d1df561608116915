"""Kernels that read columns of texts as numbers, truth values, dates and moments, or say what they could be.

A column comes as Arrow's int32 offsets (n + 1) and bytes; an empty text is a null. Every kernel that reads fills
values (n) and Arrow's bitmap of those that are there, and returns the number of nulls, or -1 once a text is
something else. `gidbench.inference` says what counts as what.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import MARCH_0000_DAYS, NO_DATE
from gidbench.kernels.memory import address_of, load1, load8
from gidbench.kernels.readings import DAY_US, TEN_TO_8, eight_to_number, no_digits, read_moment, read_truth
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
YEAR_FIRST, DAY_FIRST, MONTH_FIRST = range(3)
SURE_DIGITS, MOST_DIGITS = 15, 17  # that any number of a double has; that no double needs more than
_DASH, _DOT, _SLASH, _ZERO, _PLUS = 45, 46, 47, 48, 43
_U = np.uint64
_THOUSAND, _TEN_TO_5, _MILLION = _U(1_000), _U(100_000), _U(1_000_000)
_LAST_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.uint64)
_NO_BITS, _ASCII_ZEROS = _U(0), _U(0x3030303030303030)
_LARGEST, _SMALLEST = _U((1 << 63) - 1), -(1 << 63)
_EXACT = 1 << 53  # up to here a double holds every whole number
_POWERS = np.array([10.0**power for power in range(23)])  # all that are exact
_MOST_EXPONENT = 22
# Words of a moment: DD HH:MM and :SS.ffff; of a day YY-MM-DD. Where their marks are, and which.
_DAY_PLACES = _U(0x0000FF0000FF0000)
_TIME_PLACES, _TIME_MARKS = _U(0x0000FF0000FF0000), _U(0x00003A0000200000)
_BETWEEN, _LETTER_T, _BLANK = _U(0x0000000000FF0000), _U(0x0000000000540000), _U(0x0000000000200000)
_SECOND_PLACES, _SECOND_MARKS = _U(0x00000000FF0000FF), _U(0x000000002E00003A)
_SECOND_BITS, _NO_FRACTION = _U(0x0000000000FFFFFF), _U(0x303030302E000000)
# What `_decimal` says of a text: that it is none; that its double is found; that it needs more care.
_NONE, _FOUND, _HARD = range(3)


@helper
def _digits_at_most_8(at, length, readable):
    """(whether all are digits, their number) of up to 8 bytes; `readable` bytes can be read from `at` on."""
    if readable >= 8 and length > 0:
        gap = _U(64 - 8 * length)
        word = load8(at) << gap
        if length < 8:
            word |= _ASCII_ZEROS >> _U(8 * length)
        return no_digits(word) == _NO_BITS, eight_to_number(word)
    value = _U(0)
    for place in range(length):
        digit = load1(at + place) - _ZERO
        if digit < 0 or digit > 9:
            return False, value
        value = value * _U(10) + _U(digit)
    return length > 0, value


@helper
def _integer(at, length, readable):
    """(whether it is one, value) of -?(0|[1-9][0-9]*) within 64 bits, but for -0."""
    negative = length > 0 and load1(at) == _DASH
    if negative:
        at += 1
        length -= 1
        readable -= 1
    if length < 1 or length > 19 or (load1(at) == _ZERO and (length > 1 or negative)):
        return False, 0
    head = length & 7 if length & 7 else 8
    good, value = _digits_at_most_8(at, head, readable)
    place = head
    while place < length:
        word = load8(at + place)
        good &= no_digits(word) == _NO_BITS
        value = value * TEN_TO_8 + eight_to_number(word)
        place += 8
    if not good or value > _LARGEST:
        return good and negative and value == _LARGEST + _U(1), _SMALLEST
    return True, -np.int64(value) if negative else np.int64(value)


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
        good, value = _integer(base + start, length, data.size - start)
        if not good:
            return -1, False
        values[row] = value
        large |= value > _EXACT or value < -_EXACT
        valid[row >> 3] |= 1 << (row & 7)
    return nulls, large


@helper
def _exponent(at, length, marked):
    """(whether it is one, value) of [+-]?[0-9]{1,4} behind an e; without a sign only where `marked`.

    A code such as 12e5 is no number, unless something else about it says so.
    """
    if length < 1:
        return False, 0
    sign = 1
    if load1(at) == _DASH or load1(at) == _PLUS:
        sign = -1 if load1(at) == _DASH else 1
        at += 1
        length -= 1
    elif not marked:
        return False, 0
    if length < 1 or length > 4:
        return False, 0
    value = 0
    for place in range(length):
        digit = load1(at + place) - _ZERO
        if digit < 0 or digit > 9:
            return False, 0
        value = 10 * value + digit
    return True, sign * value


@helper
def decimal_parts(at, length):
    """(whether it is a number, whether negative, digits, how many, power of ten) of a text.

    -?(0|[1-9][0-9]*)?([.][0-9]+)?([eE][+-]?[0-9]+)?, with a digit before the e. The digits run from the first to
    the last that is not 0; where there are more than 19 they do not count.
    """
    negative = length > 0 and load1(at) == _DASH
    if negative:
        at += 1
        length -= 1
    digits, count, zeros, place = _U(0), 0, 0, 0
    point = -1
    exponent = 0
    while place < length:
        byte = load1(at + place)
        if byte >= _ZERO and byte <= 57:
            if byte == _ZERO:
                zeros += 1 if count > 0 else 0
            else:
                count += zeros + 1
                if count <= 19:
                    for _ in range(zeros + 1):
                        digits = digits * _U(10)
                    digits += _U(byte - _ZERO)
                zeros = 0
        elif byte == _DOT and point < 0:
            point = place
        elif (byte == 101 or byte == 69) and place > 0:
            good, exponent = _exponent(at + place + 1, length - place - 1, point >= 0)
            if not good:
                return False, negative, digits, 0, 0
            break
        else:
            return False, negative, digits, 0, 0
        place += 1
    whole = point if point >= 0 else place
    fraction = place - point - 1 if point >= 0 else 0
    if (point >= 0 and fraction == 0) or place == 0:
        return False, negative, digits, 0, 0
    if whole > 1 and load1(at) == _ZERO:
        return False, negative, digits, 0, 0
    return True, negative, digits, count, exponent - fraction + zeros


@helper
def _decimal(at, length):
    """(what it is, value) of a text: _NONE, _FOUND or _HARD.

    Up to 15 digits and a power of ten that a double holds exactly make one operation, which is rounded once
    (Clinger, "How to read floating point numbers accurately", 1990).
    """
    good, negative, digits, count, power = decimal_parts(at, length)
    if not good or count > MOST_DIGITS:
        return _NONE, 0.0
    if count > SURE_DIGITS or power > _MOST_EXPONENT or power < -_MOST_EXPONENT:
        if count == 0:
            return _FOUND, -0.0 if negative else 0.0
        return _HARD, 0.0
    value = np.float64(digits)
    value = value * _POWERS[power] if power >= 0 else value / _POWERS[-power]
    return _FOUND, -value if negative else value


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
        kind, value = _decimal(base + start, length)
        if kind == _NONE:
            return -1, 0
        if kind == _HARD:
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


@helper
def _number_of(at, length):
    """The number of one, two or four digits; -10^6 where they are none."""
    value = 0
    for place in range(length):
        digit = load1(at + place) - _ZERO
        if digit < 0 or digit > 9:
            return -1_000_000
        value = 10 * value + digit
    return value


@helper
def _without(word, marks, places):
    """(whether `marks` are at `places` of a word, and digits everywhere else; the number with 0 for each mark)."""
    rest = (word & ~places) | (_ASCII_ZEROS & places)
    return (word & places) == marks and no_digits(rest) == _NO_BITS, eight_to_number(rest)


@helper
def _civil_day(year, month, day):
    """Days since 1970-01-01 of numbers that are not negative (uint64), or NO_DATE, as `digits.days_from_civil`.

    Unsigned numbers are divided by one multiplication; for signed ones it would take twice as long.
    """
    if month > _U(12) or day > _LAST_DAYS[month] or day == _NO_BITS or year == _NO_BITS:
        return NO_DATE
    if month == _U(2) and day == _U(29):
        if year & _U(3) != _NO_BITS or (year % _U(25) == _NO_BITS and year & _U(15) != _NO_BITS):
            return NO_DATE
    early = _U(1) if month <= _U(2) else _NO_BITS
    y, march = year - early, month + _U(12) * early - _U(3)
    of_year = (_U(153) * march + _U(2)) // _U(5) + day - _U(1)
    days = _U(365) * y + y // _U(4) - y // _U(100) + y // _U(400) + of_year
    return np.int64(days) - MARCH_0000_DAYS


@helper
def _iso_day(at, mark):
    """Days since 1970-01-01 of ten characters YYYY-MM-DD, or NO_DATE; `mark` is the dash, or another."""
    century = _number_of(at, 2)
    good, number = _without(load8(at + 2), _U(mark) << _U(16) | _U(mark) << _U(40), _DAY_PLACES)
    if not good or century < 0:
        return NO_DATE
    years, rest = number // _MILLION, number % _MILLION
    return _civil_day(_U(100 * century) + years, rest // _THOUSAND, rest % _THOUSAND)


@helper
def _moment(at, length, readable):
    """(whether it is one, microseconds since 1970), as `readings.read_moment`, by words where there are seconds."""
    if readable < 24 or not (length == 19 or length == 26):
        return read_moment(at, length)
    day = _iso_day(at, _DASH)
    word = load8(at + 8)
    if (word & _BETWEEN) == _LETTER_T:
        word ^= _LETTER_T ^ _BLANK
    good, number = _without(word, _TIME_MARKS, _TIME_PLACES)
    clock = number % _MILLION
    hour, minute = clock // _THOUSAND, clock % _THOUSAND
    if day == NO_DATE or not good or hour > _U(23) or minute > _U(59):
        return False, 0
    word, fraction = load8(at + 16), 0
    if length == 19:
        word = (word & _SECOND_BITS) | _NO_FRACTION
    else:
        fraction = _number_of(at + 24, 2)
    good, number = _without(word, _SECOND_MARKS, _SECOND_PLACES)
    second, more = number // _TEN_TO_5, number % _TEN_TO_5
    if not good or second > _U(59) or fraction < 0:
        return False, 0
    of_day = (_U(3600) * hour + _U(60) * minute + second) * _MILLION + _U(100) * more
    return True, day * DAY_US + np.int64(of_day) + fraction


@helper
def _day(at, length, order, separator):
    """Days since 1970-01-01, or NO_DATE; year first is ten characters, else day and month have one or two."""
    if order == YEAR_FIRST:
        return _iso_day(at, separator) if length == 10 else NO_DATE
    if length < 8 or length > 10:
        return NO_DATE
    first = 1 if load1(at + 1) == separator else 2
    second = length - 4 - 2 - first
    if second < 1 or second > 2 or load1(at + first) != separator or load1(at + length - 5) != separator:
        return NO_DATE
    one, two = _number_of(at, first), _number_of(at + first + 1, second)
    year = _number_of(at + length - 4, 4)
    month, day = (two, one) if order == DAY_FIRST else (one, two)
    if one < 0 or two < 0 or year < 0:
        return NO_DATE
    return _civil_day(_U(year), _U(month), _U(day))


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
        day = _day(base + start, length, order, separator)
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
        good, value = _moment(base + start, length, data.size - start)
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
    if length == 10 and load1(at + 4) == _DASH:
        return YMD_DASH if _day(at, length, YEAR_FIRST, _DASH) != NO_DATE else 0
    if length == 10 and load1(at + 4) == _SLASH:
        return YMD_SLASH if _day(at, length, YEAR_FIRST, _SLASH) != NO_DATE else 0
    separator = load1(at + length - 5)
    if separator == _SLASH:
        day_first, month_first = DMY_SLASH, MDY_SLASH
    elif separator == _DASH:
        day_first, month_first = DMY_DASH, MDY_DASH
    elif separator == _DOT:
        day_first, month_first = DMY_DOT, MDY_DOT
    else:
        return 0
    found = 0
    if _day(at, length, DAY_FIRST, separator) != NO_DATE:
        found |= day_first
    if _day(at, length, MONTH_FIRST, separator) != NO_DATE:
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
        if (first >= _ZERO and first <= 57) or first == _DASH or first == _DOT:
            if kinds & INTEGER and _integer(at, length, data.size - start)[0]:
                found |= INTEGER
            if kinds & NUMBER and _decimal(at, length)[0] != _NONE:
                found |= NUMBER
            if not found:
                found = _dates(at, length)
                if read_moment(at, length)[0]:
                    found |= MOMENT
        elif _truth(at, length)[0]:
            found = TRUTH
        kinds &= found
        if kinds == 0:
            return 0, 1
    return kinds, count
