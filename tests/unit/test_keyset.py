"""keyset: a set of numbers that grows."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.kernels import keytable
from gidbench.keyset import KeySet

KEYS = st.one_of(st.integers(-1, 30), st.integers(0, 2**63 - 1))


def array(keys) -> np.ndarray:
    return np.array(list(keys), np.int64)


@given(st.lists(st.lists(KEYS, max_size=60), max_size=6), st.lists(KEYS), st.sampled_from([0, 1, 600]))
def test_batches_are_taken_like_by_a_set(batches, questions, expected):
    keys, seen = KeySet(expected), set()
    for batch in batches:
        fresh = keys.add(array(batch))
        assert fresh.dtype == np.bool_
        assert fresh.tolist() == naive.first_seen(batch, seen)
        assert len(keys) == len(seen)
    assert keys.holds(array(questions)).tolist() == [key in seen for key in questions]


def test_it_grows_and_forgets_nothing():
    keys = KeySet()
    numbers = np.random.default_rng(5).permutation(50_000).astype(np.int64) * 97
    for part in np.array_split(numbers, 23):
        assert keys.add(part).all()
    assert len(keys) == 50_000
    assert keys.holds(numbers).all()
    assert not keys.holds(numbers + 1).any()
    assert not keys.add(numbers[::-1]).any()
    assert len(keys) == 50_000


def test_it_is_never_more_than_half_full_and_takes_32_bytes_a_key_at_most():
    keys, added = KeySet(), 0
    for size in (1, 510, 1, 1, 700, 5_000, 20_000):
        keys.add(np.arange(added, added + size, dtype=np.int64))
        added += size
        assert 2 * len(keys) <= keys._table.size <= max(1_024, 4 * len(keys))


def test_room_made_at_once_is_room_enough():
    keys = KeySet(10_000)
    table = keys._table
    keys.add(np.arange(10_000, dtype=np.int64))
    assert keys._table is table


def test_keys_that_differ_in_high_bits_alone_are_spread():
    """Neighbouring slots for such keys would make each search as long as the set is large."""
    keys = KeySet(4_096)
    keys.add(np.arange(4_096, dtype=np.int64) << 40)
    taken = np.flatnonzero(keys._table != keytable.EMPTY)
    runs = np.split(taken, np.flatnonzero(np.diff(taken) > 1) + 1)
    assert max(map(len, runs)) < 200


def test_no_key_is_passed_over():
    keys = KeySet()
    assert keys.add(array([keytable.EMPTY, 3, keytable.EMPTY])).tolist() == [False, True, False]
    assert len(keys) == 1
    assert keys.holds(array([keytable.EMPTY, 3])).tolist() == [False, True]


def test_zero_and_the_largest_number_are_keys_like_others():
    keys = KeySet()
    assert keys.add(array([0, 2**63 - 1, 0])).tolist() == [True, True, False]
    assert keys.holds(array([0, 2**63 - 1, 1])).tolist() == [True, True, False]


@pytest.mark.parametrize("step", [2, -1])
def test_arrays_with_a_stride_are_taken(step):
    numbers = np.arange(20, dtype=np.int64)[::step]
    keys = KeySet()
    assert keys.add(numbers).all()
    assert keys.holds(numbers).all()
    assert len(keys) == numbers.size


def test_empty_batches_change_nothing():
    keys = KeySet()
    assert keys.add(array([])).size == 0
    assert keys.holds(array([])).size == 0
    assert len(keys) == 0
