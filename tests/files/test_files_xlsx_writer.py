"""xlsx: every type of cell as independent readers see it, and containers that any zip program opens."""

from __future__ import annotations

import csv
import io
import math
import shutil
import subprocess
import zipfile
import zlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas
import pyarrow as pa
import pytest
import python_calamine
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.errors import InputError
from gidbench.files import zip_stream
from gidbench.files.deflating import FINAL_BLOCK, combine, deflate
from gidbench.files.writers import write_file
from gidbench.files.zip_stream import ZipStream
from gidbench.generation.plan import employees

EPOCH = datetime(1899, 12, 30)


def cells(path: Path) -> list[tuple]:
    """Rows below the header, as openpyxl sees them."""
    return list(openpyxl.load_workbook(path).active.iter_rows(min_row=2, values_only=True))


def written(path: Path, **columns: pa.Array) -> list[tuple]:
    batch = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    write_file(path, [batch], batch.schema)
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
    return cells(path)


# --- types ----------------------------------------------------------------------------------------


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**53), 2**53), min_size=1))
@example([2**53, 2**53 + 1, -(2**53), -(2**53) - 1, None, 0])
def test_integers_are_numbers_as_far_as_a_double_holds_them_and_text_beyond(tmp_path, values):
    found = [row[0] for row in written(tmp_path / "t.xlsx", n=pa.array(values, pa.int64()))]
    expected = [value if value is None or abs(value) <= 2**53 else str(value) for value in values]
    assert found == expected


@given(st.lists(st.none() | st.decimals(-(10**12), 10**12, places=3), min_size=1))
def test_decimals_are_numbers(tmp_path, values):
    found = [row[0] for row in written(tmp_path / "t.xlsx", n=pa.array(values, pa.decimal128(16, 3)))]
    assert [None if v is None else Decimal(str(v)) for v in found] == values


def test_decimals_of_too_many_digits_are_text():
    values = [Decimal("1234567890123.456"), Decimal("123456789012.456"), None]
    [row, other, nothing] = written(Path("t.xlsx"), n=pa.array(values, pa.decimal128(18, 3)))
    assert (row[0], other[0], nothing[0]) == ("1234567890123.456", 123456789012.456, None)


@given(st.lists(st.none() | st.floats(), min_size=1))
@example([0.1, 1e300, math.nan, math.inf, -0.0])
def test_floats_are_numbers_that_round_trip_and_text_where_there_is_none(tmp_path, values):
    found = [row[0] for row in written(tmp_path / "t.xlsx", n=pa.array(values, pa.float64()))]
    for value, cell in zip(values, found, strict=True):
        if value is None:
            assert cell is None
        elif math.isfinite(value):
            assert cell == value
        else:
            assert cell in ("nan", "inf", "-inf")


def test_truth_values_are_truth_values(tmp_path):
    found = written(tmp_path / "t.xlsx", t=pa.array([True, None, False]), n=pa.array([1, 2, 3]))
    assert found == [(True, 1), (None, 2), (False, 3)]


MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


@given(st.lists(st.none() | MOMENTS, min_size=1))
def test_moments_are_dates_to_the_millisecond(tmp_path, values):
    found = [row[0] for row in written(tmp_path / "t.xlsx", m=pa.array(values, pa.timestamp("us")))]
    assert found == values


def test_what_is_before_excels_calendar_is_iso_text(tmp_path):
    days = [date(1899, 12, 31), date(1900, 1, 1), date(1066, 10, 14), None]
    moments = [datetime(1899, 12, 31, 23, 59), datetime(1900, 1, 1), datetime(2024, 1, 1, 6), None]
    found = written(
        tmp_path / "t.xlsx", d=pa.array(days, pa.date32()), m=pa.array(moments, pa.timestamp("us"))
    )
    assert [row[0] for row in found] == ["1899-12-31", datetime(1900, 1, 1), "1066-10-14", None]
    assert [row[1] for row in found] == ["1899-12-31 23:59:00.000000", moments[1], moments[2], None]


def test_a_text_that_is_too_long_is_refused_with_its_column(tmp_path):
    written(tmp_path / "t.xlsx", t=pa.array(["x" * 32_767, "é" * 32_767]))
    with pytest.raises(InputError, match=r"32,768 characters in story .* takes 32,767"):
        written(tmp_path / "u.xlsx", story=pa.array(["🙂" * 16_384]))
    assert not (tmp_path / "u.xlsx").exists()


