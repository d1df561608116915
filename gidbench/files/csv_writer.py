"""CSV by kernels: RFC 4180, UTF-8, LF, quotes only where a value needs them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.arrays import as_type, text_array, text_buffers
from gidbench.cells import Cells, Frame, SpecialText, is_formatted
from gidbench.kernels import quoting
from gidbench.lending import Lent, lend


@dataclass(frozen=True)
class Rendered:
    """Text of some rows, in memory that is lent until `give_back`."""

    lent: Lent
    used: int

    @property
    def text(self) -> npt.NDArray[np.uint8]:
        return self.lent.memory[: self.used]

    def give_back(self) -> None:
        self.lent.give_back()


class CsvWriter:
    """A header row, then the rows; numbers, dates (ISO) and moments (to the microsecond) by `gidbench.cells`.

    Null and empty text are both an empty field, but for a table of one column, where that would be a blank
    line, which readers pass over: there it is two quotes.
    """

    # Two threads: 3.5 GB/s of employees to memory in parts of 16,384 rows, which are too few for the work between
    # kernels, 4.3 from 24,576 on; beyond 65,536 their columns leave the caches.
    part_rows = 32_768

    def __init__(self, file: BinaryIO, schema: pa.Schema, *, header: bool = True) -> None:
        self._file = file
        self._alone = len(schema) == 1
        self._texts = frozenset(place for place, kind in enumerate(schema.types) if not is_formatted(kind))
        self._quoted = self._texts if self._alone else frozenset[int]()  # what was found to need quotes
        null = b'""' if self._alone else b""
        ends = [b","] * (len(schema) - 1) + [b"\n"]
        self._frames = [Frame(after=end, null=null + end) for end in ends]
        if header:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerow(schema.names)
            file.write(text.getvalue().encode())

    def prepare(self, batch: pa.RecordBatch) -> Rendered:
        if not batch.num_columns:
            return Rendered(lend(0), 0)
        columns, quoted = batch.columns, self._quoted
        for place in quoted:
            columns[place] = _with_quotes(columns[place], alone=self._alone)
        while True:
            cells = Cells(columns, self._frames, self._texts - quoted)
            lent = lend(cells.bound)
            try:
                rendered = Rendered(lent, cells.join(lent.memory))
                self._quoted |= quoted
                return rendered
            except SpecialText as found:  # mostly among the first rows of the first part
                lent.give_back()
                columns[found.column] = _with_quotes(columns[found.column], alone=False)
                quoted |= {found.column}

    def write(self, prepared: Rendered) -> int:
        self._file.write(prepared.text.data)
        prepared.give_back()
        return prepared.used

    def close(self) -> None:
        """Nothing is left to write."""


def _with_quotes(column: pa.Array, *, alone: bool) -> pa.Array:
    """The column as texts, in quotes where one needs them; where it is `alone`, empty ones do, too."""
    column = as_type(column, pa.string())
    offsets, data = text_buffers(column)
    room = np.empty(2 * (int(offsets[-1]) - int(offsets[0]) + len(column)), np.uint8)
    bounds = np.empty(len(column) + 1, np.int32)
    quoting.quote_texts(offsets, data, int(alone), bounds, room)
    return text_array(bounds, room, column)


def guarded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with an apostrophe before every text that a spreadsheet would take for a formula."""
    columns = []
    for column in batch.columns:
        if pa.types.is_string(column.type) and column.null_count < len(column):
            offsets, data = text_buffers(column)
            room = np.empty(int(offsets[-1]) - int(offsets[0]) + len(column), np.uint8)
            bounds = np.empty(len(column) + 1, np.int32)
            quoting.guard_texts(offsets, data, bounds, room)
            column = text_array(bounds, room, column)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
