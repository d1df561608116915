"""A sheet of an .xlsx workbook as a table; see `gidbench.files.text.TableReader`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gidbench.errors import InputError
from gidbench.files.layout import MOST_PREAMBLE
from gidbench.files.options import DEFAULTS, Limits, ReadOptions
from gidbench.files.text import Decision, TextBatch
from gidbench.files.workbooks.batches import Batcher, Scan
from gidbench.files.workbooks.choosing import (
    NoTable,
    check_blanks,
    check_columns,
    check_rows,
    chosen_sheet,
    told,
)
from gidbench.files.workbooks.container import Package
from gidbench.files.workbooks.parts import Book, read_book
from gidbench.files.workbooks.pieces import PIECE_BYTES, Piece, Unordered
from gidbench.files.workbooks.sheet import Chunk, Rows, Sheet
from gidbench.files.workbooks.slow import Cells
from gidbench.files.workbooks.strings import SharedStrings, read_strings
from gidbench.kernels import sheet_cells

_MOST_ROWS = 65_536  # of a batch
_WIDE = 512  # columns, from where on a piece has more bytes, so that it has more than a few rows
_TEXTS_FROM = 1 << 30  # bytes of text, from where on they are held against the size of the file
_MOST_CELLS = 4_000_000  # of a batch, those that are not there included
_SURVEYED_BYTES = 32 << 20  # a sheet up to this size is looked through before anything is handed out
_NO_END = 1 << 60
_HEADER_PIECE, _HEADER_ROWS = 64 << 10, 256  # of chunks in which a header is looked for
_NO_SLOTS = np.empty(0, np.int32)
_ANEW = "Save it anew from Excel as .xlsx, or as .csv"


@dataclass(frozen=True)
class Extent:
    """How far the cells of a sheet that hold something reach: its last row and its columns."""

    rows: int
    columns: int
    cells: int


@dataclass(frozen=True)
class _Source:
    """What the sheets of a workbook have in common."""

    package: Package
    book: Book
    strings: SharedStrings
    options: ReadOptions
    piece_bytes: int


class WorkbookReader:
    """A worksheet, all cells as text.

    The header is the first row with a cell in it, and rows without any are no records; with `options.header`
    0 there is no header, and every row from the first on is a record.
    """

    unit = "bytes"

    def __init__(
        self, path: Path, options: ReadOptions = DEFAULTS, *, piece_bytes: int = PIECE_BYTES
    ) -> None:
        self._package = Package(path, options.limits)
        try:
            book = read_book(self._package)
            strings = read_strings(self._package, book.strings, options.limits)
            number = chosen_sheet(path.name, [sheet.name for sheet in book.sheets], options.sheet)
            self._open(_Source(self._package, book, strings, options, piece_bytes), number)
        except BaseException:
            self._package.close()
            raise

    def _open(self, source: _Source, number: int) -> None:
        self._source, self._number = source, number
        options, limits = source.options, source.options.limits
        part = source.book.sheets[number]
        if part.entry is None:
            raise InputError(
                f"{source.package.name} cannot be read as a workbook: the part of its sheet {part.name!r} is "
                "missing",
                _ANEW,
            )
        self.sheet_name = part.name
        self._given = 0  # bytes of text, about: threads do not wait for one another
        self._sheet = Sheet(source.package, part.entry, source.book, source.strings, limits)
        self._dense = options.header == 0
        self.size = part.entry.size
        self._extent: Extent | None = None
        if self._dense or self.size <= _SURVEYED_BYTES:
            self._extent = self._surveyed()
        if self._dense:
            self.header_rows = self.header_lines = 0
            self.header = [f"column_{n}" for n in range(1, self._checked_extent(limits).columns + 1)]
        else:
            self._read_header(max(1, options.header or 1))
        width = len(self.header)
        self._most_rows = max(1, min(_MOST_ROWS, _MOST_CELLS // max(1, width)))
        self._batcher = Batcher(
            self._sheet, first=self.header_lines + 1, last=self._last_row(), dense=self._dense, width=width
        )

    def _surveyed(self) -> Extent:
        """Look through the whole sheet. Its way of reading is certain afterwards."""
        try:
            return self._survey()
        except Unordered:
            self._sheet.sort()
            return self._survey()

    def _survey(self) -> Extent:
        rows = columns = cells = 0
        chunks = self._sheet.chunks(piece_bytes=self._source.piece_bytes, most_rows=_MOST_ROWS, dense=False)
        for _, chunk in chunks:
            found = self._scanned(chunk)
            if isinstance(found, Scan):
                filled = np.flatnonzero(found.filled[: found.rows])
                if filled.size:
                    rows = int(found.numbers[filled[-1]])
                columns, cells = max(columns, found.widest), cells + found.count
                continue
            for number, row in found.rows:
                if row:
                    rows, columns, cells = number, max(columns, max(row) + 1), cells + len(row)
        return Extent(rows, columns, cells)

    def _scanned(self, chunk: Chunk) -> Scan | Rows:
        """What a chunk holds, without the texts where the kernels can do it."""
        if isinstance(chunk, Rows):
            return chunk
        scan = Scan(self._sheet, chunk, _NO_SLOTS, 1, False)
        if scan.status == sheet_cells.MISPLACED:
            raise Unordered
        return scan if scan.status == sheet_cells.DONE else self._sheet.read_piece(chunk)

    def _checked_extent(self, limits: Limits) -> Extent:
        extent = self._extent or Extent(0, 0, 0)
        name = self._package_name()
        check_columns(name, extent.columns, limits)
        check_rows(name, extent.rows, limits.rows)
        check_blanks(name, extent.rows, extent.columns, extent.cells, limits)
        return extent

    def _package_name(self) -> str:
        return self._source.package.name

    def _read_header(self, rows: int) -> None:
        """The titles: those of the row that is known as the header, else of the first rows with a cell in it."""
        found: list[Cells] = []
        first, titled = 0, self._titled_row()
        for number, cells in self._first_rows():
            if first == 0 and cells and number >= titled:
                first = number
            if first and number >= first + rows:
                break
            if first:
                found.append(cells)
        if not found:
            raise NoTable(
                f"{self._package_name()} has no cell in its sheet {self._number + 1}",
                "Give a sheet with a header row",
            )
        width = max(max(cells, default=-1) + 1 for cells in found)
        if self._extent is not None:
            width = max(width, self._extent.columns)
        check_columns(self._package_name(), width, self._source.options.limits)
        self.header_rows, self.header_lines = rows, first + rows - 1
        self.header = [
            " ".join(text for cells in found if (text := cells.get(column, ("", False))[0].strip()))
            for column in range(width)
        ]

    def _titled_row(self) -> int:
        """Number of the row that the caller's test takes for the header; 0 if there is none."""
        is_header = self._source.options.is_header
        if is_header is not None:
            for number, cells in self._first_rows():
                if number > MOST_PREAMBLE:
                    break
                if is_header(
                    [cells.get(column, ("", False))[0] for column in range(max(cells, default=-1) + 1)]
                ):
                    return number
        return 0

    def _first_rows(self) -> Iterator[tuple[int, Cells]]:
        chunks = self._sheet.chunks(piece_bytes=_HEADER_PIECE, most_rows=_HEADER_ROWS, dense=False)
        try:
            for _, chunk in chunks:
                found = self._scanned(chunk)
                if isinstance(found, Scan):
                    if not found.filled[: found.rows].any():
                        continue
                    assert isinstance(chunk, Piece)
                    found = self._sheet.read_piece(chunk)
                yield from found.rows
        except Unordered as error:
            raise Batcher(self._sheet, first=1, last=0, dense=False, width=0).unordered() from error

    @property
    def decisions(self) -> Sequence[Decision]:
        how = {"kernels": "gidbench xlsx", "parser": "gidbench xml", "sorted": "gidbench xml, sorted"}
        read_by = Decision("read by", how[self._sheet.how], 1.0, self._sheet.why)
        return [read_by, *told(self._source.options, self.sheet_name, self.header_rows, len(self.header))]

    def chunks(self) -> Iterator[tuple[int, Chunk]]:
        """(bytes of XML, chunk) pairs."""
        last, limit = self._last_row(), self._source.options.limits.rows
        chunks = self._sheet.chunks(
            piece_bytes=self._source.piece_bytes * max(1, min(16, len(self.header) // _WIDE)),
            most_rows=self._most_rows,
            dense=self._dense,
        )
        try:
            for units, chunk in chunks:
                check_rows(self._package_name(), chunk.end_row, limit)
                if chunk.last_row >= last:  # what follows are rows without a cell
                    return
                if chunk.end_row > self.header_lines:
                    yield units, chunk
        except Unordered as error:
            raise self._batcher.unordered() from error

    def _last_row(self) -> int:
        return _NO_END if self._extent is None else self._extent.rows

    def parse(self, chunk: Chunk, wanted: Sequence[int]) -> TextBatch:
        """Columns `wanted` (positions in the header) of a chunk; on any thread."""
        batch = self._batcher.batch(chunk, wanted)
        self._given += sum(column.nbytes - 4 * len(column) for column in batch.columns)
        most = max(_TEXTS_FROM, self._source.options.limits.inflate_ratio * self._source.package.size)
        if self._given > most:
            raise InputError(
                f"the texts of {self._package_name()} take more than {most:,} bytes, as those of a bomb of shared "
                "strings do",
                "Raise the limit inflate_ratio if the file can be trusted",
            )
        return batch

    def sheets(self) -> Iterator[WorkbookReader]:
        """This table, and the further sheets under the same header unless a sheet or no header was asked for."""
        yield self
        source = self._source
        if self._dense or source.options.sheet is not None:
            return
        for number in range(self._number + 1, len(source.book.sheets)):
            further = WorkbookReader.__new__(WorkbookReader)
            try:
                further._package = self._package
                further._open(source, number)
            except NoTable:
                continue
            if _without_end(further.header) == _without_end(self.header):
                yield further

    def close(self) -> None:
        self._package.close()


def _without_end(header: list[str]) -> list[str]:
    """Titles up to the last that says something."""
    length = max((place for place, title in enumerate(header, 1) if title), default=0)
    return header[:length]
