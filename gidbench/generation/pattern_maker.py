"""Text by a pattern: runs of pieces of constant lengths by one kernel, other pieces as cells beside them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gidbench.arrays import array_address
from gidbench.cells import Cells, Column, Frame, Numbers
from gidbench.generation.makers import Base
from gidbench.generation.part import Part, at, subkey
from gidbench.generation.values import Array, Values, empty, exact, fixed_offsets
from gidbench.kernels import pieces, texts
from gidbench.kernels.digits import WORD_BYTES
from gidbench.kernels.memory import SLACK
from gidbench.lending import Scratch
from gidbench.specs import patterns
from gidbench.specs.model import Pattern

_PARTS = {"year": (pieces.YEAR, 4), "month": (pieces.MONTH, 2), "day": (pieces.DAY, 2)}
_NO_NUMBERS = np.empty(0, np.uint64)


class PatternMaker(Base):
    kind = pa.string()

    def __init__(self, column: Pattern, key: int, scratch: Scratch) -> None:
        super().__init__(column, key, scratch)
        self.pieces = patterns.parse(column.pattern)
        self.capacity = patterns.capacity(self.pieces)
        # a unique one has a number that its random pieces take their characters off
        self.counted = column.unique and self.capacity is not None and self.capacity > 1
        self.dated = any(isinstance(piece, patterns.DatePart) for piece in self.pieces)
        if self.dated or any(isinstance(piece, patterns.Value) for piece in self.pieces):
            self.parent = column.correlated_with
        self.alphabets = {
            piece.alphabet: np.frombuffer(piece.alphabet.encode("ascii"), np.uint8)
            for piece in self.pieces
            if isinstance(piece, patterns.Random)
        }
        self.lines = [self._lines(place, piece) for place, piece in enumerate(self.pieces)]

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        numbers = _NO_NUMBERS
        if self.counted and self.capacity is not None:
            numbers = self.permuted(rows, self.capacity)
        moments = None
        if self.dated and self.parent is not None:
            moments = at(part.values(self.parent).moments, places)
        cells: list[Values | Column] = []
        run: list[tuple[int, ...]] = []
        for piece, lines in zip(self.pieces, self.lines, strict=True):
            if isinstance(piece, patterns.RowNumber):
                lines = _row_number(piece, part)
            if lines:
                run += lines
                continue
            cells += self._run(run, rows, numbers, moments)
            run = []
            cells.append(self._cell(piece, rows, part, places))
        cells += self._run(run, rows, numbers, moments)
        if len(cells) == 1 and isinstance(cells[0], Values):
            return cells[0]
        columns = [cell.to_arrow() if isinstance(cell, Values) else cell for cell in cells]
        joined = Cells(columns, [Frame()] * len(columns))
        offsets = empty(rows.size + 1, np.int32)
        room = self.take("text", joined.bound, np.uint8)
        return Values(self.kind, offsets=offsets, data=exact(room, joined.join(room, offsets)))

    def _lines(self, place: int, piece: patterns.Piece) -> list[tuple[int, ...]]:
        """A piece as `pieces.lay_pieces` has it, in words of text; nothing where its length may not be constant."""
        if isinstance(piece, patterns.Literal):
            text = piece.text.encode()
            words = [text[start : start + WORD_BYTES] for start in range(0, len(text), WORD_BYTES)]
            return [_line(pieces.LITERAL, len(word), word=_signed(word)) for word in words]
        if isinstance(piece, patterns.DatePart):
            number, length = _PARTS[piece.part]
            return [_line(pieces.CALENDAR, length, part=number)]
        if not isinstance(piece, patterns.Random):
            return []
        alphabet = self.alphabets[piece.alphabet]
        address = 0 if piece.alphabet == patterns.DIGITS else array_address(alphabet)
        lines = []
        for start in range(0, piece.count, WORD_BYTES):
            length = min(WORD_BYTES, piece.count - start)
            key = int(subkey(self.key, f"{place}.{start}").view(np.int64))
            kind = pieces.TAKEN if self.counted else pieces.DRAWN
            lines.append(_line(kind, length, key=key, radix=alphabet.size, alphabet=address))
        return lines

    def _run(
        self, lines: list[tuple[int, ...]], rows: Array, numbers: Array, moments: Array | None
    ) -> list[Values]:
        """The texts of pieces that follow each other; none of no pieces."""
        if not lines:
            return []
        table = np.array(lines, np.int64)
        if moments is not None:
            table[:, pieces.MOMENTS] = array_address(moments)
        width = int(table[:, pieces.LENGTH].sum())
        data = empty(rows.size * width + SLACK, np.uint8)
        words = self.take("words", (width // WORD_BYTES + 2) * pieces.BLOCK, np.uint64)
        pieces.lay_pieces(table, rows, numbers, words, data)
        return [Values(self.kind, offsets=fixed_offsets(rows.size, width), data=data)]

    def _cell(self, piece: patterns.Piece, rows: Array, part: Part, places: Array | None) -> Column:
        """A piece whose length is not constant."""
        if isinstance(piece, patterns.RowNumber):
            numbers = self.take("numbers", rows.size)
            np.add(rows.view(np.int64), 1, out=numbers)
            return Numbers(numbers, piece.width)
        assert isinstance(piece, patterns.Value)
        assert self.parent is not None
        column = part.values(self.parent).to_arrow()
        if places is not None:
            column = column.take(pa.array(places))
        return self._slug(column) if piece.slug else column

    def _slug(self, column: pa.StringArray) -> pa.Array:
        offsets = np.frombuffer(column.buffers()[1], np.int32)[
            column.offset : column.offset + len(column) + 1
        ]
        data = np.frombuffer(column.buffers()[2] or b"", np.uint8)
        room = self.take("slug", data.size + SLACK, np.uint8)
        bounds = empty(len(column) + 1, np.int32)
        texts.slug_texts(offsets, data, bounds, room)
        return Values(self.kind, offsets=bounds, data=exact(room, int(bounds[-1]))).to_arrow()


def _row_number(piece: patterns.RowNumber, part: Part) -> list[tuple[int, ...]]:
    """The lines of row numbers; none where they are not equally long throughout the part."""
    shortest, longest = len(str(part.first + 1)), len(str(part.bound))
    digits = max(piece.width, longest)
    if digits > pieces.MOST_DIGITS or max(piece.width, shortest) < longest:
        return []
    if digits <= WORD_BYTES:
        return [_line(pieces.ROW_NUMBER, digits)]
    upper = _line(pieces.UPPER_ROW_NUMBER, digits - WORD_BYTES)
    return [upper, _line(pieces.ROW_NUMBER, WORD_BYTES)]


def _line(
    kind: int, length: int, *, word: int = 0, part: int = 0, key: int = 0, radix: int = 0, alphabet: int = 0
) -> tuple[int, ...]:
    return kind, length, word, part, 0, key, radix, alphabet


def _signed(word: bytes) -> int:
    """Up to eight bytes as a little-endian word, as int64."""
    return int.from_bytes(word.ljust(WORD_BYTES, b"\0"), "little", signed=True)
