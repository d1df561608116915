"""Kernels that draw: random bits for rows, which rows have a value, and row numbers in another order.

`rows` are row numbers, uint64 of shape (n,); they need not follow one another.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.digits import divide_exactly
from gidbench.kernels.memory import trailing_zeros
from gidbench.kernels.mixing import draw, permute_pair
from gidbench.kernels.registry import IN_U64, OUT_I32, OUT_I64, OUT_U64, U64, helper, kernel


@kernel(U64, IN_U64, OUT_U64)
def draw_bits(key, rows, out):
    """64 random bits for each row."""
    for row in range(rows.size):
        out[row] = draw(key, rows[row])


@kernel(U64, IN_U64, U64, U64, IN_U64, OUT_U64)
def blend_bits(key, rows, share, flip, sources, out):
    """The bits of `sources` (xor `flip`) for a share of the rows (of 2^64), those of `out` for the others.

    Both are uniform, so the result is: a mixture of copulas, and the share is Spearman's rho (Frechet).
    """
    for row in range(rows.size):
        if draw(key, rows[row]) < share:
            out[row] = sources[row] ^ flip


@kernel(U64, IN_U64, U64, OUT_U64, OUT_I64)
def draw_valid(key, rows, null_share, words, places):
    """Which rows have a value: an Arrow bitmap, 64 rows a word, and their positions; returns how many.

    A row is null with a probability of null_share / 2^64. The words come first, which is done eight rows at
    a time; only the bits that are set are looked at then (0.5 ns a row at 99 % nulls, 1.9 row by row).
    """
    found = 0
    for index in range((rows.size + 63) // 64):
        first = 64 * index
        here = min(64, rows.size - first)
        word = np.uint64(0)
        for bit in range(here):
            is_valid = np.uint64(draw(key, rows[first + bit]) >= null_share)
            word |= is_valid << np.uint64(bit)
        words[index] = word
        while word != np.uint64(0):
            places[found] = first + np.int64(trailing_zeros(word))
            found += 1
            word &= word - np.uint64(1)
    return found


@kernel(OUT_I32, IN_U64, OUT_I32)
def spread_offsets(dense, words, offsets):
    """Offsets of a text column whose nulls are left out in `dense`; `words` is the bitmap, 64 rows each."""
    place = 0
    for row in range(offsets.size):
        offsets[row] = dense[place]
        place += np.int64((words[row >> 6] >> np.uint64(row & 63)) & np.uint64(1))


@helper
def _permute(key, number, lefts, rights, inverse):
    left = np.uint64(divide_exactly(np.int64(number), inverse, np.int64(rights)))
    left, right = permute_pair(left, number - left * rights, lefts, rights, key)
    return left * rights + right


@kernel(U64, IN_U64, U64, U64, U64, OUT_U64)
def permute_rows(key, rows, lefts, rights, count, out):
    """A keyed bijection of 0 .. count - 1 at each row; lefts * rights >= count, each below 2^32.

    A number that falls outside is sent through again until it does not (cycle walking, Black and Rogaway
    2002), which with lefts * rights just above count hardly happens.
    """
    inverse = 1.0 / rights
    largest = np.uint64(0)
    for row in range(rows.size):
        out[row] = _permute(key, rows[row], lefts, rights, inverse)
        largest = max(largest, out[row])
    if largest >= count:  # looking at every row takes as long as making it
        for row in range(rows.size):
            while out[row] >= count:
                out[row] = _permute(key, out[row], lefts, rights, inverse)
