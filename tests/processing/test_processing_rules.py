"""Each rule of a field at its bounds, and which reason goes before which."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from intake_model import Person, fresh, judge, read_rejects, stored, table_of

from gidbench.operations import process
from gidbench.records import Reason

TODAY = date(2024, 6, 15)
FIELDS = ("name", "no_ktp", "bod", "passport_id", "personal_number")

GENERATED = object()
GOOD: dict[str, str] = {
    "name": "Budi",
    "no_ktp": "3201010101900012",
    "bod": "1990-01-02",
    "passport_id": "",
    "personal_number": "",
}
CASES: list[tuple[str, str, object]] = [
    ("name", "", Reason.NAME_MISSING),
    ("name", " \t ", Reason.NAME_MISSING),
    ("name", "\xa0", Reason.NAME_MISSING),
    ("name", "X", Reason.NAME_TOO_SHORT),
    ("name", "e\u0301", Reason.NAME_TOO_SHORT),  # one character, in NFC
    ("name", "Jo", "Jo"),
    ("name", "  Jo  ", "Jo"),
    ("name", "\u3000Jo\xa0", "Jo"),
    ("name", "Zoe\u0308", "Zoë"),
    ("name", "名字", "名字"),
    ("name", "x" * 255, "x" * 255),
    ("name", " " + "ß" * 255 + " ", "ß" * 255),
    ("name", "e\u0301" * 255, "é" * 255),
    ("name", "x" * 256, Reason.NAME_TOO_LONG),
    ("name", "ß" * 256, Reason.NAME_TOO_LONG),
    ("no_ktp", "", Reason.NO_KTP_MISSING),
    ("no_ktp", " .-", Reason.NO_KTP_MISSING),
    ("no_ktp", "0000000000000012", "0000000000000012"),
    ("no_ktp", "3201.0101-0190 0012", "3201010101900012"),
    ("no_ktp", "9999999999999998", "9999999999999998"),
    ("no_ktp", "9999999999999999", Reason.NO_KTP_INVALID),
    ("no_ktp", "0000000000000000", Reason.NO_KTP_INVALID),
    ("no_ktp", "320101010190001", Reason.NO_KTP_INVALID),
    ("no_ktp", "32010101019000123", Reason.NO_KTP_INVALID),
    ("no_ktp", "18446744073709551617" * 3, Reason.NO_KTP_INVALID),  # beyond 64 bits
    ("no_ktp", "3201010101900O12", Reason.NO_KTP_INVALID),
    ("no_ktp", "3201010101900012_", Reason.NO_KTP_INVALID),
    ("bod", "", Reason.BOD_MISSING),
    ("bod", "1900-01-01", date(1900, 1, 1)),
    ("bod", "1899-12-31", Reason.BOD_BEFORE_1900),
    ("bod", "0001-01-01", Reason.BOD_BEFORE_1900),
    ("bod", "31/12/1899", Reason.BOD_BEFORE_1900),
    ("bod", "2024-06-15", TODAY),
    ("bod", "2024-06-16", Reason.BOD_IN_FUTURE),
    ("bod", "9999-12-31", Reason.BOD_IN_FUTURE),
    ("bod", "2/1/1990", date(1990, 1, 2)),
    ("bod", "02-01-1990", date(1990, 1, 2)),
    ("bod", "2.1.1990", date(1990, 1, 2)),
    ("bod", " 1990-01-02 ", date(1990, 1, 2)),
    ("bod", "1990-01-02 00:00:00", date(1990, 1, 2)),
    ("bod", "1990-01-02T00:00:00", date(1990, 1, 2)),
    ("bod", "1990-01-02 00:01:00", Reason.BOD_INVALID),
    ("bod", "32875", date(1990, 1, 2)),
    ("bod", "45458", TODAY),
    ("bod", "45459", Reason.BOD_IN_FUTURE),
    ("bod", "61", date(1900, 3, 1)),
    ("bod", "29/02/2000", date(2000, 2, 29)),
    ("bod", "29/02/1900", Reason.BOD_INVALID),
    ("bod", "29/02/2023", Reason.BOD_INVALID),
    ("bod", "31/04/1990", Reason.BOD_INVALID),
    ("bod", "0/1/1990", Reason.BOD_INVALID),
    ("bod", "1990-00-10", Reason.BOD_INVALID),
    ("bod", "12/31/1990", Reason.BOD_INVALID),
    ("bod", "2/1/90", Reason.BOD_INVALID),
    ("bod", "1990-01", Reason.BOD_INVALID),
    ("bod", "2-Jan-1990", Reason.BOD_INVALID),
    ("bod", "-32875", Reason.BOD_INVALID),
    ("bod", "99999999999999999999", Reason.BOD_INVALID),
    ("passport_id", "", None),
    ("passport_id", "  ", None),
    ("passport_id", "A123456", "A123456"),
    ("passport_id", "ab12345678", "AB12345678"),
    ("passport_id", " a 123 4567 ", "A1234567"),
    ("passport_id", "A12345", Reason.PASSPORT_ID_INVALID),
    ("passport_id", "A123456789", Reason.PASSPORT_ID_INVALID),
    ("passport_id", "ABC123456", Reason.PASSPORT_ID_INVALID),
    ("passport_id", "12345678", Reason.PASSPORT_ID_INVALID),
    ("passport_id", "A1B23456", Reason.PASSPORT_ID_INVALID),
    ("passport_id", "Ä123456", Reason.PASSPORT_ID_INVALID),
    ("personal_number", "", GENERATED),
    ("personal_number", "  ", GENERATED),
    ("personal_number", " P 1 ", "P 1"),
    ("personal_number", "x" * 32, "x" * 32),
    ("personal_number", "é" * 32, "é" * 32),
    ("personal_number", "x" * 33, Reason.PERSONAL_NUMBER_TOO_LONG),
]


def case_row(number: int) -> dict[str, str]:
    """A person of one's own who is fit but for what the case says."""
    field, text, _ = CASES[number]
    return {**GOOD, "no_ktp": f"{7_000_000_000_000_000 + number}", field: text}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str | tuple[object, ...]]:
    """What one run made of each case: the code of a reason, or the row of the table."""
    folder, url = fresh(tmp_path_factory.mktemp("rules"))
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [case_row(number) for number in range(len(CASES))]
        csv.writer(file).writerows([FIELDS, *([row[name] for name in FIELDS] for row in rows)])
    process(folder / "people.csv", url, workers=1, today=TODAY)
    refused = {reject.record - 1: reject.code for reject in read_rejects(folder / "people.rejects.csv")}
    accepted = (number for number in range(len(CASES)) if number not in refused)
    return {**refused, **dict(zip(accepted, stored(url), strict=True))}


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{f}-{t[:24]!r}" for f, t, _ in CASES])
def test_a_rule_at_its_bounds(verdicts: dict[int, str | tuple[object, ...]], number: int) -> None:
    field, _, expected = CASES[number]
    found = verdicts[number]
    model = judge(case_row(number), TODAY)  # it is put to the same test
    if isinstance(expected, Reason):
        assert (found, model) == (expected.code, expected)
    else:
        assert isinstance(model, Person)
        names = ("g_id", "name", "personal_number", "no_ktp", "passport_id", "bod")
        row = dict(zip(names, found, strict=False))
        assert row[field] == (f"GID-{row['g_id']}" if expected is GENERATED else expected)
        assert table_of([model])[0][3:] == found[3:]


