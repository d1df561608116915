"""Types of columns that came as text: found over all values, and none that would lose one.

A column gets a type where every value that is not empty is written as one:

- boolean: true or false, in any case;
- int64: digits, perhaps after a minus sign; no leading zeros (007 is a code), no -0, within 64 bits;
- double: a number with a point, or with an exponent that has a sign or follows a point (12e5 is a code), no leading
  zeros; only where a double has the same digits as the text, zeros at its end aside: 1.10 is a number,
  0.1234567890123456789 stays text, as does 9007199254740993 among numbers with a point;
- date32: YYYY-MM-DD or YYYY/MM/DD; or day and month of one or two digits before a year of four, between slashes,
  dashes or dots, the same throughout, where the column leaves one order only: with 13/01/2020 somewhere and
  01/13/2020 nowhere it is day first. While both orders remain it stays text;
- timestamp[us]: YYYY-MM-DD HH:MM, with a T or a blank between, with seconds and up to six digits of a fraction or
  without, no zone; days count as their midnights among moments;
- else text. Empty is null in all of them; a column of nothing else is text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.arrays import text_buffers
from gidbench.kernels import moments, typed

Array = npt.NDArray[Any]
_ORDERS = {
    typed.YMD_DASH: (moments.YEAR_FIRST, moments.DASH),
    typed.YMD_SLASH: (moments.YEAR_FIRST, moments.SLASH),
    typed.DMY_SLASH: (moments.DAY_FIRST, moments.SLASH),
    typed.MDY_SLASH: (moments.MONTH_FIRST, moments.SLASH),
    typed.DMY_DASH: (moments.DAY_FIRST, moments.DASH),
    typed.MDY_DASH: (moments.MONTH_FIRST, moments.DASH),
    typed.DMY_DOT: (moments.DAY_FIRST, moments.DOT),
    typed.MDY_DOT: (moments.MONTH_FIRST, moments.DOT),
}
_EITHER_ORDER = (
    typed.DMY_SLASH | typed.MDY_SLASH,
    typed.DMY_DASH | typed.MDY_DASH,
    typed.DMY_DOT | typed.MDY_DOT,
)
TEXT = 0
_TYPES = {
    TEXT: pa.string(),
    typed.TRUTH: pa.bool_(),
    typed.INTEGER: pa.int64(),
    typed.NUMBER: pa.float64(),
    typed.MOMENT: pa.timestamp("us"),
}


def arrow_type(kind: int) -> pa.DataType:
    """The type of a column of a kind."""
    return _TYPES.get(kind, pa.date32())


@dataclass
class Evidence:
    """What is known of a column by the values seen so far.

    Attributes
    ----------
    kinds:
        Bits of `kernels.typed`: what all of them can be read as.
    values:
        Whether there were any.
    """

    kinds: int = typed.EVERYTHING
    values: bool = False

    def add(self, other: Evidence) -> None:
        self.kinds &= other.kinds
        self.values |= other.values

    @property
    def kind(self) -> int:
        """The kind of the column, if there are no further values: a bit, or TEXT."""
        if not self.values:
            return TEXT
        for kind in (typed.TRUTH, typed.INTEGER, typed.NUMBER, typed.YMD_DASH, typed.YMD_SLASH, typed.MOMENT):
            if self.kinds & kind:
                return kind
        for either in _EITHER_ORDER:
            if self.kinds & either and self.kinds & either != either:
                return self.kinds & either
        return TEXT

    @property
    def settled(self) -> bool:
        """Whether no further value can change it: it is text."""
        return self.values and self.kinds == 0


def examine(column: pa.StringArray) -> Evidence:
    """What the values of a column can be."""
    offsets, data = text_buffers(column)
    kinds, count = typed.possible_kinds(offsets, data)
    kinds = int(kinds)
    if kinds & typed.NUMBER and not kinds & ~(typed.NUMBER | typed.INTEGER) and _numbers(column) is None:
        kinds &= ~typed.NUMBER
    return Evidence(kinds, count > 0)


def read(column: pa.StringArray, kind: int, known: Evidence) -> tuple[pa.Array, Evidence] | None:
    """A column of texts without nulls as a kind, and what it shows; None where a value is none of them.

    What is `known` already need not be shown again.
    """
    if kind == TEXT:
        return _texts(column), Evidence(0, True)
    if kind == typed.INTEGER:
        return _integers(column, known)
    if kind == typed.NUMBER:
        found = _numbers(column)
    elif kind == typed.TRUTH:
        found = _fixed(column, pa.bool_(), typed.read_truths, np.uint8, bits=True)
    elif kind == typed.MOMENT:
        found = _fixed(column, pa.timestamp("us"), typed.read_moments, np.int64)
    else:
        order, separator = _ORDERS[kind]

        def days(offsets: Array, data: Array, values: Array, valid: Array) -> int:
            return int(typed.read_days(offsets, data, order, separator, values, valid))

        found = _fixed(column, pa.date32(), days, np.int32)
    if found is None:
        return None
    also = typed.MOMENT if kind == typed.YMD_DASH else 0
    return found, _seen(found, kind | also)


def _seen(column: pa.Array, kinds: int) -> Evidence:
    """The evidence of a column that was read: one without values says nothing."""
    any_values = column.null_count < len(column)
    return Evidence(kinds if any_values else typed.EVERYTHING, any_values)


def _room(rows: int) -> Array:
    return np.empty((rows + 7) // 8, np.uint8)


def _array(kind: pa.DataType, rows: int, nulls: int, valid: Array, values: Array) -> pa.Array:
    bits = pa.py_buffer(valid) if nulls else None
    return pa.Array.from_buffers(kind, rows, [bits, pa.py_buffer(values)], null_count=nulls)


def _fixed(
    column: pa.StringArray, kind: pa.DataType, kernel: Any, dtype: Any, *, bits: bool = False
) -> pa.Array | None:
    offsets, data = text_buffers(column)
    rows = len(column)
    values, valid = _room(rows) if bits else np.empty(rows, dtype), _room(rows)
    nulls = int(kernel(offsets, data, values, valid))
    return None if nulls < 0 else _array(kind, rows, nulls, valid, values)


def _integers(column: pa.StringArray, known: Evidence) -> tuple[pa.Array, Evidence] | None:
    offsets, data = text_buffers(column)
    rows = len(column)
    values, valid = np.empty(rows, np.int64), _room(rows)
    nulls, large = typed.read_integers(offsets, data, values, valid)
    if nulls < 0:
        return None
    found = _array(pa.int64(), rows, int(nulls), valid, values)
    loses = large and (not known.kinds & typed.NUMBER or _numbers(column) is None)
    return found, _seen(found, typed.INTEGER if loses else typed.INTEGER | typed.NUMBER)


def _numbers(column: pa.StringArray) -> pa.Array | None:
    offsets, data = text_buffers(column)
    rows = len(column)
    values, valid, hard = np.empty(rows, np.float64), _room(rows), np.empty(rows, np.uint8)
    nulls, difficult = typed.read_numbers(offsets, data, values, valid, hard)
    if nulls < 0 or (difficult and not _solve(column, values, hard)):
        return None
    return _array(pa.float64(), rows, int(nulls), valid, values)


def _solve(column: pa.StringArray, values: Array, hard: Array) -> bool:
    """Read the hard numbers correctly rounded; False where one has other digits than its double."""
    places = np.flatnonzero(hard)
    texts = column.take(pa.array(places))
    try:
        numbers = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    if not typed.same_numbers(*text_buffers(texts), *text_buffers(numbers.cast(pa.string()))):
        return False
    values[places] = numbers.to_numpy()
    return True


def _texts(column: pa.StringArray) -> pa.StringArray:
    """The same texts, the empty ones null."""
    offsets, data = text_buffers(column)
    valid = _room(len(column))
    nulls = int(typed.find_empty(offsets, valid))
    if not nulls:
        return column
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(column), buffers, null_count=nulls)
