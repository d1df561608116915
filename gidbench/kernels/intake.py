"""Kernels that normalise and validate the fields of incoming people.

A field comes as an address and a length in bytes. A code of 0 means accepted; the others tell what is wrong, and
`gidbench.validation` which `Reason` that is.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import NO_DATE, days_from_civil, number_digits
from gidbench.kernels.keytable import EMPTY
from gidbench.kernels.memory import address_of, load1, load8, store1, store8
from gidbench.kernels.readings import TEN_TO_8, eight_to_number, no_digits
from gidbench.kernels.registry import (
    I32,
    IN_I32,
    IN_I64,
    IN_U8,
    OUT_I32,
    OUT_I64,
    OUT_U8,
    helper,
    kernel,
)

MISSING, INVALID, TOO_SHORT, TOO_LONG, PRECISION_LOST = 1, 2, 3, 4, 5
NOT_ASCII = 255  # not judged: `check_lengths` leaves texts in other scripts to others
LARGEST_EXACT = 1 << 53  # above it not every whole number is a double

_U = np.uint64
_ZERO_WORD, _HIGH_BITS = _U(0), _U(0x8080808080808080)
_S8, _S24, _S32, _S40, _S48, _S56 = (_U(n) for n in (8, 24, 32, 40, 48, 56))
_TWO_BYTES, _FOUR_BYTES = _U(0xFFFF), _U(0xFFFFFFFF)
_ISO_PLACES, _ISO_DASHES = _U(0xFF0000FF00000000), _U(0x2D00002D00000000)
_HUNDRED, _10E8 = _U(100), _U(100_000_000)
_SPACE, _DOT, _DASH, _SLASH, _COLON, _ZERO, _COMMA, _PLUS = 32, 46, 45, 47, 58, 48, 44, 43


@helper
def _is_blank(byte):
    return byte == _SPACE or (byte >= 9 and byte <= 13)


@helper
def _is_digit(byte):
    return byte >= _ZERO and byte <= 57


@helper
def _is_ascii(at, length):
    place = 0
    while place + 8 <= length:
        if load8(at + place) & _HIGH_BITS != _ZERO_WORD:
            return False
        place += 8
    while place < length:
        if load1(at + place) > 127:
            return False
        place += 1
    return True


@kernel(IN_I64, IN_I32, IN_I32, I32, I32, OUT_I64, OUT_I32, OUT_U8)
def check_lengths(addresses, lengths, odd, shortest, longest, trimmed, trimmed_lengths, codes):
    """Take off the blanks around each text, and check the number of its characters.

    Those of the rows `odd` that are not ASCII get the code NOT_ASCII and stay as they are; the other rows are.
    Returns how many there are.
    """
    for row in range(codes.size):
        at, length = addresses[row], np.int64(lengths[row])
        if length > 0 and (_is_blank(load1(at)) or _is_blank(load1(at + length - 1))):
            while length > 0 and _is_blank(load1(at + length - 1)):
                length -= 1
            while length > 0 and _is_blank(load1(at)):
                at += 1
                length -= 1
        trimmed[row], trimmed_lengths[row] = at, length
        code = TOO_SHORT if length < shortest else 0
        code = TOO_LONG if length > longest else code
        codes[row] = MISSING if length == 0 else code
    others = 0
    for row in odd:
        if not _is_ascii(addresses[row], np.int64(lengths[row])):
            trimmed[row], trimmed_lengths[row] = addresses[row], lengths[row]
            codes[row] = NOT_ASCII
            others += 1
    return others


@helper
def _is_rounded(low, high):
    """Whether a text is a number in the form that programs shorten long ones to: 3.2010101019E+15."""
    while low < high and _is_blank(load1(low)):
        low += 1
    while high > low and _is_blank(load1(high - 1)):
        high -= 1
    at = low
    while at < high and _is_digit(load1(at)):
        at += 1
    if at == low:
        return False
    if at < high and (load1(at) == _DOT or load1(at) == _COMMA):
        at += 1
        while at < high and _is_digit(load1(at)):
            at += 1
    if at == high or (load1(at) | 32) != 101:  # e or E
        return False
    at += 1
    if at < high and load1(at) == _PLUS:
        at += 1
    first = at
    while at < high and _is_digit(load1(at)):
        at += 1
    return at == high and at > first


@helper
def _was_double(low, high):
    """Whether the text of a number's cell is not the number that was typed: a fraction, or 17 digits and more."""
    digits = 0
    for at in range(low, high):
        if load1(at) == _DOT:
            return True
        digits += 1 if _is_digit(load1(at)) else 0
    return digits > 16


