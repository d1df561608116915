"""Columns as the cells of rows of text: what the joining kernel needs to know of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.arrays import (
    array_address,
    as_type,
    readable_end,
    text_buffers,
    text_bytes,
    validity,
    values_address,
)
from gidbench.kernels import digits, rows
from gidbench.kernels.memory import SLACK
from gidbench.lending import Scratch

Array = npt.NDArray[Any]
_WORD = digits.WORD_BYTES
_LONGEST_NUMBER = digits.NUMBER_WORDS * _WORD


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

    @cached_property
    def is_field(self) -> bool:
        """Whether a few bytes follow a value or null alike, and nothing else is there."""
        return not self.before and self.null == self.after and len(self.after) <= rows.END_BYTES


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


@dataclass(frozen=True)
class Numbers:
    """Whole numbers (int64) as decimal text of at least so many digits."""

    values: Array
    least: int = 0

    def __len__(self) -> int:
        return self.values.size


Column: TypeAlias = pa.Array | Slots | Numbers


scratch = Scratch()


class SpecialText(Exception):
    """A quote, comma or line end in a column of texts that must not hold any."""

    def __init__(self, column: int) -> None:
        super().__init__(f"column {column} needs quotes")
        self.column = column


class Cells:
    """The cells of rows, ready to be joined to text.

    Parameters
    ----------
    columns:
        Slots, Numbers, or Arrow arrays of one length: string, signed integers, decimals up to 18 digits,
        date32, timestamp, boolean, or anything that casts to string.
    frames:
        One for each column.
    checked:
        Columns whose texts must not hold a quote, comma or line end.
    """

    def __init__(
        self, columns: Sequence[Column], frames: Sequence[Frame], checked: Collection[int] = ()
    ) -> None:
        self.rows = len(columns[0]) if columns else 0
        columns, frames, self._places = _without_nulls(columns, frames)
        self._table = np.zeros((len(columns), rows.FIELDS), np.int64)
        self._kept: list[object] = []  # the table holds addresses only
        self._bound = SLACK
        self._are_fields = all(frame.is_field for frame in frames)
        if self._are_fields:
            self._table[:, rows.END] = [_end(frame.after) for frame in frames]
        else:
            self._describe_frames(frames)
        for line, column, frame in zip(self._table, columns, frames, strict=True):
            self._bound += self.rows * max(len(frame.before) + len(frame.after), len(frame.null))
            nulls_of = column.nulls_of if isinstance(column, Slots) else column
            if isinstance(nulls_of, pa.Array) and (bitmap := validity(nulls_of)) is not None:
                self._kept.append(bitmap)
                line[rows.VALID], line[rows.VALID_BIT] = bitmap.address, nulls_of.offset
            self._bound += self._describe(line, column)
        if checked:
            self._table[:, rows.CHECK] = [
                place in checked and line[rows.KIND] == rows.TEXTS
                for line, place in zip(self._table, self._places, strict=True)
            ]

    @property
    def bound(self) -> int:
        """No more bytes than this are written by `join`, the slack included."""
        return self._bound

    def join(self, out: Array, offsets: Array | None = None) -> int:
        """Write all rows to `out`, uint8 of at least `bound` bytes; returns the bytes that count.

        `offsets`, int32 of shape (rows + 1,), is told where each row begins and ends. Raises SpecialText where a
        checked column holds what it must not.
        """
        if offsets is None:
            offsets = scratch.take("row offsets", self.rows + 1, np.int32)
        count = len(self._table)
        numbers = scratch.take("joined", 2 * rows.BLOCK * count, np.int64)
        words = scratch.take("joined words", rows.BLOCK_WORDS * count, np.uint64)
        found = rows.join_rows(self._table, int(self._are_fields), self.rows, numbers, words, offsets, out)
        if found >= 0:
            raise SpecialText(self._places[found])
        return int(offsets[self.rows])

    def _describe_frames(self, frames: Sequence[Frame]) -> None:
        literals = np.zeros((len(frames), 3, rows.LITERAL_BYTES), np.uint8)
        self._kept.append(literals)
        for line, texts, frame in zip(self._table, literals, frames, strict=True):
            fields = (
                (frame.before, rows.BEFORE, rows.BEFORE_LENGTH),
                (frame.after, rows.AFTER, rows.AFTER_LENGTH),
                (frame.null, rows.NULL, rows.NULL_LENGTH),
            )
            for literal, (text, address, length) in zip(texts, fields, strict=True):
                literal[: len(text)] = np.frombuffer(text, np.uint8)
                line[address], line[length] = array_address(literal), len(text)

    def _describe(self, line: Array, column: Column) -> int:
        """Describe a column's values; returns the most bytes that all of their texts take."""
        if isinstance(column, Slots):
            return self._slots(line, column)
        if isinstance(column, Numbers):
            self._kept.append(column)
            line[rows.LEAST] = column.least
            line[rows.KIND], line[rows.DATA] = rows.NUMBERS, array_address(column.values)
            return self.rows * max(_LONGEST_NUMBER, column.least + 1)
        kind = column.type
        if pa.types.is_string(kind):
            return self._texts(line, column)
        if is_moment(kind):
            return self._values(
                line, rows.MOMENTS, as_type(column, pa.timestamp("us")), 8, digits.MOMENT_LENGTH
            )
        if pa.types.is_date32(kind):
            return self._values(line, rows.DAYS, column, 4, digits.DATE_LENGTH)
        if pa.types.is_signed_integer(kind):
            return self._values(line, rows.NUMBERS, as_type(column, pa.int64()), 8, _LONGEST_NUMBER)
        if pa.types.is_boolean(kind):
            return self._values(line, rows.TRUTHS, column.cast(pa.uint8()), 1, _WORD)
        if is_formatted(kind):
            line[rows.POINT] = kind.scale
            return self._values(line, rows.NUMBERS, pa.array(unscaled(column)), 8, _LONGEST_NUMBER)
        return self._texts(line, column.cast(pa.string()))

    def _values(self, line: Array, kind: int, values: pa.Array, width: int, longest: int) -> int:
        self._kept.append(values)
        line[rows.KIND], line[rows.DATA] = kind, values_address(values, width)
        return self.rows * longest

    def _slots(self, line: Array, slots: Slots) -> int:
        stride = slots.count * _WORD
        self._kept.append(slots.lengths)
        line[rows.KIND], line[rows.STRIDE], line[rows.LENGTH] = rows.SLOTS, stride, slots.length
        if slots.lengths is not None:
            line[rows.LENGTHS] = array_address(slots.lengths)
        safe = max(0, slots.words.nbytes - rows.COPIED) // stride if stride else 0
        self._tail(line, pa.py_buffer(slots.words), safe, safe * stride)
        return slots.words.nbytes if slots.lengths is not None else len(slots) * slots.length

    def _texts(self, line: Array, column: pa.StringArray) -> int:
        data, offsets = text_bytes(column), text_buffers(column)[0]
        self._kept += [column, offsets]
        line[rows.KIND], line[rows.OFFSETS] = rows.TEXTS, array_address(offsets)
        last = int(offsets[-1])
        if readable_end(data) - data.address >= last + rows.COPIED:
            line[rows.DATA], line[rows.TAIL] = data.address, self.rows
        else:
            safe = int(np.searchsorted(offsets[1:], data.size - rows.COPIED, side="right"))
            self._tail(line, data, safe, int(offsets[safe]))
        return last - int(offsets[0])

    def _tail(self, line: Array, data: pa.Buffer, safe: int, from_byte: int) -> None:
        """Texts of which the kernel copies more than there is: row `safe` and those after it get a copy with room."""
        tail = pa.py_buffer(data[from_byte:].to_pybytes() + bytes(rows.COPIED))
        self._kept += [data, tail]
        line[rows.DATA] = data.address
        line[rows.TAIL], line[rows.TAIL_DATA] = safe, tail.address - from_byte


