"""The CSV reader against Python's csv module, and what it says of files that are not well-formed."""

from __future__ import annotations

import csv
import io
import string
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from naive_csv import COLUMN_COUNT, NOT_UTF8, OPEN_QUOTE, STRAY_QUOTE, Record, by_csv_module, naive_untangled

from gidbench.errors import InputError
from gidbench.files import csv_reader
from gidbench.files.csv_reader import FLAG_REASONS, CsvReader
from gidbench.files.options import Limits, ReadOptions
from gidbench.records import Reason

DELIMITERS = ",;\t|"
CELLS = st.text(
    st.one_of(
        st.sampled_from('""",;\t|\r\n  \'a\0\ufeff'),
        st.sampled_from(string.ascii_letters + "éßØ€🙂\u2028\x85"),
        st.characters(exclude_categories=("Cs",)),
    ),
    max_size=12,
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A header of two or more titles, and rows as wide as it."""
    width = draw(st.integers(2, 5))
    row = st.lists(CELLS, min_size=width, max_size=width)
    return [draw(row), *draw(st.lists(row, max_size=12))]


COMMAS = ReadOptions(encoding="utf-8", delimiter=",", quote='"', escape="")


def read(
    path: Path,
    chunk_bytes: int = csv_reader.CHUNK_BYTES,
    wanted: list[int] | None = None,
    options: ReadOptions = COMMAS,
) -> list[Record]:
    """Every record by way of `CsvReader`, lines counted from 0 at the top of the file."""
    reader = CsvReader(path, options, chunk_bytes=chunk_bytes)
    wanted = list(range(len(reader.header))) if wanted is None else wanted
    records: list[Record] = []
    line = reader.header_lines
    for _, chunk in reader.chunks():
        batch = reader.parse(chunk, wanted)
        columns = [column.to_pylist() for column in batch.columns]
        for column in batch.columns:
            column.validate(full=True)
            assert len(column) == batch.flags.size == batch.lines.size
        records += [
            Record(line + int(at), int(flag), tuple(column[row] for column in columns), batch.raw(row))
            for row, (at, flag) in enumerate(zip(batch.lines, batch.flags, strict=True))
        ]
        line += batch.line_count
    reader.close()
    return records


def header(path: Path, options: ReadOptions = COMMAS) -> list[str]:
    reader = CsvReader(path, options)
    try:
        return reader.header
    finally:
        reader.close()


def written(tmp_path: Path, content: bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


# --- well-formed files ----------------------------------------------------------------------------------


@settings(max_examples=150)
@given(
    rows=tables(),
    delimiter=st.sampled_from(DELIMITERS),
    line_end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
    last_end=st.booleans(),
    minimal=st.booleans(),
    chunk_bytes=st.integers(16, 200),
)
@example([["a", "b"], ["", ""], ["\n", "\r"]], ",", "\n", False, True, False, 16)
@example([['a"b', "c,d;e|f\tg"], ['"', '""']], ";", "\r\n", True, False, False, 16)
def test_a_table_is_read_as_the_csv_module_reads_it(
    tmp_path: Path,
    rows: list[list[str]],
    delimiter: str,
    line_end: str,
    bom: bool,
    last_end: bool,
    minimal: bool,
    chunk_bytes: int,
) -> None:
    sheet = io.StringIO(newline="")
    # the header is quoted all through: nothing but its delimiters tells which one the file uses
    csv.writer(sheet, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerow(rows[0])
    quoting = csv.QUOTE_MINIMAL if minimal else csv.QUOTE_ALL
    csv.writer(sheet, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(rows[1:])
    content = sheet.getvalue() if last_end else sheet.getvalue().removesuffix(line_end)
    path = written(tmp_path, b"\xef\xbb\xbf" * bom + content.encode())

    titles, expected = by_csv_module(path, delimiter)
    said = ReadOptions(encoding="utf-8", delimiter=delimiter, quote='"', escape="")
    assert header(path, said) == titles == rows[0]
    whole = read(path, options=said)
    assert whole == expected
    assert read(path, chunk_bytes, options=said) == whole
    if not minimal:  # with every cell quoted nothing is lost on the way, whatever Python's writer does
        assert [list(record.fields) for record in whole] == rows[1:]


@given(st.lists(CELLS, max_size=20), st.integers(1, 60))
def test_a_file_of_one_column_is_read(tmp_path: Path, cells: list[str], chunk_bytes: int) -> None:
    sheet = io.StringIO(newline="")
    csv.writer(sheet, quoting=csv.QUOTE_ALL).writerows([["name"], *([cell] for cell in cells)])
    path = written(tmp_path, sheet.getvalue().encode())
    assert [record.fields for record in read(path, chunk_bytes)] == [(cell,) for cell in cells]


@given(rows=tables(), wanted=st.data(), chunk_bytes=st.integers(16, 200))
def test_only_the_wanted_columns_are_read(
    tmp_path: Path, rows: list[list[str]], wanted: st.DataObject, chunk_bytes: int
) -> None:
    sheet = io.StringIO(newline="")
    csv.writer(sheet, quoting=csv.QUOTE_ALL).writerows(rows)
    path = written(tmp_path, sheet.getvalue().encode())
    positions = wanted.draw(st.permutations(range(len(rows[0]))))[: wanted.draw(st.integers(1, len(rows[0])))]
    expected = [tuple(row[position] for position in positions) for row in rows[1:]]
    assert [record.fields for record in read(path, chunk_bytes, positions)] == expected


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("chunk_bytes", [16, 33, 1 << 20])
def test_blank_lines_are_no_records_but_count_as_lines(
    tmp_path: Path, line_end: str, chunk_bytes: int
) -> None:
    lines = ["", "", "a,b", "", "1,2", "", "", "3,4", '5,"6', '7"', "", "8,9", ""]
    path = written(tmp_path, line_end.join(lines).encode())
    assert [(record.line + 1, record.fields) for record in read(path, chunk_bytes)] == [
        (5, ("1", "2")),
        (8, ("3", "4")),
        (9, ("5", f"6{line_end}7")),
        (12, ("8", "9")),
    ]


def test_a_header_over_several_lines_moves_the_line_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,"b\r\nb"\r\n1,2\r\n')
    assert header(path) == ["a", "b\r\nb"]
    assert read(path) == [Record(2, 0, ("1", "2"), "1,2")]


@pytest.mark.parametrize("content", [b"a,b", b"a,b\n", b"\xef\xbb\xbfa,b\r\n", b"\n\na,b\n\n\n"])
def test_a_header_alone_has_no_records(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    assert header(path) == ["a", "b"]
    assert read(path) == []


@pytest.mark.parametrize(
    ("line", "titles"),
    [
        (b'"a,b";"c"', ["a,b", "c"]),
        (b'"no, with, commas";x;y', ["no, with, commas", "x", "y"]),
        (b'"say ""a""",b', ['say "a"', "b"]),
        (b'"say ""a, b,\nc""";d;e', ['say "a, b,\nc"', "d", "e"]),
        (b'a,5" disk,b', ["a", '5" disk', "b"]),
        (b'a,b"c', ["a", 'b"c']),
        (b'a"', ['a"']),
        ("naïve\tüber".encode(), ["naïve", "über"]),
        (b" a , b ", [" a ", " b "]),
        (b"a|b|c,d", ["a", "b", "c,d"]),
    ],
)
def test_quotes_and_delimiters_of_a_header(tmp_path: Path, line: bytes, titles: list[str]) -> None:
    delimiter = next((mark for mark in ";\t|" if mark.encode() in line), ",")
    body = delimiter.join(["7"] * len(titles)).encode() + b"\n"
    path = written(tmp_path, line + b"\n" + body * 3)
    assert header(path, ReadOptions()) == titles
    assert read(path, options=ReadOptions()) == [
        Record(len(line.split(b"\n")) + at, 0, ("7",) * len(titles), body.decode().strip("\n"))
        for at in range(3)
    ]


