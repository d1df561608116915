"""What the rejects file tells of a record: where it stands, which field is wrong, and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_model import FullReject, Person, judge, read_full_rejects, stored

from gidbench.engine import Context
from gidbench.files import readers
from gidbench.files.text import TextBatch
from gidbench.operations import process
from gidbench.processing import process_in_memory
from gidbench.records import Reason

TODAY = date(2024, 6, 15)


def test_the_field_that_is_wrong_is_told_as_it_stands_in_the_file(tmp_path: Path, database: str) -> None:
    (tmp_path / "people.csv").write_text(
        "NIK;Nama;Tanggal Lahir;NIP;Paspor\n"
        "3201010101900012; X ;1990-01-02;;\n"
        '3201010101900012;"Bu\n""di""";31/02/1990;;\n'
        " 3201.0101 ;Budi;1990-01-02;;\n"
        "3,2010101E+15;Budi;1990-01-02;;\n"
        "3201010101900012;Budi;1990-01-02;;é\n"
        "3201010101900012;Budi;1990-01-02;" + "x" * 33 + ";\n"
        "\n"
        "3201010101900012;Budi;1990-01-02;;\n"
        "3201-0101-0190-0012;Budi;1990-01-02;;A123456\n"
        "3201010101900012;Budi\n"
        "=1+1;Budi;1990-01-02;;\n"
    )
    process(tmp_path / "people.csv", database, today=TODAY)
    found = read_full_rejects(tmp_path / "people.rejects.csv")
    assert [reject[:7] for reject in found] == [
        (1, "2", "", "", "name_too_short", "Nama", " X "),
        (2, "3", "", "", "bod_invalid", "Tanggal Lahir", "31/02/1990"),
        (3, "5", "", "", "no_ktp_invalid", "NIK", " 3201.0101 "),
        (4, "6", "", "", "precision_lost", "NIK", "3,2010101E+15"),
        (5, "7", "", "", "passport_id_invalid", "Paspor", "é"),
        (6, "8", "", "", "personal_number_too_long", "NIP", "x" * 33),
        (8, "11", "", "", "duplicate_in_file", "NIK", "3201010101900012"),
        (9, "12", "", "", "column_count", "", ""),
        (10, "13", "", "", "no_ktp_invalid", "NIK", "=1+1"),
    ]
    assert found[1].original == '3201010101900012;"Bu\n""di""";31/02/1990;;'


def test_bytes_that_are_no_text_are_told_by_their_number(tmp_path: Path, database: str) -> None:
    (tmp_path / "people.csv").write_bytes(
        b"\xef\xbb\xbfname,no_ktp,bod\nB\xe4r,3201010101900012,1990-01-02\nX,1,1\n"
    )
    process(tmp_path / "people.csv", database, today=TODAY)
    assert read_full_rejects(tmp_path / "people.rejects.csv") == [
        FullReject(1, "2", "", "", "not_utf8", "", "", "B\\xe4r,3201010101900012,1990-01-02"),
        FullReject(2, "3", "", "", "name_too_short", "name", "X", "X,1,1"),
    ]


def test_in_a_workbook_sheet_and_cell_are_told(tmp_path: Path, database: str) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Orang, baru"
    sheet.append([])
    sheet.append([*["-"] * 26, "nama", "no_ktp", "bod"])
    sheet.append([*["-"] * 26, "X", "3201010101900012", "1990-01-02"])
    sheet.append([*["-"] * 26, "Budi", "32010101", "1990-01-02"])
    sheet.append([*["-"] * 26, "Budi", "3201010101900012", "1990-01-02"])
    sheet.append([*["-"] * 26, "Budi", "3201010101900012", "1990-01-02"])
    book.save(tmp_path / "people.xlsx")
    process(tmp_path / "people.xlsx", database, today=TODAY)
    assert [reject[:7] for reject in read_full_rejects(tmp_path / "people.rejects.csv")] == [
        (1, "", "Orang, baru", "AA3", "name_too_short", "nama", "X"),
        (2, "", "Orang, baru", "AB4", "no_ktp_invalid", "no_ktp", "32010101"),
        (4, "", "Orang, baru", "AB6", "duplicate_in_file", "no_ktp", "3201010101900012"),
    ]


def test_sheets_that_go_on_with_the_table_are_taken_in_too(tmp_path: Path, database: str) -> None:
    book = openpyxl.Workbook()
    for place, sheet in enumerate((book.active, book.create_sheet("more"))):
        sheet.append(["name", "no_ktp", "bod"])
        sheet.append(["Budi", f"320101010190001{place}", "1990-01-02"])
        sheet.append(["X", "1", "1"])
    book.save(tmp_path / "people.xlsx")
    result = process(tmp_path / "people.xlsx", database, today=TODAY)
    assert (result.records, result.accepted) == (4, 2)
    assert [reject[:4] for reject in read_full_rejects(tmp_path / "people.rejects.csv")] == [
        (2, "", "Sheet", "A3"),
        (4, "", "more", "A3"),
    ]


