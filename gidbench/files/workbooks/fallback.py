"""Workbooks of other kinds (.xls, .xlsb, .ods) by calamine, in a process of its own."""

from __future__ import annotations

import csv
import io
import marshal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.errors import InputError
from gidbench.files.layout import MOST_PREAMBLE
from gidbench.files.options import DEFAULTS, ReadOptions
from gidbench.files.text import Decision, TextBatch
from gidbench.files.workbooks import values
from gidbench.files.workbooks.choosing import (
    NoTable,
    check_blanks,
    check_columns,
    check_rows,
    chosen_sheet,
    told,
)

_TIMEOUT_S = 120.0
_CHILD = Path(__file__).with_name("calamine_child.py")
_MOST_BYTES = 1 << 30  # of texts that are kept
_KINDS = {"datetime": datetime, "date": date, "time": time, "timedelta": timedelta}
_ANEW = "Save it anew from a spreadsheet program as .xlsx"
_Block = tuple[list[pa.StringArray], list[npt.NDArray[np.bool_]]]


class CalamineReader:
    """A worksheet that calamine has read; error values are empty cells. See `gidbench.files.text.TableReader`."""

    unit = "rows"

    def __init__(self, path: Path, options: ReadOptions = DEFAULTS, *, why: str = "") -> None:
        self._path, self._options, self._why = path, options, why
        names = calamine_sheets(path)
        self._names, self._number = names, chosen_sheet(path.name, names, options.sheet)
        self._load()

    def _load(self) -> None:
        self.sheet_name = self._names[self._number]
        self._blocks: list[_Block] = []
        self._ends: list[int] = [0]  # rows up to each block
        self._filled_rows = self._width = 0
        size = cells = 0
        limits = self._options.limits
        for rows in _run(self._path, self._number):
            block, filled = _block(rows, self._path.name, limits.field_bytes)
            for place, columns in filled:
                self._filled_rows = self._ends[-1] + place + 1
                self._width = max(self._width, max(columns) + 1)
                cells += len(columns)
            size += sum(column.nbytes for column in block[0])
            if size > _MOST_BYTES:
                raise InputError(
                    f"a sheet of {self._path.name} holds more than {_MOST_BYTES:,} bytes of text", _ANEW
                )
            self._blocks.append(block)
            self._ends.append(self._ends[-1] + len(rows))
            check_rows(self._path.name, self._ends[-1], limits.rows)
        check_columns(self._path.name, self._width, limits)
        check_blanks(self._path.name, self._filled_rows, self._width, cells, limits)
        self._read_header()
        self.size = self._filled_rows - self.header_lines

    def _read_header(self) -> None:
        wanted = self._options.header
        if wanted == 0:
            self.header_rows = self.header_lines = 0
            self.header = [f"column_{n}" for n in range(1, self._width + 1)]
            return
        rows_there, is_header = range(self._filled_rows), self._options.is_header
        first = None
        if is_header is not None:
            first = next((row for row in rows_there[:MOST_PREAMBLE] if is_header(self._row(row))), None)
        if first is None:
            first = next((row for row in rows_there if any(self._row(row))), None)
        if first is None:
            raise NoTable(
                f"{self._path.name} has no cell in its sheet {self._number + 1}",
                "Give a sheet with a header row",
            )
        self.header_rows = max(1, wanted or 1)
        self.header_lines = min(first + self.header_rows, self._filled_rows)
        rows = [self._row(row) for row in range(first, self.header_lines)]
        self.header = [" ".join(text for row in rows if (text := row[n].strip())) for n in range(self._width)]

    def _row(self, row: int) -> list[str]:
        """The cells of a row, from 0."""
        place = next(n for n, end in enumerate(self._ends[1:]) if row < end)
        columns, _ = self._blocks[place]
        at = row - self._ends[place]
        return [columns[n][at].as_py() if n < len(columns) else "" for n in range(self._width)]

    @property
    def decisions(self) -> Sequence[Decision]:
        read_by = Decision("read by", "calamine", 1.0, self._why or "gidbench reads .xlsx itself, others not")
        return [read_by, *told(self._options, self.sheet_name, self.header_rows, len(self.header))]

    def chunks(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """(rows, (number of the block, rows to leave out at its start)) pairs."""
        for place, start in enumerate(self._ends[:-1]):
            end = min(self._ends[place + 1], self._filled_rows)
            skipped = max(0, self.header_lines - start)
            if end - start > skipped:
                yield end - start - skipped, (place, skipped)

    def parse(self, chunk: tuple[int, int], wanted: Sequence[int]) -> TextBatch:
        """Columns `wanted` (positions in the header) of a chunk; on any thread."""
        place, skipped = chunk
        columns, masks = self._blocks[place]
        start = self._ends[place] + skipped
        rows = min(self._ends[place + 1], self._filled_rows) - start
        keep = None
        lines = np.arange(rows, dtype=np.int64)
        if self._options.header != 0:
            filled = np.zeros(rows, np.bool_)
            for column in columns:
                filled |= np.diff(np.frombuffer(column.buffers()[1], np.int32))[skipped : skipped + rows] > 0
            keep, lines = pa.array(filled), lines[filled]
        found: list[pa.StringArray] = []
        numbers: list[npt.NDArray[np.bool_] | None] = []
        for position in wanted:
            if position >= len(columns):
                found.append(pa.array([""] * len(lines), pa.string()))
                numbers.append(None)
                continue
            column = columns[position].slice(skipped, rows)
            mask = masks[position][skipped : skipped + rows]
            if keep is not None:
                column, mask = column.filter(keep), mask[keep.to_numpy(zero_copy_only=False)]
            found.append(pa.concat_arrays([column]))
            numbers.append(mask if mask.any() else None)

        def raw(record: int) -> str:
            line = io.StringIO()
            csv.writer(line).writerow(self._row(start + int(lines[record])))
            return line.getvalue().removesuffix("\r\n")

        flags = np.zeros(len(lines), np.uint8)
        return TextBatch(tuple(found), flags, lines, rows, raw, tuple(numbers))

    def sheets(self) -> Iterator[CalamineReader]:
        """This table, and the further sheets under the same header unless a sheet or no header was asked for."""
        yield self
        if self._options.header == 0 or self._options.sheet is not None:
            return
        for number in range(self._number + 1, len(self._names)):
            further = CalamineReader.__new__(CalamineReader)
            further._path, further._options, further._why = self._path, self._options, self._why
            further._names, further._number = self._names, number
            try:
                further._load()
            except NoTable:
                continue
            if further.header == self.header:
                yield further

    def close(self) -> None:
        self._blocks = []


def calamine_sheets(path: Path) -> list[str]:
    """Names of the worksheets of a workbook of any kind."""
    with _Child(path, -1) as child:
        names: list[str] = child.take()
        return names


def _run(path: Path, number: int) -> Iterator[list[list[Any]]]:
    with _Child(path, number) as child:
        child.take()
        while (rows := child.take()) is not None:
            yield rows


class _Child:
    """The program that calamine runs in."""

    def __init__(self, path: Path, number: int) -> None:
        self._path = path
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the child)
        # -P: the folder of the program, whose modules have names of the standard library, is no place to import from
        command = [sys.executable, "-P", str(_CHILD), str(path), str(number)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors
        )
        self._timer = threading.Timer(_TIMEOUT_S, self._process.kill)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._process.kill()
        if self._process.stdout:
            self._process.stdout.close()
        self._process.wait()
        self._errors.close()

    def take(self) -> Any:
        """What it wrote next. Raises InputError where it could not read the file."""
        assert self._process.stdout is not None
        try:
            return marshal.load(self._process.stdout)
        except (EOFError, ValueError, TypeError) as error:
            raise self._failure() from error

    def _failure(self) -> InputError:
        self._process.wait()
        self._errors.seek(0)
        said = self._errors.read(64_000).decode(errors="replace").strip()
        name, code = self._path.name, self._process.returncode
        if "password" in said.lower():
            return InputError(f"{name} is encrypted", "Remove the password and save it anew")
        if "MemoryError" in said or "memory allocation" in said or code < 0:
            return InputError(
                f"{name} takes too much memory or time to be read, as a hostile file would", _ANEW
            )
        last = said.splitlines()[-1] if said else f"exit code {code}"
        return InputError(f"{name} cannot be read as a workbook ({last[:200]})", _ANEW)


def _block(rows: list[list[Any]], name: str, limit: int) -> tuple[_Block, list[tuple[int, list[int]]]]:
    """(columns of texts and masks of numbers, the columns in each row that hold something)."""
    width = max(map(len, rows), default=0)
    texts = [[""] * len(rows) for _ in range(width)]
    masks = np.zeros((width, len(rows)), np.bool_)
    filled = []
    for place, row in enumerate(rows):
        columns = []
        for column, value in enumerate(row):
            if value is None or value == "":
                continue
            if isinstance(value, tuple):
                value = _KINDS[value[0]](*value[1:])
            text, is_number = values.python_text(value)
            if len(text) > limit:
                raise InputError(
                    f"a cell of {name} holds {len(text):,} characters; {limit:,} are the most",
                    "Raise the limit field_bytes if the file can be trusted",
                )
            texts[column][place], masks[column, place] = text, is_number
            columns.append(column)
        if columns:
            filled.append((place, columns))
    return ([pa.array(column, pa.string()) for column in texts], list(masks)), filled
