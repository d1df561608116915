"""Row groups that were encoded by themselves are one file, for every reader."""

from __future__ import annotations

import datetime as dt
import io
import struct

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gidbench.files import parquet_writer
from gidbench.files.parquet_writer import ParquetWriter
from gidbench.files.thrift import read_struct, write_struct

SCHEMA = pa.schema(
    [
        ("n", pa.int64()),
        ("text", pa.string()),
        ("day", pa.date32()),
        ("truth", pa.bool_()),
        ("x", pa.float64()),
        ("moment", pa.timestamp("us")),
        ("nothing", pa.null()),
        ("a.b", pa.string()),
    ]
)
rows = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-(2**63), 2**63 - 1),
        "text": st.none() | st.text(max_size=6),
        "day": st.none() | st.dates(),
        "truth": st.none() | st.booleans(),
        "x": st.none() | st.floats(allow_nan=False),
        "moment": st.none() | st.datetimes(),
        "nothing": st.none(),
        "a.b": st.sampled_from(["x", "y"]),
    }
)


def written(batches: list[pa.RecordBatch], schema: pa.Schema) -> bytes:
    sink = io.BytesIO()
    writer = ParquetWriter(sink, schema)
    prepared = [writer.prepare(batch) for batch in batches]
    for each in prepared:
        writer.write(each)
    writer.close()
    return sink.getvalue()


@settings(max_examples=40)
@given(st.lists(st.lists(rows, max_size=8), max_size=4))
def test_every_part_is_read_back(parts: list[list[dict[str, object]]]) -> None:
    batches = [pa.RecordBatch.from_pylist(part, SCHEMA) for part in parts]
    found = pq.read_table(io.BytesIO(written(batches, SCHEMA)))
    assert found.schema == SCHEMA
    assert found.to_pylist() == [row for part in parts for row in part]


@pytest.fixture
def three_groups(tmp_path):
    table = pa.table(
        {
            "id": pa.array(range(30_000)),
            "city": [f"city {i % 5}" for i in range(30_000)],
            "name": [f"name {i}" for i in range(30_000)],
            "day": [dt.date(2024, 1, 1) + dt.timedelta(i % 300) for i in range(30_000)],
        }
    )
    path = tmp_path / "t.parquet"
    path.write_bytes(written(table.to_batches(max_chunksize=10_000), table.schema))
    return path, table


def test_other_readers_find_the_same(three_groups) -> None:
    path, table = three_groups
    assert duckdb.sql(f"SELECT * FROM '{path}'").to_arrow_table().cast(table.schema).equals(table)
    assert pl.read_parquet(path).to_arrow().cast(table.schema).equals(table)
    # the statistics of the middle group decide on this one
    assert duckdb.sql(
        f"SELECT count(*), min(id) FROM '{path}' WHERE id BETWEEN 10000 AND 19999"
    ).fetchall() == [(10_000, 10_000)]


def test_the_footer_says_what_is_in_the_groups(three_groups) -> None:
    path, _ = three_groups
    footer = pq.ParquetFile(path).metadata
    assert (footer.num_rows, footer.num_row_groups) == (30_000, 3)
    for group in range(3):
        column = footer.row_group(group).column(0)
        assert (column.statistics.min, column.statistics.max) == (group * 10_000, group * 10_000 + 9_999)
        assert column.compression == "SNAPPY"


def test_a_dictionary_is_made_where_values_repeat_and_only_there(three_groups) -> None:
    path, _ = three_groups
    group = pq.ParquetFile(path).metadata.row_group(1)
    dictionaries = [group.column(place).has_dictionary_page for place in range(4)]
    assert dictionaries == [False, True, False, True]


def test_large_parts_become_several_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_writer, "MOST_ROWS", 100)
    batch = pa.RecordBatch.from_pydict({"a": list(range(250))})
    found = pq.ParquetFile(io.BytesIO(written([batch, batch], batch.schema)))
    assert [found.metadata.row_group(group).num_rows for group in range(6)] == [100, 100, 50] * 2
    assert found.read().column("a").to_pylist() == [*range(250), *range(250)]


def test_a_file_without_rows_or_columns() -> None:
    assert pq.read_table(io.BytesIO(written([], SCHEMA))).schema == SCHEMA
    assert pq.read_table(io.BytesIO(written([], pa.schema([])))).num_columns == 0


def test_more_groups_than_ordinals_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_writer, "_MOST_ORDINALS", 2)
    batch = pa.RecordBatch.from_pydict({"a": [1]})
    assert pq.read_table(io.BytesIO(written([batch] * 4, batch.schema))).num_rows == 4


@settings(max_examples=25)
@given(st.lists(rows, min_size=1, max_size=20), st.integers(1, 30))
def test_footers_come_back_byte_by_byte(content: list[dict[str, object]], columns: int) -> None:
    table = pa.Table.from_pylist(content, SCHEMA)
    for place in range(columns):
        table = table.append_column(f"more {place}", pa.array(range(len(content))))
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=3, write_page_index=True, store_decimal_as_integer=True)
    data = sink.getvalue()
    (length,) = struct.unpack("<I", data[-8:-4])
    footer = data[-8 - length : -8]
    assert write_struct(read_struct(footer)) == footer


def test_a_footer_of_unknown_values_is_refused() -> None:
    with pytest.raises(ValueError, match="kind 13"):
        read_struct(b"\x1d\x00")
