"""Columns as the cells of rows of text: what the joining kernel needs to know of each.

Memory of the texts of numbers, dates and moments is recycled by the thread that made it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.arrays import fixed_values, text_buffers
from gidbench.kernels import digits, rows
from gidbench.kernels.memory import SLACK

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Frame:
    """Literal text around the cells of a column, each at most `rows.LITERAL_BYTES` long.

    Attributes
    ----------
    before, after:
        Around a value.
    null:
        In the place of a null, with what separates it from the next cell.
    """

    before: bytes = b""
    after: bytes = b""
    null: bytes = b""


@dataclass(frozen=True)
class Slots:
    """Texts in slots of `count` words (uint64) each; `length` of all, or `lengths` (uint8) of each.

    With a `count` of 0 the words are one text, which each of `rows` rows has. Where `nulls_of`, an Arrow
    array, is null, there is no cell.
    """

    words: Array
    count: int
    length: int = -1
    lengths: Array | None = None
    rows: int = 0
    nulls_of: pa.Array | None = None

    def __len__(self) -> int:
        return self.words.size // self.count if self.count else self.rows


class Scratch(threading.local):
    """Arrays that a thread uses again and again, by name; what is in one is valid until the next `take`."""

    def __init__(self) -> None:
        self._held: dict[object, Array] = {}

    def take(self, name: object, size: int, dtype: Any) -> Array:
        """An uninitialised array of shape (size,)."""
        held = self._held.get(name)
        if held is None or held.size < size or held.dtype != dtype:
            held = self._held[name] = np.empty(size + size // 8, dtype)
        return held[:size]


scratch = Scratch()


class Cells:
    """The cells of rows, ready to be joined to text; a thread has one of these at a time.

    Parameters
    ----------
    columns:
        Slots, or Arrow arrays of one length: string, signed integers, decimals up to 18 digits, date32,
        timestamp, boolean, or anything that casts to string.
    frames:
        One for each column.
    """

    def __init__(self, columns: Sequence[pa.Array | Slots], frames: Sequence[Frame]) -> None:
        self.rows = len(columns[0]) if columns else 0
        columns, frames = _without_nulls(columns, frames)
        self._table = np.zeros((len(columns), rows.FIELDS), np.int64)
        literals = np.zeros((len(columns), 3, rows.LITERAL_BYTES), np.uint8)
        self._kept: list[object] = [literals]  # the table holds addresses only
        self._bound = SLACK
        for place, (column, frame) in enumerate(zip(columns, frames, strict=True)):
            line = self._table[place]
            self._frame(line, literals[place], frame)
            self._bound += self.rows * max(len(frame.before) + len(frame.after), len(frame.null))
            nulls_of = column.nulls_of if isinstance(column, Slots) else column
            if nulls_of is not None and nulls_of.null_count and not self._nulls(line, nulls_of):
                continue
            if isinstance(column, Slots):
                self._bound += self._slots(line, column)
            else:
                self._bound += self._fill(line, column, place)

    @property
    def bound(self) -> int:
        """No more bytes than this are written by `join`, the slack included."""
        return self._bound

    def join(self, out: Array, offsets: Array | None = None) -> int:
        """Write all rows to `out`, uint8 of at least `bound` bytes; returns the bytes that count.

        `offsets`, int32 of shape (rows + 1,), is told where each row begins and ends.
        """
        if offsets is None:
            offsets = scratch.take("row offsets", self.rows + 1, np.int32)
        rows.join_rows(self._table, self.rows, offsets, out)
        return int(offsets[self.rows])

    def _frame(self, line: Array, literals: Array, frame: Frame) -> None:
        fields = (
            (frame.before, rows.BEFORE, rows.BEFORE_LENGTH),
            (frame.after, rows.AFTER, rows.AFTER_LENGTH),
            (frame.null, rows.NULL, rows.NULL_LENGTH),
        )
        for literal, (text, address, length) in zip(literals, fields, strict=True):
            literal[: len(text)] = np.frombuffer(text, np.uint8)
            line[address], line[length] = literal.ctypes.data, len(text)

    def _nulls(self, line: Array, column: pa.Array) -> bool:
        """Describe where a column is null; False where it is so throughout."""
        self._kept.append(column)
        if column.null_count == len(column):  # Arrow may have left out all of its buffers
            bits = np.zeros(len(column) // 8 + 1, np.uint8)
            self._kept.append(bits)
            line[rows.VALID] = bits.ctypes.data
            return False
        line[rows.VALID], line[rows.VALID_BIT] = column.buffers()[0].address, column.offset
        return True

    def _fill(self, line: Array, column: pa.Array, place: int) -> int:
        """Describe a column's cells; returns the most bytes that all of them take."""
        if pa.types.is_string(column.type):
            return self._texts(line, column)
        if has_slots(column.type) and not _is_sparse(column):
            return self._slots(line, number_slots(column, place))
        return self._texts(line, column.cast(pa.string()))

    def _slots(self, line: Array, slots: Slots) -> int:
        self._kept += [slots.words, slots.lengths]
        line[rows.DATA], line[rows.END] = (
            slots.words.ctypes.data,
            slots.words.ctypes.data + slots.words.nbytes,
        )
        line[rows.STRIDE], line[rows.LENGTH] = slots.count * digits.WORD_BYTES, slots.length
        if slots.lengths is not None:
            line[rows.LENGTHS] = slots.lengths.ctypes.data
        return slots.words.nbytes if slots.lengths is not None else len(slots) * slots.length

    def _texts(self, line: Array, column: pa.StringArray) -> int:
        offsets, data = text_buffers(column)
        self._kept += [column, offsets, data]
        line[rows.DATA], line[rows.END] = data.ctypes.data, data.ctypes.data + data.size
        line[rows.OFFSETS] = offsets.ctypes.data
        return int(offsets[-1]) - int(offsets[0])


