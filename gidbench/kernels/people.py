"""Kernels of persons: national ids with birth day and sex, and names."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import divide_small, pair_digits
from gidbench.kernels.memory import address_of, copy16, store1
from gidbench.kernels.registry import (
    I64,
    IN_U8,
    IN_U16,
    IN_U64,
    OUT_I32,
    OUT_U8,
    OUT_U64,
    U64,
    helper,
    kernel,
)

SERIALS = 9_999  # the last four digits of a no_ktp: 0001 .. 9999
NO_KTP_WORDS = 2
NO_KTP_BYTES = 16
NAME_STRIDE = 16  # bytes per entry of a name table: an entry is copied by one vector store
SLOT_BITS = 5  # of a slot, for the length of its entry
NAME_SLOTS = 4096  # a name of weight w owns round(4096 * w) slots, at least one
MAX_NAME_BYTES = 3 * NAME_STRIDE + 2  # three names and the blanks between them

_U = np.uint64
_ONE, _TWO, _S12, _S16, _S20, _S24, _S32, _S48, _S56 = (_U(n) for n in (1, 2, 12, 16, 20, 24, 32, 48, 56))
_SERIALS, _HUNDRED = _U(SERIALS), _U(100)
_BY_HUNDRED = _U(10_486)  # n * 10486 >> 20 is n // 100 for n < 10,000
_SLOTS, _SLOT_MASK, _LENGTH = _U(NAME_SLOTS), _U(NAME_SLOTS - 1), (1 << SLOT_BITS) - 1
_MIDDLE, _LAST = _U(77), _U(240)  # of 256: names with a middle name, and with a last one


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
        place = divide_small(number, inverse)
        rest = number - place * per_area
        day = divide_small(rest, 1.0 / SERIALS)
        serial = _U(rest - day * SERIALS) + _ONE
        hundreds = (serial * _BY_HUNDRED) >> _S20
        digits = pair_digits(hundreds | ((serial - hundreds * _HUNDRED) << _S16))
        days_out[row] = day
        out[2 * row] = _U(place)
        out[2 * row + 1] = digits << _S32
    for row in range(numbers.size):
        place, day = out[2 * row], days_out[row]
        sex = place & _ONE
        birth = births[_U(day)] + (sex << _TWO)
        days_out[row] = day + first_day
        sexes[row] = sex
        out[2 * row] = areas[place >> _ONE] | (birth << _S48)
        out[2 * row + 1] |= birth >> _S16


@helper
def _full_names(bits, sexes, firsts, first_slots, lasts, last_slots, offsets, out):
    """First names, 30 % with a middle one, 6 % with nothing more.

    All three are always copied, and the length says which count: a branch that is taken three times in ten is
    guessed wrong too often (26 ns a name with branches, 4 ns without).
    """
    start, first_table, last_table = address_of(out), address_of(firsts), address_of(lasts)
    at = start
    for row in range(bits.size):
        word, pool = bits[row], _U(sexes[row]) * _SLOTS
        first = np.int64(first_slots[pool + (word & _SLOT_MASK)])
        middle = np.int64(first_slots[pool + ((word >> _S12) & _SLOT_MASK)])
        last = np.int64(last_slots[(word >> _S24) & _SLOT_MASK])
        shape, length = word >> _S56, first & _LENGTH
        more = (middle & _LENGTH) + 1 if (shape < _MIDDLE) & (middle != first) else 0
        rest = (last & _LENGTH) + 1 if (shape < _LAST) | (length < 3) else 0
        copy16(at, first_table + NAME_STRIDE * (first >> SLOT_BITS))
        at += length
        store1(at, 32)
        copy16(at + 1, first_table + NAME_STRIDE * (middle >> SLOT_BITS))
        at += more
        store1(at, 32)
        copy16(at + 1, last_table + NAME_STRIDE * (last >> SLOT_BITS))
        at += rest
        offsets[row + 1] = at - start


@kernel(IN_U64, IN_U8, I64, IN_U8, IN_U16, IN_U8, IN_U16, OUT_I32, OUT_U8)
def names(bits, sexes, parts, firsts, first_slots, lasts, last_slots, offsets, out):
    """Names. Full ones: 30 % with a middle name, 6 % with a single name as many Indonesians have.

    `parts` is 0 for full names, 1 for first, 2 for last ones. `firsts` and `lasts` hold NAME_STRIDE bytes an
    entry; `first_slots` has NAME_SLOTS slots for men and then as many for women. A slot is the number of an
    entry and, in the lower SLOT_BITS, its length. `out` needs MAX_NAME_BYTES a row and SLACK.
    """
    offsets[0] = 0
    if parts == 0:
        _full_names(bits, sexes, firsts, first_slots, lasts, last_slots, offsets, out)
        return
    start = address_of(out)
    at = start
    for row in range(bits.size):
        word = bits[row]
        if parts == 1:
            slot = np.int64(first_slots[_U(sexes[row]) * _SLOTS + (word & _SLOT_MASK)])
            copy16(at, address_of(firsts) + NAME_STRIDE * (slot >> SLOT_BITS))
        else:
            slot = np.int64(last_slots[(word >> _S24) & _SLOT_MASK])
            copy16(at, address_of(lasts) + NAME_STRIDE * (slot >> SLOT_BITS))
        at += slot & _LENGTH
        offsets[row + 1] = at - start
