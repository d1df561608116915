"""Kernels of persons: national ids with birth day and sex, and names."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import divide_exactly, pair_digits
from gidbench.kernels.memory import address_of, copy16, store1
from gidbench.kernels.registry import I64, IN_U8, IN_U16, IN_U64, OUT_I32, OUT_U8, OUT_U64, U64, kernel

SERIALS = 9_999  # the last four digits of a no_ktp: 0001 .. 9999
NO_KTP_WORDS = 2
NO_KTP_BYTES = 16
NAME_STRIDE = 16  # bytes per entry of a name table: an entry is copied by one vector store
NAME_SLOTS = 4096  # a name of weight w owns round(4096 * w) slots, at least one
MAX_NAME_BYTES = 3 * NAME_STRIDE + 2  # three names and the blanks between them

_U = np.uint64
_ONE, _TWO, _S16, _S20, _S32, _S48 = _U(1), _U(2), _U(16), _U(20), _U(32), _U(48)
_SERIALS, _HUNDRED, _LOW32 = _U(SERIALS), _U(100), _U(0xFFFFFFFF)
_BY_HUNDRED = _U(10_486)  # n * 10486 >> 20 is n // 100 for n < 10,000
_SLOT_MASK = _U(NAME_SLOTS - 1)


@kernel(IN_U64, U64, IN_U64, IN_U64, I64, OUT_I32, OUT_U8, OUT_U64)
def identities(numbers, days, areas, births, first_day, days_out, sexes, out):
    """Birth day (days since 1970), sex (0 man, 1 woman) and the 16 digits of a no_ktp, two words a row.

    A number is (area, sex, day, serial) in mixed radix: areas.size x 2 x days x SERIALS. `areas` holds six
    digits as text in a word, `births` DDMMYY of each day likewise; 40 is added to a woman's day, which is 4
    to its first digit.
    """
    per_area = np.int64(days * _SERIALS)
    inverse = 1.0 / per_area
    for row in range(numbers.size):  # arithmetic only, which is done for eight rows at once
        number = np.int64(numbers[row])
        place = divide_exactly(number, inverse, per_area)
        rest = number - place * per_area
        day = divide_exactly(rest, 1.0 / SERIALS, SERIALS)
        serial = _U(rest - day * SERIALS) + _ONE
        hundreds = (serial * _BY_HUNDRED) >> _S20
        digits = pair_digits(hundreds | ((serial - hundreds * _HUNDRED) << _S16)) & _LOW32
        out[2 * row] = _U(place)
        out[2 * row + 1] = _U(day) | (digits << _S32)
    for row in range(numbers.size):
        place, rest = out[2 * row], out[2 * row + 1]
        day = rest & _LOW32
        sex = place & _ONE
        days_out[row] = first_day + np.int64(day)
        sexes[row] = sex
        birth = births[np.int64(day)] + (sex << _TWO)
        out[2 * row] = areas[np.int64(place >> _ONE)] | (birth << _S48)
        out[2 * row + 1] = (birth >> _S16) | (rest & ~_LOW32)


@kernel(IN_U64, IN_U8, I64, IN_U8, IN_U8, IN_U16, IN_U8, IN_U8, IN_U16, OUT_I32, OUT_U8)
def names(
    bits, sexes, parts, firsts, first_lengths, first_slots, lasts, last_lengths, last_slots, offsets, out
):
    """Names. Full ones: 30 % with a middle name, 6 % with a single name as many Indonesians have.

    `parts` is 0 for full names, 1 for first, 2 for last ones. `firsts` and `lasts` hold NAME_STRIDE bytes an
    entry; `first_slots` has NAME_SLOTS entries for men and then as many for women. `out` needs MAX_NAME_BYTES
    a row and SLACK.

    All three names are always copied, and the length says which count: a branch that is taken three times in
    ten is guessed wrong too often (26 ns a name with branches, 8 ns without).
    """
    target = address_of(out)
    first_table, last_table = address_of(firsts), address_of(lasts)
    at = 0
    offsets[0] = 0
    for row in range(bits.size):
        word = bits[row]
        pool = np.int64(sexes[row]) * NAME_SLOTS
        shape = np.int64(word >> _U(56))
        first = np.int64(first_slots[pool + np.int64(word & _SLOT_MASK)])
        middle = np.int64(first_slots[pool + np.int64((word >> _U(12)) & _SLOT_MASK)])
        last = np.int64(last_slots[np.int64((word >> _U(24)) & _SLOT_MASK)])
        has_first = 1 if parts != 2 else 0
        has_middle = 1 if parts == 0 and shape < 77 and middle != first else 0
        has_last = 1 if parts == 2 or (parts == 0 and (shape < 240 or first_lengths[first] < 3)) else 0
        copy16(target + at, first_table + first * NAME_STRIDE)
        at += has_first * np.int64(first_lengths[first])
        store1(target + at, 32)
        copy16(target + at + has_middle, first_table + middle * NAME_STRIDE)
        at += has_middle * (1 + np.int64(first_lengths[middle]))
        blank = has_last & has_first
        store1(target + at, 32)
        copy16(target + at + blank, last_table + last * NAME_STRIDE)
        at += has_last * (blank + np.int64(last_lengths[last]))
        offsets[row + 1] = at
