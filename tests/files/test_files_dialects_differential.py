"""The CSV reader against Python's csv, pyarrow and DuckDB, over documents of every dialect.

`GIDBENCH_DOCUMENTS` sets how many documents each comparison makes; the default is quick.
"""

from __future__ import annotations

import csv
import io
import os
import string
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gidbench.files.csv_reader import CsvReader
from gidbench.files.options import ReadOptions

DOCUMENTS = settings(max_examples=int(os.environ.get("GIDBENCH_DOCUMENTS", "150")))
DELIMITERS = ",;|\t:^~"
CELL = st.text(
    st.one_of(
        st.sampled_from("\"',;|\t:^~ \\\r\n"),
        st.sampled_from(string.ascii_letters + string.digits),
        st.sampled_from("éßØ€🙂\u2028\x85\u0301"),
    ),
    max_size=10,
)


@dataclass(frozen=True)
class Document:
    rows: list[list[str]]
    delimiter: str
    quote: str
    escape: str
    line_end: str
    encoding: str
    last_end: bool
    quote_all: bool

    @property
    def text(self) -> str:
        lines = []
        for row in self.rows:
            line = self.delimiter.join(map(self._field, row))
            # a record of one empty field would be a blank line
            lines.append(line or f"{self.quote}{self.quote}")
        return self.line_end.join(lines) + self.line_end * self.last_end

    def _field(self, cell: str) -> str:
        special = {self.delimiter, self.quote, "\r", "\n", self.escape or self.quote}
        if not self.quote_all and not special & set(cell) and cell.strip() == cell and cell.isprintable():
            return cell
        if self.escape:
            cell = cell.replace(self.escape, 2 * self.escape)
        mark = self.escape or self.quote
        return self.quote + cell.replace(self.quote, mark + self.quote) + self.quote

    @property
    def options(self) -> ReadOptions:
        return ReadOptions(
            encoding=self.encoding, delimiter=self.delimiter, quote=self.quote, escape=self.escape, header=0
        )


@st.composite
def documents(
    draw: st.DrawFn, encodings: tuple[str, ...] = ("utf-8",), cells: st.SearchStrategy[str] = CELL
) -> Document:
    width = draw(st.integers(1, 6))
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12))
    return Document(
        rows,
        draw(st.sampled_from(DELIMITERS)),
        draw(st.sampled_from('""\'')),
        draw(st.sampled_from(["", "", "\\"])),
        draw(st.sampled_from(["\n", "\r\n", "\r"])),
        draw(st.sampled_from(encodings)),
        draw(st.booleans()),
        draw(st.booleans()),
    )


def read(path: Path, options: ReadOptions, chunk_bytes: int = 1 << 20) -> list[list[str]]:
    reader = CsvReader(path, options, chunk_bytes=chunk_bytes)
    rows: list[list[str]] = []
    for _, chunk in reader.chunks():
        batch = reader.parse(chunk, range(len(reader.header)))
        assert not batch.flags.any(), batch.flags
        rows += [list(row) for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)]
    reader.close()
    return rows


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


@DOCUMENTS
@given(documents(ENCODINGS), st.integers(16, 300), st.booleans())
def test_every_document_comes_back_as_it_was_written(
    tmp_path: Path, document: Document, chunk_bytes: int, forgiving: bool
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(document.text.encode(document.encoding))
    options = ReadOptions(**{**vars(document.options), "forgiving": forgiving})
    if forgiving:  # rows with little in them may be footers
        assume(all(cell.strip() for row in document.rows for cell in row))
    assert read(path, options, chunk_bytes) == document.rows


@DOCUMENTS
@given(documents())
def test_the_csv_module_reads_the_same(tmp_path: Path, document: Document) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(document.text.encode())
    rows = csv.reader(
        io.StringIO(document.text, newline=""),
        delimiter=document.delimiter,
        quotechar=document.quote,
        escapechar=document.escape or None,
        doublequote=not document.escape,
    )
    assert read(path, document.options) == [row for row in rows if row]


@DOCUMENTS
@given(documents())
def test_pyarrow_reads_the_same(tmp_path: Path, document: Document) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(document.text.encode())
    width = len(document.rows[0])
    names = [f"c{at}" for at in range(width)]
    table = pacsv.read_csv(
        path,
        pacsv.ReadOptions(column_names=names, use_threads=False),
        pacsv.ParseOptions(
            delimiter=document.delimiter,
            quote_char=document.quote,
            escape_char=document.escape or False,
            double_quote=not document.escape,
            newlines_in_values=True,
        ),
        pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )
    assert read(path, document.options) == [
        list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)
    ]


@DOCUMENTS
@given(documents())
def test_duckdb_reads_the_same(tmp_path: Path, document: Document) -> None:
    assume(document.line_end != "\r" and len(document.rows[0]) > 1)
    assume(not any("\r" in cell or "\n" in cell for row in document.rows for cell in row))
    path = tmp_path / "t.csv"
    path.write_bytes(document.text.encode())
    columns = {f"c{at}": "VARCHAR" for at in range(len(document.rows[0]))}
    found = duckdb.sql(
        f"""SELECT * FROM read_csv({str(path)!r}, columns = {columns}, header = false, auto_detect = false,
        delim = $1, quote = $2, escape = $3, strict_mode = true, nullstr = 'no such text')""",
        params=[document.delimiter, document.quote, document.escape or document.quote],
    ).fetchall()
    assert read(path, document.options) == [["" if cell is None else cell for cell in row] for row in found]


# --- documents whose dialect has to be found out --------------------------------------------------------

NAMES = ["id", "name", "city", "born", "height", "active", "phone", "mail"]
TYPED = {
    "id": st.integers(1, 99_999).map(str),
    "name": st.sampled_from(
        ["Budi Santoso", "Siti O'Neil", 'Ann "Al" Lee', "Zoë Ruiz", "李 明", "Park, Jin", "A; B"]
    ),
    "city": st.sampled_from(["Jakarta", "New York", "Köln", "São Paulo", ""]),
    "born": st.dates().map(lambda day: f"{day:%Y-%m-%d}" if day.year > 999 else "1999-01-02"),
    "height": st.integers(100, 220).map(lambda height: f"{height / 100:.2f}"),
    "active": st.sampled_from(["true", "false"]),
    "phone": st.sampled_from(["+62 812 345", "0812-345-678", ""]),
    "mail": st.sampled_from(["a@b.co", "x.y@example.org", ""]),
}


@st.composite
def people(draw: st.DrawFn) -> Document:
    titles = draw(st.lists(st.sampled_from(NAMES[1:]), min_size=2, max_size=7, unique=True))
    titles = ["id", *titles]
    row = st.tuples(*(TYPED[title] for title in titles)).map(list)
    return Document(
        [titles, *draw(st.lists(row, min_size=4, max_size=40))],
        draw(st.sampled_from(",;|\t^~")),
        draw(st.sampled_from('"""\'')),
        "",
        draw(st.sampled_from(["\n", "\r\n", "\r"])),
        draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
        draw(st.booleans()),
        draw(st.booleans()),
    )


@DOCUMENTS
@given(people())
def test_the_dialect_of_a_table_of_people_is_found_out(tmp_path: Path, document: Document) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(document.text.encode(document.encoding))
    reader = CsvReader(path, ReadOptions(forgiving=True))
    assert reader.header == document.rows[0]
    assert reader.delimiter == document.delimiter
    reader.close()
    assert read(path, ReadOptions(forgiving=True)) == document.rows[1:]