def _without_nulls(
    columns: Sequence[pa.Array | Slots], frames: Sequence[Frame]
) -> tuple[list[pa.Array | Slots], list[Frame]]:
    """Columns without those that are null throughout, whose text goes to the end of the one before."""
    kept: list[pa.Array | Slots] = []
    framed: list[Frame] = []
    for column, frame in zip(columns, frames, strict=True):
        if framed and isinstance(column, pa.Array) and column.null_count == len(column):
            last = framed[-1]
            after, null = last.after + frame.null, last.null + frame.null
            if max(len(after), len(null)) <= rows.LITERAL_BYTES:
                framed[-1] = Frame(last.before, after, null)
                continue
        kept.append(column)
        framed.append(frame)
    return kept, framed


def _is_sparse(column: pa.Array) -> bool:
    """Whether a column of dates or moments is mostly null: Arrow's cast looks at the values that are there only.

    Of 1 % moments it takes 1 ns a row, all of them by the kernel 4 ns; the texts of these two types are the same.
    """
    return column.type in (pa.date32(), pa.timestamp("us")) and 2 * int(column.null_count) > len(column)


def has_slots(kind: pa.DataType) -> bool:
    """Whether `number_slots` knows a type."""
    return bool(
        pa.types.is_date32(kind)
        or (pa.types.is_timestamp(kind) and kind.tz is None and kind.unit != "ns")
        or pa.types.is_boolean(kind)
        or pa.types.is_signed_integer(kind)
        or (pa.types.is_decimal128(kind) and kind.precision <= 18 and kind.scale >= 0)
    )


def number_slots(column: pa.Array, name: object) -> Slots:
    """The texts of a column of numbers, dates, moments or truth values, whose type `has_slots`.

    They stand in the thread's scratch memory under `name`, until the next call with it.
    """
    kind, count = column.type, len(column)
    if pa.types.is_date32(kind):
        words = scratch.take((name, "words"), count * digits.DATE_WORDS, np.uint64)
        digits.date_words(fixed_values(column, np.int32), words)
        return Slots(words, digits.DATE_WORDS, digits.DATE_LENGTH)
    if pa.types.is_timestamp(kind):
        words = scratch.take((name, "words"), count * digits.MOMENT_WORDS, np.uint64)
        digits.moment_words(fixed_values(column.cast(pa.timestamp("us")), np.int64), words)
        return Slots(words, digits.MOMENT_WORDS, digits.MOMENT_LENGTH)
    if pa.types.is_boolean(kind):
        words = scratch.take((name, "words"), count, np.uint64)
        lengths = scratch.take((name, "lengths"), count, np.uint8)
        digits.truth_words(fixed_values(column.cast(pa.uint8()), np.uint8), words, lengths)
        return Slots(words, 1, lengths=lengths)
    if pa.types.is_decimal(kind):
        return number_texts(unscaled(column), kind.scale, name)
    return number_texts(fixed_values(column.cast(pa.int64()), np.int64), 0, name)


def unscaled(column: pa.Decimal128Array) -> Array:
    """The numbers of a decimal column without their point, int64 (n,); precision up to 18."""
    halves = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)
    return np.ascontiguousarray(halves[column.offset : column.offset + len(column), 0])


def number_texts(values: Array, point: int, name: object, *, least: int = 0) -> Slots:
    """Texts of int64 values / 10^point of at least so many digits, in the thread's scratch memory."""
    words = scratch.take((name, "words"), values.size * digits.NUMBER_WORDS, np.uint64)
    lengths = scratch.take((name, "lengths"), values.size, np.uint8)
    digits.number_texts(values, point, least, words, words.view(np.uint8), lengths)
    return Slots(words, digits.NUMBER_WORDS, lengths=lengths)
