"""Kernels that normalise and validate the columns of incoming people.

Text comes as Arrow's int32 offsets (n + 1) and UTF-8 bytes. A code of 0 means accepted; the codes are
those of `gidbench.records.Reason`.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import NO_DATE, days_from_civil, number_digits
from gidbench.kernels.keytable import EMPTY
from gidbench.kernels.memory import address_of, store8
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

MISSING, INVALID, TOO_SHORT, TOO_LONG = 1, 2, 3, 4

_10E8 = np.uint64(100_000_000)
_SPACE, _DOT, _DASH, _SLASH, _COLON, _ZERO = 32, 46, 45, 47, 58, 48


@helper
def _is_blank(byte):
    return byte == _SPACE or (byte >= 9 and byte <= 13)


@kernel(IN_I32, IN_U8, I32, I32, I32, OUT_U8)
def measure(offsets, data, ascii_only, shortest, longest, codes):
    """Check the length of each text in characters, the blanks around it left out.

    Returns how many texts have blanks around them. With `ascii_only` bytes are characters, and no byte but
    the outermost is looked at.
    """
    padded = 0
    for row in range(codes.size):
        low, high = offsets[row], offsets[row + 1]
        if low < high and (_is_blank(data[low]) or _is_blank(data[high - 1])):
            padded += 1
            while low < high and _is_blank(data[low]):
                low += 1
            while high > low and _is_blank(data[high - 1]):
                high -= 1
        characters = high - low
        if not ascii_only:
            for at in range(low, high):
                characters -= data[at] & 0xC0 == 0x80  # not the first byte of its character
        code = 0
        if characters == 0:
            code = MISSING
        elif characters < shortest:
            code = TOO_SHORT
        elif characters > longest:
            code = TOO_LONG
        codes[row] = code
    return padded


@kernel(IN_I32, IN_U8, OUT_I32, OUT_U8)
def trim(offsets, data, out_offsets, out):
    """Copy the texts without the ASCII blanks around them."""
    to = 0
    out_offsets[0] = 0
    for row in range(out_offsets.size - 1):
        low, high = offsets[row], offsets[row + 1]
        while low < high and _is_blank(data[low]):
            low += 1
        while high > low and _is_blank(data[high - 1]):
            high -= 1
        for at in range(low, high):
            out[to] = data[at]
            to += 1
        out_offsets[row + 1] = to


@kernel(IN_I32, IN_U8, OUT_I64, OUT_U8)
def national_ids(offsets, data, keys, codes):
    """no_ktp as a number: 16 digits, not all alike, once spaces, dots and dashes are taken out."""
    for row in range(keys.size):
        key = 0
        digits = 0
        alike = True
        first = -1
        good = True
        for at in range(offsets[row], offsets[row + 1]):
            byte = np.int64(data[at])
            if byte >= _ZERO and byte <= 57:
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
        code = 0
        if good and digits == 0:
            code = MISSING
        elif not good or digits != 16 or alike:
            code = INVALID
        codes[row] = code
        keys[row] = key if code == 0 else EMPTY


@helper
def _only_midnight(data, low, high):
    """Whether data[low:high] is a time of day without a digit but 0."""
    for at in range(low, high):
        byte = data[at]
        if not (byte == _ZERO or byte == _COLON or byte == _DOT or byte == 90):
            return False
    return True


@helper
def _parse_date(data, low, high):
    """Day of data[low:high]: y-m-d, d/m/y (any of `-/.`), yyyymmdd, or an Excel serial; NO_DATE otherwise.

    The numbers before the first, before the second and behind the second separator are gathered in plain
    variables: an array for them is allocated for each row, which tripled the time.
    """
    one = two = three = 0
    one_width = two_width = three_width = 0
    parts = 0
    separator = 0
    for at in range(low, high):
        byte = np.int64(data[at])
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
            if not _only_midnight(data, at + 1, high):
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


@kernel(IN_I32, IN_U8, I32, I32, OUT_I32, OUT_U8)
def birth_dates(offsets, data, earliest, latest, days, codes):
    """Days since 1970-01-01 of dates between `earliest` and `latest`, both included."""
    for row in range(days.size):
        low, high = offsets[row], offsets[row + 1]
        while low < high and _is_blank(data[low]):
            low += 1
        while high > low and _is_blank(data[high - 1]):
            high -= 1
        days[row] = 0
        if low == high:
            codes[row] = MISSING
            continue
        day = _parse_date(data, low, high)
        if day == NO_DATE:
            codes[row] = INVALID
        elif day < earliest:
            codes[row] = TOO_SHORT
        elif day > latest:
            codes[row] = TOO_LONG
        else:
            days[row] = day
            codes[row] = 0


@kernel(IN_I32, IN_U8, OUT_I32, OUT_U8, OUT_U8, OUT_U8)
def passport_ids(offsets, data, out_offsets, out, valid, codes):
    """1 or 2 letters and 6 to 8 digits, in capitals and without blanks; null where there is none.

    Returns the number of nulls; `valid` is Arrow's bitmap.
    """
    to = 0
    nulls = 0
    valid[:] = 0
    out_offsets[0] = 0
    for row in range(codes.size):
        letters = 0
        digits = 0
        good = True
        begin = to
        for at in range(offsets[row], offsets[row + 1]):
            byte = np.int64(data[at])
            if _is_blank(byte):
                continue
            if byte >= 97 and byte <= 122:
                byte -= 32
            if byte >= 65 and byte <= 90 and digits == 0:
                letters += 1
            elif byte >= _ZERO and byte <= 57:
                digits += 1
            else:
                good = False
            out[to] = byte
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


@kernel(IN_I64, OUT_U8)
def format_national_ids(keys, out):
    """The 16 digits of each key, with leading zeros, into out[16 * n]."""
    at = address_of(out)
    for row in range(keys.size):
        upper = np.uint64(keys[row]) // _10E8
        store8(at + 16 * row, number_digits(upper))
        store8(at + 16 * row + 8, number_digits(np.uint64(keys[row]) - upper * _10E8))
