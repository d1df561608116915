"""Kernels of sheets: Excel's serial numbers as text, and texts that need care in XML."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import MARCH_0000_DAYS, NUMBER_WORDS, WORD_BYTES, day_of, number_digits
from gidbench.kernels.memory import address_of, load1, store8, trailing_zeros
from gidbench.kernels.registry import IN_I32, IN_I64, IN_U8, OUT_U8, kernel

EPOCH_DAY = 25_569  # Excel's serial number of 1970-01-01
MARCH_1900 = 61  # Excel's calendar has a 29 February 1900, which is number 60
FIRST_US = (1 - EPOCH_DAY + 1) * 86_400_000_000  # 1900-01-01, the first day that it knows
_U = np.uint64
_ZEROS, _ONE = _U(0x3030303030303030), _U(1)


@kernel(IN_I64, OUT_U8, OUT_U8)
def serial_texts(moments, out, lengths):
    """Serial numbers of microseconds since 1970 as text, in slots of NUMBER_WORDS words; from FIRST_US on.

    The fraction of a day has up to eleven digits: 125 / 108 of the microseconds, rounded.
    """
    target = address_of(out)
    for row in range(moments.size):
        days, rest = day_of(moments[row])
        day = days - MARCH_0000_DAYS + EPOCH_DAY
        if day < MARCH_1900:
            day -= 1
        digits = number_digits(_U(max(day, 0)))
        leading = min(trailing_zeros((digits ^ _ZEROS) | (_ONE << _U(56))) >> _U(3), _U(7))
        at = target + row * NUMBER_WORDS * WORD_BYTES
        store8(at, digits >> (leading << _U(3)))
        length = 8 - np.int64(leading)
        if rest > 0:
            fraction = (_U(rest) * _U(125) + _U(54)) // _U(108)
            upper = fraction // _U(100_000_000)
            # a point and three digits, then eight more
            store8(at + length, ((number_digits(upper) >> _U(40)) << _U(8)) | _U(46))
            store8(at + length + 4, number_digits(fraction - upper * _U(100_000_000)))
            length += 12
            while load1(at + length - 1) == 48:
                length -= 1
        lengths[row] = length


@kernel(IN_I32, IN_U8)
def needs_care(offsets, data):
    """Whether a text holds what XML changes or a reader might: & < > _ controls, U+FFFE or U+FFFF, outer blanks."""
    found = False
    for place in range(offsets[0], offsets[offsets.size - 1]):
        byte = data[place]
        found |= (byte < 32) | (byte == 38) | (byte == 60) | (byte == 62) | (byte == 95) | (byte == 239)
    for row in range(offsets.size - 1):
        start, end = offsets[row], offsets[row + 1]
        if end > start:
            found |= (data[start] == 32) | (data[end - 1] == 32)
    return found
