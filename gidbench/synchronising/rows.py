"""What a comparison needs of a row: its key and the G_ID as numbers, a hash of all else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench import gid
from gidbench.arrays import as_type, fixed_values, readable_end, text_buffers, validity
from gidbench.kernels import pairing
from gidbench.records import ACTIVE, NON_ACTIVE
from gidbench.stores.base import COMPARED

FIRST_ODD_KEY = 10**pairing.KEY_DIGITS


@dataclass(frozen=True)
class Rows:
    """A batch of either table with what its rows are compared by; keys and codes of odd texts are to come.

    Attributes
    ----------
    keys, hashes, codes:
        int64, uint64 and int32, shape (n,): the number of no_ktp, a hash of `COMPARED`, the code of g_id.
    odd_keys, odd_codes:
        Rows whose no_ktp or g_id is a text of its own.
    """

    batch: pa.RecordBatch
    keys: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]
    codes: npt.NDArray[np.int32]
    odd_keys: npt.NDArray[np.intp]
    odd_codes: npt.NDArray[np.intp]


def rows_of(batch: pa.RecordBatch, salt: int) -> Rows:
    """Read a batch; equal rows have equal hashes under one salt. Safe to call from many threads."""
    keys, odd_keys = _keys(as_type(batch.column("no_ktp"), pa.string()))
    codes, odd_codes = _codes(as_type(batch.column("g_id"), pa.string()))
    return Rows(batch, keys, hashes_of(batch, COMPARED, salt), codes, odd_keys, odd_codes)


def hashes_of(batch: pa.RecordBatch, columns: tuple[str, ...], salt: int) -> npt.NDArray[np.uint64]:
    """A hash of some columns of each row, uint64 of shape (n,); null and '' are different values."""
    hashes = np.full(batch.num_rows, salt, np.uint64)
    if not batch.num_rows:
        return hashes
    for name in columns:
        column = batch.column(name)
        if pa.types.is_date(column.type):
            days = as_type(column, pa.date32())
            bitmap, address, bit = _validity(days)
            pairing.hash_days(fixed_values(days, np.int32), address, bit, hashes)
            del bitmap
        else:
            texts = as_type(column, pa.string())
            bitmap, address, bit = _validity(texts)
            offsets, _ = text_buffers(texts)
            data = texts.buffers()[2]
            start, end = (0, 0) if data is None else (data.address, readable_end(data))
            pairing.hash_texts(offsets, start, end, address, bit, hashes)
            del bitmap
    return hashes


def flags_of(status: pa.StringArray) -> npt.NDArray[np.uint8]:
    """What the status of a person of the target says, as flags."""
    active = _truths(pc.equal(status, ACTIVE))
    non_active = _truths(pc.equal(status, NON_ACTIVE))
    other = ~(active | non_active)
    return np.uint8(pairing.KNOWN) + np.uint8(pairing.ACTIVE) * active + np.uint8(pairing.OTHER) * other


class Numbering:
    """Numbers for texts that are neither 16 digits nor a G_ID: exact, and the same for both tables."""

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        self._texts: list[str] = []

    def complete(self, rows: Rows) -> Rows:
        """Fill in the keys and codes of odd texts."""
        for row in rows.odd_keys.tolist():
            text = rows.batch.column("no_ktp")[row].as_py()
            rows.keys[row] = FIRST_ODD_KEY + self._keys.setdefault(text, len(self._keys))
        for row in rows.odd_codes.tolist():
            text = rows.batch.column("g_id")[row].as_py()
            code = self._codes.setdefault(text, len(self._texts))
            if code == len(self._texts):
                self._texts.append(text)
            rows.codes[row] = pairing.NO_GID - 1 - code
        return rows

    def keys(self, texts: pa.StringArray) -> npt.NDArray[np.int64]:
        """The number of each no_ktp; below 0 where there is none."""
        keys, odd = _keys(as_type(texts, pa.string()))
        for row in odd.tolist():
            keys[row] = FIRST_ODD_KEY + self._keys.setdefault(texts[row].as_py(), len(self._keys))
        return keys

    def key_text(self, key: int) -> str:
        """The no_ktp of a number."""
        if key < FIRST_ODD_KEY:
            return f"{key:0{pairing.KEY_DIGITS}}"
        return next(text for text, place in self._keys.items() if place == key - FIRST_ODD_KEY)

    def gids(self, codes: npt.NDArray[Any]) -> pa.StringArray:
        """The texts of codes, none of which is NO_GID."""
        odd = np.flatnonzero(codes < 0)
        ordinals = codes.astype(np.int64)
        ordinals[odd] = 0
        texts = gid.encode_array(ordinals)
        if not odd.size:
            return texts
        plain = texts.to_pylist()
        for row in odd.tolist():
            plain[row] = self._texts[pairing.NO_GID - 1 - int(codes[row])]
        return pa.array(plain, pa.string())


def _keys(texts: pa.StringArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    keys = np.empty(len(texts), np.int64)
    if not keys.size:
        return keys, np.empty(0, np.intp)
    bitmap, address, bit = _validity(texts)
    offsets, data = text_buffers(texts)
    odd = pairing.read_keys(offsets, data.ctypes.data, address, bit, keys)
    del bitmap
    return keys, np.flatnonzero(keys == pairing.ODD) if odd else np.empty(0, np.intp)


def _codes(texts: pa.StringArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.intp]]:
    if texts.null_count == len(texts):
        return np.full(len(texts), pairing.NO_GID, np.int32), np.empty(0, np.intp)
    codes = gid.decode_array(texts).astype(np.int32)
    odd = np.flatnonzero(codes < 0)
    return codes, odd[_truths(texts.is_valid())[odd]] if texts.null_count else odd


def _truths(values: pa.BooleanArray) -> npt.NDArray[np.bool_]:
    """A column of truth values, null being false."""
    return fixed_values(values.fill_null(False).cast(pa.uint8()), np.uint8).view(np.bool_)


def _validity(column: pa.Array) -> tuple[pa.Buffer | None, int, int]:
    """(what must live as long as the address, address of the bitmap or 0, bit of the first row)."""
    bitmap = validity(column)
    return (None, 0, 0) if bitmap is None else (bitmap, bitmap.address, column.offset)
