"""Views of Arrow arrays for kernels: no copy, and no detour by pandas, which `to_numpy` would import."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_WORD_BYTES = 8


def as_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """The column itself where it has the type already: Arrow's own cast takes 3 us to find that out."""
    return column if column.type == kind else column.cast(kind)


def values_address(column: pa.Array, width: int) -> int:
    """Address of the first value of a fixed-width column of `width` bytes each; 0 where there are none."""
    data = column.buffers()[1]
    return 0 if data is None else int(data.address) + column.offset * width


def array_address(values: npt.NDArray[Any]) -> int:
    """Address of an array's first value: `values.ctypes.data`, in an eighth of the time."""
    return int(pa.py_buffer(values).address) if values.size else 0


def readable_end(buffer: pa.Buffer) -> int:
    """Address up to which may be read, from a buffer on: a slice may be followed by more of its parent."""
    start, end, whole = int(buffer.address), int(buffer.address) + int(buffer.size), buffer.parent
    if whole is not None and whole.address <= start and end <= whole.address + whole.size:
        return int(whole.address) + int(whole.size)
    return end


def text_bytes(column: pa.StringArray) -> pa.Buffer:
    """The bytes of a string column's texts; an empty buffer where Arrow has left it out."""
    data = column.buffers()[2]
    return pa.py_buffer(b"") if data is None else data


def fixed_values(column: pa.Array, dtype: Any) -> npt.NDArray[Any]:
    """Values of a fixed-width column (not boolean), shape (n,); what stands at nulls is arbitrary."""
    data = column.buffers()[1]
    if data is None:
        return np.empty(0, dtype)
    return np.frombuffer(data, dtype)[column.offset : column.offset + len(column)]


def text_buffers(column: pa.StringArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """(offsets int32 (n + 1,), all bytes) of a string column of length n; nulls are empty or arbitrary."""
    _, offsets, data = column.buffers()
    if offsets is None:
        return np.zeros(1, np.int32), np.empty(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return bounds, np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)


def validity(column: pa.Array) -> pa.Buffer | None:
    """Bitmap of a column that has nulls, from `column.offset` on, with eight bytes to read beyond it."""
    if not column.null_count:
        return None
    needed = (column.offset + len(column) + 7) // 8 + _WORD_BYTES
    if column.null_count == len(column):  # Arrow may have left out all of its buffers
        return pa.py_buffer(bytes(needed))
    bits = column.buffers()[0]
    return bits if bits.size >= needed else pa.py_buffer(bits.to_pybytes() + bytes(_WORD_BYTES))


def text_array(
    offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8], like: pa.StringArray
) -> pa.StringArray:
    """A string column of new texts with the nulls of another of the same length.

    `offsets` int32 (n + 1,) and `data` are kept, not copied.
    """
    bits = None
    if like.null_count:
        bits = like.buffers()[0]
        if like.offset:
            valid = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")
            packed = np.packbits(valid[like.offset : like.offset + len(like)], bitorder="little")
            bits = pa.py_buffer(packed)
    buffers = [bits, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(like), buffers, null_count=like.null_count)
