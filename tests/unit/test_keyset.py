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


def test_it_is_never_fuller_than_four_fifths():
    keys, added = KeySet(), 0
    for size in (1, 510, 1, 1, 700, 5_000, 20_000):
        keys.add(np.arange(added, added + size, dtype=np.int64))
        added += size
        places = keys.nbytes // 8
        assert (keys._counts < 0.8 * 8 * keys._lines).all()
        assert places <= max(8 * 1_024, 2 * added / 0.75)


@pytest.mark.slow
def test_a_large_set_takes_15_bytes_a_key_at_most():
    keys, added = KeySet(), 0
    while added < 24_000_000:
        keys.add(np.arange(added, added + 1_000_000, dtype=np.int64) * 40_009)
        added += 1_000_000
        if added > 14_000_000:  # a part has more than 2^17 lines
            assert keys.nbytes <= 15.1 * added
    assert len(keys) == added


def test_a_guess_makes_room_at_once_but_not_without_bounds():
    keys = KeySet()
    keys.reserve(100_000)
    tables = list(keys._tables)
    assert keys.add(np.arange(100_000, dtype=np.int64)).all()
    assert all(one is other for one, other in zip(keys._tables, tables, strict=True))
    keys.reserve(10)
    assert all(one is other for one, other in zip(keys._tables, tables, strict=True))
    assert keys.holds(np.arange(100_000, dtype=np.int64)).all()
    keys.reserve(1 << 50)
    assert keys.nbytes < 400 << 20


def test_room_made_at_once_is_room_enough():
    keys = KeySet(10_000)
    tables = list(keys._tables)
    keys.add(np.arange(10_000, dtype=np.int64))
    assert all(one is other for one, other in zip(keys._tables, tables, strict=True))


def test_keys_that_differ_in_high_bits_alone_are_spread():
    """Neighbouring lines for such keys would make each search as long as the set is large."""
    keys = KeySet(4_096)
    keys.add(np.arange(4_096, dtype=np.int64) << 40)
    full = [(table.reshape(-1, 8) != 0).all(axis=1) for table in keys._tables]
    runs = max(max(map(len, "".join(map(str, lines.astype(int))).split("0"))) for lines in full)
    assert runs < 20


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
