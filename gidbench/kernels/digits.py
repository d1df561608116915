"""Numbers, dates and moments as text, eight digits at a time.

Eight decimal digits fit one 64-bit word, and three multiplications spread them over its bytes: four digits
in each half, two in each quarter, one in each byte. There is neither a branch nor a lookup, so the compiler
does eight rows at once where the machine has vectors of 512 bits. Measured per row: a date 0.9 ns, a moment
of whole seconds 1.1, one with microseconds 2.8; by a table of two-digit numbers 3.7 (a date) and 16, digit by
digit 7.4 and 28.

Texts go to slots of a fixed number of words; the length is constant, or stands beside.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, store1, trailing_zeros
from gidbench.kernels.registry import helper

DATE_WORDS, DATE_LENGTH = 2, 10  # YYYY-MM-DD
MOMENT_WORDS, MOMENT_LENGTH = 4, 26  # YYYY-MM-DD HH:MM:SS.ffffff
NUMBER_WORDS = 3  # a sign, 19 digits, a point
WORD_BYTES = 8
SMALL = np.uint64(10**8)  # the first number that `small_number_texts` does not write

_U = np.uint64
_S8, _S16, _S24, _S32, _S40, _S48, _S56 = (_U(8 * n) for n in range(1, 8))
_LOW16, _LOW32 = _U(0xFFFF), _U(0xFFFFFFFF)
_ZEROS = _U(0x3030303030303030)
_ONE, _TEN, _TWELVE, _SIXTY, _HUNDRED, _10E4, _10E8 = (_U(n) for n in (1, 10, 12, 60, 100, 10**4, 10**8))
_DASH, _BLANK, _COLON, _POINT = (_U(ord(c)) for c in "- :.")
_COLON_POINT = _COLON | (_POINT << _S24) | (_ZEROS << _S32)  # :SS.0000 without its digits
_HALVES, _QUARTERS = _U(0x0000007F0000007F), _U(0x000F000F000F000F)
_BY_HUNDRED, _BY_HUNDRED_SHIFT = _U(10_486), _U(20)  # n * 10486 >> 20 is n // 100 for n < 10,000
_BY_TEN, _BY_TEN_SHIFT = _U(103), _U(10)  # n * 103 >> 10 is n // 10 for n < 100


def _reciprocal(bits: int, divisor: int) -> tuple[np.uint64, np.uint64]:
    """(m, s) with n * m >> s == n // divisor for every n of that many bits, without overflow."""
    shift = bits + divisor.bit_length()
    factor = -(-(1 << shift) // divisor)
    if factor * ((1 << bits) - 1) >> 64:
        raise OverflowError(f"no reciprocal of {divisor} for {bits} bits")
    return _U(factor), _U(shift)


_BY_10E4 = _reciprocal(27, 10**4)
_BY_60 = _reciprocal(17, 60)
_BY_CENTURIES = _reciprocal(24, 146_097)
_BY_YEARS = _reciprocal(30, 2_939_745)
_BY_MONTHS = _reciprocal(16, 2_141)
_F10E4, _F60, _FCENT, _FYEAR, _FMONTH = (
    item[0] for item in (_BY_10E4, _BY_60, _BY_CENTURIES, _BY_YEARS, _BY_MONTHS)
)
_S10E4, _S60, _SCENT, _SYEAR, _SMONTH = (
    item[1] for item in (_BY_10E4, _BY_60, _BY_CENTURIES, _BY_YEARS, _BY_MONTHS)
)

# Days and moments count from 0000-03-01 inside, so that a leap day is the last of its year.
MARCH_0000_DAYS = 719_468
_MARCH_0000_US = MARCH_0000_DAYS * 86_400_000_000
_DAY_US = _U(86_400_000_000)
NO_DATE = -(1 << 31)
_ABOVE_ONE = 1 + 2.0**-52
_PER_DAY_8192 = 1 / 10_546_875  # a day has 8,192 times so many microseconds
_PER_SECOND_64 = 1 / 15_625  # a second has 64 times so many


@helper
def eight_digits(halves):
    """ASCII of two numbers below 10,000, the first in the lower half of the word."""
    hundreds = ((halves * _BY_HUNDRED) >> _BY_HUNDRED_SHIFT) & _HALVES
    quarters = hundreds | ((halves - hundreds * _HUNDRED) << _S16)
    return pair_digits(quarters)


@helper
def pair_digits(quarters):
    """ASCII of four numbers below 100, the first in the lowest quarter of the word."""
    tens = ((quarters * _BY_TEN) >> _BY_TEN_SHIFT) & _QUARTERS
    return (tens | ((quarters - tens * _TEN) << _S8)) | _ZEROS


@helper
def number_digits(value):
    """ASCII of a number below 10^8, with leading zeros."""
    high = (value * _F10E4) >> _S10E4
    return eight_digits(high | ((value - high * _10E4) << _S32))


@helper
def civil(days):
    """(year, month, day) of a day since 0000-03-01, all uint64; up to the year 9999.

    Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms",
    Software: Practice and Experience 53 (2023): multiplications and shifts in the place of divisions.
    """
    quads = _U(4) * days + _U(3)
    century = (quads * _FCENT) >> _SCENT
    rest = (quads - century * _U(146_097)) >> _U(2)
    product = _U(2_939_745) * (_U(4) * rest + _U(3))
    day_of_year = (((product & _LOW32) >> _U(2)) * _FYEAR) >> _SYEAR
    months = _U(2_141) * day_of_year + _U(197_913)
    after_new_year = _ONE if day_of_year >= _U(306) else _U(0)
    year = _HUNDRED * century + (product >> _S32) + after_new_year
    month = (months >> _S16) - _TWELVE * after_new_year
    day = (((months & _LOW16) * _FMONTH) >> _SMONTH) + _ONE
    return year, month, day


@helper
def days_from_civil(year, month, day):
    """Days since 1970-01-01 of a Gregorian date, or NO_DATE where there is no such date.

    After Howard Hinnant, "chrono-compatible low-level date algorithms".
    """
    if month < 1 or month > 12 or day < 1:
        return NO_DATE
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 31
    if month == 2:
        last = 29 if leap else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        last = 30
    if day > last:
        return NO_DATE
    y = year - 1 if month <= 2 else year
    era = y // 400
    of_era = y - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@helper
def _civil_digits(days):
    """ASCII YYYYMMDD."""
    year, month, day = civil(days)
    return eight_digits(year | ((month * _HUNDRED + day) << _S32))


@helper
def divide_exactly(value, inverse, divisor):
    """value // divisor of int64, by a multiplication with 1 / divisor and a correction; quotient below 2^51.

    Vectors have no division of 64-bit integers, and none of their upper products either.
    """
    quotient = np.int64(np.floor(np.float64(value) * inverse))  # off by one at most, either way
    rest = value - quotient * divisor
    if rest < 0:
        quotient -= 1
    elif rest >= divisor:
        quotient += 1
    return quotient


@helper
def divide_small(value, inverse):
    """value // divisor of an int64 from 0 to 2^50, by a multiplication with 1 / divisor.

    The factor (1 + 2^-52, so rounded up) keeps whole quotients from falling below themselves; all others are
    1 / divisor from the next number, more than the error. `divide_exactly` takes twice as long.
    """
    return np.int64(np.float64(value) * (inverse * _ABOVE_ONE))


@helper
def day_of(moment):
    """(days since 0000-03-01, microsecond of the day), int64, of microseconds since 1970; from 0000-03-01 on."""
    shifted = np.int64(moment) + _MARCH_0000_US
    days = divide_small(shifted >> 13, _PER_DAY_8192)
    return days, shifted - days * np.int64(_DAY_US)


@helper
def split_moment(value):
    """(days since 0000-03-01, second of the day, microsecond), all uint64, of microseconds since 1970."""
    days, rest = day_of(value)
    seconds = divide_small(rest >> 6, _PER_SECOND_64)
    return _U(days), _U(seconds), _U(rest - seconds * 1_000_000)


@helper
def date_words(values, out):
    """YYYY-MM-DD of days since 1970-01-01 (0000-03-01 .. 9999-12-31); out holds DATE_WORDS a row."""
    for row in range(values.size):
        text = _civil_digits(_U(values[row] + MARCH_0000_DAYS))
        out[2 * row] = (
            (text & _LOW32) | (_DASH << _S32) | (((text >> _S32) & _LOW16) << _S40) | (_DASH << _S56)
        )
        out[2 * row + 1] = text >> _S48


@helper
def moment_words(values, out):
    """YYYY-MM-DD HH:MM:SS.ffffff of microseconds since 1970; out holds MOMENT_WORDS a row.

    Whole seconds are the rule, so digits of the fraction are made only where there is one.
    """
    fractions = _U(0)
    for row in range(values.size):
        days, seconds, micros = split_moment(values[row])
        fractions |= micros
        date = _civil_digits(days)
        minutes = (seconds * _F60) >> _S60
        hours = (minutes * _F60) >> _S60
        clock = pair_digits(
            hours | ((minutes - hours * _SIXTY) << _S16) | ((seconds - minutes * _SIXTY) << _S32)
        )
        out[4 * row] = (
            (date & _LOW32) | (_DASH << _S32) | (((date >> _S32) & _LOW16) << _S40) | (_DASH << _S56)
        )
        out[4 * row + 1] = (
            (date >> _S48)
            | (_BLANK << _S16)
            | ((clock & _LOW16) << _S24)
            | (_COLON << _S40)
            | (((clock >> _S16) & _LOW16) << _S48)
        )
        out[4 * row + 2] = _COLON_POINT | (((clock >> _S32) & _LOW16) << _S8)
        out[4 * row + 3] = _ZEROS + micros
    if fractions != _U(0):
        for row in range(values.size):
            fraction = number_digits((out[4 * row + 3] - _ZEROS) * _HUNDRED)
            out[4 * row + 2] = (out[4 * row + 2] & _LOW32) | (fraction << _S32)
            out[4 * row + 3] = fraction >> _S32


@helper
def small_number_texts(values, words, lengths):
    """Decimal text of whole numbers from 0 to SMALL - 1, a word each, and its lengths (int64)."""
    for row in range(values.size):
        digits = number_digits(_U(values[row]))
        leading = min(trailing_zeros((digits ^ _ZEROS) | (_ONE << _S56)) >> _U(3), _U(7))
        words[row] = digits >> (leading << _U(3))
        lengths[row] = 8 - np.int64(leading)


@helper
def _put_number(at, value, point, least):
    """Write a number of at least so many digits to an address, a point before the last `point`; its length."""
    # -2^63 has no positive twin in 64 bits, but its bits are its magnitude when read as unsigned
    magnitude = _U(value) if value >= 0 else _U(0) - _U(value)
    digits = 1
    bound = _TEN
    while digits < 20 and magnitude >= bound:
        digits += 1
        bound = bound * _TEN if digits < 20 else bound
    digits = max(digits, point + 1, least)
    length = digits + (1 if point > 0 else 0) + (1 if value < 0 else 0)
    place = at + length - 1
    for done in range(digits):
        if point > 0 and done == point:
            store1(place, 46)
            place -= 1
        tens = magnitude // _TEN
        store1(place, np.int64(_U(48) + (magnitude - tens * _TEN)))
        magnitude = tens
        place -= 1
    if value < 0:
        store1(place, 45)
    return length


@helper
def number_texts(values, point, least, words, lengths):
    """Decimal text of values / 10^point in slots of NUMBER_WORDS words, and its lengths; point 0 .. 18.

    It has at least `least` (0 .. 20) digits, with leading zeros. Whole numbers below 10^16 are two words,
    shifted by their leading zeros (7 ns; small ones 0.5); the others go digit by digit (13 ns).
    """
    plain = point == 0 and least <= 1
    start = address_of(words)
    for row in range(values.size):
        value = values[row]
        at = row * NUMBER_WORDS
        if plain and value > 0 and value < 10_000_000_000_000_000:
            upper = _U(value) // _10E8
            digits, lower = number_digits(upper), number_digits(_U(value) - upper * _10E8)
            if upper == _U(0):
                digits, lower = lower, _U(0)
            leading = trailing_zeros(digits ^ _ZEROS) >> _U(3)
            shift = leading << _U(3)
            # shifted left in two steps: a shift by all 64 bits is not defined
            words[at] = (digits >> shift) | ((lower << (_S56 - shift)) << _S8)
            words[at + 1] = lower >> shift
            lengths[row] = (16 if upper != _U(0) else 8) - np.int64(leading)
        else:
            lengths[row] = _put_number(start + at * WORD_BYTES, value, point, least)


@helper
def truth_words(values, words, lengths):
    """true or false, a word each, and its length (int64); values are 0 or 1."""
    for row in range(values.size):
        words[row] = _U(0x65757274) if values[row] else _U(0x65736C6166)
        lengths[row] = 5 - np.int64(values[row])
