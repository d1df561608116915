"""digest: the checksum that verifies every round."""

from __future__ import annotations

import datetime as dt
import random

import naive
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench import generation
from gidbench.digest import checksum

TYPES = {"text": pa.string(), "number": pa.int64(), "day": pa.date32(), "moment": pa.timestamp("us")}
ROWS = st.lists(
    st.tuples(
        st.none() | st.text(max_size=12),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.dates(),
        st.none() | st.datetimes(),
    ),
    max_size=12,
)


def batch(rows) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else [[]] * len(TYPES)
    return pa.RecordBatch.from_arrays(
        [pa.array(list(column), kind) for column, kind in zip(columns, TYPES.values(), strict=True)],
        list(TYPES),
    )


def column(values, kind=None) -> str:
    return checksum([pa.RecordBatch.from_arrays([pa.array(values, kind)], ["column"])])


def twin(rows) -> str:
    total = 0
    for row in rows:
        cells = [
            row[0] if row[0] is None else row[0].encode(),
            row[1],
            row[2] if row[2] is None else (row[2] - naive.EPOCH).days,
            row[3] if row[3] is None else (row[3] - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1),
        ]
        state = 0
        for position, cell in enumerate(cells, 1):
            fold = naive.fold_text if position == 1 else naive.fold_integer
            state = fold(state, position * naive.GAMMA % naive.TWO_64, cell)
        total += state
    return f"{len(rows)}:{total % naive.TWO_64:016x}"


@given(ROWS)
def test_the_checksum_equals_its_twin(rows):
    assert checksum([batch(rows)]) == twin(rows)


@given(ROWS, st.randoms(use_true_random=False), st.data())
def test_order_and_batches_do_not_matter(rows, chance, data):
    whole = checksum([batch(rows)])
    shuffled = list(rows)
    chance.shuffle(shuffled)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    parts = [batch(shuffled[low:high]) for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    assert checksum(parts) == whole
    assert checksum(batch([row]) for row in shuffled) == whole
    table = batch(shuffled)
    assert (
        checksum(
            table.slice(low, high - low) for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True)
        )
        == whole
    )


@given(ROWS.filter(bool), st.data())
def test_any_changed_cell_changes_the_checksum(rows, data):
    row, place = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 3))
    kinds = [st.none() | st.text(max_size=12), st.none() | st.integers(-(2**63), 2**63 - 1)]
    kinds += [st.none() | st.dates(), st.none() | st.datetimes()]
    other = data.draw(kinds[place].filter(lambda value: value != rows[row][place]))
    changed = list(rows)
    changed[row] = (*rows[row][:place], other, *rows[row][place + 1 :])
    assert checksum([batch(changed)]) != checksum([batch(rows)])


def test_nothing_has_a_checksum():
    assert checksum([]) == "0:0000000000000000"
    assert checksum([batch([])]) == "0:0000000000000000"


def test_rows_count_as_often_as_they_occur():
    assert column(["a", "a", "b"]) != column(["a", "b", "b"])
    assert column(["a", "a"]) != column(["a"])
    assert column(["a", "a"]) != column(["b", "b"])


def test_values_do_not_move_between_columns_or_cells():
    def two(left, right):
        return checksum([pa.RecordBatch.from_arrays([pa.array(left), pa.array(right)], ["a", "b"])])

    assert two(["x"], ["y"]) != two(["y"], ["x"])
    assert two(["ab"], ["c"]) != two(["a"], ["bc"])
    assert two(["x", "y"], ["1", "2"]) != two(["x", "y"], ["2", "1"])


def test_null_is_neither_empty_nor_zero_nor_the_number_that_stands_for_it():
    assert len({column([None, "x"], pa.string()), column(["", "x"]), column(["null", "x"])}) == 3
    assert len({column([number], pa.int64()) for number in (None, 0, -1, 0x6E756C6C)}) == 4


def test_columns_of_nothing_but_nulls_have_a_checksum():
    assert column([None] * 3, pa.string()) != column([None] * 2, pa.string())
    assert column([None, None], pa.string()) == column(pa.array(["x", None, None]).slice(1))


def test_the_width_of_an_integer_and_the_unit_of_a_moment_do_not_matter():
    assert column([1, -2, None], pa.int32()) == column([1, -2, None], pa.int64())
    moment = dt.datetime(2024, 2, 29, 12, 30)
    assert column([moment], pa.timestamp("s")) == column([moment], pa.timestamp("us"))


@pytest.mark.parametrize("kind", [pa.float64(), pa.bool_(), pa.binary()])
def test_a_type_without_a_checksum_is_refused_by_name(kind):
    with pytest.raises(TypeError, match=f"type {kind} has no checksum"):
        column(pa.nulls(1, kind))


def test_employees_have_the_same_checksum_in_any_order():
    rows = generation.employees(5, 0, 2_000)
    order = list(range(2_000))
    random.Random(1).shuffle(order)
    assert checksum([rows.take(pa.array(order))]) == checksum([rows])
    assert checksum([rows.slice(0, 1_999)]) != checksum([rows])
