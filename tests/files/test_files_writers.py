"""One contract for every writer: what goes in comes out, whole or not at all, however it is cut."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet
import pytest
import python_calamine
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gidbench.engine import work_ordered
from gidbench.errors import InputError, StoreError
from gidbench.files.csv_writer import CsvWriter, guarded
from gidbench.files.workbooks.reader import WorkbookReader
from gidbench.files.writers import WRITERS, CsvOptions, check_destination, open_writer, recut, write_file
from gidbench.files.xlsx_writer import XlsxWriter
from gidbench.generation.plan import employees
from gidbench.records import EMPLOYEE

SUFFIXES = sorted(WRITERS)
SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        ("text", pa.string()),
        ('note, odd <title> & "more"', pa.string()),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us")),
    ]
)
Row = tuple[int, str | None, str | None, date | None, datetime | None]

TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "a", "a,b", 'say "a"', "a\nb", "a\r\nb", "a\rb", "\t", " lead", "trail "]),
    st.sampled_from(["<&>'\"", "]]>", "&amp;", "=1+1", "0012", "NULL", "1e5", "2020-01-01"]),
    st.sampled_from(["\x00", "\x01\x1f", "\x7f\x85", "_x0041_", "_x000D_", "_x005F_", "__x0041_", "\ufffe"]),
    st.sampled_from(["\uffff", "é🙂", "e\u0301", "\xa0nbsp\xa0", "\u2028"]),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=6),
)
DAYS = st.none() | st.dates(date(1900, 1, 1), date(2199, 12, 31))
MILLISECOND = timedelta(milliseconds=1)
MOMENTS = st.none() | st.integers(0, (datetime(2199, 1, 1) - datetime(1900, 1, 1)) // MILLISECOND).map(
    lambda count: datetime(1900, 1, 1) + count * MILLISECOND
)
ROWS = st.lists(st.tuples(st.integers(0, 2**53), TEXTS, TEXTS, DAYS, MOMENTS), max_size=25)
CUTS = st.lists(st.integers(0, 25), max_size=5).map(sorted)


def table(rows: Iterable[Row]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def cut(whole: pa.Table, places: Iterable[int]) -> list[pa.RecordBatch]:
    """The rows as slices of one batch, between the places; some of them may be empty."""
    batches = whole.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=whole.schema)]
    bounds = [0, *(min(place, whole.num_rows) for place in places), whole.num_rows]
    return [batches[0].slice(low, high - low) for low, high in pairwise(bounds)]


def write(path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema = SCHEMA) -> Path:
    write_file(path, batches, schema)
    return path


def in_parts_of(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every writer take small parts."""
    for writer in WRITERS.values():
        monkeypatch.setattr(writer, "part_rows", rows)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- reading back ---------------------------------------------------------------------------------------


def unescaped(value: Any) -> Any:
    """openpyxl leaves the _xHHHH_ of ECMA-376 (22.9.2.19) in inline strings as they are."""
    if not isinstance(value, str):
        return value
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), value)


def by_csv_module(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    assert header == SCHEMA.names
    return [
        (
            int(number),
            text or None,
            note or None,
            date.fromisoformat(day) if day else None,
            datetime.fromisoformat(moment) if moment else None,
        )
        for number, text, note, day, moment in rows
    ]


def by_pyarrow_csv(path: Path) -> list[Row]:
    found = pa.csv.read_csv(
        path,
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=SCHEMA, strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True
        ),
    )
    assert found.schema.names == SCHEMA.names
    return rows_of(found)


def by_parquet(path: Path) -> list[Row]:
    found = pa.parquet.read_table(path)
    assert found.schema == SCHEMA
    return rows_of(found)


def by_arrow(path: Path) -> list[Row]:
    found = pa.ipc.open_file(str(path)).read_all()
    assert found.schema == SCHEMA
    found.validate(full=True)
    return rows_of(found)


def by_openpyxl(path: Path) -> list[Row]:
    book = openpyxl.load_workbook(path)
    assert len(book.sheetnames) == 1
    header, *rows = book.active.iter_rows(values_only=True)
    assert list(header) == SCHEMA.names
    return [
        (number, unescaped(text) or None, unescaped(note) or None, day.date() if day else None, moment)
        for number, text, note, day, moment in rows
    ]