@helper
def _national_id(at, length):
    """(code, number) of a text in any form; 16 digits, not all alike, blanks, dots and dashes left out."""
    key, digits, first = 0, 0, -1
    alike = good = True
    for place in range(length):
        byte = load1(at + place)
        if _is_digit(byte):
            digit = byte - _ZERO
            if digits == 0:
                first = digit
            elif digit != first:
                alike = False
            if digits < 17:
                key = key * 10 + digit
                digits += 1
        elif not (_is_blank(byte) or byte == _DOT or byte == _DASH):
            good = False
    if good and digits == 0:
        return MISSING, EMPTY
    if not good and _is_rounded(at, at + length):
        return PRECISION_LOST, EMPTY
    if not good or digits != 16 or alike:
        return INVALID, EMPTY
    return 0, key


@helper
def _write_digits(key, at):
    """The 16 digits of a number, with leading zeros."""
    upper = _U(key) // _10E8
    store8(at, number_digits(upper))
    store8(at + 8, number_digits(_U(key) - upper * _10E8))


@kernel(IN_I64, IN_I32, IN_U8, OUT_I64, OUT_U8, OUT_U8)
def national_ids(addresses, lengths, numbers, keys, digits, codes):
    """no_ktp as a number: 16 digits, not all alike, once blanks, dots and dashes are taken out.

    The digits go to digits[16 * row], zeros where there is no number.

    numbers[row] (or none at all) says that a text is that of a number's cell in a workbook: a double, which holds
    every whole number up to LARGEST_EXACT. Above it, and where digits were rounded away, it is PRECISION_LOST.
    """
    out = address_of(digits)
    for row in range(keys.size):
        at, length = addresses[row], np.int64(lengths[row])
        plain = False
        if length == 16:
            left, right = load8(at), load8(at + 8)
            store8(out + 16 * row, left)
            store8(out + 16 * row + 8, right)
            if no_digits(left) | no_digits(right) == _ZERO_WORD:
                code = 0
                key = np.int64(eight_to_number(left) * TEN_TO_8 + eight_to_number(right))
                plain = True
                if left == right and left == ((left >> _S8) | (left << _S56)):
                    code, key = INVALID, EMPTY
            else:
                code, key = _national_id(at, length)
        else:
            code, key = _national_id(at, length)
        if numbers.size > 0 and numbers[row] != 0 and code != MISSING:
            if key > LARGEST_EXACT or _was_double(at, at + length):
                code, key = PRECISION_LOST, EMPTY
            elif code == 0 and not plain:  # a minus is no dash here
                code, key = INVALID, EMPTY
        if not plain or code != 0:
            _write_digits(max(key, 0), out + 16 * row)
        codes[row] = code
        keys[row] = key


@helper
def _only_midnight(low, high):
    """Whether the text from an address to another is a time of day without a digit but 0."""
    for at in range(low, high):
        byte = load1(at)
        if not (byte == _ZERO or byte == _COLON or byte == _DOT or byte == 90):
            return False
    return True


