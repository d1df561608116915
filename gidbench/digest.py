"""A checksum of rows that does not depend on their order, batch or store."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.arrays import fixed_values, text_buffers
from gidbench.kernels import digests


def checksum(batches: Iterable[pa.RecordBatch]) -> str:
    """`rows:sum`: number of rows, and the sum modulo 2^64 of a 64-bit hash of each row, in hexadecimal.

    Two tables with the same columns in the same order have the same checksum whatever the order of their
    rows. Columns may be text, integers, dates or timestamps; another type raises TypeError.
    """
    count, total = 0, 0
    for batch in batches:
        hashes = np.zeros(batch.num_rows, np.uint64)
        for position, column in enumerate(batch.columns):
            _fold(column, np.uint64((position + 1) * 0x9E3779B97F4A7C15 % (1 << 64)), hashes)
        count += batch.num_rows
        total = (total + int(hashes.sum(dtype=np.uint64))) % (1 << 64)
    return f"{count}:{total:016x}"


def _fold(column: pa.Array, salt: np.uint64, hashes: npt.NDArray[np.uint64]) -> None:
    valid = np.ones(len(column), np.uint8)
    if column.null_count:
        valid = fixed_values(column.is_valid().cast(pa.uint8()), np.uint8)
    kind = column.type
    if pa.types.is_string(kind):
        if column.null_count == len(column):
            column = pa.array([""], pa.string()).take(pa.array(np.zeros(len(column), np.int32)))
        digests.hash_texts(*text_buffers(column), valid, salt, hashes)
        return
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    elif pa.types.is_date32(kind):
        column = column.cast(pa.int32()).cast(pa.int64())
    elif pa.types.is_integer(kind):
        column = column.cast(pa.int64())
    else:
        raise TypeError(f"a column of type {kind} has no checksum; cast it to text, an integer or a date")
    digests.hash_integers(fixed_values(column.fill_null(0), np.int64), valid, salt, hashes)
