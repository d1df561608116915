"""What processing must make of a file, in plain Python, after the rules of the README."""

from __future__ import annotations

import csv
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb

from gidbench.records import Reason

# Unicode's White_Space
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
ASCII_BLANKS = "\t\n\v\f\r "


class Person(NamedTuple):
    """An accepted row; no personal number means that one is generated."""

    name: str
    personal_number: str | None
    no_ktp: str
    passport_id: str | None
    bod: date


@dataclass(frozen=True)
class Written:
    """A record as it was written to a file: where, how, and what it says (or why it cannot be understood)."""

    line: int
    original: str
    fields: Mapping[str, str]
    malformed: Reason | None = None


class Reject(NamedTuple):
    record: int
    line: int
    code: str
    original: str


class FullReject(NamedTuple):
    """A row of the rejects file, every cell of it."""

    record: int
    line: str
    sheet: str
    cell: str
    code: str
    column: str
    value: str
    original: str


@dataclass(frozen=True)
class Expected:
    accepted: list[Person]
    rejects: list[Reject]

    @property
    def counts(self) -> dict[str, int]:
        """Rejects by code."""
        codes = [reject.code for reject in self.rejects]
        return {code: codes.count(code) for code in codes}


def read_date(text: str) -> date | None:
    """A date as ISO, d/m/y or Excel write it; a time of day must be midnight."""
    text = re.sub(r"[ T]00:00(:00(\.0+)?)?Z?$", "", text.strip(ASCII_BLANKS))
    if match := re.fullmatch(r"(\d{4})([-/.])(\d\d?)\2(\d\d?)", text, re.ASCII):
        year, month, day = match[1], match[3], match[4]
    elif match := re.fullmatch(r"(\d\d?)([-/.])(\d\d?)\2(\d{4})", text, re.ASCII):
        year, month, day = match[4], match[3], match[1]
    elif match := re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text, re.ASCII):
        year, month, day = match[1], match[2], match[3]
    elif re.fullmatch(r"\d{2,5}", text, re.ASCII) and int(text) > 60:
        return date(1899, 12, 30) + timedelta(days=int(text))
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def judge(fields: Mapping[str, str], today: date, *, number_cell: bool = False) -> Person | Reason:
    """The person that a record describes, or the first rule that it breaks.

    `number_cell` says that no_ktp is the text of a number's cell in a workbook.
    """
    name = unicodedata.normalize("NFC", fields["name"]).strip(BLANKS)
    if not 2 <= len(name) <= 255:
        return (
            Reason.NAME_MISSING
            if not name
            else Reason.NAME_TOO_SHORT
            if len(name) < 2
            else Reason.NAME_TOO_LONG
        )
    no_ktp = re.sub(r"[ \t\n\v\f\r.-]", "", fields["no_ktp"])
    if re.fullmatch(r"[0-9]+([.,][0-9]*)?[eE]\+?[0-9]+", fields["no_ktp"].strip(ASCII_BLANKS)):
        return Reason.PRECISION_LOST
    if number_cell and (
        (re.fullmatch(r"[0-9]{16}", no_ktp) and int(no_ktp) > 2**53 and len(set(no_ktp)) > 1)
        or re.fullmatch(r"[0-9]{17,}", no_ktp)
        or (no_ktp and "." in fields["no_ktp"])
    ):
        return Reason.PRECISION_LOST
    if number_cell and no_ktp and no_ktp != fields["no_ktp"]:
        return Reason.NO_KTP_INVALID
    if not re.fullmatch(r"[0-9]{16}", no_ktp) or len(set(no_ktp)) == 1:
        return Reason.NO_KTP_INVALID if no_ktp else Reason.NO_KTP_MISSING
    if not fields["bod"].strip(ASCII_BLANKS):
        return Reason.BOD_MISSING
    bod = read_date(fields["bod"])
    if bod is None:
        return Reason.BOD_INVALID
    if not date(1900, 1, 1) <= bod <= today:
        return Reason.BOD_IN_FUTURE if bod > today else Reason.BOD_BEFORE_1900
    passport = re.sub(r"[ \t\n\v\f\r]", "", fields.get("passport_id", ""))
    if passport and not re.fullmatch(r"[A-Za-z]{1,2}[0-9]{6,8}", passport):
        return Reason.PASSPORT_ID_INVALID
    number = unicodedata.normalize("NFC", fields.get("personal_number", "")).strip(BLANKS)
    if len(number) > 32:
        return Reason.PERSONAL_NUMBER_TOO_LONG
    return Person(name, number or None, no_ktp, passport.upper() or None, bod)