def test_progress_units_add_up_to_the_bytes_behind_the_header(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\n" + b'1,"2\n3"\n' * 50)
    reader = CsvReader(path, chunk_bytes=20)
    assert sum(units for units, _ in reader.chunks()) == reader.size - 4 == path.stat().st_size - 4
    assert reader.unit == "bytes"
    reader.close()


def test_nul_bytes_are_text_like_any_other(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\n\0,x\0y\n\0\0,\n")
    assert [record.fields for record in read(path)] == [("\0", "x\0y"), ("\0\0", "")]


def test_records_longer_than_a_chunk_are_read_whole(tmp_path: Path) -> None:
    long = "x" * 5_000
    path = written(tmp_path, f'a,b\n1,{long}\n"{long}\n{long}",2\n3,4\n'.encode())
    assert [record.fields for record in read(path, 16)] == [("1", long), (f"{long}\n{long}", "2"), ("3", "4")]


# --- malformed files ------------------------------------------------------------------------------------

PIECES = st.sampled_from(['"', '"', ",", ",", "\r", "\n", "\r\n", "a", "bc ", "é", "\0", "x,y\n", 'x,"y"\n'])


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=60).map("".join), st.integers(1, 64))
def test_any_text_is_read_as_the_naive_twin_reads_it_in_chunks_of_any_size(
    tmp_path: Path, body: str, chunk_bytes: int
) -> None:
    path = written(tmp_path, b"p,q\n" + body.encode())
    data = body.encode()
    naive = naive_untangled(data, ",", 2)
    ends = [record.start for record in naive[1:]] + [len(data)] * bool(naive)
    expected = [
        Record(
            record.line + 1,
            record.flag,
            tuple(field.decode() for field in record.fields),
            data[record.start : end].decode().rstrip("\r\n"),
        )
        for record, end in zip(naive, ends, strict=True)
    ]
    assert read(path) == expected
    assert read(path, chunk_bytes) == expected


