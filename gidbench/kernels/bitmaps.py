"""Arrow's bitmaps of values that are there, read by words.

A bitmap is an address and the bit of its first row; eight bytes beyond its end must be readable.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import load8, trailing_zeros
from gidbench.kernels.registry import helper

BITS_AT_ONCE = 32
_ZERO, _ONE = np.uint64(0), np.uint64(1)


@helper
def valid_bits(bitmap, bit, count):
    """The bits of up to BITS_AT_ONCE rows from `bit` on, the first the lowest."""
    word = load8(bitmap + (bit >> 3)) >> np.uint64(bit & 7)
    return word & ((_ONE << np.uint64(min(BITS_AT_ONCE, count))) - _ONE)


@helper
def next_valid(bitmap, bit, row, count):
    """The next row from `row` on that is there, or `count`; `bit` is that of row 0."""
    while row < count:
        word = valid_bits(bitmap, bit + row, count - row)
        if word != _ZERO:
            return row + np.int64(trailing_zeros(word))
        row += BITS_AT_ONCE
    return count


@helper
def are_few(bitmap, bit, count):
    """Whether less than a sixteenth is there, so that one by one is faster than all by vectors."""
    found = 0
    for row in range(0, count, BITS_AT_ONCE):
        word = valid_bits(bitmap, bit + row, count - row)
        while word != _ZERO:
            found += 1
            word &= word - _ONE
            if 16 * found > count:
                return False
    return True
