"""Write a messy CSV of people: every kind of fault, and every oddity that is none.

    python tests/messy.py OUT.csv [ROWS]

The same number of rows and seed give the same bytes. It prints how many records a processing run must accept,
and how many it must refuse for which reason.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

DELIMITER = ";"
HEADER = (
    'Keterangan;"Tgl. Lahir";  nik ;NO PASPOR;Nama_Lengkap;nip;email'  # other names, odd order, more columns
)
LEAST_ROWS = 200
_FAULTY = 8  # every so many records one has a fault

_FIRST = (
    "Budi",
    "Siti",
    "Agus",
    "Dewi",
    "Zoë",
    "Renée",
    "Åsa",
    "Łukasz",
    "Nguyễn",
    "Ayu",
    "慧敏",
    "Мария",
    "O'Neil",
)
_LAST = (
    "Santoso",
    "Wijaya",
    "Pratama",
    "Müller",
    "Sørensen",
    "Núñez",
    "Šimić",
    "Kusuma",
    "d'Arc",
    "王",
    "Иванова",
)


@dataclass
class Messy:
    """What is in the file: records, how many of them are fit, and the others by the code of the reason."""

    records: int = 0
    accepted: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass
class Person:
    """The cells of one record, as they will be written."""

    remark: str
    bod: str
    no_ktp: str
    passport: str
    name: str
    number: str
    email: str = ""

    def cells(self) -> list[str]:
        return [self.remark, self.bod, self.no_ktp, self.passport, self.name, self.number, self.email]


class _Maker:
    """Draws people; a person's no_ktp follows from their index, so that it is unique."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.fit: list[str] = []  # no_ktp of the people who will be accepted

    def born(self) -> date:
        return date(1900, 1, 1) + timedelta(days=self.draw.randrange(60, 38_000))

    def date_text(self, day: date) -> str:
        return self.draw.choice(
            [
                f"{day}",
                f"{day}",
                f"{day.day}/{day.month}/{day.year}",
                f"{day:%d/%m/%Y}",
                f"{day:%d-%m-%Y}",
                f"{day:%d.%m.%Y}",
                f" {day} ",
                f"{day} 00:00:00",
                f"{day}T00:00:00",
                str((day - date(1899, 12, 30)).days),  # as Excel counts
            ]
        )

    def national_id(self, index: int) -> str:
        return (
            f"{310_000 + index // 9_000:06}{self.draw.randrange(1, 29):02}{self.draw.randrange(1, 13):02}"
            + (f"{self.draw.randrange(100):02}{1 + index % 9_000:04}")
        )

    def spelled(self, no_ktp: str) -> str:
        a, b, c = no_ktp[:6], no_ktp[6:12], no_ktp[12:]
        return self.draw.choice(
            [
                no_ktp,
                no_ktp,
                no_ktp,
                f"{a}.{b}.{c}",
                f"{a}-{b}-{c}",
                f" {a} {b} {c} ",
                f"{a}.{b}-{c}",
                f"\t{no_ktp}",
            ]
        )

    def passport(self) -> str:
        letters = self.draw.choice(["A", "B", "X", "AB", "c", "ef", "Xy"])
        digits = str(
            self.draw.randrange(10 ** self.draw.choice([5, 6, 7]), 10 ** self.draw.choice([8]))
        ).zfill(6)
        return self.draw.choice(["", "", "  ", letters + digits, f" {letters} {digits} "])

    def name(self) -> str:
        name = f"{self.draw.choice(_FIRST)} {self.draw.choice(_LAST)}"
        return self.draw.choice(
            [
                name,
                name,
                name,
                f"  {name}",
                f"{name}\t",
                f"\u00a0{name}\u3000",
                name.upper(),
                f"{name}, S.E.",
                f'{name} "Jo"',
                f"{name}; Drs.",
                f"{name}e\u0301",
                name[:2],
                name.ljust(255, "x"),
                "é" * 255,
            ]
        )

    def remark(self) -> str:
        return self.draw.choice(
            [
                "",
                "",
                "",
                "ok",
                "two\nlines",
                "three\r\nlines\r\n",
                'said "yes"',
                "a;b;c",
                '5" pipe',
                ",|\t",
                "\n",
                "naïve",
            ]
        )

    def number(self) -> str:
        index = self.draw.randrange(10**6)
        return self.draw.choice(["", "", "  ", f"EMP-{index}", f" {index} ", "x" * 32, "é" * 32])

    def person(self, index: int) -> Person:
        return Person(
            self.remark(),
            self.date_text(self.born()),
            self.spelled(self.national_id(index)),
            self.passport(),
            self.name(),
            self.number(),
            "a@example.org",
        )

    def line(self, cells: list[str]) -> bytes:
        return DELIMITER.join(self.cell(text) for text in cells).encode()

    def cell(self, text: str) -> str:
        needed = text.startswith('"') or any(mark in text for mark in (DELIMITER, "\r", "\n"))
        if needed or self.draw.random() < 0.1:
            return '"' + text.replace('"', '""') + '"'
        return text  # a quote inside an unquoted cell is text


# --- faults: each takes a person who is fit, and returns the line of one who is not ---


