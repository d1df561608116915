"""Workbooks: cells as text, rows traced back to the sheet."""

from __future__ import annotations

import csv
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gidbench.errors import InputError
from gidbench.files.options import ReadOptions
from gidbench.files.workbooks.opening import open_workbook
from gidbench.files.workbooks.reader import WorkbookReader

Cells = list[Any]


def workbook(path: Path, rows: list[Cells], left: int = 0) -> Path:
    """A workbook of openpyxl: row i of `rows` is row i + 1 of the sheet, `left` columns to the right."""
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, 1):
        for place, value in enumerate(row, 1 + left):
            if value is not None:
                book.active.cell(number, place).value = value
    book.save(path)
    return path


def read(
    path: Path, piece_bytes: int = 1 << 20, wanted: list[int] | None = None
) -> list[tuple[int, Cells, list[str]]]:
    """(row of the sheet, wanted cells, cells of the original text) of every record."""
    reader = WorkbookReader(path, piece_bytes=piece_bytes)
    wanted = list(range(len(reader.header))) if wanted is None else wanted
    records = []
    line = reader.header_lines + 1
    for units, chunk in reader.chunks():
        batch = reader.parse(chunk, wanted)
        assert units > 0
        assert not batch.flags.any()
        columns = [column.to_pylist() for column in batch.columns]
        for row, at in enumerate(batch.lines.tolist()):
            [original] = csv.reader([batch.raw(row)], strict=True)
            records.append((line + at, [column[row] for column in columns], original))
        line += batch.line_count
    reader.close()
    return records


@pytest.mark.parametrize("piece_bytes", [1, 50, 300, 1 << 20])
@pytest.mark.parametrize("left", [0, 2])
def test_lines_are_the_rows_of_the_sheet_and_blank_rows_are_no_records(
    tmp_path: Path, piece_bytes: int, left: int
) -> None:
    path = workbook(
        tmp_path / "t.xlsx",
        [[], [], ["Name", "No"], [], ["a", "1"], [], [], [], ["b", None], [None, "3"], [], ["c", "4"]],
        left,
    )
    reader = WorkbookReader(path)
    assert reader.header == [""] * left + ["Name", "No"]  # empty columns to the left stay in place
    assert (reader.header_rows, reader.header_lines, reader.unit) == (1, 3, "bytes")
    reader.close()
    assert [(line, cells) for line, cells, _ in read(path, piece_bytes, [left, left + 1])] == [
        (5, ["a", "1"]),
        (9, ["b", ""]),
        (10, ["", "3"]),
        (12, ["c", "4"]),
    ]


@pytest.mark.parametrize("piece_bytes", [1, 1 << 20])
def test_a_row_with_a_cell_in_a_column_that_nobody_wants_is_a_record(
    tmp_path: Path, piece_bytes: int
) -> None:
    path = workbook(tmp_path / "t.xlsx", [["a", "b"], ["1"], [None, "only b"], [], ["3"]])
    assert [(line, cells) for line, cells, _ in read(path, piece_bytes, [0])] == [
        (2, ["1"]),
        (3, [""]),
        (5, ["3"]),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        ("  blanks  ", "  blanks  "),
        ("é🙂", "é🙂"),
        ("a\nb", "a\nb"),
        (7, "7"),
        (-7, "-7"),
        (1.5, "1.5"),
        (3201234567890123, "3201234567890123"),
        (32874, "32874"),
        (32874.0, "32874"),
        (True, "TRUE"),
        (date(1990, 1, 2), "1990-01-02"),
        (datetime(1990, 1, 2, 3, 4, 5), "1990-01-02 03:04:05"),
        (date(1900, 1, 1), "1900-01-01"),
        (date(1900, 2, 28), "1900-02-28"),
        (date(1900, 3, 1), "1900-03-01"),
        (None, ""),
    ],
)
def test_a_cell_as_text(tmp_path: Path, value: Any, text: str) -> None:
    path = workbook(tmp_path / "t.xlsx", [["a", "b"], [value, "x"]])
    assert read(path) == [(2, [text, "x"], [text, "x"])]