class Workbook:
    """A reader of one batch, some cells of which are numbers."""

    unit, size, header_rows, header_lines, decisions, sheet_name = "rows", 1, 1, 1, (), ""

    def __init__(self, columns: dict[str, list[str]], numbers: dict[str, list[bool] | None]) -> None:
        self._columns, self._numbers = columns, numbers
        self.header = list(columns)

    def chunks(self) -> Iterator[tuple[int, int]]:
        yield 1, 0

    def parse(self, chunk: Any, wanted: Sequence[int]) -> TextBatch:  # noqa: ARG002
        names = [self.header[position] for position in wanted]
        given = [self._numbers.get(name) for name in names]
        count = len(self._columns[self.header[0]])
        return TextBatch(
            tuple(pa.array(self._columns[name], pa.string()) for name in names),
            np.zeros(count, np.uint8),
            np.arange(count, dtype=np.int64),
            count,
            lambda row: ",".join(self._columns[name][row] for name in self.header),
            numbers=tuple(None if each is None else np.array(each, bool) for each in given),
        )

    def sheets(self) -> Iterator[Workbook]:
        yield self

    def close(self) -> None:
        pass


CELLS = st.one_of(
    st.integers(10**15, 10**16 - 1).map(lambda number: (f"{number}", False)),
    st.integers(10**15, 2**53 + 4).map(lambda number: (f"{number}", True)),
    st.floats(1e14, 1e18).map(lambda number: (f"{number:.0f}", True)),
    st.floats(1e14, 1e18).map(lambda number: (f"{number!r}", True)),
    st.sampled_from([("9007199254740992", True), ("9007199254740993", True), ("3.2010101019E+15", False)]),
    st.sampled_from(
        [("3201010101900012.5", True), ("", False), ("1" * 16, True), ("3201.0101-0190 0012", False)]
    ),
)


@given(st.lists(CELLS, max_size=12, unique_by=lambda cell: cell[0]), st.booleans())
def test_numbers_of_cells_are_accepted_only_when_exact(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, bool]], told: bool
) -> None:
    texts, numbers = [text for text, _ in cells], [number and told for _, number in cells]
    columns = {"name": ["Budi"] * len(cells), "no_ktp": texts, "bod": ["1990-01-02"] * len(cells)}
    reader = Workbook(columns, {"no_ktp": numbers if told else None})
    rejects = tmp_path_factory.getbasetemp() / "numbers.rejects.csv"
    batches: list[pa.RecordBatch] = []
    process_in_memory(reader, batches.append, rejects=rejects, workers=1, context=Context(), today=TODAY)
    seen: set[str] = set()
    expected = []
    for text, number in zip(texts, numbers, strict=True):
        verdict = judge({"name": "Budi", "no_ktp": text, "bod": "1990-01-02"}, TODAY, number_cell=number)
        if isinstance(verdict, Person):
            verdict = Reason.DUPLICATE_IN_FILE if verdict.no_ktp in seen else verdict
            seen.add(verdict.no_ktp if isinstance(verdict, Person) else "")
        expected.append(verdict)
    kept = [text for batch in batches for text in batch.column("no_ktp").to_pylist()]
    assert kept == [verdict.no_ktp for verdict in expected if isinstance(verdict, Person)]
    assert [(reject.record, reject.code) for reject in read_full_rejects(rejects)] == [
        (row, verdict.code) for row, verdict in enumerate(expected, 1) if isinstance(verdict, Reason)
    ]


def test_a_shared_reading_of_a_workbook_stores_people_once(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Workbook(
        {
            "name": ["Budi", "Siti"],
            "no_ktp": ["9007199254740993", "3201010101900012"],
            "bod": ["1990-01-02"] * 2,
        },
        {"no_ktp": [True, True]},
    )
    monkeypatch.setitem(readers.READERS, ".xlsx", lambda *_: reader)
    (tmp_path / "people.xlsx").write_bytes(b"PK\x03\x04")
    result = process(tmp_path / "people.xlsx", database, today=TODAY)
    assert result.reasons == {"precision_lost": 1}
    assert [row[1] for row in stored(database)] == ["Siti"]


# --- names in every script ------------------------------------------------------------------------------

LETTERS = st.text(
    st.sampled_from(
        "aé名ا\u0301\u0308ก\u0e31👩\u200d\u0928\u093f \u00a0\u2003\u3000\t\x1f한\u1112\u1161\u11ab"
    ),
    max_size=9,
)


@given(st.lists(LETTERS, min_size=1, max_size=12))
def test_names_are_composed_trimmed_and_counted_in_code_points(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    count = len(names)
    ids = [f"{3201_0101_0190_0012 + row}" for row in range(count)]
    reader = Workbook({"name": names, "no_ktp": ids, "bod": ["1990-01-02"] * count}, {})
    rejects = tmp_path_factory.getbasetemp() / "names.rejects.csv"
    batches: list[pa.RecordBatch] = []
    process_in_memory(reader, batches.append, rejects=rejects, workers=1, context=Context(), today=TODAY)
    verdicts = [
        judge({"name": name, "no_ktp": number, "bod": "1990-01-02"}, TODAY)
        for name, number in zip(names, ids, strict=True)
    ]
    kept = [text for batch in batches for text in batch.column("name").to_pylist()]
    assert kept == [verdict.name for verdict in verdicts if isinstance(verdict, Person)]