@helper
def _parse_date(low, high):
    """Day of the text from an address to another, NO_DATE where it says none.

    That is y-m-d or d/m/y (any of `-/.`), yyyymmdd, or an Excel serial.

    The numbers before the first, before the second and behind the second separator are gathered in plain
    variables: an array for them is allocated for each row, which tripled the time.
    """
    one = two = three = 0
    one_width = two_width = three_width = 0
    parts = 0
    separator = 0
    for at in range(low, high):
        byte = load1(at)
        if byte >= _ZERO and byte <= 57:
            digit = byte - _ZERO
            if parts == 0:
                one, one_width = one * 10 + digit, one_width + 1
            elif parts == 1:
                two, two_width = two * 10 + digit, two_width + 1
            else:
                three, three_width = three * 10 + digit, three_width + 1
            if one_width > 8 or two_width > 2 or three_width > 4:
                return NO_DATE
        elif (byte == _DASH or byte == _SLASH or byte == _DOT) and parts < 2:
            if separator != 0 and byte != separator:
                return NO_DATE
            separator = byte
            parts += 1
        elif (byte == _SPACE or byte == 84) and parts == 2 and three_width > 0:
            if not _only_midnight(at + 1, high):
                return NO_DATE
            break
        else:
            return NO_DATE
    if parts == 2:
        if one_width == 4 and two_width > 0 and (three_width == 1 or three_width == 2):
            return days_from_civil(one, two, three)
        if (one_width == 1 or one_width == 2) and two_width > 0 and three_width == 4:
            return days_from_civil(three, two, one)
    elif parts == 0 and one_width == 8:
        return days_from_civil(one // 10_000, one // 100 % 100, one % 100)
    elif parts == 0 and one_width <= 5 and one > 60:
        return one - 25_569  # Excel's day 25569 is 1970-01-01; below 61 its calendar has a 29 Feb 1900
    return NO_DATE


@helper
def _read_ten(at):
    """Day of ten characters that are YYYY-MM-DD or DD/MM/YYYY (any of `-/.`), NO_DATE where they are not."""
    word, rest = load8(at), load8(at + 2)
    if word & _ISO_PLACES == _ISO_DASHES:
        digits = (word & _FOUR_BYTES) | (((word >> _S40) & _TWO_BYTES) << _S32) | ((rest >> _S48) << _S48)
    else:
        separator = load1(at + 2)
        if separator != load1(at + 5) or not (separator == _DASH or separator == _SLASH or separator == _DOT):
            return NO_DATE
        digits = (rest >> _S32) | (((word >> _S24) & _TWO_BYTES) << _S32) | (word << _S48)
    if no_digits(digits) != _ZERO_WORD:
        return NO_DATE
    # Without a branch, as months come in any order, and without signs, which divisions would look at: 6 ns a date,
    # 16 with `days_from_civil`.
    number = eight_to_number(digits)
    hundreds = number // _HUNDRED
    year = hundreds // _HUNDRED
    month, day = hundreds - year * _HUNDRED, number - hundreds * _HUNDRED
    leap = (year & _U(3) == _ZERO_WORD) & ((year % _HUNDRED != _ZERO_WORD) | (year & _U(15) == _ZERO_WORD))
    last = _U(30) | (month ^ (month >> _U(3)))
    february = _U(29) if leap else _U(28)
    last = february if month == _U(2) else last
    early = _U(1) if month <= _U(2) else _U(0)
    year += _U(400) - early  # none is below zero
    century = year // _HUNDRED
    of_year = (_U(153) * (month + _U(12) * early - _U(3)) + _U(2)) // _U(5) + day
    found = np.int64(_U(365) * year + (year >> _U(2)) - century + (century >> _U(2)) + of_year) - 865_566
    good = (month - _U(1) < _U(12)) & (day - _U(1) < last)
    return found if good else NO_DATE


@kernel(IN_I64, IN_I32, I32, I32, OUT_I32, OUT_U8)
def birth_dates(addresses, lengths, earliest, latest, days, codes):
    """Days since 1970-01-01 of dates between `earliest` and `latest`, both included."""
    for row in range(days.size):
        low, length = addresses[row], np.int64(lengths[row])
        day = _read_ten(low) if length == 10 else NO_DATE
        if day == NO_DATE:
            high = low + length
            while low < high and _is_blank(load1(low)):
                low += 1
            while high > low and _is_blank(load1(high - 1)):
                high -= 1
            if low == high:
                days[row] = 0
                codes[row] = MISSING
                continue
            day = _parse_date(low, high)
        code = 0
        if day == NO_DATE:
            code = INVALID
        elif day < earliest:
            code = TOO_SHORT
        elif day > latest:
            code = TOO_LONG
        days[row] = day if code == 0 else 0
        codes[row] = code


@kernel(IN_I64, IN_I32, OUT_I32, OUT_U8, OUT_U8, OUT_U8)
def passport_ids(addresses, lengths, out_offsets, out, valid, codes):
    """1 or 2 letters and 6 to 8 digits, in capitals and without blanks; null where there is none.

    Returns the number of nulls; `valid` is Arrow's bitmap.
    """
    start = address_of(out)
    to = 0
    nulls = 0
    valid[:] = 0
    out_offsets[0] = 0
    for row in range(codes.size):
        letters = 0
        digits = 0
        good = True
        begin = to
        for place in range(lengths[row]):
            byte = load1(addresses[row] + place)
            if _is_blank(byte):
                continue
            if byte >= 97 and byte <= 122:
                byte -= 32
            if byte >= 65 and byte <= 90 and digits == 0:
                letters += 1
            elif _is_digit(byte):
                digits += 1
            else:
                good = False
            store1(start + to, byte)
            to += 1
        code = 0
        if to == begin:
            nulls += 1
        elif good and letters >= 1 and letters <= 2 and digits >= 6 and digits <= 8:
            valid[row >> 3] |= 1 << (row & 7)
        else:
            code = INVALID
            to = begin
            nulls += 1
        codes[row] = code
        out_offsets[row + 1] = to
    return nulls
