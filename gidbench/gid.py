"""The G_ID codec: ordinal <-> text, one value at a time or vectorised.

A G_ID is `G` digit year year letter letter number number, for example `G025AA00`. Read from the right it
is a number in the mixed radix (10, 100, 26, 26, 100), so there are 67,600,000 of them and `G025AA00` is
ordinal 25 x 67,600 = 1,690,000.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.arrays import text_buffers
from gidbench.errors import CapacityError, InputError
from gidbench.kernels import gids

CAPACITY = 10 * 100 * 26 * 26 * 100
LENGTH = 8
FIRST_ORDINAL = 25 * 26 * 26 * 100  # G025AA00: where a new sequence starts


def encode(ordinal: int) -> str:
    """Text of one ordinal. Raises CapacityError outside 0 .. 67,599,999."""
    return str(encode_range(ordinal, 1)[0])


def decode(text: str) -> int:
    """Ordinal of one G_ID. Raises InputError where the text is not a G_ID."""
    ordinal = int(decode_array(pa.array([text], pa.string()))[0])
    if ordinal < 0:
        raise InputError(
            f"{text!r} is not a G_ID", "A G_ID looks like G025AA00: G, three digits, two letters, two digits"
        )
    return ordinal


def encode_range(first: int, count: int) -> pa.StringArray:
    """The G_IDs of ordinals first .. first + count - 1 as an Arrow string array of length `count`.

    Raises CapacityError where the range leaves the number space.
    """
    check_capacity(first, count)
    data = pa.allocate_buffer(count * LENGTH)
    gids.encode_range(first, np.frombuffer(data, np.uint8))
    offsets = np.arange(0, count * LENGTH + 1, LENGTH, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), data)


def encode_array(ordinals: npt.NDArray[np.int64]) -> pa.StringArray:
    """G_IDs of an int64 array of valid ordinals, shape (n,), as an Arrow string array of length n."""
    data = np.empty(ordinals.size * LENGTH, dtype=np.uint8)
    gids.encode(np.ascontiguousarray(ordinals), data)
    offsets = np.arange(0, data.size + 1, LENGTH, dtype=np.int32)
    return pa.StringArray.from_buffers(ordinals.size, pa.py_buffer(offsets), pa.py_buffer(data))


def decode_array(texts: pa.StringArray) -> npt.NDArray[np.int64]:
    """Ordinals of an Arrow string array, int64 of shape (n,); -1 where the text is null or no G_ID."""
    filled = texts.fill_null("")
    ordinals = np.empty(len(filled), dtype=np.int64)
    if len(filled):
        gids.decode(*text_buffers(filled), ordinals)
    return ordinals


def check_capacity(first: int, count: int) -> None:
    """Raise CapacityError unless ordinals first .. first + count - 1 all exist."""
    if first < 0 or count < 0 or first + count > CAPACITY:
        left = max(0, CAPACITY - max(first, 0))
        raise CapacityError(
            f"{count:,} G_IDs are asked for, but only {left:,} of {CAPACITY:,} are left",
            "Use fewer records, or a database whose g_id_sequence stands lower",
        )
