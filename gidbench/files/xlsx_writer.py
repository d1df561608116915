"""A streaming xlsx writer: rows become sheet XML by kernels and are deflated, on every thread at once.

Office Open XML, ECMA-376 part 1, 18.3 (worksheets). Cells carry no references: they are optional, and leaving
them out saves a quarter of the bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from gidbench.cells import Cells, Frame, Slots
from gidbench.errors import InputError
from gidbench.files.deflating import Piece, deflate
from gidbench.files.xlsx_cells import cells_of
from gidbench.files.xlsx_parts import SHEET_END, sheet_start, workbook_parts
from gidbench.files.zip_stream import ZipStream
from gidbench.lending import lend

MAX_ROWS = 1_048_576  # of a sheet, the header row included
MAX_COLUMNS = 16_384


@dataclass(frozen=True)
class SheetPart:
    rows: int
    piece: Piece | None


class XlsxWriter:
    """Sheets `records`, `records 2` …, as many as the rows need, each with the header row."""

    # A 31st of the rows that a sheet holds below its header, so that it ends with a part.
    part_rows = 33_825
    sheet_rows = MAX_ROWS - 1

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        if len(schema) > MAX_COLUMNS:
            raise InputError(f"{len(schema):,} columns are too many for a sheet", "Write .csv or .parquet")
        self._schema = schema
        self._zip = ZipStream(file)
        self._start = deflate(sheet_start(schema).encode())
        self._sheets = 0
        self._rows = 0
        self._begin_sheet()

    def prepare(self, batch: pa.RecordBatch) -> SheetPart:
        if not batch.num_rows or not batch.num_columns:
            return SheetPart(batch.num_rows, None)
        columns: list[pa.Array | Slots] = []
        frames: list[Frame] = []
        for place, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
            texts, frame = cells_of(name, column, place)
            columns.append(texts)
            frames.append(frame)
        first, last = frames[0], frames[-1]
        frames[0] = Frame(b"<row>" + first.before, first.after, b"<row>" + first.null)
        last = frames[-1]
        frames[-1] = Frame(last.before, last.after + b"</row>", last.null + b"</row>")
        cells = Cells(columns, frames)
        lent = lend(cells.bound)
        piece = deflate(lent.memory[: cells.join(lent.memory)])
        lent.give_back()
        return SheetPart(batch.num_rows, piece)

    def write(self, prepared: SheetPart) -> int:
        if prepared.piece is None:
            return 0
        if self._rows + prepared.rows > self.sheet_rows:
            self._end_sheet()
            self._begin_sheet()
        self._zip.append(prepared.piece)
        self._rows += prepared.rows
        return len(prepared.piece.data)

    def close(self) -> None:
        self._end_sheet()
        for name, content in workbook_parts(self._sheets).items():
            self._zip.add(name, content)
        self._zip.close()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._rows = 0
        self._zip.begin(f"xl/worksheets/sheet{self._sheets}.xml")
        self._zip.append(self._start)

    def _end_sheet(self) -> None:
        self._zip.append(deflate(SHEET_END.encode()))
        self._zip.end()