def _end(text: bytes) -> int:
    """What follows a field, as the kernel has it."""
    return int.from_bytes(text, "little") << 32 | len(text) << 56


def _without_nulls(
    columns: Sequence[Column], frames: Sequence[Frame]
) -> tuple[list[Column], list[Frame], list[int]]:
    """Columns without those that are null throughout, whose text goes to the end of the one before; which they are."""
    kept: list[Column] = []
    framed: list[Frame] = []
    places: list[int] = []
    longest = rows.END_BYTES if all(frame.is_field for frame in frames) else rows.LITERAL_BYTES
    for place, (column, frame) in enumerate(zip(columns, frames, strict=True)):
        if framed and isinstance(column, pa.Array) and column.null_count == len(column):
            last = framed[-1]
            after, null = last.after + frame.null, last.null + frame.null
            if max(len(after), len(null)) <= longest:
                framed[-1] = Frame(last.before, after, null)
                continue
        kept.append(column)
        framed.append(frame)
        places.append(place)
    return kept, framed, places


def is_moment(kind: pa.DataType) -> bool:
    """Whether a type is of timestamps that whole microseconds hold, without a zone."""
    return bool(pa.types.is_timestamp(kind) and kind.tz is None and kind.unit != "ns")


def is_formatted(kind: pa.DataType) -> bool:
    """Whether the kernel makes the texts of a type, from its numbers."""
    return bool(
        pa.types.is_date32(kind)
        or is_moment(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_signed_integer(kind)
        or (pa.types.is_decimal128(kind) and kind.precision <= 18 and kind.scale >= 0)
    )


def unscaled(column: pa.Decimal128Array) -> Array:
    """The numbers of a decimal column without their point, int64 (n,); precision up to 18."""
    halves = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)
    return np.ascontiguousarray(halves[column.offset : column.offset + len(column), 0])
