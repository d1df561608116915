"""Views of Arrow arrays for kernels: no copy, and no detour by pandas, which `to_numpy` would import."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


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