@given(
    st.lists(st.tuples(st.none() | st.text(max_size=5), st.none() | st.integers(0, 9)), min_size=1), st.data()
)
def test_slices_are_written_as_what_they_show(tmp_path, rows, data):
    texts, numbers = zip(*rows, strict=True)
    batch = pa.RecordBatch.from_arrays(
        [pa.array(texts, pa.string()), pa.array(numbers, pa.int64())], ["t", "n"]
    )
    start = data.draw(st.integers(0, len(rows)))
    path, other = tmp_path / "slice.xlsx", tmp_path / "own.xlsx"
    write_file(path, [batch.slice(start)], batch.schema)
    own = pa.RecordBatch.from_arrays(
        [pa.array(texts[start:], pa.string()), pa.array(numbers[start:], pa.int64())], ["t", "n"]
    )
    write_file(other, [own], batch.schema)
    assert path.read_bytes() == other.read_bytes()


def test_columns_have_widths_and_the_header_is_bold(tmp_path):
    write_file(tmp_path / "t.xlsx", [employees(1).batch(0, 3)], employees(1).schema)
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    assert [sheet.column_dimensions[letter].width for letter in "ABFH"] == [12, 22, 12, 20]
    assert all(cell.font.bold for cell in sheet[1])
    assert not sheet["A2"].font.bold


# --- other readers --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people() -> pa.RecordBatch:
    return employees(11).batch(0, 3_000)


def test_openpyxl_calamine_and_pandas_see_the_same_people(tmp_path, people):
    path = tmp_path / "people.xlsx"
    write_file(path, [people], people.schema)
    expected = [tuple(row.values()) for row in people.to_pylist()]

    def plain(row: tuple) -> tuple:
        values = [None if value == "" else value for value in row]
        values[0] = int(values[0])
        values[5] = values[5].date() if isinstance(values[5], datetime) else values[5]
        return tuple(values)

    assert [plain(row) for row in cells(path)] == expected
    sheet = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    assert [plain(tuple(row)) for row in sheet.to_python()[1:]] == expected
    frame = pandas.read_excel(path, dtype={"no_ktp": str}, engine="openpyxl")
    assert frame["no_ktp"].tolist() == people["no_ktp"].to_pylist()
    assert frame["created_at"].tolist() == people["created_at"].to_pylist()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_sees_the_same_people(tmp_path, people):
    path = tmp_path / "people.xlsx"
    write_file(path, [people], people.schema)
    subprocess.run(
        [
            *("soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to"),
            *(
                "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true",
                "--outdir",
                str(tmp_path),
                str(path),
            ),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    with (tmp_path / "people.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == people.schema.names
    expected = [["" if value is None else str(value) for value in row.values()] for row in people.to_pylist()]
    assert rows == expected


# --- deflate and zip ------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_pieces_in_a_row_are_one_stream_with_one_checksum(parts):
    pieces = [deflate(part) for part in parts]
    stream = b"".join(piece.data for piece in pieces) + FINAL_BLOCK
    unpacker = zlib.decompressobj(-15)
    assert unpacker.decompress(stream) == b"".join(parts)
    assert unpacker.eof
    crc = 0
    for piece in pieces:
        crc = combine(crc, piece.crc, piece.length)
    assert crc == zlib.crc32(b"".join(parts))


@pytest.mark.parametrize("large", [False, True])
def test_entries_are_read_back_also_in_the_form_for_large_ones(monkeypatch, large):
    if large:
        monkeypatch.setattr(zip_stream, "_MOST_32", 40)
    file = io.BytesIO(b"before")
    file.seek(0, io.SEEK_END)
    container = ZipStream(file)
    container.add("small", "x")
    container.begin("ordner/größer.xml")
    for part in (b"a" * 50, b"", b"b" * 60):
        container.append(deflate(part))
    container.end()
    container.close()
    if large:  # the marks must be what readers look for
        data = file.getvalue()[6:].replace((40).to_bytes(4, "little"), b"\xff\xff\xff\xff")
    else:
        data = file.getvalue()[6:]
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        assert found.read("small") == b"x"
        assert found.read("ordner/größer.xml") == b"a" * 50 + b"b" * 60
        assert {entry.date_time for entry in found.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_serial_numbers_hold_a_microsecond_as_far_as_a_double_does(tmp_path):
    moments = [datetime(2024, 2, 29, 23, 59, 59, 999_999), datetime(1900, 3, 1, 0, 0, 0, 1)]
    written(tmp_path / "t.xlsx", m=pa.array(moments, pa.timestamp("us")))
    with zipfile.ZipFile(tmp_path / "t.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    serials = [float(part.split("</v>")[0]) for part in sheet.split("<v>")[1:]]
    for moment, serial in zip(moments, serials, strict=True):
        assert abs(EPOCH + timedelta(days=serial) - moment) <= timedelta(microseconds=1)
