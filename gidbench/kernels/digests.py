"""The kernel that hashes rows by what their values say, whatever their types, columns' order, or rows' order.

A row has two sums of 64 bits, over its values. A value adds a hash of itself and of its column, and a null or
empty text adds nothing; so no column's place matters. The sums, mixed, make the 128 bits of the row.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.bitmaps import BITS_AT_ONCE, are_few, next_valid, valid_bits
from gidbench.kernels.digits import WORD_BYTES
from gidbench.kernels.memory import address_of, int32_at, int64_at, uint8_at, uint64_at
from gidbench.kernels.mixing import GAMMA, mix64
from gidbench.kernels.readings import DAY_US
from gidbench.kernels.registry import I64, IN_I64_2D, OUT_U64, helper, kernel
from gidbench.kernels.text_hashes import INTEGER, MOMENT, TRUTH, add_texts, number_hash

BLOCK = 256  # rows whose sums are kept while all columns are added to them
SCRATCH = 7 * BLOCK  # words
# What the values of a column are.
TEXTS, INTEGERS, MOMENTS, DAYS, TRUTHS = range(5)
# Columns of the description of a column, all int64; addresses are of the first row.
(
    KIND,
    DATA,  # address of the values: bytes of texts, int64 integers and moments, int32 days, uint8 truth values
    TEXT_END,  # of texts: address of the end of what may be read there
    OFFSETS,  # of texts: address of int32 offsets
    VALID,  # address of the bitmap of values that are there, or 0; 8 bytes more can be read
    VALID_BIT,  # its bit of the first row
    SALT,
    FACTOR,  # odd
    FIELDS,
) = range(9)

_U = np.uint64
_ZERO, _ONE = _U(0), _U(1)


@helper
def _add_numbers(code, values, unit, bitmap, bit, salt, factor, firsts, seconds):
    """Add a block of a column of numbers, each times `unit`."""
    count = values.size
    if bitmap == 0:
        for row in range(count):
            found = number_hash(code, np.int64(values[row]) * unit, salt)
            firsts[row] += found
            seconds[row] += found * factor
    elif are_few(bitmap, bit, count):
        row = next_valid(bitmap, bit, 0, count)
        while row < count:
            found = number_hash(code, np.int64(values[row]) * unit, salt)
            firsts[row] += found
            seconds[row] += found * factor
            row = next_valid(bitmap, bit, row + 1, count)
    else:
        for start in range(0, count, BITS_AT_ONCE):
            word = valid_bits(bitmap, bit + start, count - start)
            for row in range(start, min(start + BITS_AT_ONCE, count)):
                mask = _ZERO - ((word >> _U(row - start)) & _ONE)
                found = number_hash(code, np.int64(values[row]) * unit, salt) & mask
                firsts[row] += found
                seconds[row] += found * factor


@kernel(IN_I64_2D, I64, OUT_U64, OUT_U64)
def digest_rows(columns, rows, scratch, totals):
    """Add the 128 bits of each row to the totals (two of 64 bits, each modulo 2^64); scratch has SCRATCH words."""
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        # by address: slices of arrays would count references, by atomic operations
        firsts = uint64_at(address_of(scratch), count)
        seconds = uint64_at(address_of(scratch) + WORD_BYTES * BLOCK, count)
        lengths = uint64_at(address_of(scratch) + WORD_BYTES * 2 * BLOCK, count)
        words = uint64_at(address_of(scratch) + WORD_BYTES * 3 * BLOCK, 4 * count)
        firsts[:] = _ZERO
        seconds[:] = _ZERO
        for column in range(columns.shape[0]):
            line = int64_at(address_of(columns) + WORD_BYTES * FIELDS * column, FIELDS)
            kind, data = line[KIND], line[DATA]
            bitmap, bit = line[VALID], line[VALID_BIT] + start
            salt, factor = _U(line[SALT]), _U(line[FACTOR])
            if kind == TEXTS:
                offsets = int32_at(line[OFFSETS] + 4 * start, count + 1)
                add_texts(
                    offsets, data, line[TEXT_END], bitmap, bit, salt, factor, firsts, seconds, words, lengths
                )
            elif kind == DAYS:
                days = int32_at(data + 4 * start, count)
                _add_numbers(MOMENT, days, DAY_US, bitmap, bit, salt, factor, firsts, seconds)
            elif kind == TRUTHS:
                truths = uint8_at(data + start, count)
                _add_numbers(TRUTH, truths, 1, bitmap, bit, salt, factor, firsts, seconds)
            else:
                values = int64_at(data + WORD_BYTES * start, count)
                code = INTEGER if kind == INTEGERS else MOMENT
                _add_numbers(code, values, 1, bitmap, bit, salt, factor, firsts, seconds)
        first, second = _ZERO, _ZERO
        for row in range(count):
            mixed = mix64(firsts[row] + GAMMA)
            first += mixed
            second += mix64(seconds[row] ^ mixed)
        totals[0] += first
        totals[1] += second
