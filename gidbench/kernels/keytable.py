"""Kernels of an open-addressing hash set of 64-bit keys; `gidbench.keyset` makes it grow."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.mixing import mix64
from gidbench.kernels.registry import IN_I64, OUT_I64, OUT_U8, helper, kernel

EMPTY = -1  # a free place of the table, and no key


@helper
def _claim(table, key):
    """Put `key` into the open-addressing table (a power of two in size); False where it was there."""
    mask = table.size - 1
    at = np.int64(mix64(np.uint64(key))) & mask
    while table[at] != EMPTY:
        if table[at] == key:
            return False
        at = (at + 1) & mask
    table[at] = key
    return True


@kernel(OUT_I64, IN_I64, OUT_U8)
def insert_keys(table, keys, fresh):
    """fresh[i] = 1 where keys[i] was not in the table and is now; EMPTY keys are passed over.

    Returns the number of new keys. The caller keeps the table at most half full.
    """
    added = 0
    for row in range(keys.size):
        fresh[row] = 0
        if keys[row] != EMPTY and _claim(table, keys[row]):
            fresh[row] = 1
            added += 1
    return added


@kernel(IN_I64, OUT_I64)
def rehash(old, new):
    """Move every key of `old` into the larger, empty table `new`."""
    for row in range(old.size):
        if old[row] != EMPTY:
            _claim(new, old[row])


@kernel(IN_I64, IN_I64, OUT_U8)
def find_keys(table, keys, found):
    """found[i] = 1 where keys[i] is in the table."""
    mask = table.size - 1
    for row in range(keys.size):
        found[row] = 0
        if keys[row] != EMPTY:
            at = np.int64(mix64(np.uint64(keys[row]))) & mask
            while table[at] != EMPTY and table[at] != keys[row]:
                at = (at + 1) & mask
            found[row] = table[at] == keys[row]
