"""Kernels of an open-addressing hash set of 64-bit keys in parts; `gidbench.keyset` makes them grow.

A table holds mixed keys: `mix64` is a bijection, so equal ones are equal keys, and none but EMPTY becomes 0, a free
place. The upper bits of a mixed key choose its part; the others, as a share of 2^64, the line of the cache to look in
first, eight places that are compared at once and filled from the first on. So a part of any size is in the order of
its mixed keys, but for what went to a further line, and growing is one run through both.
"""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import equal_words, high_product, prefetch, store8, trailing_zeros
from gidbench.kernels.mixing import mix64
from gidbench.kernels.registry import I64, IN_I64, IN_U64, OUT_I64, OUT_U8, helper, kernel

EMPTY = -1  # no key
PART_BITS = 3  # parts are large soon, and large ones are in huge pages: 42 ns a key without, 15 with
PARTS = 1 << PART_BITS
PLACES, LINE_BYTES = 8, 64  # of a line
AHEAD = 32  # keys whose lines are asked for before the first is looked at

_U = np.uint64
_ZERO, _ONE, _BITS, _REST, _S3 = _U(0), _U(1), _U(PART_BITS), _U(64 - PART_BITS), _U(3)


@helper
def _line_of(mixed, lines):
    """Where to look first for a mixed key in a part of so many lines."""
    return np.int64(high_product(mixed << _BITS, _U(lines)))


@helper
def _search(start, lines, mixed):
    """(whether a mixed key is in a part, the address of the free place for it if not)."""
    line = _line_of(mixed, lines)
    while True:
        at = start + LINE_BYTES * line
        if equal_words(at, mixed) != _ZERO:
            return True, at
        free = equal_words(at, _ZERO)
        if free != _ZERO:
            return False, at + np.int64(trailing_zeros(free) << _S3)
        line += 1
        if line == lines:
            line = 0


@helper
def _mix(keys, first, count, addresses, lines, mixed):
    """Mix the next keys, and ask for the lines that they will be looked for in."""
    for row in range(count):
        found = mix64(_U(keys[first + row]) + _ONE)
        mixed[row] = found
        part = np.int64(found >> _REST)
        prefetch(addresses[part] + LINE_BYTES * _line_of(found, lines[part]))


@kernel(IN_I64, IN_I64, OUT_I64, IN_I64, IN_I64, I64, OUT_U8)
def insert_keys(addresses, lines, counts, most, keys, first, fresh):
    """From `first` on, fresh[i] = 1 where keys[i] was in no part and is now; EMPTY keys are passed over.

    A part (`addresses`, multiples of LINE_BYTES, and `lines`) takes `most` keys, fewer than it has places.
    Returns the row of a key whose part is full, or keys.size.
    """
    mixed = np.empty(AHEAD, np.uint64)
    for block in range(first, keys.size, AHEAD):
        count = min(AHEAD, keys.size - block)
        _mix(keys, block, count, addresses, lines, mixed)
        for row in range(count):
            key = mixed[row]
            fresh[block + row] = 0
            if key != _ZERO:
                part = np.int64(key >> _REST)
                if counts[part] >= most[part]:
                    return block + row
                held, at = _search(addresses[part], lines[part], key)
                if not held:
                    store8(at, key)
                    counts[part] += 1
                    fresh[block + row] = 1
    return keys.size


@kernel(IN_U64, I64, I64)
def rehash(old, address, lines):
    """Move every key of a part into a larger, empty one."""
    for row in range(old.size):
        if old[row] != _ZERO:
            store8(_search(address, lines, old[row])[1], old[row])


@kernel(IN_I64, IN_I64, IN_I64, OUT_U8)
def find_keys(addresses, lines, keys, found):
    """found[i] = 1 where keys[i] is in its part."""
    mixed = np.empty(AHEAD, np.uint64)
    for block in range(0, keys.size, AHEAD):
        count = min(AHEAD, keys.size - block)
        _mix(keys, block, count, addresses, lines, mixed)
        for row in range(count):
            key = mixed[row]
            found[block + row] = 0
            if key != _ZERO:
                part = np.int64(key >> _REST)
                found[block + row] = _search(addresses[part], lines[part], key)[0]
