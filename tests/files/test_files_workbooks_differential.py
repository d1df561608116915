"""Sheets of random constructs against a plain reading, and workbooks of other programs against openpyxl."""

from __future__ import annotations

import math
import shutil
import subprocess
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet._reader import WorkSheetParser
from workbook_parts import MAIN, Table, packed, parts, plain_table, plain_unescaped, read, table_of

from gidbench.files.options import ReadOptions
from gidbench.files.workbooks.reader import WorkbookReader
from gidbench.files.writers import XlsxWriter

STRINGS = ["", "zero", " one ", "é🙂", "a_x000D_b", "x" * 300]
TEXTS = st.sampled_from(STRINGS) | st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"),
    max_size=40,
)
ESCAPES = st.sampled_from(["_x000D_", "_x005F_", "_x0041_", "_xD83D__xDE00_", "_x12", "_", "_x", "__x0041_"])
NUMBERS = (
    st.integers(-(10**17), 10**17).map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.floats(0, 3_000_000).map(repr)
    | st.floats(0, 100).map(lambda value: f"{value:.17g}")
    | st.decimals(0, 100_000, places=11).map(str)
    | st.integers(0, 3_000_000).map(str)
)
SPACE = st.sampled_from(["", "", "", " ", "\n  "])


@st.composite
def xml_text(draw: st.DrawFn) -> str:
    """Characters as XML may write them."""
    written = []
    for piece in draw(st.lists(TEXTS | ESCAPES | st.just("\r\n"), max_size=3)):
        how = draw(st.sampled_from(["plain", "plain", "plain", "decimal", "hex", "cdata", "comment"]))
        if how == "decimal":
            written.append("".join(f"&#{ord(character)};" for character in piece))
        elif how == "hex":
            written.append("".join(f"&#x{ord(character):x};" for character in piece))
        elif how == "cdata" and "]]>" not in piece and draw(st.booleans()):
            written.append(f"<![CDATA[{piece}]]>")
        elif how == "comment" and draw(st.integers(0, 5)) == 0:
            written.append(escape(piece) + draw(st.sampled_from(["<!--c-->", "<?p?>"])))
        else:
            written.append(escape(piece, {'"': "&quot;", "'": "&apos;"}))
    return "".join(written)


@st.composite
def cells(draw: st.DrawFn, row: int, column: int) -> str:
    kind = draw(st.sampled_from(["n", "n", "n", "s", "str", "inline", "rich", "b", "e", "empty", "styled"]))
    reference = f' r="{chr(64 + column)}{row}"' if draw(st.integers(0, 3)) else ""
    gap = draw(SPACE)
    if kind == "n":
        style = draw(st.sampled_from(["", ' s="0"', ' s="1"', ' s="2"', ' s="3"', ' s="4"']))
        number = draw(NUMBERS)
        formula = draw(st.sampled_from(["", "", "<f>A1+1</f>", '<f t="shared" si="0"/>', "<f>1&gt;0</f>"]))
        kind_attribute = draw(st.sampled_from(["", ' t="n"']))
        return f"<c{reference}{style}{kind_attribute}>{gap}{formula}<v>{number}</v>{gap}</c>"
    if kind == "s":
        return f'<c{reference} t="s"><v>{draw(st.integers(0, len(STRINGS) - 1))}</v></c>'
    if kind == "str":
        return f'<c t="str"{reference}><v>{draw(xml_text())}</v></c>'
    if kind == "inline":
        space = draw(st.sampled_from(["", ' xml:space="preserve"']))
        return f'<c{reference} t="inlineStr">{gap}<is><t{space}>{draw(xml_text())}</t></is></c>'
    if kind == "rich":
        runs = "".join(
            f"<r><rPr><b/></rPr><t>{draw(xml_text())}</t></r>" for _ in range(draw(st.integers(0, 3)))
        )
        hint = draw(st.sampled_from(["", '<rPh sb="0" eb="1"><t>no</t></rPh>', '<phoneticPr fontId="1"/>']))
        return f'<c{reference} t="inlineStr"><is>{runs}{hint}</is></c>'
    if kind == "b":
        return f'<c{reference} t="b"><v>{draw(st.sampled_from("01"))}</v></c>'
    if kind == "e":
        return f'<c{reference} t="e"><v>{draw(st.sampled_from(["#N/A", "#REF!", "#DIV/0!"]))}</v></c>'
    if kind == "styled":
        return f'<c{reference} s="2"></c>' if draw(st.booleans()) else f'<c{reference} s="2"><v/></c>'
    return f"<c{reference}/>"