@pytest.mark.parametrize(
    ("line", "flag"),
    [
        (b"1", COLUMN_COUNT),
        (b"1,2,3", COLUMN_COUNT),
        (b"1,2,", COLUMN_COUNT),
        (b"1;2", COLUMN_COUNT),
        (b" ", COLUMN_COUNT),
        (b'"1"x,2', STRAY_QUOTE),
        (b'1,"2" ', STRAY_QUOTE),
        (b'"1"x', STRAY_QUOTE),  # the quote is likely why the columns do not fit
        (b'1,2,"', OPEN_QUOTE),
        (b'1,"', OPEN_QUOTE),
        (b"\xff,2", NOT_UTF8),
        (b"1,\xc3", NOT_UTF8),
        (b'1,"\xe4,"', NOT_UTF8),
        (b"\xc3\xa9,\xed\xa0\x80", NOT_UTF8),  # a surrogate
    ],
)
@pytest.mark.parametrize("chunk_bytes", [16, 1 << 20])
def test_a_malformed_record_is_flagged_empty_and_kept_as_text(
    tmp_path: Path, line: bytes, flag: int, chunk_bytes: int
) -> None:
    path = written(tmp_path, b"a,b\nok,ok\n" + line + (b"\nlast,one\n" if flag != OPEN_QUOTE else b""))
    records = read(path, chunk_bytes)
    raw = line.decode("utf-8", "backslashreplace").rstrip("\n")
    expected = [Record(1, 0, ("ok", "ok"), "ok,ok"), Record(2, flag, ("", ""), raw)]
    if flag != OPEN_QUOTE:
        expected.append(Record(3, 0, ("last", "one"), "last,one"))
    assert records == expected
    assert FLAG_REASONS[flag].name in Reason.__members__


@pytest.mark.parametrize("chunk_bytes", [16, 40, 1 << 20])
@pytest.mark.parametrize(
    ("line", "flag"), [('5,"6', OPEN_QUOTE), ('"5,6', OPEN_QUOTE), ('5,""6" ', STRAY_QUOTE)]
)
def test_an_open_quote_does_not_take_the_lines_behind_it_along(
    tmp_path: Path, line: str, flag: int, chunk_bytes: int
) -> None:
    behind = [f"{n},x" for n in range(100)]
    path = written(tmp_path, "\n".join(["a,b", "1,2", line, *behind]).encode())
    assert read(path, chunk_bytes) == [
        Record(1, 0, ("1", "2"), "1,2"),
        Record(2, flag, ("", ""), line),
        *(Record(at + 3, 0, (f"{at}", "x"), text) for at, text in enumerate(behind)),
    ]


