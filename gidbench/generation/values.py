"""What is made of a column for the rows of a part, and memory to make it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.kernels.draws import spread_offsets
from gidbench.kernels.memory import SLACK

Array = npt.NDArray[Any]
_SIZES = {np.uint8: 1, np.int32: 4, np.int64: 8, np.uint64: 8}


@dataclass(frozen=True)
class Values:
    """The values of a column at some rows, without nulls.

    Attributes
    ----------
    kind:
        Arrow type of the column.
    fixed:
        Values of a fixed-width type, shape (n,); of decimals the unscaled int64, of booleans 0 or 1 (uint8).
    offsets, data:
        Of a text column: int32 (n + 1,), and UTF-8 bytes with SLACK bytes beyond them.
    moments:
        Of a date or timestamp: int64 microseconds since 1970 (n,).
    births, sexes:
        Of a national id: days since 1970 (int32) and 0 for men, 1 for women (uint8).
    choices:
        Of a choice: positions among its values (int64).
    """

    kind: pa.DataType
    fixed: Array | None = None
    offsets: Array | None = None
    data: Array | None = None
    moments: Array | None = None
    births: Array | None = None
    sexes: Array | None = None
    choices: Array | None = None

    def to_arrow(self) -> pa.Array:
        """A column without nulls."""
        if self.offsets is not None and self.data is not None:
            return _text(self.offsets, self.data)
        assert self.fixed is not None
        return pa.Array.from_buffers(self.kind, len(self.fixed), [None, _fixed_buffer(self.kind, self.fixed)])

    def spread(self, bits: Array, places: Array, count: int) -> pa.Array:
        """A column of `count` rows with these values at `places`, null elsewhere; `bits` is its bitmap."""
        nulls = count - places.size
        valid = pa.py_buffer(bits)
        if self.offsets is not None and self.data is not None:
            offsets = empty(count + 1, np.int32)
            spread_offsets(self.offsets, bits.view(np.uint64), offsets)
            return _text(offsets, self.data, valid, nulls)
        assert self.fixed is not None
        spread = empty(count, self.fixed.dtype.type)
        spread[:] = 0
        spread[places] = self.fixed
        buffers = [valid, _fixed_buffer(self.kind, spread)]
        return pa.Array.from_buffers(self.kind, count, buffers, null_count=nulls)


def empty(count: int, dtype: Any) -> Array:
    """Uninitialised array of shape (count,) from Arrow's memory pool.

    The pool hands freed blocks out again; numpy's come from the system each time, and touching their fresh
    pages cost 40 % of the whole generation.
    """
    return np.frombuffer(pa.allocate_buffer(count * _SIZES[dtype]), dtype)


def bitmap(count: int) -> Array:
    """Room for the validity of so many rows, uint8, in whole words of 64 rows and one more.

    The last word is zero: where it holds no row nobody writes it, but it goes to files.
    """
    bits = empty((count // 64 + 1) * 8, np.uint8)
    bits[-8:] = 0
    return bits


def exact(scratch: Array, used: int) -> Array:
    """A copy of the first bytes of a scratch array, uint8, for a column to keep.

    What a column may need at most is several times what it needs; copied while in the cache, it costs less
    than memory that is held and not used.
    """
    kept = empty(used + SLACK, np.uint8)
    kept[:used] = scratch[:used]
    return kept


def _text(offsets: Array, data: Array, valid: pa.Buffer | None = None, nulls: int = 0) -> pa.Array:
    # a slice: whoever reads a few bytes at a time sees that there are SLACK more
    buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(data).slice(0, int(offsets[-1]))]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers, null_count=nulls)


def _fixed_buffer(kind: pa.DataType, values: Array) -> pa.Buffer:
    if pa.types.is_boolean(kind):
        return pa.py_buffer(np.packbits(values, bitorder="little"))
    if pa.types.is_decimal(kind):
        halves = empty(2 * values.size, np.int64).reshape(-1, 2)
        halves[:, 0] = values
        np.right_shift(values, 63, out=halves[:, 1])
        return pa.py_buffer(halves)
    return pa.py_buffer(values)


def fixed_offsets(count: int, width: int) -> Array:
    """Offsets of `count` texts of one width, int32 (count + 1,)."""
    offsets = empty(count + 1, np.int32)
    offsets[:] = _multiples(count, width)[: count + 1]
    return offsets


_known: dict[int, Array] = {}


def _multiples(count: int, width: int) -> Array:
    held = _known.get(width)
    if held is None or held.size <= count:
        held = _known[width] = np.arange(count + count // 8 + 1, dtype=np.int32) * np.int32(width)
    return held
