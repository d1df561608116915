"""generation: row i is a function of (seed, i), whoever makes it and in whatever parts."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
from functools import cache
from importlib import resources
from itertools import pairwise

import naive
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.digest import digest_of
from gidbench.engine import map_ordered
from gidbench.errors import CapacityError, InputError
from gidbench.generation import tables
from gidbench.generation.plan import employees, parts
from gidbench.records import EMPLOYEE

SEEDS = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1))
CAPACITY = 6_760_000_000  # passports: two letters, seven digits


def rows(seed: int, first: int, count: int) -> pa.RecordBatch:
    return employees(seed).batch(first, count)


# --- The twin of a whole row, from the data files on --------------------------------------------


def data_rows(name: str) -> list[list[str]]:
    text = resources.files("gidbench").joinpath("data", name).read_text("utf-8")
    return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@cache
def pool(name: str) -> list[str]:
    return [word for word, _ in data_rows(f"{name}.txt")]


@cache
def areas() -> list[int]:
    """Regencies are numbered from 01, cities from 71, their districts from 01."""
    codes = []
    for province, regencies, cities, districts, city_districts in (
        map(int, row) for row in data_rows("areas.txt")
    ):
        for kind, places, inside in ((1, regencies, districts), (71, cities, city_districts)):
            codes += [
                int(f"{province}{place:02d}{district:02d}")
                for place in range(kind, kind + places)
                for district in range(1, inside + 1)
            ]
    return codes


def twin(seed: int, row: int) -> dict:
    known = tables.name_tables()  # the spread of their entries has its own tests
    firsts = pool("first_names_male") + pool("first_names_female")
    names = firsts, known.first_entries.reshape(2, -1), pool("last_names"), known.last_entries
    return naive.employee(seed, row, areas(), names)


@given(SEEDS, st.one_of(st.integers(0, 10**6), st.integers(0, CAPACITY - 1)))
@example(2**64 - 1, CAPACITY - 1)
def test_any_row_alone_equals_its_twin(seed, row):
    assert rows(seed, row, 1).to_pylist() == [twin(seed, row)]


def test_the_first_rows_equal_their_twins():
    assert rows(42, 0, 400).to_pylist() == [twin(42, row) for row in range(400)]


# --- What must never change ----------------------------------------------------------------------

GOLDEN_ROWS = [
    {
        "id": 1,
        "name": "Fajar",
        "personal_number": "EMP-2024-0000001",
        "no_ktp": "3207241912723793",
        "passport_id": None,
        "bod": dt.date(1972, 12, 19),
        "g_id": None,
        "created_at": dt.datetime(2024, 1, 13, 16, 52, 22),
        "updated_at": dt.datetime(2024, 8, 29, 15, 58, 41),
        "deleted_at": None,
    },
    {
        "id": 2,
        "name": "Susi Tanoto",
        "personal_number": "EMP-2020-0000002",
        "no_ktp": "3317144207805975",
        "passport_id": None,
        "bod": dt.date(1980, 7, 2),
        "g_id": None,
        "created_at": dt.datetime(2020, 8, 30, 16, 10, 15),
        "updated_at": dt.datetime(2020, 10, 13, 8, 21, 34),
        "deleted_at": None,
    },
    {
        "id": 3,
        "name": "Suryadi Siregar",
        "personal_number": "EMP-2016-0000003",
        "no_ktp": "9202150606731260",
        "passport_id": None,
        "bod": dt.date(1973, 6, 6),
        "g_id": None,
        "created_at": dt.datetime(2016, 12, 7, 12, 31, 11),
        "updated_at": dt.datetime(2024, 4, 26, 4, 38, 2),
        "deleted_at": None,
    },
]
GOLDEN_SHA256 = "ec86afd406c4122016f14c0d358738d9385462429a9a01b27f8c0a29f959bf9e"
GOLDEN_DIGEST = "1000:14ac8cb8f852320c49f30292c4982299"
GOLDEN_FAR = ["3307024710617270", "3276042206712825", "1702031711996685"]


def test_the_first_rows_of_seed_0_are_these():
    assert rows(0, 0, 3).to_pylist() == GOLDEN_ROWS


def test_the_first_thousand_rows_of_seed_2025_are_these_bytes():
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    table = rows(2025, 0, 1_000)
    writer.writerow(table.schema.names)
    writer.writerows(row.values() for row in table.to_pylist())
    assert hashlib.sha256(text.getvalue().encode()).hexdigest() == GOLDEN_SHA256
    assert digest_of([table]) == GOLDEN_DIGEST


def test_later_rows_are_pinned_too():
    assert [
        rows(0, first, 1).column("no_ktp")[0].as_py() for first in (10**6, 10**9, CAPACITY - 1)
    ] == GOLDEN_FAR


# --- Splits --------------------------------------------------------------------------------------


@given(SEEDS, st.integers(0, CAPACITY - 300), st.lists(st.integers(0, 300), max_size=6))
@example(0, 0, [1, 2, 3, 8, 9])
@example(0, 0, [150, 150])
def test_parts_cut_anywhere_equal_the_whole(seed, first, cuts):
    whole = rows(seed, first, 300)
    pieces = [rows(seed, first + low, high - low) for low, high in pairwise([0, *sorted(cuts), 300])]
    assert pa.Table.from_batches(pieces) == pa.Table.from_batches([whole])


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("size", [1, 7, 64, 1_000, 5_000])
def test_neither_the_batch_size_nor_the_workers_change_a_row(size, workers):
    def make(part: tuple[int, int]) -> pa.RecordBatch:
        return rows(9, *part)

    batches = list(map_ordered(make, parts(100, 1_500, size), workers=workers))
    assert pa.Table.from_batches(batches) == pa.Table.from_batches([rows(9, 100, 1_500)])


def test_batches_made_at_the_same_time_do_not_touch_each_other():
    expected = [rows(seed, 0, 3_000).to_pydict() for seed in range(8)]
    made = list(map_ordered(lambda seed: rows(seed, 0, 3_000), range(8), workers=4))
    assert [batch.to_pydict() for batch in made] == expected


@given(st.integers(0, 10**9), st.integers(0, 5_000), st.integers(1, 700))
def test_parts_cover_the_range_once_in_order_and_none_is_empty(first, count, size):
    cut = list(parts(first, count, size))
    assert [row for start, length in cut for row in (start, start + length)] == [
        edge
        for start in range(first, first + count, size)
        for edge in (start, min(start + size, first + count))
    ]
    assert all(1 <= length <= size for _, length in cut)
    assert sum(length for _, length in cut) == count


def test_seeds_have_nothing_in_common():
    table = [rows(seed, 0, 2_000) for seed in (0, 1, 2**63)]
    for name in ("no_ktp", "name", "created_at"):
        for one, other in pairwise(table):
            same = sum(a == b for a, b in zip(one[name].to_pylist(), other[name].to_pylist(), strict=True))
            assert same < 100, name
    assert len({no_ktp for batch in table for no_ktp in batch["no_ktp"].to_pylist()}) == 6_000


# --- Form ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1_000])
def test_batches_are_valid_arrow_of_exactly_the_schema(count):
    batch = rows(3, 0, count)
    batch.validate(full=True)
    assert batch.schema.equals(EMPLOYEE, check_metadata=True)
    assert batch.num_rows == count
    for field, column in zip(EMPLOYEE, batch.columns, strict=True):
        if not field.nullable:
            assert column.null_count == 0
        assert column.null_count == column.to_pylist().count(None), field.name


@pytest.mark.parametrize("count", [64, 128, 1_000])
def test_not_even_the_unused_bits_of_a_column_depend_on_what_the_memory_held(count):
    rows(9, 0, 5_000)  # leaves its traces where the next may come to lie
    one, other = (
        [
            buffer.to_pybytes() if buffer else None
            for column in rows(4, 0, count).columns
            for buffer in column.buffers()
        ]
        for _ in range(2)
    )
    assert one == other
    for name in ("passport_id", "deleted_at"):
        bits = np.frombuffer(rows(4, 0, count)[name].buffers()[0], np.uint8)
        assert not np.unpackbits(bits, bitorder="little")[count:].any()


def test_no_records_are_a_batch_of_no_rows_anywhere():
    for first in (0, 12_345, CAPACITY):
        assert rows(1, first, 0).to_pylist() == []
    assert list(parts(0, 0, 50_000)) == []
    employees(0).check(0, 0)


def test_ids_count_from_one():
    assert rows(1, 0, 3)["id"].to_pylist() == [1, 2, 3]
    assert rows(1, CAPACITY - 1, 1)["id"].to_pylist() == [CAPACITY]


# --- Limits --------------------------------------------------------------------------------------


def test_the_last_row_can_be_had_and_no_more():
    plan = employees(0)
    plan.check(CAPACITY - 1, 1)
    plan.check(0, CAPACITY)
    rows(0, CAPACITY - 1, 1).validate(full=True)


@pytest.mark.parametrize(
    ("first", "count", "asked"),
    [(0, CAPACITY + 1, "6,760,000,001"), (CAPACITY, 1, "6,760,000,001"), (10**18, 10**18, f"{2 * 10**18:,}")],
)
def test_more_rows_than_there_are_numbers_for_is_a_capacity_error_with_both_numbers(first, count, asked):
    with pytest.raises(CapacityError) as caught:
        employees(0).check(first, count)
    assert asked in caught.value.problem
    assert re.search(r"only [0-9,]+ different values", caught.value.problem)
    assert "fewer" in caught.value.remedy


@pytest.mark.parametrize(("first", "count"), [(0, -1), (-1, 5), (-5, 3)])
def test_a_negative_range_is_an_input_error_with_its_numbers(first, count):
    with pytest.raises(InputError) as caught:
        employees(0).check(first, count)
    assert f"{count:,} records from row {first:,}" in caught.value.problem


@pytest.mark.parametrize("seed", [-1, 2**64, -(2**70)])
def test_a_seed_outside_64_bits_is_an_input_error_with_value_and_limit(seed):
    with pytest.raises(InputError) as caught:
        employees(seed)
    assert str(seed) in caught.value.problem
    assert "0 .. 2^64 - 1" in caught.value.problem


def test_a_name_that_does_not_fit_the_table_is_refused_by_name():
    tables._padded([b"x" * 16], 16)
    with pytest.raises(InputError, match=r"xxxxxxxxxxxxxxxxx.* is over 16 bytes"):
        tables._padded([b"Al", b"x" * 17], 16)
