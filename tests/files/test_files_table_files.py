"""Parquet and Arrow files as tables of text: what every type becomes, and which file is refused."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.errors import InputError
from gidbench.files.options import DEFAULTS, Limits, ReadOptions
from gidbench.files.readers import open_reader
from gidbench.files.table_texts import as_texts

UTC, JAKARTA = dt.UTC, dt.timezone(dt.timedelta(hours=7))
NOON = dt.datetime(2024, 2, 29, 12, 30, 5)


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array(["a", None, "", "é\n"]), ["a", "", "", "é\n"]),
        (pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
        (
            pa.array(["long enough not to be inline", None], pa.string_view()),
            ["long enough not to be inline", ""],
        ),
        (pa.array(["x", None, "x"]).dictionary_encode(), ["x", "", "x"]),
        (pa.array([1, None, -5], pa.int8()), ["1", "", "-5"]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([1.0, 0.1 + 0.2, None, -2.5]), ["1", "0.30000000000000004", "", "-2.5"]),
        (
            pa.array([3201010101900001.0, 1e15, 1e20, 1e21]),
            ["3201010101900001", "1" + "0" * 15, "1" + "0" * 20, "1e21"],
        ),
        (pa.array([1e-5, 1e-6, 1e-7, 1.5e300]), ["0.00001", "0.000001", "1e-7", "1.5e300"]),
        (pa.array([math.nan, math.inf, -math.inf, -0.0]), ["nan", "inf", "-inf", "-0"]),
        (pa.array([0.1, 16777216.0], pa.float32()), ["0.1", "16777216"]),
        (pa.array([True, None, False]), ["true", "", "false"]),
        (pa.array([decimal.Decimal("17.250"), None]), ["17.250", ""]),
        (pa.array([decimal.Decimal(1000)], pa.decimal128(5, -2)), ["1000"]),
        (pa.array([decimal.Decimal("0.0000000001")], pa.decimal128(20, 10)), ["0.0000000001"]),
        (pa.array([dt.date(1, 1, 1), None]), ["0001-01-01", ""]),
        (pa.array([dt.date(2024, 2, 29)], pa.date64()), ["2024-02-29"]),
        (pa.array([NOON], pa.timestamp("s")), ["2024-02-29 12:30:05"]),
        (
            pa.array([NOON, NOON.replace(microsecond=120), None], pa.timestamp("us")),
            ["2024-02-29 12:30:05", "2024-02-29 12:30:05.00012", ""],
        ),
        (pa.array([NOON.replace(second=0, minute=0, hour=0)], pa.timestamp("ms")), ["2024-02-29 00:00:00"]),
        (pa.array([NOON], pa.timestamp("us", "UTC")), ["2024-02-29 12:30:05+0000"]),
        (
            pa.array([NOON.replace(tzinfo=UTC)], pa.timestamp("ms", "Asia/Jakarta")),
            ["2024-02-29 19:30:05+0700"],
        ),
        (pa.array([dt.time(1, 2, 3), dt.time(1, 2, 3, 500000)]), ["01:02:03", "01:02:03.5"]),
        (pa.array([90, None], pa.duration("s")), ["90", ""]),
        (pa.array([b"caf\xc3\xa9", None], pa.binary()), ["café", ""]),
        (pa.array([b"\xff\x00", b"plain"], pa.binary()), ["ff00", "plain"]),
        (pa.array([[1, None], None, []]), ["[1, null]", "", "[]"]),
        (pa.array([{"a": dt.date(2024, 1, 2), "b": "é"}]), ['{"a": "2024-01-02", "b": "é"}']),
        (pa.nulls(2), ["", ""]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)
def test_every_type_has_its_text(column: pa.Array, texts: list[str]) -> None:
    found = as_texts(column)
    assert found.to_pylist() == texts
    assert found.type == pa.string()
    assert as_texts(column.slice(1)).to_pylist() == texts[1:]
    found.validate(full=True)


@given(st.lists(st.floats(allow_nan=False)))
def test_a_double_reads_back_from_its_text(values: list[float]) -> None:
    texts = as_texts(pa.array(values, pa.float64())).to_pylist()
    assert [float(text).hex() for text in texts] == [value.hex() for value in values]
    for text, value in zip(texts, values, strict=True):
        assert "e" not in text or not 1e-6 <= abs(value) < 1e21


def write(path: Path, table: pa.Table, **options: object) -> None:
    if path.suffix == ".parquet":
        pq.write_table(table, path, **options)
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=options.get("row_group_size"))


def rows_of(path: Path, options: ReadOptions = DEFAULTS) -> list[tuple[str, ...]]:
    with open_reader(path, options) as reader:
        found = []
        units = 0
        for count, chunk in reader.chunks():
            units += count
            batch = reader.parse(chunk, range(len(reader.header)))
            assert not batch.flags.any()
            assert batch.lines.tolist() == list(range(batch.line_count))
            found += list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        assert units == reader.size
        return found


TABLE = pa.table({"id": list(range(200_000)), "name": [f"n{i % 7}" for i in range(200_000)]})


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_file_is_read_in_order_whatever_its_groups(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    write(path, TABLE, row_group_size=150_000)
    assert rows_of(path) == [(str(i), f"n{i % 7}") for i in range(200_000)]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_the_face_of_a_reader(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    write(path, pa.table({"a": [1, 2], "": ['say "x"', "y"], "a ": [None, True]}))
    with open_reader(path) as reader:
        assert reader.header == ["a", "", "a "]
        assert (reader.header_rows, reader.header_lines, reader.unit, reader.size) == (1, 0, "rows", 2)
        assert {each.what: each.sure for each in reader.decisions} == {"read by": 1.0, "columns": 1.0}
        [(count, chunk)] = reader.chunks()
        [(again, _)] = reader.chunks()
        assert count == again == 2
        batch = reader.parse(chunk, (2, 0))
        assert [column.to_pylist() for column in batch.columns] == [["", "true"], ["1", "2"]]
        assert batch.raw(0) == '1,"say ""x""",'
        assert list(reader.sheets()) == [reader]


def test_an_arrow_stream_in_a_file_is_read_as_often_as_asked(tmp_path: Path) -> None:
    with pa.ipc.new_stream(tmp_path / "t.arrow", TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=70_000)
    with open_reader(tmp_path / "t.arrow") as reader:
        for _ in range(2):
            assert sum(count for count, _ in reader.chunks()) == 200_000


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"PAR1", b"ARROW1\0\0" * 4, b"\0" * 100])
def test_what_is_no_such_file_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"t\.\w+ cannot be read as (Parquet|Arrow)"):
        rows_of(path)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    write(path, TABLE)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="cannot be read as"):
        rows_of(path)


def test_a_page_that_was_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write(path, TABLE)
    content = bytearray(path.read_bytes())
    content[4:4000] = b"\xff" * 3996
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        rows_of(path)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_more_columns_than_allowed_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    write(path, pa.table({f"c{i}": [i] for i in range(11)}))
    options = ReadOptions(limits=Limits(columns=10))
    with pytest.raises(InputError, match="11 columns; the limit is 10"):
        rows_of(path, options)
    assert len(rows_of(path)[0]) == 11
