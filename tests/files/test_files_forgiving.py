"""What becomes of files that other programs wrote badly, fault by fault."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gidbench.files.csv_reader import CsvReader
from gidbench.files.options import ReadOptions
from gidbench.kernels.scan import COLUMN_COUNT, OPEN_QUOTE, STRAY_QUOTE

HEADER = ["day", "qty", "price", "product", "remark"]
ROWS = [
    ["2018-01-28", "2", "74.69", "Men's Boots, brown", "new"],
    ["2018-01-29", "0", "29.81", "Running Jacket", "used"],
    ["2018-01-30", "1", "80.08", 'Boots, 10" high', "new"],
    ["2018-02-13", "9", "48.00", "Throw Pillow", "old stock"],
    ["2018-02-14", "12", "3.50", "Socks", "new"],
    ["2018-02-15", "3", "12.25", "Fly Rod", "used"],
]


@dataclass
class Found:
    header: list[str] | None
    rows: list[list[str]]
    malformed: list[tuple[int, int, str]]
    repaired: dict[int, int]
    told: dict[str, str]


def written(rows: list[list[str]], delimiter: str = ",", end: str = "\r\n") -> str:
    def field(cell: str) -> str:
        quoted = any(mark in cell for mark in (delimiter.strip() or " ", '"', "\n"))
        return '"' + cell.replace('"', '""') + '"' if quoted else cell

    return "".join(delimiter.join(map(field, row)) + end for row in rows)


def read(
    tmp_path: Path, content: str | bytes, options: ReadOptions | None = None, chunk_bytes: int = 1 << 20
) -> Found:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    reader = CsvReader(path, options or ReadOptions(forgiving=True), chunk_bytes=chunk_bytes)
    found = Found(reader.header if reader.header_rows else None, [], [], {}, {})
    line = reader.header_lines
    for _, chunk in reader.chunks():
        batch = reader.parse(chunk, range(len(reader.header)))
        columns = [column.to_pylist() for column in batch.columns]
        for row in range(batch.flags.size):
            if batch.flags[row]:
                found.malformed.append(
                    (line + int(batch.lines[row]) + 1, int(batch.flags[row]), batch.raw(row))
                )
                continue
            if batch.repairs is not None and batch.repairs[row]:
                found.repaired[len(found.rows)] = int(batch.repairs[row])
            found.rows.append([column[row] for column in columns])
        line += batch.line_count
    found.told = {decision.what: decision.value for decision in reader.decisions}
    assert all(0 <= decision.sure <= 1 and decision.why for decision in reader.decisions)
    reader.close()
    return found


def is_whole(found: Found, rows: list[list[str]] = ROWS, header: list[str] | None = HEADER) -> None:
    assert found.header == header
    assert found.rows == rows
    assert found.malformed == []


TABLE = written([HEADER, *ROWS])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", ":", ", ", "; ", " | "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_delimiter_and_line_end(tmp_path: Path, delimiter: str, end: str) -> None:
    found = read(tmp_path, written([HEADER, *ROWS], delimiter, end))
    is_whole(found)
    assert found.repaired == {}
    assert found.told["delimiter"].startswith("tab" if delimiter == "\t" else delimiter.strip())


def test_columns_set_apart_by_blanks(tmp_path: Path) -> None:
    widths = [12, 6, 8, 20, 10]
    lines = [
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [HEADER, *(row for row in ROWS if '"' not in row[3])]
    ]
    is_whole(read(tmp_path, "\n".join(lines)), [row for row in ROWS if '"' not in row[3]])


def test_fields_set_apart_by_single_blanks(tmp_path: Path) -> None:
    is_whole(read(tmp_path, written([HEADER, *ROWS], " ")))


@pytest.mark.parametrize(
    ("content", "quote", "escape"),
    [
        (TABLE.replace("'", "\0").replace('"', "'").replace("''", '"').replace("\0", "''"), "'", None),
        (TABLE.replace('""', '\\"'), '"', "\\"),
    ],
)
def test_other_quotes_and_escapes(tmp_path: Path, content: str, quote: str, escape: str | None) -> None:
    if quote == "'":
        content = content.replace("Men''s Boots, brown", "Men''s Boots, brown")
    found = read(tmp_path, content)
    is_whole(found)
    assert found.told["quote"] == quote
    assert found.told.get("escape") == escape


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
def test_any_encoding(tmp_path: Path, encoding: str) -> None:
    rows = [[*row[:3], "Bücher für Zoë", row[4]] for row in ROWS]
    found = read(tmp_path, written([HEADER, *rows]).encode(encoding))
    is_whole(found, rows)


@pytest.mark.parametrize(
    "title", ["Sales of the year", '"Sales, by day"', "# exported 2018-03-01", "Sales,,,,"]
)
@pytest.mark.parametrize("blank", ["", "\r\n", ",,,,\r\n"])
def test_a_preamble_is_set_aside_and_told(tmp_path: Path, title: str, blank: str) -> None:
    found = read(tmp_path, f"{title}\r\n{blank}{TABLE}")
    is_whole(found)
    assert "set aside" in found.told["preamble"]


@pytest.mark.parametrize(
    "end", ["\r\nTotal: 6 days\r\n", ",,,,\r\n(6 rows affected)\r\n", "\r\n\r\nSource: the shop"]
)
def test_a_footer_is_set_aside_and_told(tmp_path: Path, end: str) -> None:
    found = read(tmp_path, TABLE + end)
    is_whole(found)
    assert "set aside" in found.told["footer"]


def test_a_file_without_a_header_gets_none(tmp_path: Path) -> None:
    found = read(tmp_path, written(ROWS))
    assert found.header is None
    assert found.rows == ROWS


def test_a_header_that_is_years_is_one(tmp_path: Path) -> None:
    header = ["country", "2019", "2020", "2021"]
    rows = [
        [name, f"{n * 7.5}", f"{n * 8}", f"{n * 9}"]
        for n, name in enumerate(["Italy", "Peru", "Chad", "Fiji"], 1)
    ]
    is_whole(read(tmp_path, written([header, *rows])), rows, header)


def test_several_header_rows_become_one_joined_by_a_space(tmp_path: Path) -> None:
    above = ["shop", "shop", "shop", "goods", ""]
    found = read(tmp_path, written([above, HEADER, *ROWS]))
    assert found.header == ["shop day", "shop qty", "shop price", "goods product", "goods remark"]
    assert found.rows == ROWS
    twice = read(tmp_path, written([HEADER, HEADER, *ROWS]))
    assert twice.header == [f"{title} {title}" for title in HEADER]
    assert twice.rows == ROWS


@pytest.mark.parametrize("drop", [0, 1, 2])
def test_of_two_tables_the_first_is_taken_and_the_second_told(tmp_path: Path, drop: int) -> None:
    second = [row[: len(row) - drop] for row in [HEADER, *ROWS]]
    found = read(tmp_path, TABLE + written(second))
    is_whole(found)
    assert "7 lines set aside" in found.told["table"]
    other = [["city", "people"], ["Rome", "3"], ["Lima", "8"], ["Bern", "1"]]
    found = read(tmp_path, TABLE + "\r\n" + written(other))
    is_whole(found)
    assert "4 lines set aside" in found.told["table"]


@pytest.mark.parametrize("row", range(7))
@pytest.mark.parametrize("at", range(5))
def test_a_delimiter_too_many_is_taken_out_where_the_types_show_it(tmp_path: Path, row: int, at: int) -> None:
    rows = [list(cells) for cells in [HEADER, *ROWS]]
    rows[row].insert(at, "")
    found = read(tmp_path, written(rows))
    assert found.malformed == []
    assert found.rows == ROWS
    assert found.header == HEADER
    assert list(found.repaired.values()) == [COLUMN_COUNT] * (row > 0)


@pytest.mark.parametrize(("row", "at"), [(row, at) for row in range(1, 7) for at in (0, 1, 2, 4)])
def test_a_missing_field_leaves_the_others_where_they_belong(tmp_path: Path, row: int, at: int) -> None:
    rows = [list(cells) for cells in [HEADER, *ROWS]]
    del rows[row][at]
    found = read(tmp_path, written(rows))
    assert found.malformed == []
    expected = [list(cells) for cells in ROWS]
    expected[row - 1][at] = ""
    assert len(found.rows) == len(ROWS)
    assert [cells for n, cells in enumerate(found.rows) if n != row - 1] == [
        cells for n, cells in enumerate(ROWS) if n != row - 1
    ]
    assert [cell for cell in found.rows[row - 1] if cell] == [cell for cell in expected[row - 1] if cell]
    if at in (0, 4):  # of two columns of numbers either may be the one that is missing
        assert found.rows[row - 1][1:4] == expected[row - 1][1:4]
    assert found.repaired == {row - 1: COLUMN_COUNT}


@pytest.mark.parametrize("row", range(7))
@pytest.mark.parametrize("at", range(5))
def test_a_quote_too_many_is_text_and_takes_nothing_along(tmp_path: Path, row: int, at: int) -> None:
    lines = [HEADER, *ROWS]
    fields = [written([[cell]], end="") for cell in lines[row]]
    fields[at] = '"' + fields[at]
    content = "".join(
        ",".join(fields) + "\r\n" if n == row else written([cells]) for n, cells in enumerate(lines)
    )
    found = read(tmp_path, content)
    assert found.malformed == []
    expected = [list(cells) for cells in lines]
    expected[row][at] = '"' + expected[row][at]
    if found.rows != expected[1:]:  # a quoted field may keep its own quotes, too
        expected[row][at] = fields[at]
    assert found.header == expected[0]
    assert found.rows == expected[1:]


def test_a_record_by_another_delimiter_is_understood(tmp_path: Path) -> None:
    content = written([HEADER, *ROWS[:3]]) + written([ROWS[3]], " ") + written(ROWS[4:])
    found = read(tmp_path, content)
    is_whole(found)
    assert found.repaired == {3: COLUMN_COUNT}


def test_an_unquoted_delimiter_in_a_text_is_put_back(tmp_path: Path) -> None:
    content = TABLE.replace('"Men\'s Boots, brown"', "Men's Boots, brown")
    found = read(tmp_path, content)
    is_whole(found)
    assert found.repaired == {0: COLUMN_COUNT}


def test_what_cannot_be_placed_is_kept_with_its_line(tmp_path: Path) -> None:
    noise = "2018-02-20,7,8,9,10,11,12,13,14,15\r\n"
    lines = TABLE.splitlines(keepends=True)
    found = read(tmp_path, "".join([*lines[:4], noise, *lines[4:]]))
    assert found.rows == ROWS
    assert found.malformed == [(5, COLUMN_COUNT, noise.strip())]


@pytest.mark.parametrize("chunk_bytes", [16, 64, 1 << 20])
def test_a_quote_never_closed_is_text(tmp_path: Path, chunk_bytes: int) -> None:
    content = TABLE.replace("Socks", '"Socks')
    found = read(tmp_path, content, chunk_bytes=chunk_bytes)
    assert found.header == HEADER
    assert found.rows == [[cell.replace("Socks", '"Socks') for cell in row] for row in ROWS]
    assert set(found.repaired.values()) <= {STRAY_QUOTE, OPEN_QUOTE}


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n\r\n", b"\0" * 64])
def test_a_file_without_text_is_a_table_without_columns(tmp_path: Path, content: bytes) -> None:
    found = read(tmp_path, content)
    assert (found.rows, found.malformed) == ([], [])
    assert not found.header


def test_one_record_that_is_not_utf8_is_read_as_cp1252_and_told(tmp_path: Path) -> None:
    rows = [[*row[:3], "Zoë", row[4]] for row in ROWS]
    content = written([HEADER, *rows]).encode().replace("Zoë".encode(), b"Zo\xeb", 1)
    found = read(tmp_path, content)
    is_whole(found, rows)
    assert list(found.repaired) == [0]


def test_nul_bytes_are_text_and_the_padding_of_an_unfinished_write_is_none(tmp_path: Path) -> None:
    content = TABLE.replace("Socks", "So\0cks").encode()
    expected = [[cell.replace("Socks", "So\0cks") for cell in row] for row in ROWS]
    is_whole(read(tmp_path, content), expected)
    is_whole(read(tmp_path, content + bytes(4096)), expected)


def test_every_delimiter_at_the_end_of_the_rows_means_nothing(tmp_path: Path) -> None:
    content = TABLE.replace("\r\n", ",\r\n").replace(",\r\n", "\r\n", 1)
    found = read(tmp_path, content)
    is_whole(found)
    assert found.repaired == {}


@pytest.mark.parametrize(
    ("options", "content", "rows"),
    [
        (ReadOptions(forgiving=True, delimiter=";"), "a,b;c\n1,2;3\n", [["1,2", "3"]]),
        (ReadOptions(forgiving=True, header=0), "a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        (ReadOptions(forgiving=True, header=1), "1,2\n3,4\n", [["3", "4"]]),
        (ReadOptions(forgiving=True, quote=""), 'a,b\n"1,2\n', [['"1', "2"]]),
        (ReadOptions(forgiving=True, delimiter=",", escape="\\"), "a,b\nx\\,y,2\n", [["x,y", "2"]]),
        (ReadOptions(forgiving=True, encoding="cp1251"), "a,b\nЖ,2\n".encode("cp1251"), [["Ж", "2"]]),
    ],
)
def test_what_the_caller_says_is_not_questioned(
    tmp_path: Path, options: ReadOptions, content: str | bytes, rows: list[list[str]]
) -> None:
    assert read(tmp_path, content, options).rows == rows


# --- laws ------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    ['"', "'", ",", ",", ";", "\t", " ", "\r", "\n", "\r\n", "\\", "a", "12", "é", "\0", "x,y\n", '"x",y\n']
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=80).map("".join), st.integers(1, 64))
def test_no_text_is_lost_whatever_it_is_and_however_it_is_cut(
    tmp_path: Path, text: str, chunk_bytes: int
) -> None:
    """Each letter of the file comes out in a title, a cell, a malformed record, or what is set aside."""
    whole = read(tmp_path, text)
    assert read(tmp_path, text, chunk_bytes=chunk_bytes) == whole
    seen = (
        "".join(whole.header or [])
        + "".join(map("".join, whole.rows))
        + "".join(raw for *_, raw in whole.malformed)
    )
    if whole.told["encoding"] == "utf-8" and not {"preamble", "footer", "table"} & set(whole.told):
        for letter in "a12éxy":
            assert seen.count(letter) >= text.count(letter), letter


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(tmp_path: Path, content: bytes) -> None:
    read(tmp_path, content)