def test_the_first_rule_that_is_broken_is_the_reason(tmp_path: Path, database: str) -> None:
    (tmp_path / "people.csv").write_text(
        "name,no_ktp,bod,passport_id,personal_number\n"
        f"X,1,1,1,{'x' * 33}\n"
        f"Jo,1,1,1,{'x' * 33}\n"
        f"Jo,3201010101900012,1,1,{'x' * 33}\n"
        f"Jo,3201010101900012,1990-01-02,1,{'x' * 33}\n"
        f"Jo,3201010101900012,1990-01-02,A123456,{'x' * 33}\n"
        f"X,1,1,1,{'x' * 33},\n"
    )
    process(tmp_path / "people.csv", database, today=TODAY)
    assert [reject.code for reject in read_rejects(tmp_path / "people.rejects.csv")] == [
        "name_too_short",
        "no_ktp_invalid",
        "bod_invalid",
        "passport_id_invalid",
        "personal_number_too_long",
        "column_count",
    ]


def test_a_record_that_is_not_accepted_does_not_claim_its_number(tmp_path: Path, database: str) -> None:
    (tmp_path / "people.csv").write_text(
        "name,no_ktp,bod\n"
        "X,3201010101900012,1990-01-02\n"
        "First,3201010101900012,1990-01-02\n"
        "Second,3201-0101-0190-0012,1990-01-02\n"
    )
    process(tmp_path / "people.csv", database, today=TODAY)
    assert [row[1] for row in stored(database)] == ["First"]
    assert read_rejects(tmp_path / "people.rejects.csv") == [
        (1, 2, "name_too_short", "X,3201010101900012,1990-01-02"),
        (3, 4, "duplicate_in_file", "Second,3201-0101-0190-0012,1990-01-02"),
    ]
