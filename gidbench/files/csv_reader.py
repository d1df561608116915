"""Delimited text by memory map: cut at record boundaries, scanned by kernels on any number of threads."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench.arrays import array_address, text_buffers
from gidbench.errors import InputError
from gidbench.files.any_dialect import NOT_UTF8, AnyDialect, utf8_column
from gidbench.files.dialects import Dialect, checked
from gidbench.files.fields import Fields, flag_undecodable, gathered
from gidbench.files.options import DEFAULTS, ReadOptions
from gidbench.files.structure import Table, find_table
from gidbench.files.tangles import untangled
from gidbench.files.text import Decision, TextBatch
from gidbench.files.text_file import TextFile
from gidbench.kernels import fields, scan, scan_dialect
from gidbench.kernels.memory import SLACK
from gidbench.lending import Scratch
from gidbench.records import Reason

CHUNK_BYTES = 4 << 20  # large enough that a chunk's fixed costs vanish, small enough to keep memory flat
_CHUNK_MEMORY = 512 << 20  # of all columns of a chunk: each has room for all of its text
_LEAST_CHUNK = 16 << 10
MAX_RECORD_BYTES = 64 << 20
_LONGEST_LINE = 1 << 20  # that is looked at by itself where a quote is not closed
_scratch = Scratch()

FLAG_REASONS = {
    scan.COLUMN_COUNT: Reason.COLUMN_COUNT,
    scan.STRAY_QUOTE: Reason.STRAY_QUOTE,
    scan.OPEN_QUOTE: Reason.OPEN_QUOTE,
    NOT_UTF8: Reason.NOT_UTF8,
}


class CsvReader:
    """Delimited text of any encoding and dialect; see `gidbench.files.text.TableReader`."""

    unit = "bytes"
    sheet_name = ""

    def __init__(
        self, path: Path, options: ReadOptions = DEFAULTS, *, chunk_bytes: int = CHUNK_BYTES
    ) -> None:
        options = checked(options)
        self._options = options
        self._text = TextFile(path, options.encoding)
        self._map, self._bytes = self._text.data, self._text.array
        if self._text.size <= self._text.start:
            if not options.forgiving:
                raise InputError(f"{path.name} is empty", "Give a file with a header row")
            self._table = Table(
                Dialect(), [], 0, 0, self._text.size, self._text.size, [], False, [self._text.encoding]
            )
        else:
            self._table = find_table(self._text, options)
        if len(self.header) > options.limits.columns:
            raise InputError(
                f"{path.name} has {len(self.header):,} columns; the limit is {options.limits.columns:,}",
                "Raise the limit, or name its delimiter if that is not right",
            )
        pages = -(-len(self._bytes) // mmap.PAGESIZE)  # what is left of the last one is zeros
        self._readable_end = array_address(self._bytes) + pages * mmap.PAGESIZE
        self._any = AnyDialect(self._text, self._table, forgiving=options.forgiving)
        self._chunk_bytes = max(
            1, min(chunk_bytes, max(_LEAST_CHUNK, _CHUNK_MEMORY // max(1, len(self.header))))
        )

    @property
    def size(self) -> int:
        return self._table.end

    @property
    def delimiter(self) -> str:
        return self._table.dialect.delimiter

    @property
    def header(self) -> list[str]:
        return self._table.titles

    @property
    def header_rows(self) -> int:
        return self._table.header_rows

    @property
    def header_lines(self) -> int:
        return self._table.header_lines

    @property
    def decisions(self) -> Sequence[Decision]:
        return self._table.decisions

    def _record_end(self, start: int, target: int) -> int:
        """Position after the last record that ends by `target`, or after the first if it is longer."""
        reach = target
        while reach < self.size:
            end = self._last_end(start, reach)
            if end > start:
                return end
            if reach - start > MAX_RECORD_BYTES:
                return self._line_end(start, reach)
            reach = min(self.size, start + 2 * (reach - start))
        return self.size

    def _line_end(self, start: int, reach: int) -> int:
        """Where to go on if a quote is not closed within reason: the last line end before, whatever it is in."""
        end = max(self._map.rfind(b"\n", start, reach), self._map.rfind(b"\r", start, reach)) + 1
        if end <= start:
            raise InputError(
                f"a record at byte {start:,} is longer than {MAX_RECORD_BYTES:,} bytes",
                "Check that the file is delimited text, with line ends",
            )
        return end

    def _last_end(self, start: int, end: int) -> int:
        dialect = self._table.dialect
        if not dialect.quote or not fields.holds_byte(self._bytes, start, end, ord(dialect.quote)):
            after = (
                self._map.rfind(b"\n", start, end) + 1
            )  # without quotes any line end is the end of a record
            if after and not dialect.escape:  # else the line ends may be \r alone
                return after
        if dialect.is_standard and not self._options.forgiving:
            return int(
                scan.last_record_end(self._bytes, start, end, ord(dialect.delimiter), ord(dialect.quote))
            )
        return int(scan_dialect.last_end_any(self._bytes, start, end, *dialect.codes))

    def chunks(self) -> Iterator[tuple[int, tuple[int, int]]]:
        start = self._table.begin
        while start < self.size:
            end = self._record_end(start, min(self.size, start + self._chunk_bytes))
            yield end - start, (start, end)
            start = end

    def parse(self, chunk: tuple[int, int], wanted: Sequence[int]) -> TextBatch:
        batch = self.as_they_are(chunk, wanted)
        if batch.flags.any() and not self._options.forgiving:
            return untangled(self, batch, chunk, wanted)
        return batch

    def _guarded(self, batch: TextBatch, chunk: tuple[int, int]) -> TextBatch:
        """The batch. Raises InputError where a field is longer than it may be."""
        if chunk[1] - chunk[0] > self._options.limits.field_bytes:
            for column in batch.columns:
                self._guard(np.diff(text_buffers(column)[0]), chunk)
        return batch

    def _guard(self, lengths: npt.NDArray[np.int32], chunk: tuple[int, int]) -> None:
        """Raise InputError where a field is longer than it may be."""
        longest = int(lengths.max(initial=0))
        if longest > self._options.limits.field_bytes:
            raise InputError(
                f"a field at or behind byte {chunk[0]:,} has {longest:,} bytes; the limit is "
                f"{self._options.limits.field_bytes:,}",
                "Raise the limit of field bytes if that is right; else look for a quote that is not closed",
            )

    def as_they_are(self, chunk: tuple[int, int], wanted: Sequence[int]) -> TextBatch:
        """The records of a chunk; one whose quote is not closed goes on to where another one is."""
        if self._table.dialect.is_standard:
            batch = self._standard(chunk, wanted)
            if not self._options.forgiving or not batch.flags.any():
                return batch
        return self._guarded(self._any.parse(chunk, wanted), chunk)

    def _standard(self, chunk: tuple[int, int], wanted: Sequence[int]) -> TextBatch:
        """The records of a chunk by the kernels for RFC 4180: the one that is fast where all is plain, or the other."""
        found = self.locate(chunk, wanted)
        if found is None:
            return self._guarded(self._parse_standard(chunk, wanted), chunk)
        columns = tuple(gathered(found, slot) for slot in range(len(wanted)))
        self.release(chunk)
        return TextBatch(columns, found.flags, found.lines, found.line_count, found.raw, starts=found.starts)

    def locate(self, chunk: tuple[int, int], wanted: Sequence[int]) -> Fields | None:
        """See `gidbench.files.fields.FieldReader`; None where a record is not plain (`kernels.fields`)."""
        dialect = self._table.dialect
        if not dialect.is_standard:
            return None
        start, end = chunk
        size, width = end - start, len(self.header)
        positions = _scratch.take("positions", size + 2 * fields.AT_ONCE, np.int32)
        ends, lines = (_scratch.take(name, size + 2, np.int32) for name in ("ends", "lines"))
        blocks = _scratch.take("blocks", size // fields.BLOCK + 2, np.int32)
        facts = np.zeros(fields.FACTS, np.int64)
        delimiter, quote = ord(dialect.delimiter), ord(dialect.quote)
        found = fields.find_separators(
            self._bytes, start, end, delimiter, quote, positions, ends, lines, blocks, facts
        )
        if found == fields.NOT_PLAIN:
            return None
        firsts, starts = _scratch.take("firsts", found, np.int32), np.empty(found, np.int64)
        record_lines, flags = np.empty(found, np.int64), np.empty(found, np.uint8)
        count = fields.find_records(
            self._bytes, start, found, positions, ends, lines, width, firsts, starts, record_lines, flags
        )
        flags, starts = flags[:count], starts[:count]
        addresses = _scratch.take("addresses", len(wanted) * count, np.int64).reshape(len(wanted), count)
        lengths = _scratch.take("lengths", len(wanted) * count, np.int32).reshape(len(wanted), count)
        extra = np.empty(size + SLACK if facts[fields.DOUBLED] else 0, np.uint8)
        columns = np.array(wanted, np.int16)
        fields.locate(
            self._bytes,
            start,
            quote,
            columns,
            width,
            positions,
            firsts[:count],
            flags,
            extra,
            addresses,
            lengths,
        )
        if size > self._options.limits.field_bytes:
            self._guard(lengths, chunk)
        if facts[fields.ODD]:
            odd = np.empty(count, np.int32)
            odd = odd[: fields.find_odd(starts, end, start, blocks[: facts[fields.ODD]], odd)]
        else:
            odd = np.empty(0, np.int32)
        limits = (self._readable_end,) * len(wanted)
        line_count = int(lines[found - 1]) if found else 0
        located = Fields(
            addresses,
            lengths,
            limits,
            odd,
            flags,
            record_lines[:count],
            line_count,
            self._text.raw(starts, end),
            (self._bytes, extra),
            starts=starts,
        )
        flag_undecodable(located)
        return located

    def release(self, chunk: tuple[int, int]) -> None:
        self._text.forget(*chunk)

    def raw(self, starts: npt.NDArray[np.int64], end: int) -> Callable[[int], str]:
        """The original text of the records that begin at `starts`, the last of which ends at `end`."""
        return self._text.raw(starts, end)

    def first_line(self, start: int, end: int) -> tuple[int, int]:
        """Where the first line of a piece ends, and how many fields it has if its quotes are text."""
        piece = self._map[start : min(end, start + _LONGEST_LINE)]
        length = min((at for at in (piece.find(b"\n"), piece.find(b"\r")) if at >= 0), default=len(piece))
        count = piece.count(self.delimiter.encode(), 0, length) + 1
        return start + length + (2 if piece.startswith(b"\r\n", length) else 1), count

    def _parse_standard(self, chunk: tuple[int, int], wanted: Sequence[int]) -> TextBatch:
        start, end = chunk
        slots = np.full(len(self.header), -1, np.int16)
        slots[list(wanted)] = np.arange(len(wanted))
        most = int(scan.most_records(self._bytes, start, end))
        texts = np.empty((len(wanted), end - start), np.uint8)
        offsets = np.empty((len(wanted), most + 1), np.int32)
        starts, lines = np.empty(most + 1, np.int64), np.empty(most + 1, np.int64)
        flags = np.empty(most, np.uint8)
        count = scan.split(
            self._bytes,
            start,
            end,
            ord(self.delimiter),
            ord(self._table.dialect.quote),
            slots,
            texts,
            offsets,
            starts,
            lines,
            flags,
        )
        self._text.forget(start, end)
        columns = tuple(
            utf8_column(offsets[slot, : count + 1], texts[slot], flags[:count], forgiving=False)
            for slot in range(len(wanted))
        )
        undecodable = flags[:count] == NOT_UTF8
        if undecodable.any():
            columns = tuple(pc.if_else(pa.array(undecodable), "", column) for column in columns)

        return TextBatch(
            columns,
            flags[:count],
            lines[:count],
            int(lines[count]),
            self._text.raw(starts[:count], end),
            starts=starts[:count],
        )

    def sheets(self) -> Iterator[CsvReader]:
        yield self

    def close(self) -> None:
        del self._bytes, self._any
        self._text.close()
