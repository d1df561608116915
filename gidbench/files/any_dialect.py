"""Records of any dialect, and those of the usual ones that are malformed: the kernel first, then mending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench.files.encodings import decoded
from gidbench.files.mending import Mender
from gidbench.files.structure import Table
from gidbench.files.text import TextBatch
from gidbench.files.text_file import TextFile
from gidbench.kernels import scan, scan_dialect
from gidbench.kernels.scan_dialect import MULTILINE, OPEN, STRAY, SURPLUS

NOT_UTF8 = 4  # flag beside those of `scan`


@dataclass
class _Rows:
    """Records of a chunk in their order, before any is mended; positions are those of the text."""

    starts: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]
    flags: npt.NDArray[np.uint8]
    repairs: npt.NDArray[np.uint8]
    columns: list[pa.StringArray]


class AnyDialect:
    """Reads chunks of one table by the kernel for all dialects."""

    def __init__(self, text: TextFile, table: Table, *, forgiving: bool) -> None:
        self._text, self._table, self._forgiving = text, table, forgiving
        self._mender = Mender(table.dialect, table.width, table.kinds)

    def parse(self, chunk: tuple[int, int], wanted: Sequence[int]) -> TextBatch:
        """The records of a chunk; what cannot be placed is flagged, without forgiveness what is odd, too."""
        start, end = chunk
        rows, tangled, line_count = self._scanned(start, end, wanted)
        if self._forgiving and tangled.any():
            rows = self._mended(rows, tangled, end, wanted)
        self._text.forget(start, end)
        if not self._forgiving:
            rows.flags, rows.repairs = rows.repairs, np.zeros_like(rows.repairs)
        if rows.flags.any():
            keep = pa.array(rows.flags == 0)
            rows.columns = [pc.if_else(keep, column, "") for column in rows.columns]
        return TextBatch(
            tuple(rows.columns),
            rows.flags,
            rows.lines,
            line_count,
            self._text.raw(rows.starts, end),
            repairs=rows.repairs if rows.repairs.any() else None,
            starts=rows.starts,
        )

    def _scanned(
        self, start: int, end: int, wanted: Sequence[int]
    ) -> tuple[_Rows, npt.NDArray[np.bool_], int]:
        """The records as the kernel sees them, which of them need mending, and the number of lines."""
        width = self._table.width
        slots = np.full(width, -1, np.int16)
        slots[list(wanted)] = np.arange(len(wanted))
        most = int(scan.most_records(self._text.array, start, end))
        texts = np.empty((len(wanted), end - start), np.uint8)
        offsets = np.empty((len(wanted), most + 1), np.int32)
        starts, lines, widths = (np.empty(most + 1, np.int64) for _ in range(3))
        marks = np.empty(most, np.uint8)
        count = scan_dialect.split_any(
            self._text.array,
            start,
            end,
            *self._table.dialect.codes,
            slots,
            texts,
            offsets,
            starts,
            lines,
            widths,
            marks,
        )
        marks, widths = marks[:count], widths[:count]
        tangled = self._tangled(marks, widths)
        repairs = np.zeros(count, np.uint8)
        repairs[widths != width] = scan.COLUMN_COUNT
        repairs[(widths > width) & (marks & SURPLUS == 0)] = 0 if self._forgiving else scan.COLUMN_COUNT
        repairs[marks & STRAY != 0] = scan.STRAY_QUOTE
        repairs[marks & OPEN != 0] = scan.OPEN_QUOTE
        columns = [
            utf8_column(offsets[slot, : count + 1], texts[slot], repairs, forgiving=True)
            for slot in range(len(wanted))
        ]
        rows = _Rows(starts[:count], lines[:count], np.zeros(count, np.uint8), repairs, columns)
        return rows, tangled, int(lines[count])

    def _tangled(self, marks: npt.NDArray[np.uint8], widths: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Records that one look of the kernel does not settle."""
        width = self._table.width
        odd = widths != width
        tangled: npt.NDArray[np.bool_] = (marks & OPEN != 0) | (
            marks & (STRAY | MULTILINE) == STRAY | MULTILINE
        )
        tangled |= (marks & (STRAY | MULTILINE) != 0) & odd
        if self._forgiving:
            tangled |= marks & SURPLUS != 0
            tangled |= (widths < width) & (2 * widths <= width if self._table.short_rows else True)
        return tangled

    def _mended(self, rows: _Rows, tangled: npt.NDArray[np.bool_], end: int, wanted: Sequence[int]) -> _Rows:
        """The records with those that are tangled replaced by what they most likely are."""
        ends = np.append(rows.starts[1:], end)
        order: list[npt.NDArray[np.int64]] = []
        starts: list[int] = []
        lines: list[int] = []
        reasons: list[int] = []
        placed: list[bool] = []
        texts: list[list[str]] = [[] for _ in wanted]
        passed = 0
        for row in np.flatnonzero(tangled).tolist():
            order.append(np.arange(passed, row))
            begin = len(starts)
            at = int(rows.starts[row])
            for record in self._mender.records(self._text.data[at : int(ends[row])]):
                reason, cells = record.reason, record.cells
                fields = [_text(cells[position]) if cells else ("", True) for position in wanted]
                if cells and not all(good for _, good in fields):
                    reason = NOT_UTF8
                for column, (text, _) in zip(texts, fields, strict=True):
                    column.append(text)
                starts.append(at + record.start)
                lines.append(int(rows.lines[row]) + record.line)
                reasons.append(reason)
                placed.append(cells is not None)
            order.append(np.arange(begin, len(starts)) + rows.starts.size)
            passed = row + 1
        order.append(np.arange(passed, rows.starts.size))
        index = np.concatenate(order)
        bad, why = ~np.array(placed, bool), np.array(reasons, np.uint8)
        taken = pa.array(index)
        return _Rows(
            np.concatenate([rows.starts, np.array(starts, np.int64)])[index],
            np.concatenate([rows.lines, np.array(lines, np.int64)])[index],
            np.concatenate([rows.flags, np.where(bad, why, 0).astype(np.uint8)])[index],
            np.concatenate([rows.repairs, np.where(bad, 0, why).astype(np.uint8)])[index],
            [
                pa.concat_arrays([column, pa.array(text, pa.string())]).take(taken)
                for column, text in zip(rows.columns, texts, strict=True)
            ],
        )


def _text(value: bytes) -> tuple[str, bool]:
    """A value, as cp1252 where it is not UTF-8, and whether it is."""
    try:
        return value.decode(), True
    except UnicodeDecodeError:
        return decoded(value, "cp1252"), False


def utf8_column(
    offsets: npt.NDArray[np.int32],
    texts: npt.NDArray[np.uint8],
    flags: npt.NDArray[np.uint8],
    *,
    forgiving: bool,
) -> pa.StringArray:
    """An Arrow string column; records with bytes that are not UTF-8 are flagged.

    Their text is what cp1252 makes of them, or else empty.
    """
    used = texts[: offsets[-1]]
    column = pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(used))
    if used.size == 0 or used.max() < 0x80:
        return column
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        values = []
        for row, value in enumerate(column.cast(pa.binary()).to_pylist()):
            text, good = _text(value)
            values.append(text if good or forgiving else "")
            if not good:
                flags[row] = NOT_UTF8
        return pa.array(values, pa.string())
    return column
