"""Normalise and validate the fields of people, by kernels; nothing here looks at more than one batch."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench.arrays import array_address, fixed_values, text_buffers
from gidbench.files.csv_reader import FLAG_REASONS
from gidbench.files.fields import Fields, gather
from gidbench.kernels import fields, intake, keytable
from gidbench.kernels.memory import SLACK
from gidbench.lending import Scratch
from gidbench.records import EARLIEST_BIRTH, NAME_LENGTH, PERSONAL_NUMBER_LENGTH, Reason, map_header

_EPOCH = date(1970, 1, 1)
# Unicode's White_Space. Arrow's utf8_trim_whitespace takes off U+001C to U+001F, too, which `intake.check_lengths`
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
    (
        "no_ktp",
        {
            intake.MISSING: Reason.NO_KTP_MISSING,
            intake.INVALID: Reason.NO_KTP_INVALID,
            intake.PRECISION_LOST: Reason.PRECISION_LOST,
        },
    ),
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


_FIELD_OF = {reason: name for name, meanings in _RULES if name != "record" for reason in meanings.values()}
_scratch = Scratch()


@dataclass(frozen=True)
class Checked:
    """A normalised batch of n records.

    Attributes
    ----------
    codes:
        uint8 (n,): 0 where the record is fit, else its `Reason`.
    keys:
        int64 (n,): no_ktp as a number, `keytable.EMPTY` where the record is not fit.
    name, personal_number, passport_id, bod:
        The columns as they will be stored; a personal_number that is missing is empty.
    digits:
        The 16 of each no_ktp; zeros where it is none.
    unnumbered:
        How many records have no personal_number.
    faults:
        By row, of what a field is the reason for: the position of the column and the text that stands there.
    """

    source: Fields
    codes: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.int64]
    name: pa.StringArray
    personal_number: pa.StringArray
    digits: pa.Buffer
    passport_id: pa.StringArray
    bod: pa.Array
    unnumbered: int
    faults: dict[int, tuple[int, str]]


@dataclass(frozen=True)
class _Texts:
    """One field of all records: addresses and lengths, how far may be read, whether it is a number's cell."""

    addresses: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int32]
    limit: int
    numbers: npt.NDArray[np.uint8]


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
        self.positions = map_header(header)
        self._fields = [name for name in _FIELDS if name in self.positions]
        self.wanted = [self.positions[name] for name in self._fields]
        self._earliest = (date.fromisoformat(EARLIEST_BIRTH) - _EPOCH).days
        self._latest = (today - _EPOCH).days

    def check(self, source: Fields) -> Checked:
        """Check a batch whose fields are those at the positions `wanted`; safe on any thread."""
        count = source.flags.size
        texts = {name: self._texts(source, slot) for slot, name in enumerate(self._fields)}
        blank = _Texts(np.zeros(count, np.int64), np.zeros(count, np.int32), 0, np.empty(0, np.uint8))
        found = {"record": source.flags}
        name, found["name"], _ = _trimmed("name", texts["name"], source.odd, *NAME_LENGTH)
        number, found["personal_number"], unnumbered = _trimmed(
            "number", texts.get("personal_number", blank), source.odd, *PERSONAL_NUMBER_LENGTH
        )
        keys, found["no_ktp"] = np.empty(count, np.int64), np.empty(count, np.uint8)
        identity = texts["no_ktp"]
        digits = pa.allocate_buffer(16 * count)
        intake.national_ids(
            identity.addresses,
            identity.lengths,
            identity.numbers,
            keys,
            np.frombuffer(digits, np.uint8),
            found["no_ktp"],
        )
        held, found["bod"] = pa.allocate_buffer(4 * count), np.empty(count, np.uint8)
        born, days = texts["bod"], np.frombuffer(held, np.int32)
        intake.birth_dates(born.addresses, born.lengths, self._earliest, self._latest, days, found["bod"])
        passport, found["passport_id"] = _passports(texts.get("passport_id", blank))
        bod = pa.Array.from_buffers(pa.date32(), count, [None, held])
        codes = _first_reasons(found)
        unfit = np.flatnonzero(codes)
        keys[unfit] = keytable.EMPTY
        faults = {row: self._fault(source, row, Reason(int(codes[row]))) for row in unfit.tolist()}
        told = {row: fault for row, fault in faults.items() if fault is not None}
        return Checked(source, codes, keys, name, number, digits, passport, bod, unnumbered, told)

    def _texts(self, source: Fields, slot: int) -> _Texts:
        numbers = source.numbers[slot] if source.numbers else None
        return _Texts(
            source.addresses[slot],
            source.lengths[slot],
            source.limits[slot],
            np.empty(0, np.uint8) if numbers is None else np.ascontiguousarray(numbers).view(np.uint8),
        )

    def _fault(self, source: Fields, row: int, reason: Reason) -> tuple[int, str] | None:
        """Position and text of the field that a record is refused for; None where it is not one field."""
        field = _FIELD_OF.get(reason)
        if field is None:
            return None
        slot = self._fields.index(field)
        text = ctypes.string_at(int(source.addresses[slot, row]), int(source.lengths[slot, row]))
        return self.wanted[slot], text.decode("utf-8", "backslashreplace")


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
    field: str, texts: _Texts, odd: npt.NDArray[np.int32], shortest: int, longest: int
) -> tuple[pa.StringArray, npt.NDArray[np.uint8], int]:
    """The texts without white space around them, in NFC; a code for each length out of bounds; how many are empty.

    A length is a number of characters, which are Unicode's code points in NFC.
    """
    count = texts.lengths.size
    addresses = _scratch.take((field, "addresses"), count, np.int64)
    lengths = _scratch.take((field, "lengths"), count, np.int32)
    codes = np.empty(count, np.uint8)
    others = intake.check_lengths(
        texts.addresses, texts.lengths, odd, shortest, longest, addresses, lengths, codes
    )
    kept: Any = None  # until the texts are gathered
    if others:  # other scripts have other blanks, and letters in several parts
        rows = np.flatnonzero(codes == intake.NOT_ASCII)
        written, _ = gather(addresses[rows], lengths[rows], texts.limit)
        column = pc.utf8_trim(pc.utf8_normalize(written, form="NFC"), characters=_BLANKS)
        bounds, data = text_buffers(column)
        kept = np.concatenate([data, np.zeros(SLACK, np.uint8)])
        addresses[rows], lengths[rows] = np.int64(array_address(kept)) + bounds[:-1], np.diff(bounds)
        characters = fixed_values(pc.utf8_length(column), np.int32)
        conditions = [characters == 0, characters < shortest, characters > longest]
        codes[rows] = np.select(conditions, [intake.MISSING, intake.TOO_SHORT, intake.TOO_LONG], 0)
    column, empty = gather(addresses, lengths, texts.limit)
    del kept
    return column, codes, empty


def _passports(texts: _Texts) -> tuple[pa.StringArray, npt.NDArray[np.uint8]]:
    count, size = texts.lengths.size, int(fields.total(texts.lengths))
    offsets, out, valid = (
        pa.allocate_buffer(bytes_) for bytes_ in (4 * (count + 1), max(1, size), (count + 7) // 8)
    )
    codes = np.empty(count, np.uint8)
    nulls = intake.passport_ids(
        texts.addresses,
        texts.lengths,
        np.frombuffer(offsets, np.int32),
        np.frombuffer(out, np.uint8),
        np.frombuffer(valid, np.uint8),
        codes,
    )
    return pa.Array.from_buffers(pa.string(), count, [valid, offsets, out], null_count=nulls), codes