def expect(records: Iterable[Written], today: date, known: Iterable[str] = ()) -> Expected:
    """The outcome of a file for a table that holds the people of `known` (their no_ktp)."""
    expected = Expected([], [])
    in_table = set(known)
    seen: set[str] = set()
    for number, record in enumerate(records, 1):
        verdict = record.malformed or judge(record.fields, today)
        if isinstance(verdict, Person):
            if verdict.no_ktp in seen:
                verdict = Reason.DUPLICATE_IN_FILE
            elif verdict.no_ktp in in_table:
                seen.add(verdict.no_ktp)
                verdict = Reason.DUPLICATE_IN_TABLE
            else:
                seen.add(verdict.no_ktp)
                expected.accepted.append(verdict)
                continue
        expected.rejects.append(Reject(number, record.line, verdict.code, record.original))
    return expected


def gid_of(place: int) -> str:
    """The G_ID at a place after G025AA00."""
    place += 25 * 67_600
    rest, number = divmod(place, 100)
    rest, second = divmod(rest, 26)
    rest, first = divmod(rest, 26)
    digit, year = divmod(rest, 100)
    return f"G{digit}{year:02}{chr(65 + first)}{chr(65 + second)}{number:02}"


def table_of(people: Iterable[Person], start: int = 0) -> list[tuple[object, ...]]:
    """The rows of `global_id_file` that accepted people make, in order of their G_IDs."""
    return [
        (
            gid_of(place),
            person.name,
            person.personal_number or f"GID-{gid_of(place)}",
            person.no_ktp,
            person.passport_id,
            person.bod,
            "Active",
            "file",
        )
        for place, person in enumerate(people, start)
    ]


# --- what there is -------------------------------------------------------------------------------------


def fresh(folder: Path) -> tuple[Path, str]:
    """A folder and a database of one example's own."""
    own = Path(tempfile.mkdtemp(dir=folder))
    return own, f"duckdb:///{own / 'people.duckdb'}"


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    """Rows of a statement, [] where there is no database yet."""
    path = Path(url.removeprefix("duckdb:///"))
    if not path.exists():
        return []
    with duckdb.connect(str(path)) as connection:
        return connection.execute(statement).fetchall()


def stored(url: str) -> list[tuple[object, ...]]:
    """The rows of `global_id_file`, without their times, in order of their G_IDs."""
    return query(
        url,
        "SELECT g_id, name, personal_number, no_ktp, passport_id, bod, status, source"
        " FROM global_id_file ORDER BY g_id",
    )


def next_ordinal(url: str) -> int:
    [(ordinal,)] = query(url, "SELECT next_ordinal FROM g_id_sequence")
    assert isinstance(ordinal, int)
    return ordinal


def read_full_rejects(path: Path) -> list[FullReject]:
    """The rows of a rejects file; [] where there is none."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    assert header == ["record", "line", "sheet", "cell", "reason", "column", "value", "original"]
    return [FullReject(int(record), *rest) for record, *rest in rows]


def read_rejects(path: Path) -> list[Reject]:
    """The same, with the line of a workbook's cell."""
    return [
        Reject(
            row.record, int(row.line or row.cell.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")), row.code, row.original
        )
        for row in read_full_rejects(path)
    ]
