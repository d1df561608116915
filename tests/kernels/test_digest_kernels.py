"""digests: hashes of rows, folded column by column."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.kernels import digests

WORDS = st.integers(0, 2**64 - 1)
NULL_WORD = 0x6E756C6C

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


def hash_integers(values, salt, rows):
    hashes = np.array(rows, np.uint64)
    valid = np.array([value is not None for value in values], np.uint8)
    digests.hash_integers(
        np.array([value or 0 for value in values], np.int64), valid, np.uint64(salt), hashes
    )
    return hashes.tolist()


def hash_texts(values, salt, rows):
    hashes = np.array(rows, np.uint64)
    valid = np.array([value is not None for value in values], np.uint8)
    digests.hash_texts(*naive.pack([value or b"" for value in values]), valid, np.uint64(salt), hashes)
    return hashes.tolist()


@given(st.lists(st.tuples(st.none() | st.integers(-(2**63), 2**63 - 1), WORDS)), WORDS)
@example([(-1, 0), (None, 0), (-(2**63), 2**64 - 1)], 2**64 - 1)
def test_hash_integers_equals_its_twin(cells, salt):
    values, rows = [value for value, _ in cells], [row for _, row in cells]
    assert hash_integers(values, salt, rows) == [naive.fold_integer(row, salt, v) for v, row in cells]


@given(st.lists(st.tuples(st.none() | st.binary(max_size=20), WORDS)), WORDS)
@example([(b"", 1), (b"1234567", 2), (b"12345678", 3), (b"123456789", 4), (b"\xff" * 16, 5)], 2**64 - 1)
def test_hash_texts_equals_its_twin(cells, salt):
    values, rows = [value for value, _ in cells], [row for _, row in cells]
    assert hash_texts(values, salt, rows) == [naive.fold_text(row, salt, v) for v, row in cells]


def test_no_integer_hashes_like_null():
    values = [None, 0, -1, NULL_WORD, 2**63 - 1]
    assert len(set(hash_integers(values, 3, [0] * 5))) == 5


def test_trailing_zero_bytes_count():
    values = [b"b", b"a\0", b"b\0", b"b\0\0", b"", b"\0", b"\0" * 8, b"\0" * 9, b"12345678", b"12345678\0"]
    assert len(set(hash_texts(values, 3, [0] * len(values)))) == len(values)


def test_texts_start_where_the_offsets_say():
    offsets, data = naive.pack([b"left out", b"kept", b"kept too", b"left out"])
    hashes = np.zeros(2, np.uint64)
    digests.hash_texts(np.ascontiguousarray(offsets[1:4]), data, np.ones(2, np.uint8), np.uint64(5), hashes)
    assert hashes.tolist() == hash_texts([b"kept", b"kept too"], 5, [0, 0])
