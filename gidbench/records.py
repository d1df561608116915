"""The tables and the rules of their fields (pure: no I/O)."""

from __future__ import annotations

import re
from enum import IntEnum

import pyarrow as pa

from gidbench.errors import InputError

_MOMENT = pa.timestamp("us")

EMPLOYEE = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("personal_number", pa.string(), nullable=False),
        pa.field("no_ktp", pa.string(), nullable=False),
        pa.field("passport_id", pa.string()),
        pa.field("bod", pa.date32(), nullable=False),
        pa.field("g_id", pa.string()),
        pa.field("created_at", _MOMENT, nullable=False),
        pa.field("updated_at", _MOMENT, nullable=False),
        pa.field("deleted_at", _MOMENT),
    ]
)

GLOBAL_ID = pa.schema(
    [
        pa.field("g_id", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("personal_number", pa.string(), nullable=False),
        pa.field("no_ktp", pa.string(), nullable=False),
        pa.field("passport_id", pa.string()),
        pa.field("bod", pa.date32(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("created_at", _MOMENT, nullable=False),
        pa.field("updated_at", _MOMENT, nullable=False),
    ]
)

SCHEMAS = {"employee": EMPLOYEE, "global_id": GLOBAL_ID, "global_id_file": GLOBAL_ID}
ACTIVE, NON_ACTIVE = "Active", "Non Active"

# What identifies and describes a person: compared by a sync, read from a file.
PERSON_FIELDS = ("name", "personal_number", "no_ktp", "passport_id", "bod")
REQUIRED_FIELDS = ("name", "no_ktp", "bod")

NAME_LENGTH = (2, 255)
PERSONAL_NUMBER_LENGTH = (1, 32)
EARLIEST_BIRTH = "1900-01-01"

_ALIASES = {
    "name": "name nama fullname namalengkap namakaryawan namapegawai employeename employee personname",
    "personal_number": "personalnumber personnelnumber personnelno employeenumber employeeno employeeid empno"
    " empid nip nomorpegawai nopegawai nomorkaryawan nokaryawan nomorinduk",
    "no_ktp": "noktp ktp nik nomorktp ktpno ktpnumber nomorindukkependudukan nationalid nationalidnumber"
    " nationalidentitynumber idcard idcardnumber",
    "passport_id": "passportid passport passportno passportnumber nopassport nopaspor paspor nomorpaspor",
    "bod": "bod dob birthdate dateofbirth birthday tanggallahir tgllahir bornon",
}
ALIASES = {alias: field for field, aliases in _ALIASES.items() for alias in aliases.split()}


class Reason(IntEnum):
    """Why a record was not accepted. The name in lower case is the code in a rejects file."""

    NAME_MISSING = 1
    NAME_TOO_SHORT = 2
    NAME_TOO_LONG = 3
    NO_KTP_MISSING = 4
    NO_KTP_INVALID = 5
    BOD_MISSING = 6
    BOD_INVALID = 7
    BOD_BEFORE_1900 = 8
    BOD_IN_FUTURE = 9
    PASSPORT_ID_INVALID = 10
    PERSONAL_NUMBER_TOO_LONG = 11
    COLUMN_COUNT = 12
    STRAY_QUOTE = 13
    OPEN_QUOTE = 14
    NOT_UTF8 = 15
    DUPLICATE_IN_FILE = 16
    DUPLICATE_IN_TABLE = 17
    PRECISION_LOST = 18

    @property
    def code(self) -> str:
        return self.name.lower()

    @property
    def is_duplicate(self) -> bool:
        return self in (Reason.DUPLICATE_IN_FILE, Reason.DUPLICATE_IN_TABLE)


def map_header(header: list[str]) -> dict[str, int]:
    """Position of each person field in a header, whatever its case, order, spacing and (known) language.

    A header that is exactly a field's name goes before an alias of it. Raises InputError where a required
    field is missing, or two columns claim the same field.
    """
    claims: dict[str, list[int]] = {}
    for position, title in enumerate(header):
        field = ALIASES.get(re.sub(r"[\W_]+", "", title.lower()))
        if field is not None:
            claims.setdefault(field, []).append(position)
    found: dict[str, int] = {}
    for field, positions in claims.items():
        exact = [position for position in positions if header[position].strip().lower() == field]
        first, *others = exact or positions
        if others:
            raise InputError(
                f"the columns {header[first]!r} and {header[others[0]]!r} both mean {field}",
                f"Name the one to use {field!r}, or remove the other",
            )
        found[field] = first
    missing = [field for field in REQUIRED_FIELDS if field not in found]
    if missing:
        names = ", ".join(missing)
        shown = ", ".join(repr(title[:40]) for title in header[:12])
        raise InputError(
            f"no column for {names} among the {len(header)} of the header ({shown})",
            f"Name a column {missing[0]!r} or one of: {', '.join(_ALIASES[missing[0]].split()[1:6])}",
        )
    return found


def is_people_header(titles: list[str]) -> bool:
    """Whether a row is the header of a file of people."""
    try:
        map_header(titles)
    except InputError:
        return False
    return True
