"""Records that a quote has tangled: one that is never closed must not take the lines behind it along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.files.text import TextBatch
from gidbench.kernels import scan

_DEEPEST = 100  # quotes within the lines that the first one took along


class _Source(Protocol):
    @property
    def header(self) -> list[str]: ...

    def as_they_are(self, chunk: tuple[int, int], wanted: Sequence[int]) -> TextBatch: ...

    def first_line(self, start: int, end: int) -> tuple[int, int]: ...

    def raw(self, starts: npt.NDArray[np.int64], end: int) -> Callable[[int], str]: ...


def untangled(
    source: _Source, batch: TextBatch, chunk: tuple[int, int], wanted: Sequence[int], depth: int = 0
) -> TextBatch:
    """The batch, where a malformed record of several lines is only the first of them.

    That is so if its first line has as many fields as the table by itself, with its quotes as text: then a
    quote too many is on it, and the lines behind are records of their own.
    """
    assert batch.starts is not None
    tangled = (batch.flags == scan.STRAY_QUOTE) | (batch.flags == scan.OPEN_QUOTE)
    if depth >= _DEEPEST or not tangled.any():
        return batch
    pieces: list[TextBatch] = []
    offsets: list[int] = []
    passed = 0
    for row in np.flatnonzero(tangled).tolist():
        start = int(batch.starts[row])
        end = int(batch.starts[row + 1]) if row + 1 < batch.starts.size else chunk[1]
        after, fields = source.first_line(start, end)
        if fields != len(source.header) or after >= end:
            continue
        pieces.append(_slice(batch, passed, row + 1))
        offsets.append(0)
        behind = (after, end)
        pieces.append(untangled(source, source.as_they_are(behind, wanted), behind, wanted, depth + 1))
        offsets.append(int(batch.lines[row]) + 1)
        passed = row + 1
    if not pieces:
        return batch
    pieces.append(_slice(batch, passed, batch.flags.size))
    offsets.append(0)
    starts = np.concatenate([piece.starts for piece in pieces if piece.starts is not None])
    return TextBatch(
        tuple(
            pa.concat_arrays(list(columns))
            for columns in zip(*(piece.columns for piece in pieces), strict=True)
        ),
        np.concatenate([piece.flags for piece in pieces]),
        np.concatenate([piece.lines + offset for piece, offset in zip(pieces, offsets, strict=True)]),
        batch.line_count,
        source.raw(starts, chunk[1]),
        starts=starts,
    )


def _slice(batch: TextBatch, begin: int, end: int) -> TextBatch:
    assert batch.starts is not None
    return TextBatch(
        tuple(column.slice(begin, end - begin) for column in batch.columns),
        batch.flags[begin:end],
        batch.lines[begin:end],
        batch.line_count,
        lambda row: batch.raw(begin + row),
        starts=batch.starts[begin:end],
    )
