"""The random source over ten million draws of each column of the employees' spec, as NIST SP 800-22 would ask.

Uniform in every byte, as many ones as zeros, runs as long as chance has them, nothing shared between columns
or neighbouring rows. Bounds are five standard deviations: one false alarm in two million tests.
"""

from __future__ import annotations

from itertools import combinations
from math import sqrt

import numpy as np
import pytest

from gidbench.generation.part import subkey
from gidbench.generation.plan import employees
from gidbench.kernels import draws

DRAWS = 10_000_000
PART = 1_000_000
SIGMAS = 5.0
COLUMNS = [*employees(1).makers, "another seed"]

pytestmark = pytest.mark.slow


def key(column: str) -> np.uint64:
    plan = employees(2 if column == "another seed" else 1)
    return subkey(plan._keys["id" if column == "another seed" else column], "value")


def parts(column: str, first: int = 0):
    """Ten million draws of a column, a million at a time."""
    out = np.empty(PART, np.uint64)
    for start in range(first, first + DRAWS, PART):
        rows = np.arange(start, start + PART, dtype=np.uint64)
        draws.draw_bits(key(column), rows, out)
        yield out


def is_fair(counts: np.ndarray) -> bool:
    """Chi-square of equally probable cells within five standard deviations of its mean."""
    expected = counts.sum() / counts.size
    value = float(((counts - expected) ** 2 / expected).sum())
    return abs(value - (counts.size - 1)) <= SIGMAS * sqrt(2 * (counts.size - 1))


@pytest.mark.parametrize("column", COLUMNS)
def test_draws_are_uniform_and_their_neighbours_tell_nothing(column):
    upper, lower, pairs, steps = (np.zeros(1 << 16, np.int64) for _ in range(4))
    ones = np.zeros(64, np.int64)
    changes, last = 0, None
    for bits in parts(column):
        upper += np.bincount((bits >> np.uint64(48)).astype(np.int64), minlength=1 << 16)
        lower += np.bincount((bits & np.uint64(0xFFFF)).astype(np.int64), minlength=1 << 16)
        top = (bits >> np.uint64(56)).astype(np.int64)
        # serial test: the top bytes of a row and the next one, and of rows 64 apart
        pairs += np.bincount(top[:-1] << 8 | top[1:], minlength=1 << 16)
        steps += np.bincount(top[:-64] << 8 | top[64:], minlength=1 << 16)
        for bit in range(64):
            ones[bit] += np.count_nonzero(bits & np.uint64(1 << bit))
        high = (bits >> np.uint64(63)).astype(np.int8)
        changes += int(np.count_nonzero(np.diff(high)))
        changes += int(last is not None and last != high[0])
        last = high[-1]
    assert is_fair(upper)
    assert is_fair(lower)
    assert is_fair(pairs)
    assert is_fair(steps)
    slack = SIGMAS * sqrt(DRAWS) / 2
    assert np.abs(ones - DRAWS / 2).max() <= slack  # every bit is one half of the time
    assert abs(changes - (DRAWS - 1) / 2) <= slack  # runs are as many as chance has them


@pytest.mark.parametrize("pair", [*combinations(COLUMNS[:4], 2), (COLUMNS[0], COLUMNS[-1])])
def test_columns_and_seeds_share_nothing(pair):
    joint = np.zeros(1 << 16, np.int64)
    agreeing = 0
    second = np.empty(PART, np.uint64)
    for index, first in enumerate(parts(pair[0])):
        rows = np.arange(index * PART, (index + 1) * PART, dtype=np.uint64)
        draws.draw_bits(key(pair[1]), rows, second)
        joint += np.bincount(
            ((first >> np.uint64(56)) << np.uint64(8) | second >> np.uint64(56)).astype(np.int64),
            minlength=1 << 16,
        )
        agreeing += int(np.bitwise_count(~(first ^ second)).sum())
    assert is_fair(joint)
    assert abs(agreeing - 32 * DRAWS) <= SIGMAS * sqrt(DRAWS * 64) / 2


def test_rows_far_apart_are_as_random_as_the_first():
    counts = np.zeros(1 << 16, np.int64)
    for bits in parts("name", first=10**15):
        counts += np.bincount((bits >> np.uint64(32) & np.uint64(0xFFFF)).astype(np.int64), minlength=1 << 16)
    assert is_fair(counts)


def test_a_bijection_looks_random_too():
    """National ids: cells of the permuted numbers, and of the differences of neighbours."""
    count = 1 << 40
    sides = np.uint64(1 << 20), np.uint64(1 << 20), np.uint64(count)
    cells, steps = np.zeros(1 << 16, np.int64), np.zeros(1 << 16, np.int64)
    out = np.empty(PART, np.uint64)
    for start in range(0, DRAWS, PART):
        draws.permute_rows(np.uint64(77), np.arange(start, start + PART, dtype=np.uint64), *sides, out)
        cells += np.bincount((out >> np.uint64(24)).astype(np.int64), minlength=1 << 16)
        step = (np.diff(out.astype(np.int64)) % count) >> 24
        steps += np.bincount(step, minlength=1 << 16)
    assert is_fair(cells)
    assert is_fair(steps)
