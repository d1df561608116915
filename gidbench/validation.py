"""Normalise and validate the columns of people, by kernels; nothing here looks at more than one batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench.arrays import text_buffers
from gidbench.files.csv_reader import FLAG_REASONS
from gidbench.files.text import TextBatch
from gidbench.kernels import intake
from gidbench.records import EARLIEST_BIRTH, NAME_LENGTH, PERSONAL_NUMBER_LENGTH, Reason, map_header

_EPOCH = date(1970, 1, 1)
# Unicode's White_Space. Arrow's utf8_trim_whitespace takes off U+001C to U+001F, too, which `intake.trim`
# does not: a name's end would depend on what else is in its batch.
_BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_FIELDS = ("name", "no_ktp", "bod", "passport_id", "personal_number")

# What the codes of a column mean. A record gets the first reason that applies, in this order.
_RULES: tuple[tuple[str, dict[int, Reason]], ...] = (
    ("record", FLAG_REASONS),
    (
        "name",
        {
            intake.MISSING: Reason.NAME_MISSING,
            intake.TOO_SHORT: Reason.NAME_TOO_SHORT,
            intake.TOO_LONG: Reason.NAME_TOO_LONG,
        },
    ),
    ("no_ktp", {intake.MISSING: Reason.NO_KTP_MISSING, intake.INVALID: Reason.NO_KTP_INVALID}),
    (
        "bod",
        {
            intake.MISSING: Reason.BOD_MISSING,
            intake.INVALID: Reason.BOD_INVALID,
            intake.TOO_SHORT: Reason.BOD_BEFORE_1900,
            intake.TOO_LONG: Reason.BOD_IN_FUTURE,
        },
    ),
    ("passport_id", {intake.INVALID: Reason.PASSPORT_ID_INVALID}),
    ("personal_number", {intake.TOO_LONG: Reason.PERSONAL_NUMBER_TOO_LONG}),
)


@dataclass(frozen=True)
class Checked:
    """A normalised batch of n records.

    Attributes
    ----------
    codes:
        uint8 (n,): 0 where the record is fit, else its `Reason`.
    keys:
        int64 (n,): no_ktp as a number.
    name, personal_number, passport_id, bod:
        The columns as they will be stored; a personal_number that is missing is empty.
    """

    source: TextBatch
    codes: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.int64]
    name: pa.StringArray
    personal_number: pa.StringArray
    passport_id: pa.StringArray
    bod: pa.Array


class Validation:
    """The rules for the files of one header. Raises InputError where a required column is missing.

    Parameters
    ----------
    header:
        Titles of the columns.
    today:
        Last acceptable date of birth.
    """

    def __init__(self, header: list[str], today: date) -> None:
        positions = map_header(header)
        self._fields = [name for name in _FIELDS if name in positions]
        self.wanted = [positions[name] for name in self._fields]
        self._earliest = (date.fromisoformat(EARLIEST_BIRTH) - _EPOCH).days
        self._latest = (today - _EPOCH).days

    def check(self, source: TextBatch) -> Checked:
        """Check a batch whose columns are those at the positions `wanted`; safe on any thread."""
        count = source.flags.size
        columns = dict(zip(self._fields, source.columns, strict=True))
        blank = pa.array([""], pa.string()).take(pa.array(np.zeros(count, np.int32)))
        found = {"record": source.flags}
        name, found["name"] = _trimmed(columns["name"], *NAME_LENGTH)
        number, found["personal_number"] = _trimmed(
            columns.get("personal_number", blank), *PERSONAL_NUMBER_LENGTH
        )
        keys, found["no_ktp"] = np.empty(count, np.int64), np.empty(count, np.uint8)
        intake.national_ids(*text_buffers(columns["no_ktp"]), keys, found["no_ktp"])
        days, found["bod"] = np.empty(count, np.int32), np.empty(count, np.uint8)
        intake.birth_dates(*text_buffers(columns["bod"]), self._earliest, self._latest, days, found["bod"])
        passport, found["passport_id"] = _passports(columns.get("passport_id", blank))
        bod = pa.Array.from_buffers(pa.date32(), count, [None, pa.py_buffer(days)])
        return Checked(source, _first_reasons(found), keys, name, number, passport, bod)


def _first_reasons(found: dict[str, npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """One reason per record from the codes of its columns."""
    reasons = np.zeros(found["record"].size, np.uint8)
    for column, meanings in _RULES:
        if found[column].any():
            table = np.zeros(256, np.uint8)
            table[list(meanings)] = list(meanings.values())
            reasons = np.where(reasons == 0, table[found[column]], reasons)
    return reasons


def _trimmed(
    column: pa.StringArray, shortest: int, longest: int
) -> tuple[pa.StringArray, npt.NDArray[np.uint8]]:
    """The column without white space around it, in NFC, and a code for each length out of bounds."""
    bounds, data = text_buffers(column)
    ascii_only = not data.size or data.max() < 0x80
    if not ascii_only:  # other scripts have other blanks, and letters in several parts
        column = pc.utf8_trim(pc.utf8_normalize(column, form="NFC"), characters=_BLANKS)
        bounds, data = text_buffers(column)
    codes = np.empty(len(column), np.uint8)
    if intake.measure(bounds, data, ascii_only, shortest, longest, codes):
        offsets, out = np.empty(len(column) + 1, np.int32), np.empty(data.size, np.uint8)
        intake.trim(bounds, data, offsets, out)
        used = out[: offsets[-1]]
        column = pa.StringArray.from_buffers(len(column), pa.py_buffer(offsets), pa.py_buffer(used))
    return column, codes


def _passports(column: pa.StringArray) -> tuple[pa.StringArray, npt.NDArray[np.uint8]]:
    bounds, data = text_buffers(column)
    offsets, out = np.empty(len(column) + 1, np.int32), np.empty(data.size, np.uint8)
    valid, codes = np.empty((len(column) + 7) // 8, np.uint8), np.empty(len(column), np.uint8)
    nulls = intake.passport_ids(bounds, data, offsets, out, valid, codes)
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(out[: offsets[-1]])]
    return pa.Array.from_buffers(pa.string(), len(column), buffers, null_count=nulls), codes
