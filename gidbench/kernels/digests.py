"""Kernels that hash rows column by column, so that two tables can be compared whatever their order."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.mixing import GAMMA, mix64
from gidbench.kernels.registry import IN_I32, IN_I64, IN_U8, OUT_U64, U64, kernel

NULL_HASH = np.uint64(0x6E756C6C)


@kernel(IN_I64, IN_U8, U64, OUT_U64)
def hash_integers(values, valid, salt, rows):
    """Fold a column of integers into the hash of each row; valid[i] is 0 where the value is null."""
    for row in range(values.size):
        value = mix64(np.uint64(values[row]) + salt) if valid[row] else NULL_HASH
        rows[row] = mix64((rows[row] ^ salt) * GAMMA + value)


@kernel(IN_I32, IN_U8, IN_U8, U64, OUT_U64)
def hash_texts(offsets, data, valid, salt, rows):
    """Fold a column of UTF-8 text into the hash of each row, eight bytes at a time, length included."""
    for row in range(rows.size):
        value = NULL_HASH
        if valid[row]:
            # scattered, or one byte more would weigh as much as a byte that is higher by one
            value = salt + np.uint64(offsets[row + 1] - offsets[row]) * GAMMA
            word = np.uint64(0)
            shift = np.uint64(0)
            for at in range(offsets[row], offsets[row + 1]):
                word |= np.uint64(data[at]) << shift
                shift += np.uint64(8)
                if shift == np.uint64(64):
                    value = mix64(value + word)
                    word = np.uint64(0)
                    shift = np.uint64(0)
            value = mix64(value + word)
        rows[row] = mix64((rows[row] ^ salt) * GAMMA + value)
