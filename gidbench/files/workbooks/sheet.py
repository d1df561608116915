"""A sheet as a stream of chunks: pieces of XML for the kernels, or rows that an XML parser has read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from gidbench.errors import InputError
from gidbench.files.options import Limits
from gidbench.files.workbooks import slow
from gidbench.files.workbooks.container import Entry, Package
from gidbench.files.workbooks.parts import Book
from gidbench.files.workbooks.pieces import Cutter, Piece, Strange, Unordered, prefetched, read_head
from gidbench.files.workbooks.slow import Cells, RowParser, Surroundings
from gidbench.files.workbooks.strings import SharedStrings
from gidbench.files.workbooks.xml import Parser

_MOST_KEPT_CELLS = 3_000_000  # of a sheet whose rows have to be sorted
_MOST_KEPT_TEXT = 256 << 20  # its characters
_KEPT_ROWS = 4_096
_KEPT_CELLS = 200_000
_KEPT_TEXT = 16 << 20


@dataclass(frozen=True)
class Rows:
    """Rows that were read already, in order: (number, cells). They stand for those from `last_row` + 1 to `end_row`."""

    rows: list[tuple[int, Cells]]
    last_row: int
    end_row: int


Chunk = Piece | Rows


class Sheet:
    """One worksheet of a workbook.

    `how` says which way it is read: "kernels", "parser" (an XML parser reads it, row by row) or "sorted" (the
    parser reads all of it first, since rows or cells stand out of order).
    """

    def __init__(
        self, package: Package, entry: Entry, book: Book, strings: SharedStrings, limits: Limits
    ) -> None:
        self.package, self.entry, self.book, self.strings, self.limits = package, entry, book, strings, limits
        self.how, self.why = "kernels", "all of its XML is of the plain kind"
        self.spaces: dict[str, str] = {}
        self.around = Surroundings(
            strings.string, len(strings), book.classes, book.since_1904, limits.field_bytes
        )
        self._sorted: list[tuple[int, Cells]] | None = None

    def chunks(self, *, piece_bytes: int, most_rows: int, dense: bool) -> Iterator[tuple[int, Chunk]]:
        """(bytes of XML it stands for, chunk) in order; each has at most `most_rows` rows, gaps too if `dense`.

        Raises Unordered where rows stand out of order that cannot be put right any more.
        """
        if self.how == "sorted":
            yield from self._sorted_chunks(most_rows, dense)
            return
        last = 0
        if self.how == "kernels":
            try:
                for piece in self._pieces(piece_bytes, most_rows, dense):
                    yield piece.end - piece.start, piece
                    last = piece.end_row
                return
            except Strange as strange:
                self.how, self.why = "parser", str(strange)
        yield from self._parsed_chunks(most_rows, dense, last)

    def sort(self) -> None:
        """Read all rows with the XML parser and put them, and their cells, in order."""
        self.how, self.why = "sorted", "its rows or cells stand out of order"
        found: dict[int, Cells] = {}
        count = size = 0
        for number, cells in self._parsed_rows(0):
            count += len(cells) + 1
            size += _characters(cells)
            if count > _MOST_KEPT_CELLS or size > _MOST_KEPT_TEXT:
                raise InputError(
                    f"a sheet of {self.package.name} has rows out of order, and more than {_MOST_KEPT_CELLS:,} "
                    f"cells or {_MOST_KEPT_TEXT:,} characters",
                    "Save it anew from Excel",
                )
            found.setdefault(number, {}).update(cells)
        self._sorted = sorted(found.items())

    def _pieces(self, piece_bytes: int, most_rows: int, dense: bool) -> Iterator[Piece]:
        package, entry = self.package, self.entry
        with closing(prefetched(package.blocks(entry))) as blocks:
            head = read_head(package.name, entry.name, blocks, "sheetData")
            if head is None or head.empty:
                for _ in blocks:  # to its end, so that its checksum is looked at
                    pass
                return
            self.spaces = head.spaces
            cutter = Cutter(package.name, entry.name, head, rows=True, most=most_rows, dense=dense)
            yield from cutter.pieces(blocks, piece_bytes)

    def _parsed_rows(self, after: int) -> Iterator[tuple[int, Cells]]:
        """All rows in the order of the file; of those up to number `after` nothing is handed out."""
        parser = Parser(self.package.name, self.entry.name)
        rows = RowParser(parser, self.around)
        with closing(prefetched(self.package.blocks(self.entry))) as blocks:
            for block in blocks:
                for at in range(0, len(block), 1 << 16):
                    parser.feed(block[at : at + (1 << 16)])
                    if rows.misplaced and self.how != "sorted":
                        raise Unordered
                    found, rows.rows = rows.rows, []
                    yield from (row for row in found if row[0] > after or self.how == "sorted")
            parser.feed(b"", True)
        yield from (row for row in rows.rows if row[0] > after or self.how == "sorted")

    def _parsed_chunks(self, most_rows: int, dense: bool, last: int) -> Iterator[tuple[int, Chunk]]:
        units = self.entry.size

        def ordered() -> Iterator[tuple[int, Cells]]:
            at = last
            for number, cells in self._parsed_rows(last):
                if number <= at:
                    raise Unordered
                at = number
                yield number, cells

        for chunk in grouped(ordered(), last, most_rows, dense):
            yield units, chunk
            units = 0

    def _sorted_chunks(self, most_rows: int, dense: bool) -> Iterator[tuple[int, Chunk]]:
        units = self.entry.size
        for chunk in grouped(iter(self._sorted or ()), 0, most_rows, dense):
            yield units, chunk
            units = 0

    def read_piece(self, piece: Piece) -> Rows:
        """The rows of a piece by the XML parser. Raises Unordered where a cell is misplaced."""
        content = slow.wrapped(piece.content(), self.spaces, "sheetData")
        rows, misplaced = slow.parse_rows(
            self.package.name, self.entry.name, content, self.around, piece.last_row
        )
        if misplaced:
            raise Unordered
        return Rows(rows, piece.last_row, piece.end_row)


def grouped(rows: Iterator[tuple[int, Cells]], last: int, most_rows: int, dense: bool) -> Iterator[Rows]:
    """Rows in order, as chunks of not too many; gaps of more than `most_rows` are chunks of their own."""
    most_rows = min(most_rows, _KEPT_ROWS)
    kept: list[tuple[int, Cells]] = []
    cells = size = 0
    first = end = last
    for number, row in rows:
        full = len(kept) >= most_rows or cells > _KEPT_CELLS or size > _KEPT_TEXT
        if kept and (full or (dense and number - first > most_rows)):
            yield Rows(kept, first, end)
            kept, cells, size, first = [], 0, 0, end
        while dense and number - first > most_rows:
            yield Rows([], first, first + most_rows)
            first += most_rows
        kept.append((number, row))
        cells += len(row)
        size += _characters(row)
        end = number
    if kept:
        yield Rows(kept, first, end)


def _characters(cells: Cells) -> int:
    return sum(len(text) for text, _ in cells.values())