def by_calamine(path: Path) -> list[Row]:
    header, *rows = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert header == SCHEMA.names
    return [
        (
            int(number),
            text or None,
            note or None,
            (day.date() if isinstance(day, datetime) else day) if day != "" else None,
            as_moment(moment),
        )
        for number, text, note, day, moment in rows
    ]


def as_moment(value: Any) -> datetime | None:
    if value == "":
        return None
    return value if isinstance(value, datetime) else datetime.combine(value, datetime.min.time())


def by_our_reader(path: Path) -> list[Row]:
    reader = WorkbookReader(path, piece_bytes=700)
    assert reader.header == [name.strip() for name in SCHEMA.names]
    found: list[Row] = []
    for _, chunk in reader.chunks():
        columns = [column.to_pylist() for column in reader.parse(chunk, range(5)).columns]
        found += [
            (
                int(number),
                text or None,
                note or None,
                datetime.fromisoformat(day).date() if day else None,
                datetime.fromisoformat(moment) if moment else None,
            )
            for number, text, note, day, moment in zip(*columns, strict=True)
        ]
    reader.close()
    return found


def rows_of(found: pa.Table) -> list[Row]:
    return [tuple(row.values()) for row in found.to_pylist()]


def by_gzip_module(path: Path) -> list[Row]:
    plain = path.with_suffix(".plain")
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    return by_csv_module(plain)


def by_zstd_stream(path: Path) -> list[Row]:
    plain = path.with_suffix(".plain")
    with pa.input_stream(str(path), compression="zstd") as stream:
        plain.write_bytes(stream.read())
    return by_csv_module(plain)


READ_BACK = [
    (".csv", by_csv_module),
    (".csv.gz", by_gzip_module),
    (".csv.zst", by_zstd_stream),
    (".csv", by_pyarrow_csv),
    (".parquet", by_parquet),
    (".arrow", by_arrow),
    (".xlsx", by_openpyxl),
    (".xlsx", by_calamine),
    (".xlsx", by_our_reader),
]
KEEPS_EMPTY_TEXT = {".parquet", ".arrow"}  # in the others an empty text and no text are the same


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("suffix", "read"), READ_BACK, ids=lambda value: getattr(value, "__name__", value))
@settings(max_examples=40)
@given(rows=ROWS, places=CUTS)
@example([(1, "a\r", "\r\n", date(1900, 1, 1), datetime(1900, 1, 1))], [])
@example([(1, None, "_x0041_", date(1900, 2, 28), datetime(1900, 2, 28, 23, 59, 59, 999000))], [])
@example([(1, "", "\ufffe\uffff", date(1900, 3, 1), datetime(1900, 3, 1))], [])
def test_what_is_written_is_read_back(
    tmp_path: Path, suffix: str, read: Any, rows: list[Row], places: list[int]
) -> None:
    path = write(tmp_path / f"t{suffix}", cut(table(rows), places))
    expected = rows
    if suffix not in KEEPS_EMPTY_TEXT:
        expected = [
            (number, text or None, note or None, day, moment) for number, text, note, day, moment in rows
        ]
    if read is by_calamine:  # calamine leaves the escapes of these two as they are
        expected = [
            (number, without_noncharacters(text), without_noncharacters(note), day, moment)
            for number, text, note, day, moment in expected
        ]
    assert read(path) == expected


