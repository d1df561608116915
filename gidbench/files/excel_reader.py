"""Workbooks by fastexcel, behind the same face as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import fastexcel
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench.arrays import fixed_values
from gidbench.errors import InputError
from gidbench.files.text import TextBatch

CHUNK_ROWS = 50_000


class ExcelReader:
    """A sheet of a workbook, all cells as text; see `gidbench.files.text.TableReader`.

    The first row with a cell in it is the header; rows without any are passed over.
    """

    unit = "rows"

    def __init__(self, path: Path, *, chunk_rows: int = CHUNK_ROWS, sheet: int = 0) -> None:
        self._path, self._chunk_rows, self._sheet = path, chunk_rows, sheet
        try:
            book = fastexcel.read_excel(path)
            # skip_rows=0 keeps blank rows at the top, so that row numbers are the sheet's
            self._sheet_count = len(book.sheet_names)
            self.sheet_name = book.sheet_names[sheet]
            loaded = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
            self._rows: pa.RecordBatch = loaded.to_arrow()
        except fastexcel.FastExcelError as error:
            raise InputError(
                f"{path.name} cannot be read as a workbook ({_first_line(error)})",
                "Save it anew from Excel as .xlsx, or as .csv",
            ) from error
        head = next((row for row in range(self._rows.num_rows) if any(self._cells(row))), None)
        if head is None:
            raise InputError(
                f"{path.name} has no cell in its sheet {sheet + 1}", "Give a sheet with a header row"
            )
        self.header = [cell.strip() for cell in self._cells(head)]
        self.header_lines = head + 1
        self.size = self._rows.num_rows - self.header_lines

    def _cells(self, row: int) -> list[str]:
        return [column[row].as_py() or "" for column in self._rows.columns]

    def chunks(self) -> Iterator[tuple[int, tuple[int, int]]]:
        for start in range(self.header_lines, self._rows.num_rows, self._chunk_rows):
            rows = min(self._chunk_rows, self._rows.num_rows - start)
            yield rows, (start, rows)

    def parse(self, chunk: tuple[int, int], wanted: Sequence[int]) -> TextBatch:
        start, rows = chunk
        part = self._rows.slice(start, rows)
        columns = [part.column(position).cast(pa.string()).fill_null("") for position in wanted]
        lines = np.arange(rows, dtype=np.int64)
        blank = np.logical_and.reduce([_is_empty(column) for column in columns])
        if blank.any():  # a row is blank only if the columns that nobody asked for are, too
            blank &= np.logical_and.reduce([_is_empty(column) for column in part.columns])
            keep = pa.array(~blank)
            columns = [column.filter(keep) for column in columns]
            lines = lines[~blank]
        rows_of = lines + start

        def raw(record: int) -> str:
            line = io.StringIO()
            csv.writer(line).writerow(self._cells(int(rows_of[record])))  # quotes what holds its \r or \n
            return line.getvalue().removesuffix("\r\n")

        return TextBatch(
            tuple(pa.concat_arrays([column]) for column in columns),
            np.zeros(len(lines), np.uint8),
            lines,
            rows,
            raw,
        )

    def sheets(self) -> Iterator[ExcelReader]:
        yield self
        for sheet in range(self._sheet + 1, self._sheet_count):
            try:
                further = ExcelReader(self._path, chunk_rows=self._chunk_rows, sheet=sheet)
            except InputError:  # without a cell, or a chart: no part of the table
                continue
            if further.header == self.header:
                yield further

    def close(self) -> None:
        del self._rows


def _is_empty(column: pa.Array) -> npt.NDArray[np.bool_]:
    lengths = pc.fill_null(pc.binary_length(column.cast(pa.string())), 0)
    empty: npt.NDArray[np.bool_] = fixed_values(lengths, np.int32) == 0
    return empty


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
