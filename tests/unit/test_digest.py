"""digest: what proves that records are the same, whatever form they are in."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from itertools import pairwise

import naive
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.digest import Digest, digest_of
from gidbench.engine import map_ordered
from gidbench.generation.plan import employees

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")

TYPES = {
    "text": pa.string(),
    "number": pa.int64(),
    "day": pa.date32(),
    "moment": pa.timestamp("us"),
    "truth": pa.bool_(),
}
# fmt: off
LIKE_SOMETHING = st.sampled_from([
    "0", "-0", "007", "-7", "+7", "1.50", "1.5", "2.0", "-0.0", "0.5", ".5", "1.", "01.5", "1e5", "-",
    "--1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "99999999999999999999",
    "3201010101900001", "0201010101900001", "320101010190000x", "1234567890123456.5",
    "0.000000000000000001", "2024-02-29", "2023-02-29", "2024-1-02", "2024-01-02T00:00",
    "2024-01-02 00:00:00", "0000-01-01", "2024-01-02 03:04:05.000600", "2024-01-02 03:04:05.0006",
    "2024-01-02 24:00:00", "2024-01-02 03:04:05.", "2024-01-02 03:04:05.1234567", "2024-01-02x",
    "2024-01-02 03:60", "true", "FALSE", "True ", "t", "fals",
])
# fmt: on
TEXTS = (
    LIKE_SOMETHING | st.text(max_size=40) | st.from_regex(r"-?[0-9]{0,20}(\.[0-9]{0,20})?", fullmatch=True)
)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXTS,
        st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
        st.none() | st.dates(),
        st.none() | st.datetimes(),
        st.none() | st.booleans(),
    ),
    max_size=12,
)


def batch(rows) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else [[]] * len(TYPES)
    return pa.RecordBatch.from_arrays(
        [pa.array(list(column), kind) for column, kind in zip(columns, TYPES.values(), strict=True)],
        list(TYPES),
    )


def column(values, kind=None, name: str = "column") -> str:
    return digest_of([pa.RecordBatch.from_arrays([pa.array(values, kind)], [name])])


def as_texts(rows) -> pa.RecordBatch:
    """Every value as text, as a CSV file has them."""

    def text(value) -> str:
        if isinstance(value, dt.datetime):
            return value.isoformat(" ")
        return "" if value is None else str(value)

    return pa.RecordBatch.from_arrays(
        [pa.array([text(row[place]) for row in rows], pa.string()) for place in range(len(TYPES))],
        list(TYPES),
    )


@given(ROWS)
@example([("0012", 1, dt.date(1970, 1, 1), dt.datetime(1970, 1, 1), False)])
def test_the_digest_equals_its_twin(rows):
    assert digest_of([batch(rows)]) == naive.digest(dict(zip(TYPES, row, strict=True)) for row in rows)


@given(st.lists(TEXTS, max_size=20))
@example(["x" * length for length in range(40)])
def test_texts_mean_what_they_say(values):
    assert column(values, pa.string()) == naive.digest({"column": value} for value in values)


SIXTEEN = ["3201010101900001", "0201010101900001", "EMP-2024-0000001", "2024-01-02 00:00", "exactly sixteen!"]


@given(st.lists(st.sampled_from(SIXTEEN), min_size=1, max_size=30), st.integers(1, 40), st.booleans())
@example(SIXTEEN[:1], 300, False)
@example(SIXTEEN[2:3], 300, False)
@example([SIXTEEN[0], SIXTEEN[4]], 150, False)
def test_texts_of_sixteen_bytes_mean_what_they_say(values, repeats, nulls):
    """National ids and the like have ways of their own, if all of a block are so."""
    values = values * repeats + [None] * nulls
    assert column(values, pa.string()) == naive.digest({"column": value} for value in values)


@pytest.mark.parametrize("length", [1, 4, 5, 6, 16, 31, 32, 33, 40, 100])
def test_nothing_beyond_the_end_of_a_text_counts(length):
    """Neither what follows in memory nor whether anything does."""
    texts = ["t" * length, "F" * length]
    memory = np.frombuffer("".join(texts).encode(), np.uint8).copy()
    offsets = np.array([0, length, 2 * length], np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(memory)]
    batch = pa.RecordBatch.from_arrays([pa.Array.from_buffers(pa.string(), 2, buffers)], ["column"])
    assert digest_of([batch]) == naive.digest({"column": text} for text in texts)
    followed = pa.array([*texts, "something else"]).slice(0, 2)
    assert column(followed) == digest_of([batch])


@given(st.lists(st.none() | TEXTS, min_size=1, max_size=12), st.integers(1, 60), st.integers(0, 9))
def test_many_rows_with_nulls_from_the_middle_of_a_column_equal_their_twin(values, repeats, first):
    whole = pa.array(["x", None, "y"] * 3 + values * repeats, pa.string())
    rows = whole.slice(first)
    assert column(rows) == naive.digest({"column": value} for value in rows.to_pylist())


@given(ROWS)
def test_values_as_text_have_the_same_digest(rows):
    assert digest_of([as_texts(rows)]) == digest_of([batch(rows)])


@given(ROWS, st.randoms(use_true_random=False), st.data())
def test_neither_the_order_of_rows_and_columns_nor_batches_matter(rows, chance, data):
    whole = digest_of([batch(rows)])
    shuffled = list(rows)
    chance.shuffle(shuffled)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3))), len(rows)]
    assert digest_of(batch(shuffled[low:high]) for low, high in pairwise(cuts)) == whole
    table = batch(shuffled)
    assert digest_of(table.slice(low, high - low) for low, high in pairwise(cuts)) == whole
    names = list(TYPES)
    chance.shuffle(names)
    assert digest_of([table.select(names)]) == whole


@given(ROWS.filter(bool), st.data())
def test_any_changed_cell_changes_the_digest(rows, data):
    row, place = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 4))
    kinds = [TEXTS, st.integers(-(2**63) + 1, 2**63 - 1), st.dates(), st.datetimes(), st.booleans()]
    same = naive.meaning(rows[row][place])
    other = data.draw((st.none() | kinds[place]).filter(lambda value: naive.meaning(value) != same))
    changed = list(rows)
    changed[row] = (*rows[row][:place], other, *rows[row][place + 1 :])
    assert digest_of([batch(changed)]) != digest_of([batch(rows)])


def test_nothing_has_a_digest():
    assert digest_of([]) == "0:" + "0" * 32
    assert digest_of([batch([])]) == "0:" + "0" * 32


def test_rows_count_as_often_as_they_occur():
    assert column(["a", "a", "b"]) != column(["a", "b", "b"])
    assert column(["a", "a"]) != column(["a"])
    assert column(["a", "a"]) != column(["b", "b"])


def test_values_do_not_move_between_columns_or_rows():
    def two(left, right):
        return digest_of([pa.RecordBatch.from_arrays([pa.array(left), pa.array(right)], ["a", "b"])])

    assert two(["x"], ["y"]) != two(["y"], ["x"])
    assert two(["ab"], ["c"]) != two(["a"], ["bc"])
    assert two(["x", "y"], ["1", "2"]) != two(["x", "y"], ["2", "1"])


def test_the_name_of_a_column_counts_but_not_its_case():
    assert column([1], name="a") != column([1], name="b")
    assert column([1], name="No_KTP") == column([1], name="no_ktp")


def test_null_and_empty_are_nothing_and_nothing_else_is():
    assert column([None], pa.string()) == column([""])
    assert len({column([value]) for value in ("", " ", "null", "0", "\0")}) == 5
    assert column([None, "x"]) == column(["", "x"])
    assert column([0]) != column([None], pa.int64())


def test_whole_numbers_truths_and_moments_of_the_same_bits_differ():
    kinds = [pa.int64(), pa.timestamp("us"), pa.bool_()]
    assert len({column(pa.array([1], pa.int64()).cast(kind)) for kind in kinds}) == 3


def test_the_width_of_numbers_and_the_unit_of_moments_do_not_matter():
    assert column([1, -2, None], pa.int32()) == column([1, -2, None], pa.int64()) == column(["1", "-2", None])
    assert column([1, 2], pa.uint8()) == column([1, 2], pa.int64()) == column([1, 2], pa.uint64())
    moment = dt.datetime(2024, 2, 29, 12, 30)
    assert column([moment], pa.timestamp("s")) == column([moment], pa.timestamp("us"))
    assert column([moment], pa.timestamp("ns")) == column([moment], pa.timestamp("us"))
    assert (
        column([dt.date(2024, 2, 29)])
        == column([dt.datetime(2024, 2, 29)])
        == column(["2024-02-29 00:00:00"])
    )


@given(st.lists(st.decimals(-(10**9), 10**9, places=4), max_size=20))
def test_decimals_count_by_their_value(values):
    texts = [f"{value:f}" for value in values]
    assert column(values, pa.decimal128(18, 4)) == column(texts, pa.string())
    assert column(values, pa.decimal128(30, 9)) == column(texts, pa.string())
    assert column([Decimal("1.50")], pa.decimal128(5, 2)) == column([1.5]) == column(["1.5"])


def test_employees_have_the_same_digest_in_any_order():
    rows = employees(5).batch(0, 2_000)
    order = list(range(2_000))
    random.Random(1).shuffle(order)
    assert digest_of([rows.take(pa.array(order))]) == digest_of([rows])
    assert digest_of([rows.slice(0, 1_999)]) != digest_of([rows])
    assert digest_of([rows]) == naive.digest(rows.to_pylist())


def test_many_threads_may_add_to_one_digest():
    rows = employees(5).batch(0, 20_000)
    digest = Digest()
    list(map_ordered(digest.add, [rows.slice(n, 100) for n in range(0, 20_000, 100)], workers=4))
    assert f"{digest.records}:{digest}" == digest_of([rows])
