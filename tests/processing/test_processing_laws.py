"""The laws of processing, for random files against a model in plain Python."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from intake_model import (
    Expected,
    Person,
    Reject,
    Written,
    expect,
    fresh,
    judge,
    next_ordinal,
    query,
    read_rejects,
    stored,
    table_of,
)

from gidbench.files import readers
from gidbench.files.csv_reader import CsvReader
from gidbench.files.workbooks.reader import WorkbookReader
from gidbench.gid import FIRST_ORDINAL
from gidbench.operations import generate, process
from gidbench.processing import ProcessResult
from gidbench.records import Reason

TODAY = date(2024, 6, 15)
FIELDS = ("name", "no_ktp", "bod", "passport_id", "personal_number")
TITLES = {
    "name": ["name", "Nama Lengkap", "FULL NAME"],
    "no_ktp": ["no_ktp", "NIK", "No. KTP"],
    "bod": ["bod", "Tanggal Lahir", "date of birth"],
    "passport_id": ["passport_id", "No Paspor"],
    "personal_number": ["personal_number", "NIP"],
}

# --- random files ---------------------------------------------------------------------------------------

NAMES = st.one_of(
    st.sampled_from(
        ["Budi Santoso", "Siti", "Jo", "Zoë", "名字", "O'Neil", "Dewi  Ayu", "Ani, S.E.", 'Joe "J" X']
    ),
    st.sampled_from(
        [" Budi ", "\tAni\t", "\xa0Ani\u3000", "Zoe\u0308", "e\u0301" * 255, "x" * 255, "é" * 255, "🙂🙂"]
    ),
    st.sampled_from(
        ["", "  ", "\xa0", "X", "é", "e\u0301", " Y ", "x" * 256, "é" * 256, "a\nb", "Ani\x1f", "\x1cAni"]
    ),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=6),
)
PEOPLE = st.integers(0, 12).map(lambda number: f"{number * 977_000_000_000_123 + 12:016}")
NATIONAL_IDS = st.one_of(
    PEOPLE,
    PEOPLE.map(lambda digits: f"{digits[:6]}.{digits[6:12]}.{digits[12:]}"),
    PEOPLE.map(lambda digits: f" {digits[:6]}-{digits[6:12]} {digits[12:]} "),
    st.sampled_from(
        [
            "",
            " ",
            "-.-",
            "123",
            "1" * 16,
            "0" * 16,
            "1234567890123456 7",
            "12345678901234",
            "12345678901234AB",
        ]
    ),
    st.sampled_from(
        ["３２０１０１０１０１９０００１２", "+201010101900012", "3201/0101/0190/0012", "3201010101900012é"]
    ),
)
DAYS = st.one_of(
    st.dates(date(1890, 1, 1), date(2030, 12, 31)),
    st.sampled_from(
        [TODAY, TODAY + timedelta(days=1), date(1900, 1, 1), date(1899, 12, 31), date(2000, 2, 29)]
    ),
)
BIRTHS = st.one_of(
    DAYS.map(str),
    DAYS.map(lambda day: f"{day.day}/{day.month}/{day.year}"),
    DAYS.map(lambda day: f"{day:%d-%m-%Y}"),
    DAYS.map(lambda day: f"{day:%d.%m.%Y}"),
    DAYS.map(lambda day: f" {day}T00:00:00 "),
    DAYS.map(lambda day: f"{day} 00:00"),
    st.integers(61, 60_000).map(str),
    st.sampled_from(
        ["", " ", "soon", "31/02/1990", "1990-02-30", "29/02/1900", "12/31/1990", "1/1/90", "1990-01/02"]
    ),
    st.sampled_from(
        ["1990-01-02 12:30", "0", "-1", "1990", "0000-00-00", "1990-01-02-03", "１９９０-01-02", "1e4"]
    ),
)
PASSPORTS = st.one_of(
    st.just(""),
    st.from_regex(r"[A-Z]{1,2}[0-9]{6,8}", fullmatch=True),
    st.sampled_from(
        [
            "a1234567",
            " AB 123456 ",
            "A12345",
            "A123456789",
            "ABC123456",
            "1234567",
            "A-123456",
            "Aé12345",
            "ıB123456",
        ]
    ),
)
NUMBERS = st.one_of(
    st.just(""), st.sampled_from(["P1", " P 2 ", "é" * 32, "x" * 33, "  ", "e\u0301" * 32, "é" * 33])
)
ROW = st.fixed_dictionaries(
    {
        "name": NAMES,
        "no_ktp": NATIONAL_IDS,
        "bod": BIRTHS,
        "passport_id": PASSPORTS,
        "personal_number": NUMBERS,
    }
)
GOOD_ROW = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Budi", "Siti", "Zoë"]),
        "no_ktp": PEOPLE,
        "bod": st.dates(date(1900, 1, 1), TODAY).map(str),
        "passport_id": st.sampled_from(["", "A123456"]),
        "personal_number": st.sampled_from(["", "P1"]),
    }
)
ROWS = st.lists(st.one_of(GOOD_ROW, GOOD_ROW, ROW), max_size=25)
Row = dict[str, str]


@st.composite
def columns(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Fields in the order of their columns ("" for one that means nothing), and their titles."""
    optional = draw(st.lists(st.sampled_from(FIELDS[3:]), unique=True))
    fields = draw(st.permutations([*FIELDS[:3], *optional, *([""] * draw(st.integers(0, 2)))]))
    return fields, [draw(st.sampled_from(TITLES[field])) if field else "remark" for field in fields]