@st.composite
def sheets(draw: st.DrawFn) -> str:
    rows = []
    number = 0
    for _ in range(draw(st.integers(0, 12))):
        step = draw(st.sampled_from([1, 1, 1, 2, 5]))
        shown = step > 1 or draw(st.booleans())
        number += step
        order = list(range(1, 1 + draw(st.integers(0, 5))))
        written = []
        column = 0
        for place in order:
            content = draw(cells(number, place))
            column = place if ' r="' in content else column + 1
            written.append(draw(SPACE) + content)
        if draw(st.integers(0, 4)) == 0:
            written = [content for content in written if ' r="' in content]
            written.reverse()
        spans = draw(st.sampled_from(["", ' spans="1:5"', ' ht="15" customHeight="1"', ' x="a &gt; b"']))
        attribute = f' r="{number}"' if shown else ""
        between = draw(st.sampled_from([*[""] * 30, "<!--c-->", "<?p?>"]))
        rows.append(f"{draw(SPACE)}{between}<row{attribute}{spans}>{''.join(written)}{draw(SPACE)}</row>")
    if draw(st.integers(0, 5)) == 0:
        rows = draw(st.permutations([row for row in rows if "<row r=" in row]))
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'


@settings(max_examples=250)
@given(
    content=sheets(),
    piece_bytes=st.sampled_from([1, 60, 700, 1 << 20]),
    since_1904=st.booleans(),
    prefixed=st.booleans(),
)
def test_a_sheet_of_anything_is_read_as_a_plain_reading_says(
    tmp_path_factory: pytest.TempPathFactory, content: str, piece_bytes: int, since_1904: bool, prefixed: bool
) -> None:
    path = tmp_path_factory.mktemp("book") / "t.xlsx"
    expected = plain_table(content, [plain_unescaped(text) for text in STRINGS], since_1904)
    if prefixed and "<!" not in content and "<?" not in content:
        content = content.replace("</", "\0").replace("<", "<q:").replace("\0", "</q:")
        content = content.replace("xmlns=", "xmlns:q=")
    strings = "".join(f'<si><t xml:space="preserve">{text}</t></si>' for text in STRINGS)
    properties = f'<workbookPr date1904="{int(since_1904)}"/>'
    packed(path, parts(content, strings=strings, properties=properties))
    reader = WorkbookReader(path, ReadOptions(header=0), piece_bytes=piece_bytes)
    assert table_of(reader) == expected
    reader.close()
    if expected:
        reader = WorkbookReader(path, piece_bytes=piece_bytes)
        head = next(row for row, cells in enumerate(expected) if any(cells))
        assert reader.header_lines == head + 1
        assert reader.header == [title.strip() for title in expected[head]]
        found = []
        for _, chunk in reader.chunks():
            batch = reader.parse(chunk, range(len(reader.header)))
            found += list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        assert found == [tuple(row) for row in expected[head + 1 :] if any(row)]
        reader.close()


# --- other programs -------------------------------------------------------------------------------------


def clock(hour: int, minute: int, second: int, microsecond: int) -> str:
    text = f"{hour}:{minute:02}:{second:02}"
    return f"{text}.{microsecond:06}".rstrip("0") if microsecond else text


