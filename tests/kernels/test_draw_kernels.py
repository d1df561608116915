"""draws: bits by row number, validity, and bijections of any number of rows."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.kernels import draws

KEYS = st.integers(0, 2**64 - 1)
ROWS = st.lists(st.integers(0, 2**40), max_size=150)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


def u64(numbers) -> np.ndarray:
    return np.array(numbers, np.uint64)


@given(KEYS, ROWS)
def test_bits_equal_their_twin_for_rows_in_any_order(key, rows):
    out = np.zeros(len(rows), np.uint64)
    draws.draw_bits(np.uint64(key), u64(rows), out)
    assert out.tolist() == [naive.draw(key, row) for row in rows]


@given(KEYS, ROWS, st.integers(0, 2**64 - 1))
@example(1, list(range(130)), 0)
@example(1, list(range(64)), 2**64 - 1)
@example(1, list(range(65)), 2**63)
def test_valid_rows_equal_their_twin(key, rows, null_share):
    words = np.full(len(rows) // 64 + 1, 2**64 - 1, np.uint64)  # a recycled buffer is not clean
    places = np.zeros(len(rows) + 1, np.int64)
    found = draws.draw_valid(np.uint64(key), u64(rows), np.uint64(null_share), words, places)
    expected = [naive.draw(key, row) >= null_share for row in rows]
    assert naive.bits(words.view(np.uint8), len(rows)) == expected
    assert places[:found].tolist() == [place for place, valid in enumerate(expected) if valid]


@given(KEYS, ROWS, st.integers(0, 2**64 - 1), st.booleans())
def test_blended_bits_are_their_sources_for_a_share_of_the_rows(key, rows, share, flipped):
    sources = u64([naive.draw(9, row) for row in rows])
    out = u64([naive.draw(10, row) for row in rows])
    expected = [
        (naive.draw(9, row) ^ (2**64 - 1 if flipped else 0))
        if naive.draw(key, row) < share
        else naive.draw(10, row)
        for row in rows
    ]
    flip = np.uint64(2**64 - 1 if flipped else 0)
    draws.blend_bits(np.uint64(key), u64(rows), np.uint64(share), flip, sources, out)
    assert out.tolist() == expected


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=5)), max_size=140))
def test_offsets_of_a_column_without_its_nulls_are_spread(cells):
    dense = naive.pack([text for valid, text in cells if valid])[0]
    bitmap = np.zeros((len(cells) // 64 + 1) * 8, np.uint8)
    packed = np.packbits(np.array([valid for valid, _ in cells], np.uint8), bitorder="little")
    bitmap[: packed.size] = packed
    offsets = np.zeros(len(cells) + 1, np.int32)
    draws.spread_offsets(dense, bitmap.view(np.uint64), offsets)
    assert offsets.tolist() == naive.pack([text if valid else b"" for valid, text in cells])[0].tolist()


def permuted(key: int, rows: list[int], count: int) -> list[int]:
    lefts = int(count**0.5) + 1
    sides = np.uint64(lefts), np.uint64(-(-count // lefts)), np.uint64(count)
    out = np.zeros(len(rows), np.uint64)
    draws.permute_rows(np.uint64(key), u64(rows), *sides, out)
    return out.tolist()


@given(KEYS, st.integers(1, 2**62), st.data())
@example(0, 2**62, None)
def test_permuted_rows_equal_their_twin(key, count, data):
    rows = [0, count - 1]
    if data is not None:
        rows += data.draw(st.lists(st.integers(0, count - 1), max_size=8))
    assert permuted(key, rows, count) == [naive.permute(row, count, key) for row in rows]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 16, 97, 100, 676, 1_000, 4_099])
@pytest.mark.parametrize("key", [0, 1, 2**64 - 1])
def test_every_number_below_any_count_comes_once(count, key):
    found = permuted(key, list(range(count)), count)
    assert sorted(found) == list(range(count))
    assert count < 10 or found != list(range(count))