def _set(cell: str, *texts: str) -> Callable[[_Maker, Person], bytes]:
    def spoil(make: _Maker, person: Person) -> bytes:
        setattr(person, cell, make.draw.choice(texts))
        return make.line(person.cells())

    return spoil


def _column_count(make: _Maker, person: Person) -> bytes:
    cells = person.cells()
    return (
        make.line(
            make.draw.choice(
                [cells[:-1], [*cells, ""], cells[:1] or ["x"], [*cells[:4], "Santoso", "Budi", *cells[5:]]]
            )
        )
        or b"x"
    )


def _stray_quote(make: _Maker, person: Person) -> bytes:
    cells = [make.cell(text) for text in person.cells()]
    cells[4] = make.draw.choice(['"Budi" Santoso', '"Budi"" S"x', '"Budi" ', '"Budi Santoso"\''])
    return DELIMITER.join(cells).encode()


def _not_utf8(make: _Maker, person: Person) -> bytes:
    person.name = "\ue000"
    name = make.draw.choice(
        [b"J\xfcrgen", b"Ren\xe9e Santoso", b"\xff\xfe", b"Zo\xc3", b"\xed\xa0\x80x", b"B\x80di"]
    )
    return make.line(person.cells()).replace("\ue000".encode(), name)


def _duplicate(make: _Maker, person: Person) -> bytes:
    person.no_ktp = make.spelled(make.draw.choice(make.fit))
    return make.line(person.cells())


FAULTS: dict[str, Callable[[_Maker, Person], bytes]] = {
    "name_missing": _set("name", "", "   ", "\t", "\u00a0", "\u3000 "),
    "name_too_short": _set("name", "X", " Y ", "é", "e\u0301", "王"),
    "name_too_long": _set("name", "x" * 256, "é" * 256, "Budi Santoso " * 40),
    "no_ktp_missing": _set("no_ktp", "", "  ", "-", " . - "),
    "no_ktp_invalid": _set(
        "no_ktp",
        "320101010190001",
        "32010101019000123",
        "3201010101900O12",
        "'3201010101900012",
        "n/a",
        "1111111111111111",
        "00.00.00-0000000000",
        "３２０１０１０１０１９０００１２",
    ),
    "bod_missing": _set("bod", "", "   "),
    "precision_lost": _set("no_ktp", "3.20101E+15", "3.201010101E+15", "3,20101e15", " 32E+14 "),
    "bod_invalid": _set(
        "bod",
        "31/02/1990",
        "29/02/1900",
        "1990-13-01",
        "12/31/1990",
        "2 Jan 1990",
        "1/1/90",
        "unknown",
        "0000-00-00",
        "1990-01-02 12:30:00",
        "1990/01-02",
        "-5",
    ),
    "bod_before_1900": _set("bod", "1899-12-31", "01/01/1850", "1.1.1066", "0001-01-01"),
    "bod_in_future": _set("bod", "2999-01-01", "31/12/9999", "99999"),
    "passport_id_invalid": _set(
        "passport", "A12345", "A123456789", "ABC123456", "1234567", "A-123456", "Ä123456", "none"
    ),
    "personal_number_too_long": _set("number", "x" * 33, "é" * 33, "EMP " * 20),
    "column_count": _column_count,
    "stray_quote": _stray_quote,
    "not_utf8": _not_utf8,
    "duplicate_in_file": _duplicate,
}
OPEN_QUOTE = 'ok;1990-01-02;3201010101900012;;"Budi Santoso;1;x\r\nthe last;line\r\nof the file'


def write_messy(path: Path, rows: int = 10_000, seed: int = 7) -> Messy:
    """Write a file of `rows` records to `path`, and tell what must become of them."""
    if rows < LEAST_ROWS:
        raise ValueError(f"{rows} records are too few for every kind of fault; {LEAST_ROWS} are enough")
    make, messy, kinds = _Maker(seed), Messy(), list(FAULTS)
    content = bytearray(b"\xef\xbb\xbf\r\n" + HEADER.encode() + b"\r\n\r\n")
    for index in range(rows - 1):
        person = make.person(index)
        if index % _FAULTY == _FAULTY - 1:
            kind = kinds[index // _FAULTY % len(kinds)]
            content += FAULTS[kind](make, person)
            messy.reasons[kind] += 1
        else:
            make.fit.append("".join(filter(str.isdigit, person.no_ktp)))
            content += make.line(person.cells())
        content += make.draw.choice([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\n\r\n", b"\r\n\n\r\n"])
    content += OPEN_QUOTE.encode()  # the lines behind it are records of their own, with too few fields
    messy.reasons["open_quote"] += 1
    messy.reasons["column_count"] += 2
    path.write_bytes(content)
    messy.records, messy.accepted = rows + 2, len(make.fit)
    return messy


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 2:
        print("usage: python tests/messy.py OUT.csv [ROWS]", file=sys.stderr)
        return 2
    messy = write_messy(Path(arguments[0]), int(arguments[1]) if len(arguments) == 2 else 10_000)
    print(f"records {messy.records}\naccepted {messy.accepted}")
    for code, count in sorted(messy.reasons.items()):
        print(f"{code} {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
