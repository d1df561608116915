"""Every kind of source into every kind of destination: the same table in, the same table out."""

from __future__ import annotations

import csv
import gzip
import io
from functools import partial
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gidbench.conversion.places import unique_titles
from gidbench.converting import convert
from gidbench.errors import InputError, OperationCancelled

HEADER = ["id", "name", "note, or remark", "when"]
ROWS = [
    ["1", "Sri", "plain", "2024-02-29"],
    ["2", "Budi \"the\" B", "a,b", ""],
    ["3", "Ren\u00e9 \u738b\u4f1f", "two\nlines", "2024-01-05"],
    ["", "", "", "x"],
    ["007", " padded ", "=1+1", "1.50"],
]  # fmt: skip
Table = tuple[list[str], list[list[str]]]


def csv_text(header: list[str], rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


def put_text(path: Path, header: list[str], rows: list[list[str]]) -> None:
    content = csv_text(header, rows).encode()
    if path.suffix == ".gz":
        content = gzip.compress(content)
    elif path.suffix == ".zst":
        content = pa.compress(content, codec="zstd", asbytes=True)
    path.write_bytes(content)


def put_tabs(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\r\n").writerows([header, *rows])


def put_typed(path: Path, header: list[str], rows: list[list[str]]) -> None:
    columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(header))]
    table = pa.Table.from_arrays(columns, names=header)
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


def put_workbook(path: Path, header: list[str], rows: list[list[str]]) -> None:
    book = openpyxl.Workbook()
    for row in [header, *rows]:
        book.active.append([value or None for value in row])
        for cell in book.active[book.active.max_row]:
            cell.data_type = "s"  # no formulas
    book.save(path)


SOURCES = {
    "s.csv": put_text,
    "s.tsv": put_tabs,
    "s.csv.gz": put_text,
    "s.csv.zst": put_text,
    "s.parquet": put_typed,
    "s.arrow": put_typed,
    "s.xlsx": put_workbook,
}


def get_text(path: Path) -> Table:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    elif path.suffix == ".zst":
        content = pa.input_stream(path, compression="zstd").read()
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    return header, rows


def get_typed(path: Path) -> Table:
    if path.suffix == ".parquet":
        table = pq.read_table(path)
    else:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
    assert set(table.schema.types) == {pa.string()}
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return table.column_names, [list(row) for row in rows]


def get_workbook(path: Path) -> Table:
    sheet = openpyxl.load_workbook(path, read_only=True).active
    header, *rows = ([str(value or "") for value in row] for row in sheet.iter_rows(values_only=True))
    return header, rows


DESTINATIONS = {
    "d.csv": get_text,
    "d.csv.gz": get_text,
    "d.csv.zst": get_text,
    "d.parquet": get_typed,
    "d.arrow": get_typed,
    "d.xlsx": get_workbook,
}


@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("source", SOURCES)
def test_the_same_table_comes_out(tmp_path: Path, source: str, destination: str) -> None:
    SOURCES[source](tmp_path / source, HEADER, ROWS)
    result = convert(tmp_path / source, tmp_path / destination)
    assert DESTINATIONS[destination](tmp_path / destination) == (HEADER, ROWS)
    assert (result.malformed, result.malformed_path, result.warnings) == (0, None, ())
    assert result.columns == 4
    assert result.bytes_written == (tmp_path / destination).stat().st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source, destination])