@settings(max_examples=25)
@given(
    st.lists(
        st.lists(
            st.none()
            | st.integers(-(10**15), 10**15)
            | st.sampled_from(["x", "a,b", 'a"b', "a\nb", "=", "007", " y "])
            | st.dates(date(1900, 3, 1), date(2199, 12, 31)),
            min_size=3,
            max_size=3,
        ),
        max_size=12,
    ),
    st.sampled_from([1, 70, 333, 1 << 20]),
)
def test_rows_are_read_whatever_the_chunk(tmp_path: Path, rows: list[Cells], piece_bytes: int) -> None:
    path = workbook(tmp_path / "t.xlsx", [["a", "b", "c"], *rows])

    def as_text(value: Any) -> str:
        return "" if value is None else str(value)

    assert read(path, piece_bytes) == [
        (line, [as_text(value) for value in row], [as_text(value) for value in row])
        for line, row in enumerate(rows, 2)
        if any(value is not None for value in row)
    ]


def test_titles_are_trimmed_and_numbers_are_titles_too(tmp_path: Path) -> None:
    reader = WorkbookReader(workbook(tmp_path / "t.xlsx", [["  Name ", 2024, None, "x\n"]]))
    assert reader.header == ["Name", "2024", "", "x"]
    reader.close()


def test_only_the_first_sheet_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["first"])
    book.create_sheet("second").append(["second"])
    book.save(tmp_path / "t.xlsx")
    reader = WorkbookReader(tmp_path / "t.xlsx")
    assert reader.header == ["first"]
    assert list(reader.chunks()) == []
    reader.close()


def test_a_sheet_without_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no cell in its sheet 1"):
        WorkbookReader(workbook(tmp_path / "t.xlsx", []))


def broken_workbooks(folder: Path) -> dict[str, bytes]:
    good = workbook(folder / "good.xlsx", [["a", "b"], *([n, n] for n in range(200))]).read_bytes()
    with zipfile.ZipFile(folder / "odd.zip", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with zipfile.ZipFile(folder / "good.xlsx") as source, zipfile.ZipFile(folder / "xml.zip", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content[: len(content) // 2] if "sheet1.xml" in name else content)
    with (
        zipfile.ZipFile(folder / "good.xlsx") as source,
        zipfile.ZipFile(folder / "no_sheet.zip", "w") as target,
    ):
        for name in source.namelist():
            if "sheet1.xml" not in name:
                target.writestr(name, source.read(name))
    with zipfile.ZipFile(folder / "good.xlsx") as source:
        at = source.getinfo("xl/worksheets/sheet1.xml").header_offset + 200
    return {
        "text": b"a,b\n1,2\n",
        "noise": bytes(range(256)) * 40,
        "nothing": b"",
        "cut short": good[: len(good) // 2],
        "bytes changed": good[:at] + bytes(100) + good[at + 100 :],
        "another zip": (folder / "odd.zip").read_bytes(),
        "half a sheet": (folder / "xml.zip").read_bytes(),
        "no sheet": (folder / "no_sheet.zip").read_bytes(),
        "old Excel's magic": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    }


@pytest.mark.parametrize(
    "kind",
    [
        "text",
        "noise",
        "nothing",
        "cut short",
        "bytes changed",
        "another zip",
        "half a sheet",
        "no sheet",
        "old Excel's magic",
    ],
)
def test_a_broken_workbook_is_an_input_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(broken_workbooks(tmp_path)[kind])
    with pytest.raises(InputError, match=r"t\.xlsx (cannot be read as a workbook|has no cell).*"):
        open_workbook(path)


def test_the_header_is_found_by_its_titles_wherever_it_stands(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Staff of the year"], [], ["printed", "2024-01-02"], ["name", "no_ktp"], ["Budi", "1"]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    for options, header, lines in (
        (ReadOptions(is_header=lambda titles: "no_ktp" in titles), ["name", "no_ktp"], 4),
        (ReadOptions(is_header=lambda titles: "none" in titles), ["Staff of the year", ""], 1),
    ):
        reader = WorkbookReader(tmp_path / "t.xlsx", options)
        assert (reader.header, reader.header_lines) == (header, lines)
        reader.close()
