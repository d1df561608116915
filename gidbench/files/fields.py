"""Where the wanted fields of records stand in memory: what processing takes in the place of columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.arrays import readable_end, text_buffers, text_bytes
from gidbench.files.text import TextBatch
from gidbench.kernels import fields as kernels
from gidbench.kernels.memory import SLACK


@dataclass(frozen=True)
class Fields:
    """The wanted fields of n consecutive records, not copied.

    Attributes
    ----------
    addresses, lengths:
        int64 and int32 (wanted, n): where each field stands, and its bytes. Valid until the next fields are
        found on the same thread.
    limits:
        For each wanted field, the address up to which memory may be read behind it.
    odd:
        int32: rows that may hold something else than ASCII, which is UTF-8.
    flags, lines, line_count, raw, numbers, starts:
        See `gidbench.files.text.TextBatch`.
    owners:
        What the addresses point into.
    """

    addresses: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int32]
    limits: tuple[int, ...]
    odd: npt.NDArray[np.int32]
    flags: npt.NDArray[np.uint8]
    lines: npt.NDArray[np.int64]
    line_count: int
    raw: Callable[[int], str]
    owners: tuple[Any, ...]
    numbers: tuple[npt.NDArray[np.bool_] | None, ...] = ()
    starts: npt.NDArray[np.int64] | None = None


@runtime_checkable
class FieldReader(Protocol):
    """A `TableReader` that finds fields without copying them where a chunk is plain enough."""

    def locate(self, chunk: Any, wanted: Sequence[int]) -> Fields | None:
        """Fields `wanted` (positions in the header) of a chunk; None where `parse` must read it."""
        ...

    def release(self, chunk: Any) -> None:
        """Nobody needs the fields of a chunk any longer."""
        ...


def flag_undecodable(found: Fields) -> None:
    """Flag records with a field that is not UTF-8; their fields are empty then."""
    if found.odd.size:
        count = 0
        for addresses, lengths in zip(found.addresses, found.lengths, strict=True):
            count += kernels.flag_undecodable(addresses, lengths, found.odd, found.flags)
        if count:
            found.lengths[:, found.flags != 0] = 0


def gathered(found: Fields, slot: int) -> pa.StringArray:
    """One of the fields as a column."""
    return gather(found.addresses[slot], found.lengths[slot], found.limits[slot])[0]


def gather(
    addresses: npt.NDArray[np.int64], lengths: npt.NDArray[np.int32], limit: int
) -> tuple[pa.StringArray, int]:
    """A column of texts (int64 addresses, int32 lengths, (n,)), and how many of them are empty."""
    size = int(kernels.total(lengths))
    # Arrow keeps memory that was freed for the next batch; new memory would take as long as the copying
    data, offsets = pa.allocate_buffer(size + SLACK), pa.allocate_buffer(4 * (lengths.size + 1))
    empty = kernels.gather(
        addresses, lengths, limit, np.frombuffer(offsets, np.int32), np.frombuffer(data, np.uint8)
    )
    return pa.StringArray.from_buffers(lengths.size, offsets, data.slice(0, size)), int(empty)


def fields_of(batch: TextBatch) -> Fields:
    """The columns of a batch, in place."""
    count = batch.flags.size
    addresses = np.empty((len(batch.columns), count), np.int64)
    lengths = np.empty((len(batch.columns), count), np.int32)
    limits, ascii_only = [], True
    for slot, column in enumerate(batch.columns):
        bounds, data = text_buffers(column)
        held = text_bytes(column)
        if count:
            np.add(bounds[:-1], np.int64(held.address), out=addresses[slot])
            np.subtract(bounds[1:], bounds[:-1], out=lengths[slot])
        limits.append(readable_end(held))
        ascii_only = ascii_only and not (data.size and data.max() > 0x7F)
    return Fields(
        addresses,
        lengths,
        tuple(limits),
        np.empty(0, np.int32) if ascii_only else np.arange(count, dtype=np.int32),
        batch.flags,
        batch.lines,
        batch.line_count,
        batch.raw,
        (batch,),
        batch.numbers,
    )