def without_noncharacters(text: str | None) -> str | None:
    return text.replace("\ufffe", "_xFFFE_").replace("\uffff", "_xFFFF_") if text else text


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=60)
@given(rows=ROWS, places=CUTS, others=CUTS)
@example([(1, "a", "b", None, None), (2, '"', " b", None, None)], [1], [])
@example([(1, None, "b", None, None), (2, "a", None, None, None)] * 5, [1, 2, 3, 7], [5])
def test_the_bytes_do_not_depend_on_how_the_rows_are_cut(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    rows: list[Row],
    places: list[int],
    others: list[int],
) -> None:
    in_parts_of(8, monkeypatch)
    whole = table(rows)
    one = write(tmp_path / f"one{suffix}", cut(whole, places)).read_bytes()
    other = write(tmp_path / f"other{suffix}", cut(whole, others)).read_bytes()
    assert one == other


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_bytes_do_not_depend_on_the_batch_size_for_many_rows(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enough rows to fill a deflater's window several times."""
    in_parts_of(2_048, monkeypatch)
    rows = [
        (n, f"name {n * 7919 % 5000}", 'a "quote"' if n == 2_500 else None, date(1950 + n % 60, 1, 1), None)
        for n in range(5_000)
    ]
    whole = table(rows)
    contents = {
        write(tmp_path / f"{size}{suffix}", whole.to_batches(max_chunksize=size)).read_bytes()
        for size in (37, 1_000, 5_000)
    }
    assert len(contents) == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_parts_may_be_prepared_in_any_order(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts_of(3, monkeypatch)
    batches = list(recut(cut(table([(n, "x", f"{n}", None, None) for n in range(9)]), [2, 5]), 3))
    with open_writer(tmp_path / f"mixed{suffix}", SCHEMA) as writer:
        prepared = [writer.prepare(batch) for batch in reversed(batches)]
        for part in reversed(prepared):
            writer.write(part)
    plain = write(tmp_path / f"plain{suffix}", batches)
    assert (tmp_path / f"mixed{suffix}").read_bytes() == plain.read_bytes()


@pytest.mark.parametrize(("suffix", "read"), READ_BACK, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize(
    "batches", [[], [pa.RecordBatch.from_pylist([], schema=SCHEMA)]], ids=["none", "empty"]
)
def test_no_rows_give_a_file_with_a_header(
    tmp_path: Path, suffix: str, read: Any, batches: list[pa.RecordBatch]
) -> None:
    assert read(write(tmp_path / f"t{suffix}", batches)) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("older", [None, b"older"], ids=["new", "older"])
@pytest.mark.parametrize("written", [0, 3], ids=["at once", "in the middle"])
@pytest.mark.parametrize(
    "failure",
    [ValueError("no"), KeyboardInterrupt(), StoreError("gone", "start it")],
    ids=lambda e: type(e).__name__,
)
def test_a_failure_leaves_no_part_and_keeps_an_older_file(
    tmp_path: Path, suffix: str, failure: BaseException, written: int, older: bytes | None
) -> None:
    path = tmp_path / f"t{suffix}"
    if older:
        path.write_bytes(older)
    before = names(tmp_path)
    with pytest.raises(type(failure)) as caught, open_writer(path, SCHEMA) as writer:
        for number in range(written):
            writer.write(writer.prepare(cut(table([(number, "a", "b", None, None)] * 20), [])[0]))
        raise failure
    assert caught.value is failure
    assert names(tmp_path) == before
    assert not older or path.read_bytes() == older


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_older_file_is_replaced_only_at_the_end(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_bytes(b"older")
    with open_writer(path, SCHEMA) as writer:
        writer.write(writer.prepare(cut(table([(1, "a", "b", None, None)]), [])[0]))
        assert path.read_bytes() == b"older"
    assert path.read_bytes() != b"older"
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".CSV", ".XLSX"])
@pytest.mark.parametrize("stem", ["with blanks", "naïve-ü-名", "100% %41 #?&", "a:b"])
def test_any_file_name_is_good(tmp_path: Path, suffix: str, stem: str) -> None:
    write(tmp_path / f"{stem}{suffix}", cut(table([(1, "a", "b", None, None)]), []))
    assert names(tmp_path) == [f"{stem}{suffix}"]
    assert (tmp_path / f"{stem}{suffix}").stat().st_size > 0


@pytest.mark.parametrize("name", ["t.txt", "t", "t.gz", "t.csv.xz", ".csv"])
def test_an_unknown_extension_is_refused_and_the_known_ones_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        InputError, match=r"Use one of \.arrow, \.csv, \.csv\.gz, \.csv\.zst, \.parquet, \.xlsx"
    ):
        check_destination(tmp_path / name)
    with pytest.raises(InputError, match="extension"):
        write(tmp_path / name, [])
    assert names(tmp_path) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_folder_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match="does not exist"):
        write(tmp_path / "no" / f"t{suffix}", [])


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".csv.zst"])
def test_pandas_polars_and_duckdb_read_what_is_compressed(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts_of(300, monkeypatch)
    people = employees(3).batch(0, 1_000)
    path = write(tmp_path / f"people{suffix}", [people], people.schema)
    names = people["name"].to_pylist()
    assert duckdb.sql(f"SELECT name FROM '{path}' ORDER BY id").fetchall() == [(name,) for name in names]
    if suffix != ".csv.zst":  # pandas wants a further package for zstd
        assert pandas.read_csv(path)["name"].tolist() == names


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_header_row_can_be_left_out_of_csv_only(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    batch = cut(table([(7, "a", "b", None, None)]), [])[0]
    if not suffix.startswith(".csv"):
        with (
            pytest.raises(InputError, match=f"a {suffix} file has no header row"),
            open_writer(path, SCHEMA, CsvOptions(header=False)),
        ):
            pass
        assert names(tmp_path) == []
        return
    with open_writer(path, SCHEMA, CsvOptions(header=False)) as writer:
        writer.write(writer.prepare(batch))
    codec = {".csv.gz": "gzip", ".csv.zst": "zstd"}.get(suffix)
    with pa.input_stream(str(path), compression=codec) as stream:
        assert stream.read() == b"7,a,b,,\n"


# --- csv ------------------------------------------------------------------------------------------------


def test_csv_quotes_only_what_needs_it(tmp_path: Path) -> None:
    rows: list[Row] = [
        (1, "plain", None, date(1990, 1, 2), datetime(2024, 1, 2, 3, 4, 5, 6)),
        (2, "a,b", 'say "a"', None, None),
        (3, " blanks ", "a\nb", None, None),
        (4, "", "a\rb", None, None),
    ]
    assert write(tmp_path / "t.csv", cut(table(rows), [])).read_bytes().decode().split("\n", 1)[1] == (
        "1,plain,,1990-01-02,2024-01-02 03:04:05.000006\n"
        '2,"a,b","say ""a""",,\n'
        '3, blanks ,"a\nb",,\n'
        '4,,"a\rb",,\n'
    )


@pytest.mark.parametrize("workers", [1, 4])
def test_csv_finds_what_needs_quotes_in_whichever_part_it_first_occurs(workers: int) -> None:
    """A column is looked at until it is found to need quotes, and quoted from then on."""
    rows = 3_000
    names_of = [f"person {row}" if row != 1_234 else "Putri, Sri" for row in range(rows)]
    notes = [f"note {row}" if row % 1_000 else 'a "quote"\n' for row in range(rows)]
    batch = pa.record_batch({"name": names_of, "row": range(rows), "note": notes, "plain": ["x"] * rows})
    file = io.BytesIO()
    writer = CsvWriter(file, batch.schema)
    work_ordered(
        lambda start: writer.prepare(batch.slice(start, 50)),
        writer.write,
        range(0, rows, 50),
        workers=workers,
        tick=lambda: None,
    )
    text = io.StringIO()
    rendered = csv.writer(text, lineterminator="\n")
    rendered.writerow(batch.schema.names)
    rendered.writerows(row.values() for row in batch.to_pylist())
    assert file.getvalue().decode() == text.getvalue()


def test_a_single_column_has_no_blank_lines(tmp_path: Path) -> None:
    schema = pa.schema([("only", pa.string())])
    batch = pa.RecordBatch.from_pylist([{"only": value} for value in ("a", None, "", "b,c")], schema=schema)
    path = write(tmp_path / "t.csv", [batch], schema)
    assert path.read_bytes() == b'only\na\n""\n""\n"b,c"\n'
    numbers = pa.RecordBatch.from_pylist([{"n": 1}, {"n": None}], schema=pa.schema([("n", pa.int64())]))
    assert write(tmp_path / "n.csv", [numbers], numbers.schema).read_bytes() == b'n\n1\n""\n'


@given(st.lists(st.none() | st.text("=+-@\t\ra,'", max_size=4), max_size=20), st.integers(0, 5))
def test_formulas_get_an_apostrophe_and_nothing_else_does(values, start) -> None:
    batch = pa.RecordBatch.from_arrays(
        [pa.array(values, pa.string()), pa.array(range(len(values)))], ["text", "n"]
    )
    found = guarded(batch.slice(start))
    expected = [f"'{value}" if value and value[0] in "=+-@\t\r" else value for value in values[start:]]
    assert found["text"].to_pylist() == expected
    assert found["n"].equals(batch.slice(start)["n"])


# --- xlsx -----------------------------------------------------------------------------------------------


def test_xlsx_dates_and_moments_are_date_cells(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.xlsx", cut(table([(7, "a", "b", date(1990, 1, 2), datetime(2024, 1, 2, 3, 4, 5))]), [])
    )
    number, text, _, day, moment = openpyxl.load_workbook(path).active[2]
    assert (day.is_date, day.number_format, day.value) == (True, r"yyyy\-mm\-dd", datetime(1990, 1, 2))
    assert (moment.is_date, moment.value) == (True, datetime(2024, 1, 2, 3, 4, 5))
    assert "hh:mm:ss" in moment.number_format
    assert (number.data_type, number.is_date, text.data_type) == (
        "n",
        False,
        "s",
    ) or text.data_type == "inlineStr"


@pytest.mark.parametrize(
    ("day", "serial"),
    [
        (date(1900, 1, 1), 1),
        (date(1900, 2, 28), 59),
        (date(1900, 3, 1), 61),  # Excel has a 29 February 1900, day 60
        (date(1970, 1, 1), 25569),
        (date(2024, 12, 31), 45657),
    ],
)
def test_xlsx_days_have_the_serial_numbers_of_excel(tmp_path: Path, day: date, serial: int) -> None:
    moment = datetime.combine(day, datetime.min.time()) + timedelta(hours=12)
    path = write(tmp_path / "t.xlsx", cut(table([(1, None, None, day, moment)]), []))
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert re.findall(r'<c s="[12]"><v>([^<]*)</v>', sheet) == [str(serial), f"{serial}.5"]


def test_xlsx_has_its_header_frozen_and_no_time_of_writing(tmp_path: Path) -> None:
    path = write(tmp_path / "t.xlsx", [])
    assert openpyxl.load_workbook(path).active.freeze_panes == "A2"
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        assert {entry.date_time for entry in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("count", [0, 9, 10, 11, 30, 31])
def test_xlsx_goes_on_on_further_sheets_under_the_same_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    assert XlsxWriter.sheet_rows == 1_048_575
    assert XlsxWriter.sheet_rows % XlsxWriter.part_rows == 0
    monkeypatch.setattr(XlsxWriter, "sheet_rows", 10)
    monkeypatch.setattr(XlsxWriter, "part_rows", 5)
    rows = [(n, f"name {n}", None, date(2000, 1, 1), None) for n in range(count)]
    path = write(tmp_path / "t.xlsx", cut(table(rows), [3, 17]))
    book = openpyxl.load_workbook(path)
    sheets = max(1, -(-count // 10))
    assert book.sheetnames == ["records", *(f"records {n}" for n in range(2, sheets + 1))]
    found = []
    for sheet in book.worksheets:
        header, *below = sheet.iter_rows(values_only=True)
        assert list(header) == SCHEMA.names
        assert sheet.freeze_panes == "A2"
        found += [row[0] for row in below]
    assert found == list(range(count))
    reader = WorkbookReader(path)
    batches = [sheet.parse(chunk, [0]) for sheet in reader.sheets() for _, chunk in sheet.chunks()]
    assert sum(batch.line_count for batch in batches) == count
    reader.close()


def test_every_writer_takes_the_employee_table(tmp_path: Path) -> None:
    moment = datetime(2024, 1, 2, 3, 4, 5)
    row = (1, "Siti", "P1", "3201234567890123", None, date(1990, 1, 2), None, moment, moment, None)
    batch = pa.RecordBatch.from_pylist([dict(zip(EMPLOYEE.names, row, strict=True))], schema=EMPLOYEE)
    for suffix in SUFFIXES:
        assert write(tmp_path / f"t{suffix}", [batch], EMPLOYEE).stat().st_size > 0
    assert (
        next(openpyxl.load_workbook(tmp_path / "t.xlsx").active.iter_rows(min_row=2, values_only=True))[3]
        == row[3]
    )
