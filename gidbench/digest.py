"""A digest of records that does not depend on their order, their file format or their store."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.arrays import fixed_values, text_array, text_buffers
from gidbench.cells import Cells, Frame, has_slots, number_slots, scratch
from gidbench.kernels import digests

_NO_BITS = np.empty(0, np.uint8)
_DAY_US = 86_400_000_000


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
        count = batch.num_rows
        firsts = scratch.take("digest first", count, np.uint64)
        seconds = scratch.take("digest second", count, np.uint64)
        firsts[:] = 0
        seconds[:] = 0
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            _add(column, *_salts(name.lower()), firsts, seconds)
        totals = np.zeros(2, np.uint64)
        digests.total_rows(firsts, seconds, totals)
        with self._lock:
            self.records += count
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
def _salts(name: str) -> tuple[np.uint64, np.uint64]:
    """Salt and odd factor of a column."""
    words = np.frombuffer(hashlib.blake2b(name.encode(), digest_size=16).digest(), np.uint64)
    return words[0], words[1] | np.uint64(1)


def _add(
    column: pa.Array,
    salt: np.uint64,
    factor: np.uint64,
    firsts: npt.NDArray[np.uint64],
    seconds: npt.NDArray[np.uint64],
) -> None:
    if column.null_count == len(column):
        return
    bits, first_bit = _NO_BITS, 0
    if column.null_count:
        bits, first_bit = np.frombuffer(column.buffers()[0], np.uint8), column.offset
    kind = column.type
    if pa.types.is_string(kind):
        digests.add_texts(*text_buffers(column), bits, first_bit, salt, factor, firsts, seconds)
        return
    code, values = digests.INTEGER, None
    if pa.types.is_signed_integer(kind) or (pa.types.is_unsigned_integer(kind) and kind.bit_width < 64):
        values = fixed_values(column.cast(pa.int64()), np.int64)
    elif pa.types.is_date32(kind):
        code, values = digests.MOMENT, np.multiply(fixed_values(column, np.int32), _DAY_US, dtype=np.int64)
    elif pa.types.is_timestamp(kind) and kind.tz is None:
        with contextlib.suppress(pa.ArrowInvalid):  # nanoseconds that are no whole microseconds
            code, values = digests.MOMENT, fixed_values(column.cast(pa.timestamp("us")), np.int64)
    elif pa.types.is_boolean(kind):
        code, values = digests.TRUTH, fixed_values(column.cast(pa.int64()), np.int64)
    if values is not None:
        digests.add_numbers(code, values, bits, first_bit, salt, factor, firsts, seconds)
        return
    _add(_as_text(column), salt, factor, firsts, seconds)


def _as_text(column: pa.Array) -> pa.StringArray:
    """A column of another type as text; decimals in full, where Arrow writes 0E-9."""
    if has_slots(column.type):
        cells = Cells([number_slots(column, "digest")], [Frame()])
        room, offsets = np.empty(cells.bound, np.uint8), np.empty(len(column) + 1, np.int32)
        cells.join(room, offsets)
        return text_array(offsets, room, column)
    if pa.types.is_decimal(column.type):
        return pa.array(
            [None if value is None else f"{value:f}" for value in column.to_pylist()], pa.string()
        )
    return column.cast(pa.string())