def test_a_text_of_several_lines_with_a_stray_quote_stays_one_record(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,b\n"one\ntwo" x,2\n3,4\n')
    assert read(path) == [
        Record(1, STRAY_QUOTE, ("", ""), '"one\ntwo" x,2'),
        Record(3, 0, ("3", "4"), "3,4"),
    ]


@given(st.lists(st.sampled_from([b"\xff", b"\xc3", b"\xa9", "é".encode(), b"x"]), min_size=1, max_size=30))
def test_only_records_that_are_not_utf8_are_flagged_so(tmp_path: Path, cells: list[bytes]) -> None:
    """Also where the bytes of one record, put to those of the next, would make a character."""
    path = written(tmp_path, b"a,b\n" + b"".join(b"1," + cell + b"\n" for cell in cells))
    good = {"é".encode(): "é", b"x": "x"}
    for chunk_bytes in (16, 1 << 20):
        assert [(record.flag, record.fields) for record in read(path, chunk_bytes)] == [
            (0, ("1", good[cell])) if cell in good else (NOT_UTF8, ("", "")) for cell in cells
        ]


PEOPLE = "name,no_ktp,bod\nBudi,3201234567890123,1990-01-02\nZoë,3201234567890124,1991-01-02\n"


@pytest.mark.parametrize("chunk_bytes", [16, 1 << 20])
@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"],
)
def test_any_encoding_is_found_out_and_read(tmp_path: Path, encoding: str, chunk_bytes: int) -> None:
    path = written(tmp_path, PEOPLE.encode(encoding))
    lines = PEOPLE.splitlines()
    assert header(path, ReadOptions()) == lines[0].split(",")
    assert [record.fields for record in read(path, chunk_bytes, options=ReadOptions())] == [
        tuple(line.split(",")) for line in lines[1:]
    ]


@pytest.mark.parametrize("encoding", ["cp1251", "shift-jis", "utf-16", "cp037"])
def test_an_encoding_that_is_named_is_taken(tmp_path: Path, encoding: str) -> None:
    path = written(
        tmp_path, "a,b\n1,Ж\n".encode(encoding) if encoding != "cp037" else "a,b\n1,é\n".encode("cp037")
    )
    said = ReadOptions(encoding=encoding)
    assert [record.fields for record in read(path, options=said)] == [
        ("1", "é" if encoding == "cp037" else "Ж")
    ]


def test_an_encoding_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no encoding 'utf-9'.*cp1252"):
        CsvReader(written(tmp_path, b"a\n"), ReadOptions(encoding="utf-9"))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"t\.csv is empty"):
        CsvReader(written(tmp_path, b""))


def test_a_header_whose_quote_is_never_closed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="first quote is closed"):
        CsvReader(written(tmp_path, b'a,"b\n1,2\n' * 1))


def test_a_text_without_line_ends_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="records end within the first"):
        CsvReader(written(tmp_path, b"x" * (70 << 20) + b"\n1,2\n"))


def test_a_header_of_very_many_columns_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b" + b"," * 16_000 + b"\n1,2" + b"," * 16_000 + b"\n")
    assert len(header(path)) == 16_002
    assert read(path, wanted=[1, 0])[0].fields == ("2", "1")
    few = replace(COMMAS, limits=Limits(columns=16_001))
    with pytest.raises(InputError, match=r"16,002 columns; the limit is 16,001"):
        CsvReader(path, few)


def test_a_quote_beyond_the_limit_of_a_record_is_taken_for_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "MAX_RECORD_BYTES", 200)
    path = written(tmp_path, b'a,b\n1,2\n3,"' + b"x\n" * 1_000 + b"5,6\n")
    records = read(path, 16)
    assert [record.fields for record in records if not record.flag] == [("1", "2"), ("5", "6")]
    assert [record.raw for record in records] == ["1,2", '3,"x', *["x"] * 999, "5,6"]


def test_a_line_beyond_the_limit_is_refused_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "MAX_RECORD_BYTES", 200)
    reader = CsvReader(written(tmp_path, b"a,b\n1,2\n" + b"x" * 1_000), COMMAS, chunk_bytes=16)
    with pytest.raises(InputError, match=r"byte 8 is longer than 200 bytes"):
        list(reader.chunks())
    reader.close()


def test_the_limit_is_of_a_record_not_of_a_file_with_old_macintosh_line_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "MAX_RECORD_BYTES", 200)
    path = written(tmp_path, b"a,b\r" + b"1,2\r" * 500)
    assert [record.fields for record in read(path, 16)] == [("1", "2")] * 500


def test_batches_outlive_the_reader(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,é\n".encode())
    reader = CsvReader(path)
    [(_, chunk)] = reader.chunks()
    batch = reader.parse(chunk, [1])
    reader.close()
    assert batch.columns[0].to_pylist() == ["é"]
