"""What every reader yields: batches of text columns whose rows can be traced back to the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass(frozen=True)
class TextBatch:
    """Consecutive records of a file.

    Attributes
    ----------
    columns:
        The wanted columns as Arrow strings (int32 offsets), all of length n; nulls do not occur.
    flags:
        uint8 (n,): 0, or why the record is malformed (`gidbench.kernels.scan`); its columns are empty.
    lines:
        int64 (n,): 0-based line on which each record begins, counted from the start of this batch.
    line_count:
        Lines that the batch covers.
    raw:
        Original text of record i of the batch.
    numbers:
        Of a workbook, for each column: bool (n,), where the cell was a number, or None if none was. Empty
        for files that hold text only.
    repairs:
        uint8 (n,), or None if all are 0: why a record had to be repaired whose flag is 0 all the same.
    starts:
        int64 (n,), of text only: position at which each record begins.
    """

    columns: tuple[pa.StringArray, ...]
    flags: npt.NDArray[np.uint8]
    lines: npt.NDArray[np.int64]
    line_count: int
    raw: Callable[[int], str]
    numbers: tuple[npt.NDArray[np.bool_] | None, ...] = ()
    repairs: npt.NDArray[np.uint8] | None = None
    starts: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Decision:
    """Something that was found out about a file.

    `what` is one of encoding, delimiter, quote, escape, header, columns, preamble, footer, sheet, table,
    read by; `sure` runs from 0 (a guess) to 1 (said by the caller or by the file itself).
    """

    what: str
    value: str
    sure: float
    why: str


class TableReader(Protocol):
    """A file of records under a header.

    `chunks` cuts the file in order, cheaply, on one thread; `parse` may run on many threads at once.
    """

    @property
    def header(self) -> list[str]:
        """Titles of the columns; `column_1`, … where `header_rows` is 0."""
        ...

    @property
    def header_rows(self) -> int:
        """Rows that make the header; 0: the first row is a record already."""
        ...

    @property
    def header_lines(self) -> int:
        """Lines before the first record."""
        ...

    @property
    def decisions(self) -> Sequence[Decision]:
        """What was found out about the file, and how sure that is; also which path reads it."""
        ...

    @property
    def size(self) -> int:
        """Units of work of the whole file, for progress; each chunk comes with its own share."""
        ...

    @property
    def unit(self) -> str: ...

    @property
    def sheet_name(self) -> str:
        """Of a workbook: the sheet, whose rows `lines` are; else empty."""
        ...

    def chunks(self) -> Iterator[tuple[int, Any]]:
        """(units, chunk) pairs."""
        ...

    def parse(self, chunk: Any, wanted: Sequence[int]) -> TextBatch:
        """Columns `wanted` (positions in the header) of a chunk."""
        ...

    def sheets(self) -> Iterator[TableReader]:
        """This table and, of a workbook, the further sheets that go on with it under the same header."""
        ...

    def close(self) -> None: ...
