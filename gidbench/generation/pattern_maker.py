"""Text by a pattern: each piece is a cell, and a text is a row of cells."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gidbench.arrays import array_address
from gidbench.cells import Cells, Column, Frame, Numbers, Scratch, Slots
from gidbench.generation.makers import Base
from gidbench.generation.part import Part, at
from gidbench.generation.values import Array, Values, empty, exact, fixed_offsets
from gidbench.kernels import digits, texts
from gidbench.kernels.memory import SLACK
from gidbench.kernels.rows import lay_words
from gidbench.specs import patterns
from gidbench.specs.model import Pattern

_PARTS = {"year": (0, 4), "month": (1, 2), "day": (2, 2)}
_WORD = digits.WORD_BYTES


class PatternMaker(Base):
    kind = pa.string()

    def __init__(self, column: Pattern, key: int, scratch: Scratch) -> None:
        super().__init__(column, key, scratch)
        self.pieces = patterns.parse(column.pattern)
        self.capacity = patterns.capacity(self.pieces)
        if any(isinstance(piece, patterns.DatePart | patterns.Value) for piece in self.pieces):
            self.parent = column.correlated_with

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        numbers = None  # of a unique pattern: one number that its random pieces take their digits off
        if self.column.unique and self.capacity is not None and self.capacity > 1:
            numbers = self.permuted(rows, self.capacity)
        cells: list[Column] = []
        for place, piece in enumerate(self.pieces):
            if isinstance(piece, patterns.Literal):
                cells += self._literal(piece.text.encode(), rows.size)
            else:
                cells += self._cells(piece, place, rows, part, places, numbers)
        slots = [cell for cell in cells if isinstance(cell, Slots) and cell.length >= 0]
        if len(slots) == len(cells):
            return self._laid(slots, rows.size)
        joined = Cells(cells, [Frame()] * len(cells))
        offsets = empty(rows.size + 1, np.int32)
        room = self.take("text", joined.bound, np.uint8)
        return Values(self.kind, offsets=offsets, data=exact(room, joined.join(room, offsets)))

    def _laid(self, cells: list[Slots], count: int) -> Values:
        """Texts whose pieces all have a length of their own, so that all are equally long."""
        width = sum(cell.length for cell in cells)
        data = empty(count * width + SLACK, np.uint8)
        pieces = [(array_address(cell.words), _WORD * cell.count, cell.length) for cell in cells]
        lay_words(np.array(pieces, np.int64), count, data)
        return Values(self.kind, offsets=fixed_offsets(count, width), data=data)

    def _literal(self, text: bytes, count: int) -> list[Column]:
        """The same text in each row: cells that repeat one word."""
        words = np.frombuffer(text.ljust(-(-len(text) // _WORD) * _WORD, b"\0"), np.uint64)
        return [
            Slots(words[index : index + 1], 0, min(_WORD, len(text) - index * _WORD), rows=count)
            for index in range(words.size)
        ]

    def _cells(
        self,
        piece: patterns.Piece,
        place: int,
        rows: Array,
        part: Part,
        places: Array | None,
        numbers: Array | None,
    ) -> list[Column]:
        if isinstance(piece, patterns.RowNumber):
            return [self._row_numbers(piece.width, place, rows)]
        if isinstance(piece, patterns.Random):
            return self._random(piece, place, rows, numbers)
        assert self.parent is not None
        source = part.values(self.parent)
        if isinstance(piece, patterns.DatePart):
            words = self.take(("words", place), rows.size, np.uint64)
            number, length = _PARTS[piece.part]
            texts.calendar_words(at(source.moments, places), number, words)
            return [Slots(words, 1, length)]
        assert isinstance(piece, patterns.Value)
        column = source.to_arrow()
        if places is not None:
            column = column.take(pa.array(places))
        return [self._slug(column) if piece.slug else column]

    def _row_numbers(self, width: int, place: int, rows: Array) -> Slots | Numbers:
        numbers = self.take("numbers", rows.size)
        np.add(rows.view(np.int64), 1, out=numbers)
        largest, smallest = (int(numbers.max()), int(numbers.min())) if numbers.size else (0, 0)
        if 1 <= width <= _WORD and largest < 10**width:
            words = self.take(("words", place), rows.size, np.uint64)
            texts.padded_words(numbers, width, words)
            return Slots(words, 1, width)
        least = width if smallest < 10 ** max(width - 1, 0) else 0  # all as long as they must be: no zeros
        return Numbers(numbers, least)

    def _random(
        self, piece: patterns.Random, place: int, rows: Array, numbers: Array | None
    ) -> list[Column]:
        alphabet = np.frombuffer(piece.alphabet.encode("ascii"), np.uint8)
        radix = np.uint64(alphabet.size)
        cells: list[Column] = []
        for start in range(0, piece.count, _WORD):
            width = min(_WORD, piece.count - start)
            # low digits of 64 random bits: even to within radix ** width / 2^64
            source = self.draw(f"{place}.{start}", rows) if numbers is None else numbers
            words = self.take(("words", place, start), rows.size, np.uint64)
            texts.take_digits(source, radix, width, alphabet, words)
            cells.append(Slots(words, 1, width))
        return cells

    def _slug(self, column: pa.StringArray) -> pa.Array:
        offsets = np.frombuffer(column.buffers()[1], np.int32)[
            column.offset : column.offset + len(column) + 1
        ]
        data = np.frombuffer(column.buffers()[2] or b"", np.uint8)
        room = self.take("slug", data.size + SLACK, np.uint8)
        bounds = empty(len(column) + 1, np.int32)
        texts.slug_texts(offsets, data, bounds, room)
        return Values(self.kind, offsets=bounds, data=exact(room, int(bounds[-1]))).to_arrow()