@pytest.mark.parametrize("destination", ["d.csv", "d.parquet", "d.arrow", "d.xlsx"])
@pytest.mark.parametrize("workers", [1, 3])
def test_many_pieces_keep_their_order(tmp_path: Path, destination: str, workers: int) -> None:
    count = 40_000 if destination == "d.xlsx" else 140_000
    rows = [[str(row), f"name {row}", "x" * (row % 50), ""] for row in range(count)]
    put_typed(tmp_path / "s.arrow", HEADER, rows)
    result = convert(tmp_path / "s.arrow", tmp_path / destination, workers=workers)
    assert result.records == len(rows)
    header, found = DESTINATIONS[destination](tmp_path / destination)
    assert header == HEADER
    assert found == rows


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@settings(max_examples=60)
@given(
    st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(texts, min_size=width, max_size=width), min_size=1)
    )
)
def test_any_texts_survive_parquet_csv_and_arrow(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    header = [f"c{place}" for place in range(len(rows[0]))]
    put_typed(folder / "s.parquet", header, rows)
    convert(folder / "s.parquet", folder / "d.csv")
    assert get_text(folder / "d.csv") == (header, rows)
    convert(folder / "s.parquet", folder / "d.arrow")
    assert get_typed(folder / "d.arrow") == (header, rows)


def test_csv_is_rfc_4180_with_quotes_only_where_a_value_needs_them(tmp_path: Path) -> None:
    put_typed(tmp_path / "s.parquet", ["a", "b,c"], [["plain", 'say "x"'], ["", "1\r2"]])
    convert(tmp_path / "s.parquet", tmp_path / "d.csv")
    assert (tmp_path / "d.csv").read_bytes() == b'a,"b,c"\nplain,"say ""x"""\n,"1\r2"\n'


def test_a_table_of_one_column_keeps_its_blank_values(tmp_path: Path) -> None:
    put_typed(tmp_path / "s.parquet", ["a"], [["1"], [""], ["2"]])
    convert(tmp_path / "s.parquet", tmp_path / "d.csv")
    assert get_text(tmp_path / "d.csv") == (["a"], [["1"], [""], ["2"]])


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_a_header_without_rows(tmp_path: Path, destination: str) -> None:
    put_typed(tmp_path / "s.parquet", HEADER, [])
    assert convert(tmp_path / "s.parquet", tmp_path / destination).records == 0
    assert DESTINATIONS[destination](tmp_path / destination) == (HEADER, [])


@pytest.mark.parametrize("source", ["s.csv", "s.tsv", "s.txt", "s.csv.gz", "s.csv.zst"])
@pytest.mark.parametrize("destination", DESTINATIONS)
def test_an_empty_file_gives_an_empty_file_and_a_warning(
    tmp_path: Path, source: str, destination: str
) -> None:
    content = {".gz": gzip.compress(b""), ".zst": pa.compress(b"", codec="zstd", asbytes=True)}
    (tmp_path / source).write_bytes(content.get(Path(source).suffix, b""))
    result = convert(tmp_path / source, tmp_path / destination)
    assert result.warnings == (f"{source} is empty",)
    assert (result.records, result.columns) == (0, 0)
    if destination.startswith("d.csv"):
        assert pa.input_stream(tmp_path / destination).read() == b""
        assert (tmp_path / "d.csv").exists() is (destination == "d.csv")
    elif destination == "d.parquet":
        assert pq.read_table(tmp_path / destination).shape == (0, 0)
    elif destination == "d.arrow":
        with pa.memory_map(str(tmp_path / destination)) as file:
            assert pa.ipc.open_file(file).schema == pa.schema([])
    else:
        sheet = openpyxl.load_workbook(tmp_path / destination).active
        assert sheet["A1"].value is None


def test_titles_that_are_blank_or_twice_are_made_unique_where_they_are_names(tmp_path: Path) -> None:
    put_text(tmp_path / "s.csv", ["a", "", "a", "a_2", "", "A"], [["1", "2", "3", "4", "5", "6"]])
    convert(tmp_path / "s.csv", tmp_path / "d.parquet")
    assert pq.read_table(tmp_path / "d.parquet").column_names == [
        "a",
        "column_2",
        "a_3",
        "a_2",
        "column_5",
        "A",
    ]
    convert(tmp_path / "s.csv", tmp_path / "d.csv")
    assert get_text(tmp_path / "d.csv")[0] == ["a", "", "a", "a_2", "", "A"]


@given(
    st.lists(
        st.sampled_from(["", " ", "a", "a_2", "a_3", "b", "column_1", "column_2", "column_3"]), max_size=8
    )
)
def test_unique_titles_leave_what_was_unique(titles: list[str]) -> None:
    found = unique_titles(titles)
    assert len(set(found)) == len(found) == len(titles)
    for title, name in zip(titles, found, strict=True):
        if title.strip() and titles.count(title) == 1:
            assert name == title
        assert name.strip()


def test_the_list_of_an_earlier_run_is_removed_and_another_can_be_named(tmp_path: Path) -> None:
    put_text(tmp_path / "s.csv", HEADER, ROWS)
    for name in ("d.malformed.csv", "other.csv"):
        (tmp_path / name).write_text("old")
    convert(tmp_path / "s.csv", tmp_path / "d.csv.gz", malformed=tmp_path / "other.csv")
    assert (tmp_path / "d.malformed.csv").read_text() == "old"
    assert not (tmp_path / "other.csv").exists()
    convert(tmp_path / "s.csv", tmp_path / "d.csv.gz")
    assert not (tmp_path / "d.malformed.csv").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max_rows": 4}, "more than 4 rows.*--max-rows"),
        ({"max_columns": 3}, "4 columns; the limit is 3"),
        ({"types": "guess"}, "types is 'guess'"),
        ({"encoding": "klingon"}, "there is no encoding 'klingon'"),
        ({"delimiter": "ab"}, "the delimiter is 'ab'"),
        ({"delimiter": ""}, "the delimiter is ''"),
        ({"quote": "\n"}, "the quote is '\\\\n'"),
        ({"delimiter": ";", "quote": ";"}, "';' would have two meanings"),
        ({"header": -1}, "a header of -1 rows"),
        ({"sheet": 0}, "there is no sheet 0"),
        ({"max_rows": 0}, "max_rows is 0, but must be a whole number from 1"),
        ({"malformed": "s.csv"}, "s.csv is the file to convert"),
        ({"malformed": "d.parquet"}, "d.parquet is the file to write"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    tmp_path: Path, options: dict[str, object], says: str
) -> None:
    put_text(tmp_path / "s.csv", HEADER, ROWS)
    with pytest.raises(InputError, match=says):
        convert("s.csv", "d.parquet", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]


def test_an_unknown_argument_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_row'"):
        convert("s.csv", "d.parquet", max_row=4)


def test_the_source_is_not_written_over_by_whatever_name(tmp_path: Path) -> None:
    put_text(tmp_path / "s.csv", HEADER, ROWS)
    (tmp_path / "link.csv").symlink_to("s.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "s.csv")
    for name in ("s.csv", "../" + tmp_path.name + "/s.csv", "link.csv", "hard.csv"):
        with pytest.raises(InputError, match="is the file to convert"):
            convert("s.csv", name)
    assert get_text(tmp_path / "s.csv") == (HEADER, ROWS)


def test_types_make_no_difference_to_csv_and_that_is_told(tmp_path: Path) -> None:
    put_text(tmp_path / "s.csv", HEADER, ROWS)
    result = convert("s.csv", "d.csv", types="infer")
    assert get_text(tmp_path / "d.csv") == (HEADER, ROWS)
    assert result.warnings == ("CSV holds text: --types infer changes nothing",)


def test_a_typed_workbook_has_numbers(tmp_path: Path) -> None:
    put_text(tmp_path / "s.csv", ["n", "t"], [["1", "007"], ["2.5", "x"]])
    convert("s.csv", "d.xlsx", types="infer")
    rows = list(openpyxl.load_workbook("d.xlsx").active.iter_rows(values_only=True))
    assert rows == [("n", "t"), (1, "007"), (2.5, "x")]


def test_progress_is_told_and_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    from gidbench.engine import Cancellation, Progress

    put_typed(tmp_path / "s.arrow", HEADER, ROWS * 40_000)
    told: list[Progress] = []
    convert("s.arrow", "d.csv", progress=told.append)
    assert (told[-1].done, told[-1].total, told[-1].unit) == (200_000, 200_000, "rows")
    assert told[-1].bytes_done == Path("d.csv").stat().st_size - len('id,name,"note, or remark",when\n')
    assert [step.done for step in told] == sorted(step.done for step in told)
    for destination in ("e.csv", "e.parquet", "e.xlsx"):
        cancellation = Cancellation()
        with pytest.raises(OperationCancelled):
            stop = partial(lambda flag, _: flag.cancel(), cancellation)
            convert("s.arrow", destination, progress=stop, cancellation=cancellation)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.csv", "s.arrow"]
