"""A digest of records that does not depend on their order, their file format or their store."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pyarrow as pa

from gidbench.arrays import as_type, readable_end, text_array, text_bytes, validity, values_address
from gidbench.cells import Cells, Frame, is_formatted, scratch
from gidbench.kernels import digests


class Digest:
    """Number of records, and the sum of a 128-bit hash of each.

    Two sources have the same digest where they have the same records: the same values under the same column
    names (in any case), whatever the order of rows and columns and the types. A value counts as what it says:
    42 in a text column is 42 in a column of integers, 2024-01-02 is midnight of that day, 1.50 is 1.5; null
    and empty text count alike, as a file can't tell them apart. Not a cryptographic hash: it finds accidents,
    not forgeries. Safe to use from many threads.
    """

    def __init__(self) -> None:
        self.records = 0
        self._totals = np.zeros(2, np.uint64)
        self._lock = threading.Lock()

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the records of a batch. Columns that no kernel knows are hashed as Arrow casts them to text."""
        lines: list[tuple[int, ...]] = []
        kept: list[object] = []
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if column.null_count < len(column):
                lines.append((*_describe(column, kept), *_salts(name.lower())))
        totals = np.zeros(2, np.uint64)
        table = np.array(lines, np.int64).reshape(-1, digests.FIELDS)
        digests.digest_rows(table, batch.num_rows, scratch.take("digest", digests.SCRATCH, np.uint64), totals)
        with self._lock:
            self.records += batch.num_rows
            self._totals += totals

    def __str__(self) -> str:
        """32 hexadecimal digits."""
        return f"{int(self._totals[0]):016x}{int(self._totals[1]):016x}"


def digest_of(batches: Iterable[pa.RecordBatch]) -> str:
    """`records:digest` of batches: what rounds of a measurement are compared by."""
    digest = Digest()
    for batch in batches:
        digest.add(batch)
    return f"{digest.records}:{digest}"


@lru_cache(maxsize=4096)
def _salts(name: str) -> tuple[int, int]:
    """Salt and odd factor of a column, as int64."""
    words = np.frombuffer(hashlib.blake2b(name.encode(), digest_size=16).digest(), np.int64)
    return int(words[0]), int(words[1]) | 1


def _describe(column: pa.Array, kept: list[object]) -> tuple[int, ...]:
    """What the kernel needs to know of a column but its salts; `kept` gets what must outlive the call."""
    kind = column.type
    code, width = digests.INTEGERS, 8
    if pa.types.is_string(kind):
        data, offsets = text_bytes(column), column.buffers()[1]
        kept.append(data)
        place = (data.address, readable_end(data), offsets.address + 4 * column.offset)
        return digests.TEXTS, *place, *_validity(column, kept)
    if pa.types.is_timestamp(kind) and kind.tz is None:
        try:
            code, values = digests.MOMENTS, as_type(column, pa.timestamp("us"))
        except pa.ArrowInvalid:  # nanoseconds that are no whole microseconds
            return _describe(_as_text(column), kept)
    elif pa.types.is_date32(kind):
        code, values, width = digests.DAYS, column, 4
    elif pa.types.is_signed_integer(kind) or (pa.types.is_unsigned_integer(kind) and kind.bit_width < 64):
        values = as_type(column, pa.int64())
    elif pa.types.is_boolean(kind):
        code, values, width = digests.TRUTHS, column.cast(pa.uint8()), 1
    else:
        return _describe(_as_text(column), kept)
    kept.append(values)
    return code, values_address(values, width), 0, 0, *_validity(values, kept)


def _validity(column: pa.Array, kept: list[object]) -> tuple[int, int]:
    """Address of the bitmap, or 0, and the bit of the first row."""
    kept.append(column)
    bitmap = validity(column)
    if bitmap is None:
        return 0, 0
    kept.append(bitmap)
    return bitmap.address, column.offset


def _as_text(column: pa.Array) -> pa.StringArray:
    """A column of another type as text; decimals in full, where Arrow writes 0E-9."""
    if is_formatted(column.type):
        cells = Cells([column], [Frame()])
        room, offsets = np.empty(cells.bound, np.uint8), np.empty(len(column) + 1, np.int32)
        cells.join(room, offsets)
        return text_array(offsets, room, column)
    if pa.types.is_decimal(column.type):
        return pa.array(
            [None if value is None else f"{value:f}" for value in column.to_pylist()], pa.string()
        )
    return column.cast(pa.string())