def as_text(value: Any) -> str:
    """A value of openpyxl as our text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e17 else repr(value)
    if isinstance(value, datetime):
        shown = clock(value.hour, value.minute, value.second, value.microsecond)
        return f"{value:%Y-%m-%d}" + ("" if shown == "0:00:00" else f" {shown:0>8}")
    if isinstance(value, time):
        return f"{clock(value.hour, value.minute, value.second, value.microsecond):0>8}"
    if isinstance(value, timedelta):
        hours, rest = divmod(round(value / timedelta(milliseconds=1)), 3_600_000)
        return clock(hours, rest // 60_000, rest // 1000 % 60, rest % 1000 * 1000)
    return plain_unescaped(value) if isinstance(value, str) else str(value)


def by_openpyxl(path: Path, sheet: int = 0) -> Table:
    book = openpyxl.load_workbook(path, data_only=True, read_only=True)
    found: dict[tuple[int, int], str] = {}
    worksheet = book.worksheets[sheet]
    with worksheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            worksheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for _, row in parser.parse():
            for cell in row:
                if text := as_text(cell["value"]):
                    found[cell["row"], cell["column"]] = text
    book.close()
    width = max((column for _, column in found), default=0)
    height = max((row for row, _ in found), default=0)
    return [[found.get((r, c), "") for c in range(1, width + 1)] for r in range(1, height + 1)]


VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False).filter(
        lambda value: value == 0 or 1e-300 < abs(value) < 1e300
    )
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=30).filter(
        lambda text: not text.startswith(("=", "{", "#")) and "_x" not in text
    )
    | st.dates(date(1900, 3, 1), date(9999, 12, 31))
    | st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 30)).map(
        lambda value: value.replace(microsecond=0)
    )
    | st.times().map(lambda value: value.replace(microsecond=0))
)
TABLES = st.lists(st.lists(VALUES, max_size=5), max_size=10)


@settings(max_examples=60)
@given(table=TABLES, left=st.integers(0, 2))
def test_a_workbook_of_openpyxl(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[Any]], left: int
) -> None:
    path = tmp_path_factory.mktemp("book") / "t.xlsx"
    book = openpyxl.Workbook()
    for number, row in enumerate(table, 1):
        for place, value in enumerate(row, 1 + left):
            book.active.cell(number, place).value = value
    book.save(path)
    assert read(path) == by_openpyxl(path)


@settings(max_examples=60)
@given(table=TABLES, since_1904=st.booleans(), constant_memory=st.booleans())
def test_a_workbook_of_xlsxwriter(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[Any]], since_1904: bool, constant_memory: bool
) -> None:
    path = tmp_path_factory.mktemp("book") / "t.xlsx"
    options = {
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
        "date_1904": since_1904,
        "constant_memory": constant_memory,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(table):
            for place, value in enumerate(row):
                early = since_1904 and isinstance(value, date) and value.year < 1904
                sheet.write(number, place, str(value) if early else value)
    found = read(path)
    expected = by_openpyxl(path)
    if since_1904:  # openpyxl takes the first day of that calendar for a time
        assert len(found) == len(expected)
    else:
        assert found == expected


def test_a_workbook_of_pandas(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "number": [1, 2, 3],
            "share": [0.1, math.nan, 1 / 3],
            "day": pd.to_datetime(["2020-02-29 00:00:00", None, "1999-12-31 23:59:59"]),
            "truth": [True, False, True],
            "text": ["a", None, "é"],
        }
    )
    for engine in ("openpyxl", "xlsxwriter"):
        frame.to_excel(tmp_path / "t.xlsx", index=False, engine=engine)
        assert read(tmp_path / "t.xlsx") == by_openpyxl(tmp_path / "t.xlsx")
        assert read(tmp_path / "t.xlsx")[3] == ["3", "0.3333333333333333", "1999-12-31 23:59:59", "TRUE", "é"]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(10**14), 10**14),
            st.none() | st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=20),
            st.none() | st.dates(date(1900, 3, 1)),
            st.none() | st.datetimes(datetime(1900, 3, 1)).map(lambda value: value.replace(microsecond=0)),
        ),
        max_size=20,
    )
)
def test_a_workbook_of_our_own(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]) -> None:
    path = tmp_path_factory.mktemp("book") / "t.xlsx"
    names = ["number", "text", "day", "moment"]
    kinds = [pa.int64(), pa.string(), pa.date32(), pa.timestamp("us")]
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    columns = [
        pa.array(list(column), kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=False)
    ]
    with path.open("wb") as file:
        writer = XlsxWriter(file, schema)
        if rows:
            writer.write(writer.prepare(pa.record_batch(columns, schema=schema)))
        writer.close()
    reader = WorkbookReader(path, ReadOptions(header=0))
    found = table_of(reader)
    reader.close()
    expected = [[as_text(value) if not isinstance(value, str) else value for value in row] for row in rows]
    while expected and not any(expected[-1]):
        expected.pop()
    assert found == [names, *expected]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed")
@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_a_workbook_of_libreoffice(tmp_path: Path, kind: str) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    rows: list[list[Any]] = [
        [1, -2.5, 0.1, 320101010190001, 1e-7],
        ["text", " blanks ", "a\nb", "é🙂", 'quote "x", comma'],
        [date(1999, 12, 31), datetime(2020, 2, 29, 23, 59, 59), time(6, 30), True, None],
        [None, None, None, None, None],
        [None, "=1/0", "=A1+1", '="x"&"y"', "=1=1"],
    ]
    for number, row in enumerate(rows, 2):
        for place, value in enumerate(row, 2):
            sheet.cell(number, place).value = value
    book.save(tmp_path / "source.xlsx")
    (tmp_path / "out").mkdir()
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", kind, "--outdir", str(tmp_path / "out")]
    subprocess.run([*command, str(tmp_path / "source.xlsx")], check=True, capture_output=True, timeout=120)
    path = tmp_path / "out" / f"source.{kind}"
    found = read(path)
    if kind == "xlsx":
        assert found == by_openpyxl(path)
    error = "#DIV/0!" if kind == "xlsx" else ""  # calamine keeps no error values
    truth = "1" if kind == "ods" else "TRUE"  # LibreOffice writes it as a number, formatted
    assert found == [
        [""] * 6,
        ["", "1", "-2.5", "0.1", "320101010190001", "1e-07"],
        ["", "text", " blanks ", "a\nb", "é🙂", 'quote "x", comma'],
        ["", "1999-12-31", "2020-02-29 23:59:59", "06:30:00", truth, ""],
        [""] * 6,
        ["", "", error, "1", "xy", truth],
    ]
