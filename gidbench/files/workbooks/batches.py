"""Chunks of a sheet as batches of text columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.errors import InputError
from gidbench.files.text import TextBatch
from gidbench.files.workbooks import slow
from gidbench.files.workbooks.hard_cells import hard_texts, not_utf8
from gidbench.files.workbooks.pieces import Piece, Unordered
from gidbench.files.workbooks.sheet import Chunk, Rows, Sheet
from gidbench.files.workbooks.slow import Cells
from gidbench.kernels import cell_texts, sheet_cells
from gidbench.kernels.memory import SLACK

_MOST_TEXT = 256 << 20  # bytes of a batch
_ROW = re.compile(rb"""<row(?:[^>"']|"[^"]*"|'[^']*')*>""")
_Kept = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]


class Scan:
    """What the kernel found in a piece: a word for each wanted cell."""

    def __init__(
        self, sheet: Sheet, piece: Piece, slots: npt.NDArray[np.int32], first: int, dense: bool
    ) -> None:
        room = piece.end_row - piece.last_row if dense else piece.count
        used = int(slots.max(initial=-1)) + 1
        self.cells = np.zeros((used, room), np.int64)
        self.numbers, self.starts = np.zeros(room + 1, np.int64), np.zeros(room + 1, np.int64)
        self.filled = np.zeros(room, np.uint8)
        found = np.zeros(sheet_cells.FOUND, np.int64)
        self.status = int(
            sheet_cells.scan_rows(
                piece.data, piece.start, piece.end, piece.last_row, first, int(dense), slots,
                sheet.book.classes, sheet.strings.lengths,
                self.cells, self.numbers, self.starts, self.filled, found,
            )
        )  # fmt: skip
        self.widest, self.count, _, self.rows = found.tolist()


def slots_of(wanted: Sequence[int]) -> npt.NDArray[np.int32]:
    """For each column of the sheet: its place among the wanted ones, or -1."""
    slots = np.full(max(wanted, default=-1) + 1, -1, np.int32)
    slots[list(wanted)] = np.arange(len(wanted))
    return slots


class Batcher:
    """Makes batches from a sheet's chunks; safe on any thread.

    Parameters
    ----------
    first, last:
        Numbers of the first row that is a record, and of the last one.
    dense:
        Whether rows without a cell are records, too.
    width:
        Columns of the table.
    """

    def __init__(self, sheet: Sheet, *, first: int, last: int, dense: bool, width: int) -> None:
        self._sheet, self._first, self._last = sheet, first, last
        self._dense, self._width = dense, width

    def batch(self, chunk: Chunk, wanted: Sequence[int]) -> TextBatch:
        if isinstance(chunk, Rows):
            return self._from_rows(chunk, wanted)
        scan = Scan(self._sheet, chunk, slots_of(wanted), self._first, self._dense)
        if scan.status == sheet_cells.MISPLACED:
            raise self.unordered()
        if scan.status != sheet_cells.DONE:
            try:
                return self._from_rows(self._sheet.read_piece(chunk), wanted)
            except Unordered as error:
                raise self.unordered() from error
        return self._from_scan(chunk, scan, len(wanted))

    def unordered(self) -> InputError:
        return InputError(
            f"a sheet of {self._sheet.package.name} is large, and has rows or cells that stand out of order",
            "Save it anew from Excel",
        )

    def _before(self, chunk: Chunk) -> int:
        """Number of the row before the first record that a chunk may hold."""
        return min(max(chunk.last_row, self._first - 1), chunk.end_row)

    def _from_scan(self, piece: Piece, scan: Scan, count: int) -> TextBatch:
        before = self._before(piece)
        end = min(piece.end_row, self._last)
        rows = end - before if self._dense else scan.rows
        cells, numbers, starts = scan.cells[:, :rows], scan.numbers[:rows], scan.starts
        if self._dense:
            lines = np.arange(rows, dtype=np.int64)
        elif (filled := scan.filled[:rows]).all():
            lines = numbers - before - 1
        else:
            keep = filled != 0
            cells, numbers, starts = cells[:, keep], numbers[keep], starts[:rows][keep]
            lines = numbers - before - 1
        columns, masks, total = [], [], 0
        for slot in range(count):
            column, mask = self._column(piece, np.ascontiguousarray(cells[slot]), total)
            total += column.nbytes
            columns.append(column)
            masks.append(mask)

        def raw(record: int) -> str:
            return self._raw(piece, int(starts[record]), int(numbers[record]))

        flags = np.zeros(len(lines), np.uint8)
        return TextBatch(tuple(columns), flags, lines, end - before, raw, tuple(masks))

    def _column(
        self, piece: Piece, cells: npt.NDArray[np.int64], total: int
    ) -> tuple[pa.StringArray, npt.NDArray[np.bool_] | None]:
        strings = self._sheet.strings
        numbers, hard = np.empty(cells.size, np.uint8), np.empty(cells.size, np.int64)
        found = np.zeros(cell_texts.FOUND, np.int64)
        cell_texts.resolve_cells(
            piece.data, strings.lengths, int(self._sheet.book.since_1904), cells, numbers, hard, found
        )
        room, hards, number_count, longest = found.tolist()
        limit = self._sheet.limits.field_bytes
        if longest > limit:
            raise InputError(
                f"a cell of {self._sheet.package.name} holds {longest:,} bytes; {limit:,} are the most",
                "Raise the limit field_bytes if the file can be trusted",
            )
        extra = hard_texts(self._sheet, piece, cells, numbers, hard[:hards]) if hards else _NOTHING
        room += extra.size
        self._check_size(cells.size, total + room)
        out, offsets = np.empty(room + SLACK, np.uint8), np.empty(cells.size + 1, np.int32)
        cell_texts.write_texts(piece.data, strings.addresses, strings.lengths, extra, cells, offsets, out)
        used = out[: offsets[-1]]
        column = pa.StringArray.from_buffers(cells.size, pa.py_buffer(offsets), pa.py_buffer(used))
        if used.size and used.max() >= 0x80:
            self._check_text(column)
        if hards:
            number_count = int(numbers.sum())
        return column, numbers.view(np.bool_) if number_count else None

    def _check_size(self, rows: int, size: int) -> None:
        if size > _MOST_TEXT:
            raise InputError(
                f"{rows:,} rows of {self._sheet.package.name} hold more than {_MOST_TEXT:,} bytes of text",
                "Shorten its texts",
            )

    def _check_text(self, column: pa.StringArray) -> None:
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            raise not_utf8(self._sheet) from error

    def _raw(self, piece: Piece, start: int, number: int) -> str:
        """A row of the sheet as a line of CSV."""
        if number == 0:  # a row that is not in the file
            return ""
        content = piece.data[start : piece.end].tobytes()
        tag = _ROW.match(content)
        end = content.find(b"</row", tag.end() if tag else 0)
        if tag is None or tag[0].endswith(b"/>") or end < 0:
            return ""
        content = slow.wrapped(content[:end] + b"</row>", self._sheet.spaces, "sheetData")
        package, entry = self._sheet.package, self._sheet.entry
        rows, _ = slow.parse_rows(package.name, entry.name, content, self._sheet.around, number - 1)
        return self._line(rows[0][1]) if rows else ""

    def _line(self, cells: Cells) -> str:
        width = max(self._width, max(cells, default=-1) + 1)
        self._check_size(1, sum(len(text) for text, _ in cells.values()))
        line = io.StringIO()
        row = [cells[column][0] if column in cells else "" for column in range(width)]
        csv.writer(line).writerow(row)  # quotes what holds its \r or \n
        return line.getvalue().removesuffix("\r\n")

    def _from_rows(self, chunk: Rows, wanted: Sequence[int]) -> TextBatch:
        before = self._before(chunk)
        found = {number: cells for number, cells in chunk.rows if number > before}
        end = min(chunk.end_row, self._last)
        if self._dense:
            numbers = np.arange(before + 1, end + 1, dtype=np.int64)
        else:
            numbers = np.array([number for number, cells in found.items() if cells], np.int64)
        columns, masks, total = [], [], 0
        for column in wanted:
            texts = [""] * len(numbers)
            mask = np.zeros(len(numbers), np.bool_)
            for place, number in enumerate(numbers.tolist()):
                if (cell := found.get(number, _EMPTY).get(column)) is not None:
                    texts[place] = cell[0]
                    mask[place] = cell[1]
            total += sum(map(len, texts))
            self._check_size(len(texts), total)
            columns.append(_strings(texts))
            masks.append(mask if mask.any() else None)

        def raw(record: int) -> str:
            cells = found.get(int(numbers[record]))
            return "" if cells is None else self._line(cells)

        flags = np.zeros(len(numbers), np.uint8)
        return TextBatch(tuple(columns), flags, numbers - before - 1, end - before, raw, tuple(masks))


_EMPTY: Cells = {}
_NOTHING = np.zeros(SLACK, np.uint8)


def _strings(texts: list[str]) -> pa.StringArray:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array([text.encode("utf-8", "replace").decode() for text in texts], pa.string())