def csv_line(cells: list[str], delimiter: str, *, quote_all: bool = False) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL).writerow(
        cells
    )
    return line.getvalue().removesuffix("\r\n")


@st.composite
def csv_files(draw: st.DrawFn, rows: st.SearchStrategy[list[Row]] = ROWS) -> tuple[bytes, list[Written]]:
    """The bytes of a CSV file and its records: good, bad, malformed, with empty lines in between."""
    fields, titles = draw(columns())
    delimiter, end = draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n"]))
    top = draw(st.integers(0, 2))
    content = (
        b"\xef\xbb\xbf"  # so that bytes which are not UTF-8 are no sign of another encoding
        + (end * top + csv_line(titles, delimiter) + end).encode()
    )
    line = top + 2
    records: list[Written] = []
    for row in draw(rows):
        for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 3]))):
            content += end.encode()
            line += 1
        cells = [row.get(field, "z") for field in fields]
        malformed = draw(
            st.sampled_from([None] * 12 + [Reason.COLUMN_COUNT, Reason.STRAY_QUOTE, Reason.NOT_UTF8])
        )
        if malformed is Reason.COLUMN_COUNT:
            cells = draw(st.sampled_from([cells[:-1], [*cells, ""]]))
        written = csv_line(cells, delimiter, quote_all=malformed is Reason.STRAY_QUOTE or draw(st.booleans()))
        if malformed is Reason.STRAY_QUOTE:
            first, *behind = re.split(r"\r\n|\r|\n", written)
            if behind and first.count(delimiter) + 1 == len(fields):
                malformed = None  # a whole record by itself: what is behind it counts as records of their own
            else:
                written += "x"
        encoded = written.encode()
        if malformed is Reason.NOT_UTF8:
            cells[fields.index("name")] = "B\xe4r"
            encoded = (
                csv_line(cells, delimiter)
                .replace("B\xe4r", "\ue000")
                .encode()
                .replace("\ue000".encode(), b"B\xe4r")
            )
            written = encoded.decode("utf-8", "backslashreplace")
        content += encoded + end.encode()
        if encoded:
            records.append(Written(line, written, {f: row[f] for f in fields if f}, malformed))
        line += len(written.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    if draw(st.sampled_from([False] * 4 + [True])):
        rest = f'"{draw(st.sampled_from(["", f"Budi{delimiter}", f"a{end}b"]))}'
        records.append(Written(line, rest, {}, Reason.OPEN_QUOTE))
        content += rest.encode()
    elif draw(st.booleans()):
        content = content.removesuffix(end.encode())
    return content, records


def check(result: ProcessResult, expected: Expected, url: str, rejects: Path, start: int = 0) -> None:
    """A result, the table and the rejects file are what the model says."""
    assert read_rejects(rejects) == expected.rejects
    assert stored(url)[start:] == table_of(expected.accepted, start)
    duplicates = sum(count for code, count in expected.counts.items() if code.startswith("duplicate"))
    assert (result.accepted, result.duplicate, result.rejected) == (
        len(expected.accepted),
        duplicates,
        len(expected.rejects) - duplicates,
    )
    assert result.accepted + result.duplicate + result.rejected == result.records
    assert result.reasons == expected.counts
    assert result.rejects_path == (rejects if expected.rejects else None)
    assert rejects.exists() == bool(expected.rejects)
    assert next_ordinal(url) == FIRST_ORDINAL + start + len(expected.accepted)


@pytest.fixture
def chunks_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set how large the pieces are that files are cut into: bytes of text, or of a sheet's XML."""

    def set_size(size: int) -> None:
        monkeypatch.setitem(
            readers.READERS, ".csv", lambda path, options: CsvReader(path, options, chunk_bytes=size)
        )
        monkeypatch.setitem(
            readers.READERS, ".xlsx", lambda path, options: WorkbookReader(path, options, piece_bytes=size)
        )

    return set_size


# A failing example is shown as it was found: to shrink it would take minutes of files and databases.
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(max_examples=60, phases=UNSHRUNK)
@given(
    file=csv_files(), chunk_bytes=st.sampled_from([1, 50, 300, 1 << 20]), workers=st.sampled_from([1, 2, 4])
)
def test_a_csv_file_is_taken_in_as_the_model_says(
    tmp_path: Path,
    chunks_of: Callable[[int], None],
    file: tuple[bytes, list[Written]],
    chunk_bytes: int,
    workers: int,
) -> None:
    folder, url = fresh(tmp_path)
    content, records = file
    (folder / "people.csv").write_bytes(content)
    chunks_of(chunk_bytes)
    result = process(folder / "people.csv", url, workers=workers, today=TODAY)
    check(result, expect(records, TODAY), url, folder / "people.rejects.csv")


@settings(max_examples=15, phases=UNSHRUNK)
@given(first=csv_files(st.lists(GOOD_ROW, max_size=8)), second=csv_files(), data=st.data())
def test_people_of_earlier_files_are_duplicates_and_a_file_run_again_adds_nobody(
    tmp_path: Path,
    first: tuple[bytes, list[Written]],
    second: tuple[bytes, list[Written]],
    data: st.DataObject,
) -> None:
    folder, url = fresh(tmp_path)
    rejects = folder / "rejects.csv"
    known: list[Person] = []
    for content, records in (first, second, second):
        (folder / "people.csv").write_bytes(content)
        expected = expect(records, TODAY, [person.no_ktp for person in known])
        result = process(folder / "people.csv", url, rejects=rejects, workers=2, today=TODAY)
        check(result, expected, url, rejects, start=len(known))
        known += expected.accepted
    assert result.accepted == 0
    assert result.reasons.get("duplicate_in_table", 0) == len(
        {
            person.no_ktp
            for record in second[1]
            if not record.malformed
            for person in [judge(record.fields, TODAY)]
            if isinstance(person, Person)
        }
    )


def excel_text(text: str) -> str:
    """Text that openpyxl writes into a workbook as it is."""
    return "".join(letter for letter in text if letter >= " " or letter == "\n").replace("_x", "")


@settings(max_examples=25, phases=UNSHRUNK)
@given(rows=ROWS, layout=columns(), chunk_rows=st.sampled_from([1, 3, 50_000]), data=st.data())
def test_a_workbook_is_taken_in_as_the_model_says(
    tmp_path: Path,
    chunks_of: Callable[[int], None],
    rows: list[Row],
    layout: tuple[list[str], list[str]],
    chunk_rows: int,
    data: st.DataObject,
) -> None:
    folder, url = fresh(tmp_path)
    fields, titles = layout
    book = openpyxl.Workbook()
    sheet = book.active
    line = 1 + data.draw(st.integers(0, 3))
    for place, title in enumerate(titles, 1):
        sheet.cell(line, place).value = title
    records: list[Written] = []
    for row in rows:
        line += data.draw(st.sampled_from([1, 1, 1, 2]))
        cells: list[str] = []
        for place, field in enumerate(fields, 1):
            text = excel_text(row.get(field, "z"))
            value: object = text or None
            if field == "bod" and data.draw(st.booleans()):
                day = data.draw(st.dates(date(1900, 1, 1), date(2030, 1, 1)))
                value, text = day, f"{day}"
            elif (
                field == "no_ktp"
                and text.isdigit()
                and text.isascii()
                and len(text) < 17
                and int(text) < 2**53  # beyond, a number may not be what was typed
                and data.draw(st.booleans())
            ):
                value = int(text)
                text = str(value)
            if value is not None:
                cell = sheet.cell(line, place)
                cell.value = value
                if isinstance(value, str):
                    cell.data_type = "s"
            cells.append(text)
        if any(cells):
            records.append(Written(line, csv_line(cells, ","), dict(zip(fields, cells, strict=True))))
    book.save(folder / "people.xlsx")
    chunks_of(chunk_rows)
    result = process(folder / "people.xlsx", url, workers=2, today=TODAY)
    check(result, expect(records, TODAY), url, folder / "people.rejects.csv")


# --- what does not change a result ----------------------------------------------------------------------


def crowd(rows: int) -> bytes:
    """A file with people of every kind, in which chunks of any size have something to refuse."""
    lines = ["name;no_ktp;bod;passport_id"]
    for n in range(rows):
        number = f"{3201_0101_0190_0000 + n * 37 % 701:016}"
        name = ("Ani\x1f", "Zoë", "Budi", "", "\x1cDewi", "X", " Siti ", '"a\nb"')[n % 8]
        lines.append(f"{name};{number};{1 + n % 31}/{1 + n % 13}/19{n % 100:02};{'A123456' if n % 5 else ''}")
    return "\n".join(lines).encode()


def outcome(folder: Path, url: str) -> tuple[list[Reject], list[tuple[object, ...]]]:
    return read_rejects(folder / "people.rejects.csv"), stored(url)


def test_workers_and_chunks_do_not_change_the_result(
    tmp_path: Path, chunks_of: Callable[[int], None]
) -> None:
    outcomes = []
    for workers, chunk_bytes in ((1, 1 << 20), (1, 100), (2, 777), (4, 100), (4, 5_000)):
        folder, url = fresh(tmp_path)
        (folder / "people.csv").write_bytes(crowd(900))
        chunks_of(chunk_bytes)
        result = process(folder / "people.csv", url, workers=workers, today=TODAY)
        outcomes.append((outcome(folder, url), result.reasons))
    assert all(found == outcomes[0] for found in outcomes[1:])
    assert len(outcomes[0][0][1]) > 100
    assert len(outcomes[0][1]) == 4


def test_the_same_table_as_csv_and_as_a_workbook_gives_the_same_people(tmp_path: Path) -> None:
    found = []
    for suffix in ("csv", "xlsx"):
        folder, url = fresh(tmp_path)
        generate(2_000, seed=3, out=folder / f"people.{suffix}")
        result = process(folder / f"people.{suffix}", url, today=date(2100, 1, 1))
        assert (result.records, result.accepted) == (2_000, 2_000)
        found.append(stored(url))
    assert found[0] == found[1]


def test_accepted_rows_have_one_moment_and_the_audit_log_has_a_line_without_names(
    tmp_path: Path, database: str
) -> None:
    (tmp_path / "secret name.csv").write_text("name,no_ktp,bod\nBudi,3201010101900012,1990-01-02\nX,1,1\n")
    process(tmp_path / "secret name.csv", database, today=TODAY)
    [(created, updated)] = query(database, "SELECT created_at, updated_at FROM global_id_file")
    assert created == updated is not None
    [(operation, result, counts, parameters)] = query(
        database, "SELECT operation, outcome, counts, parameters FROM audit_log"
    )
    assert (operation, result) == ("process", "done")
    assert counts == '{"records": 2, "accepted": 1, "duplicate": 0, "rejected": 1}'
    assert "secret" not in str(parameters)


def test_progress_ends_at_the_whole_file(
    tmp_path: Path, database: str, chunks_of: Callable[[int], None]
) -> None:
    (tmp_path / "people.csv").write_bytes(crowd(200))
    chunks_of(500)
    events = []
    process(tmp_path / "people.csv", database, today=TODAY, progress=events.append)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert len(done) > 5
    assert events[-1].unit == "bytes"
    header = len(b"name;no_ktp;bod;passport_id\n")
    assert done[-1] + header == events[-1].total == (tmp_path / "people.csv").stat().st_size


@pytest.mark.parametrize("content", ["name,no_ktp,bod", "name,no_ktp,bod\n", "\n\nname,no_ktp,bod\n\n\n\n"])
@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20])
def test_a_header_alone_is_a_file_of_no_records(
    tmp_path: Path, database: str, chunks_of: Callable[[int], None], content: str, chunk_bytes: int
) -> None:
    (tmp_path / "people.csv").write_text(content)
    chunks_of(chunk_bytes)
    result = process(tmp_path / "people.csv", database)
    assert (result.records, result.accepted, result.reasons) == (0, 0, {})
    assert stored(database) == []
    assert not (tmp_path / "people.rejects.csv").exists()


def test_the_rejects_of_an_earlier_run_do_not_outlive_a_run_without_any(
    tmp_path: Path, database: str
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,no_ktp,bod\nX,1,1\n")
    assert process(file, database).rejects_path == tmp_path / "people.rejects.csv"
    file.write_text("name,no_ktp,bod\nBudi,3201010101900012,1990-01-02\n")
    assert process(file, database).rejects_path is None
    assert not (tmp_path / "people.rejects.csv").exists()


def test_today_is_the_last_day_to_be_born_on(tmp_path: Path, database: str) -> None:
    (tmp_path / "people.csv").write_text(
        f"name,no_ktp,bod\nBudi,3201010101900012,{TODAY}\nSiti,3201010101900013,{TODAY + timedelta(days=1)}\n"
    )
    result = process(tmp_path / "people.csv", database, today=TODAY)
    assert (result.accepted, result.reasons) == (1, {"bod_in_future": 1})
