"""What texts say: dates of several orders, and moments, by words."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import MARCH_0000_DAYS, NO_DATE
from gidbench.kernels.memory import load1, load8
from gidbench.kernels.readings import DAY_US, eight_to_number, no_digits, read_moment
from gidbench.kernels.registry import helper

YEAR_FIRST, DAY_FIRST, MONTH_FIRST = range(3)
DASH, DOT, SLASH = 45, 46, 47
_ZERO = 48
_U = np.uint64
_THOUSAND, _TEN_TO_5, _MILLION = _U(1_000), _U(100_000), _U(1_000_000)
_LAST_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.uint64)
_NO_BITS, _ASCII_ZEROS = _U(0), _U(0x3030303030303030)
# Words of a moment: DD HH:MM and :SS.ffff; of a day YY-MM-DD. Where their marks are, and which.
_DAY_PLACES = _U(0x0000FF0000FF0000)
_TIME_PLACES, _TIME_MARKS = _U(0x0000FF0000FF0000), _U(0x00003A0000200000)
_BETWEEN, _LETTER_T, _BLANK = _U(0x0000000000FF0000), _U(0x0000000000540000), _U(0x0000000000200000)
_SECOND_PLACES, _SECOND_MARKS = _U(0x00000000FF0000FF), _U(0x000000002E00003A)
_SECOND_BITS, _NO_FRACTION = _U(0x0000000000FFFFFF), _U(0x303030302E000000)


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
    leap = year & _U(3) == _NO_BITS and (year % _U(25) != _NO_BITS or year & _U(15) == _NO_BITS)
    if month == _U(2) and day == _U(29) and not leap:
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
def read_any_moment(at, length, readable):
    """(whether it is one, microseconds since 1970), as `readings.read_moment`, by words where there are seconds."""
    if readable < 24 or not (length == 19 or length == 26):
        return read_moment(at, length)
    day = _iso_day(at, DASH)
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
def read_day(at, length, order, separator):
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
