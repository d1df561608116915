"""gid: the codec as callers see it."""

from __future__ import annotations

import naive
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench import gid
from gidbench.errors import CapacityError, InputError

LAST = 67_599_999
ORDINALS = st.integers(0, LAST)


def test_there_are_as_many_as_the_places_allow():
    assert gid.CAPACITY == 10 * 100 * 26 * 26 * 100 == LAST + 1


def test_a_new_sequence_starts_at_g025aa00():
    assert gid.encode(gid.FIRST_ORDINAL) == "G025AA00"


@pytest.mark.parametrize(
    ("text", "following"),
    [
        ("G025AA00", "G025AA01"),
        ("G025AA99", "G025AB00"),
        ("G025AZ99", "G025BA00"),
        ("G025ZZ99", "G026AA00"),
        ("G099ZZ99", "G100AA00"),
        ("G999ZZ98", "G999ZZ99"),
    ],
)
def test_the_next_of_each_boundary(text, following):
    assert gid.encode(gid.decode(text) + 1) == following


@given(ORDINALS)
@example(0)
@example(LAST)
def test_one_ordinal_there_and_back(ordinal):
    text = gid.encode(ordinal)
    assert text == naive.gid_encode(ordinal)
    assert gid.decode(text) == ordinal


def test_the_whole_range_sampled_goes_there_and_back():
    ordinals = np.unique(np.append(np.arange(0, gid.CAPACITY, 331, dtype=np.int64), LAST))
    texts = gid.encode_array(ordinals)
    assert len(texts.unique()) == ordinals.size
    assert (gid.decode_array(texts) == ordinals).all()


def test_texts_sort_like_their_ordinals():
    texts = gid.encode_array(np.arange(0, gid.CAPACITY, 99_991, dtype=np.int64)).to_pylist()
    assert texts == sorted(texts)


@given(st.integers(0, LAST - 50), st.integers(0, 50))
@example(67_590, 20)
@example(LAST, 1)
@example(gid.CAPACITY, 0)
def test_a_range_is_its_ordinals_in_order(first, count):
    texts = gid.encode_range(first, count)
    assert texts.to_pylist() == [naive.gid_encode(ordinal) for ordinal in range(first, first + count)]


def test_encoded_arrays_are_valid_arrow_strings():
    for texts in (gid.encode_range(0, 0), gid.encode_range(5, 1_000)):
        texts.validate(full=True)
        assert texts.type == pa.string()
        assert texts.null_count == 0


def test_ordinals_with_a_stride_are_encoded_as_they_are():
    assert gid.encode_array(np.arange(0, 400, dtype=np.int64)[::100]).to_pylist() == [
        "G000AA00",
        "G000AB00",
        "G000AC00",
        "G000AD00",
    ]


@pytest.mark.parametrize(
    ("first", "count"), [(LAST + 1, 1), (LAST, 2), (-1, 1), (0, gid.CAPACITY + 1), (5, -1)]
)
def test_a_range_that_leaves_the_number_space_is_refused_before_anything_is_made(first, count):
    for attempt in (gid.check_capacity, gid.encode_range):
        with pytest.raises(CapacityError, match=f"{count:,} G_IDs are asked for") as caught:
            attempt(first, count)
        assert "67,600,000" in str(caught.value)


def test_the_message_says_how_many_are_left():
    with pytest.raises(CapacityError, match=r"11 G_IDs are asked for, but only 10 of 67,600,000 are left"):
        gid.check_capacity(gid.CAPACITY - 10, 11)


def test_one_past_the_last_is_a_capacity_error_not_a_wrap():
    assert gid.encode(LAST) == "G999ZZ99"
    with pytest.raises(CapacityError):
        gid.encode(LAST + 1)
    gid.check_capacity(0, gid.CAPACITY)


@pytest.mark.parametrize(
    "text", ["", "G025AA0", "G025AA000", "g025AA00", "G025aa00", "X025AA00", "G025A000", "G02é5A0"]
)
def test_what_is_no_g_id_is_refused_by_value_and_with_an_example(text):
    with pytest.raises(InputError, match="is not a G_ID") as caught:
        gid.decode(text)
    assert repr(text) in str(caught.value)
    assert "G025AA00" in caught.value.remedy


@given(
    st.lists(st.none() | st.text("G059AZ", min_size=7, max_size=9) | ORDINALS.map(naive.gid_encode)),
    st.data(),
)
def test_decode_array_gives_minus_one_for_null_and_for_what_is_no_g_id(texts, data):
    array = pa.array(texts, pa.string())
    start = data.draw(st.integers(0, len(texts)))
    expected = [-1 if text is None else naive.gid_decode(text.encode()) for text in texts]
    assert gid.decode_array(array).tolist() == expected
    assert gid.decode_array(array.slice(start)).tolist() == expected[start:]


def test_decode_array_takes_arrays_of_nothing_but_nulls_or_nothing():
    assert gid.decode_array(pa.nulls(3, pa.string())).tolist() == [-1, -1, -1]
    assert gid.decode_array(pa.array([], pa.string())).tolist() == []
    assert gid.decode_array(pa.array([""], pa.string())).tolist() == [-1]
