"""CSV by memory map: cut at record boundaries, scanned by kernels on any number of threads."""

from __future__ import annotations

import csv
import mmap
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench.arrays import array_address
from gidbench.errors import InputError
from gidbench.files.fields import Fields, flag_undecodable, gathered
from gidbench.files.text import TextBatch
from gidbench.kernels import fields, scan
from gidbench.kernels.fields import NOT_UTF8
from gidbench.kernels.memory import SLACK
from gidbench.lending import Scratch
from gidbench.records import Reason

CHUNK_BYTES = 4 << 20  # large enough that a chunk's fixed costs vanish, small enough to keep memory flat
MAX_RECORD_BYTES = 64 << 20
MAX_HEADER_BYTES = 1 << 20
_DELIMITERS = ",;\t|"
_QUOTE = ord('"')
_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_UTF8_BOM = b"\xef\xbb\xbf"
_scratch = Scratch()

FLAG_REASONS = {
    scan.COLUMN_COUNT: Reason.COLUMN_COUNT,
    scan.STRAY_QUOTE: Reason.STRAY_QUOTE,
    scan.OPEN_QUOTE: Reason.OPEN_QUOTE,
    NOT_UTF8: Reason.NOT_UTF8,
}


class CsvReader:
    """Delimited text in UTF-8 whose first record is the header; see `gidbench.files.text.TableReader`."""

    unit = "bytes"

    def __init__(self, path: Path, *, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._chunk_bytes = chunk_bytes
        self.size = path.stat().st_size
        if self.size == 0:
            raise InputError(f"{path.name} is empty", "Give a file with a header row")
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._bytes = np.frombuffer(self._map, np.uint8)
        pages = -(-self.size // mmap.PAGESIZE)  # what is left of the last one is zeros
        self._readable_end = array_address(self._bytes) + pages * mmap.PAGESIZE
        if encoding := _BOMS.get(self._map[:2]):
            raise InputError(f"{path.name} is {encoding}, not UTF-8", "Save it as UTF-8")
        start = 3 if self._map[:3] == _UTF8_BOM else 0
        while start < self.size and self._map[start] in b"\r\n":
            start += 1
        self.delimiter, self._start = self._sniff(start)
        self.header = _titles(path.name, self._map[start : self._start], self.delimiter)
        self.header_lines = len(re.findall(rb"\r\n|\r|\n", self._map[: self._start])) or 1

    def _sniff(self, start: int) -> tuple[str, int]:
        """The delimiter most frequent outside quotes in the first record, and the position after that."""
        counts = dict.fromkeys(_DELIMITERS.encode(), 0)
        quoted, opening = False, True  # a quote opens a field only as its first byte, as in `scan`
        at = start
        while at < min(self.size, start + MAX_HEADER_BYTES):
            byte = self._map[at]
            at += 1
            if byte == _QUOTE and (quoted or opening):
                quoted = not quoted
                opening = not quoted  # right behind a closing quote, another one is a quote in the text
            elif byte in b"\r\n" and not quoted:
                at += self._map[at - 1 : at + 1] == b"\r\n"
                break
            elif not quoted:
                opening = byte in counts
                if opening:
                    counts[byte] += 1
        else:
            if at < self.size or quoted:
                raise InputError(
                    f"no header row ends within the first {MAX_HEADER_BYTES:,} bytes",
                    "Check that the file is text, and that its first quote is closed",
                )
        return max(_DELIMITERS, key=lambda mark: counts[ord(mark)]), at

    def _record_end(self, start: int, target: int) -> int:
        """Position after the last record that ends by `target`, or after the first if it is longer."""
        reach = target
        while reach < self.size:
            end = self._last_end(start, reach)
            if end > start:
                return end
            if reach - start > MAX_RECORD_BYTES:
                raise InputError(
                    f"a record at byte {start:,} is longer than {MAX_RECORD_BYTES:,} bytes",
                    "A quote that is never closed is the likely cause; close it",
                )
            reach = min(self.size, start + 2 * (reach - start))
        return self.size

    def _last_end(self, start: int, end: int) -> int:
        if not fields.holds_byte(
            self._bytes, start, end, _QUOTE
        ):  # without quotes any line end is the end of a record
            after = self._map.rfind(b"\n", start, end) + 1
            if after:  # else the line ends may be \r alone
                return after
        return int(scan.last_record_end(self._bytes, start, end, ord(self.delimiter), _QUOTE))

    def chunks(self) -> Iterator[tuple[int, tuple[int, int]]]:
        start = self._start
        while start < self.size:
            end = self._record_end(start, min(self.size, start + self._chunk_bytes))
            yield end - start, (start, end)
            start = end

    def locate(self, chunk: tuple[int, int], wanted: Sequence[int]) -> Fields | None:
        """See `gidbench.files.fields.FieldReader`; None where a record is not plain (see `kernels.fields`)."""
        start, end = chunk
        size, width = end - start, len(self.header)
        positions = _scratch.take("positions", size + 2 * fields.AT_ONCE, np.int32)
        ends, lines = (_scratch.take(name, size + 2, np.int32) for name in ("ends", "lines"))
        blocks = _scratch.take("blocks", size // fields.BLOCK + 2, np.int32)
        facts = np.zeros(fields.FACTS, np.int64)
        delimiter = ord(self.delimiter)
        found = fields.find_separators(
            self._bytes, start, end, delimiter, _QUOTE, positions, ends, lines, blocks, facts
        )
        if found == fields.NOT_PLAIN:
            return None
        firsts = _scratch.take("firsts", found, np.int32)
        starts, record_lines = np.empty(found, np.int32), np.empty(found, np.int64)
        flags = np.empty(found, np.uint8)
        count = fields.find_records(
            self._bytes, start, found, positions, ends, lines, width, firsts, starts, record_lines, flags
        )
        addresses = _scratch.take("addresses", len(wanted) * count, np.int64).reshape(len(wanted), count)
        lengths = _scratch.take("lengths", len(wanted) * count, np.int32).reshape(len(wanted), count)
        extra = np.empty(size + SLACK if facts[fields.DOUBLED] else 0, np.uint8)
        fields.locate(
            self._bytes,
            start,
            _QUOTE,
            np.array(wanted, np.int16),
            width,
            positions,
            firsts[:count],
            flags[:count],
            extra,
            addresses,
            lengths,
        )

        odd = np.empty(count if facts[fields.ODD] else 0, np.int32)
        if odd.size:
            odd = odd[: fields.find_odd(starts[:count], size, blocks[: facts[fields.ODD]], odd)]

        def raw(record: int) -> str:
            last = start + int(starts[record + 1]) if record + 1 < count else end
            return self._text(start + int(starts[record]), last)

        return Fields(
            addresses,
            lengths,
            (self._readable_end,) * len(wanted),
            odd,
            flags[:count],
            record_lines[:count],
            int(lines[found - 1]) if found else 0,
            raw,
            (self._bytes, extra),
        )

    def parse(self, chunk: tuple[int, int], wanted: Sequence[int]) -> TextBatch:
        found = self.locate(chunk, wanted)
        if found is None:
            return self._split(chunk, wanted)
        flag_undecodable(found)
        columns = tuple(gathered(found, slot) for slot in range(len(wanted)))
        self.release(chunk)
        return TextBatch(columns, found.flags, found.lines, found.line_count, found.raw)

    def _split(self, chunk: tuple[int, int], wanted: Sequence[int]) -> TextBatch:
        """The same, whatever the records are like."""
        start, end = chunk
        slots = np.full(len(self.header), -1, np.int16)
        slots[list(wanted)] = np.arange(len(wanted))
        most = int(scan.most_records(self._bytes, start, end))
        texts = np.empty((len(wanted), end - start), np.uint8)
        offsets = np.empty((len(wanted), most + 1), np.int32)
        starts, lines = np.empty(most + 1, np.int64), np.empty(most + 1, np.int64)
        flags = np.empty(most, np.uint8)
        count = scan.split(
            self._bytes, start, end, ord(self.delimiter), _QUOTE, slots, texts, offsets, starts, lines, flags
        )
        self.release(chunk)
        columns = tuple(
            _column(offsets[slot, : count + 1], texts[slot], flags[:count]) for slot in range(len(wanted))
        )
        undecodable = flags[:count] == NOT_UTF8
        if undecodable.any():
            columns = tuple(pc.if_else(pa.array(undecodable), "", column) for column in columns)

        def raw(record: int) -> str:
            return self._text(int(starts[record]), int(starts[record + 1]))

        return TextBatch(columns, flags[:count], lines[:count], int(lines[count]), raw)

    def _text(self, start: int, end: int) -> str:
        """A record as it stands in the file."""
        return self._map[start:end].decode("utf-8", "backslashreplace").rstrip("\r\n")

    def release(self, chunk: tuple[int, int]) -> None:
        """Let the system drop the pages of a parsed chunk; else all of the file counts as our memory."""
        start, end = chunk
        if hasattr(mmap, "MADV_DONTNEED"):
            first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
            if end - first >= mmap.PAGESIZE:
                self._map.madvise(mmap.MADV_DONTNEED, first, (end - first) // mmap.PAGESIZE * mmap.PAGESIZE)

    def sheets(self) -> Iterator[CsvReader]:
        yield self

    def close(self) -> None:
        del self._bytes
        try:
            self._map.close()
        except BufferError:  # a batch still looks into it; it is unmapped with the last one
            return


def _titles(name: str, line: bytes, delimiter: str) -> list[str]:
    """The titles of a header row."""
    if b"\0" in line:  # UTF-16 without its mark, most likely
        raise InputError(
            f"the header row of {name} holds NUL bytes, so it is not UTF-8", "Save it as UTF-8 text"
        )
    try:
        return next(csv.reader([line.decode("utf-8", "replace").rstrip("\r\n")], delimiter=delimiter), [])
    except csv.Error as error:
        raise InputError(
            f"the header row of {name} cannot be understood ({error})", "Check that it is delimited text"
        ) from error


def _column(
    offsets: npt.NDArray[np.int32], texts: npt.NDArray[np.uint8], flags: npt.NDArray[np.uint8]
) -> pa.StringArray:
    """An Arrow string column; records with bytes that are not UTF-8 are flagged, their text made empty."""
    used = texts[: offsets[-1]]
    column = pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(used))
    if used.size == 0 or used.max() < 0x80:
        return column
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        values = []
        for row, value in enumerate(column.cast(pa.binary()).to_pylist()):
            try:
                values.append(value.decode())
            except UnicodeDecodeError:
                values.append("")
                flags[row] = NOT_UTF8
        return pa.array(values, pa.string())
    return column
