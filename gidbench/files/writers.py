"""Writers of record batches behind one face: CSV (also compressed), Parquet, Arrow IPC and xlsx.

`prepare` may run on many threads at once; `write` is called with its results in order. The caller cuts rows
into parts of `part_rows` (the last may be smaller), so what is written depends on the rows alone, never on
the batches they came in.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

from gidbench.errors import InputError
from gidbench.files.atomic import replacing
from gidbench.files.compressed import GzipCsvWriter, ZstdCsvWriter
from gidbench.files.csv_writer import CsvWriter
from gidbench.files.early import open_early
from gidbench.files.parquet_writer import ROW_GROUP, ParquetWriter
from gidbench.files.xlsx_writer import XlsxWriter

_MOST_BYTES = 256 << 20  # of a batch, all but its last rows
STANDARD_OUTPUT = "-"


class Writer(Protocol):
    """One open file that takes parts of one schema."""

    part_rows: int

    def prepare(self, batch: pa.RecordBatch) -> Any:
        """What can be done on any thread, for a part."""
        ...

    def write(self, prepared: Any) -> int:
        """Write the next part; returns about how many bytes it has."""
        ...

    def close(self) -> None:
        """Write what ends the file; the file itself is the caller's."""
        ...


class ArrowWriter:
    """Arrow IPC file format, batches of ROW_GROUP rows."""

    part_rows = ROW_GROUP

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._file = pa.ipc.new_file(file, schema)

    def prepare(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch

    def write(self, prepared: pa.RecordBatch) -> int:
        if prepared.num_rows:
            self._file.write_batch(prepared)
        return int(prepared.nbytes)

    def close(self) -> None:
        self._file.close()


WRITERS: dict[str, Callable[[BinaryIO, pa.Schema], Writer]] = {
    ".csv": CsvWriter,
    ".csv.gz": GzipCsvWriter,
    ".csv.zst": ZstdCsvWriter,
    ".parquet": ParquetWriter,
    ".arrow": ArrowWriter,
    ".xlsx": XlsxWriter,
}


@dataclass(frozen=True)
class CsvOptions:
    """What can be said of CSV: whether it has a header row."""

    header: bool = True


def check_destination(path: str | Path) -> str:
    """The extension that decides on the writer; InputError where there is none for it."""
    if str(path) == STANDARD_OUTPUT:
        return ".csv"
    name = Path(path).name.lower()
    for suffix in sorted(WRITERS, key=len, reverse=True):
        if name.endswith(suffix) and name != suffix:
            return suffix
    raise InputError(
        f"{Path(path).name} has the extension {Path(path).suffix!r}",
        f"Use one of {', '.join(sorted(WRITERS))}",
    )


@contextmanager
def open_writer(
    path: str | Path, schema: pa.Schema, options: CsvOptions | None = None, *, durable: bool = False
) -> Iterator[Writer]:
    """A writer by the file's extension; the file appears under its name only when everything is written.

    With `durable` everything is on the disk by then, so that a loss of power leaves the whole file or none.
    `-` writes CSV to standard output. `options` are for CSV only; InputError elsewhere.
    """
    suffix = check_destination(path)
    make: Callable[..., Writer] = WRITERS[suffix]
    given: dict[str, Any] = {}
    if options is not None and not options.header:
        if not suffix.startswith(".csv"):
            raise InputError(f"a {suffix} file has no header row to leave out", "Leave out only that of CSV")
        given["header"] = False
    if str(path) == STANDARD_OUTPUT:
        if durable:
            raise InputError("standard output is no file that could be durable", "Name a file")
        with suppress(AttributeError):
            sys.stdout.flush()
        writer = make(sys.stdout.buffer, schema, **given)
        yield writer
        writer.close()
        sys.stdout.buffer.flush()
        return
    with (
        replacing(Path(path), durable=durable) as beside,
        open_early(beside) if durable else beside.open("wb") as file,
    ):
        writer = make(file, schema, **given)
        try:
            yield writer
        except BaseException:
            with suppress(OSError, ValueError, pa.ArrowException):  # its content no longer matters
                writer.close()
            raise
        writer.close()
        if durable:
            file.flush()
            os.fsync(file.fileno())


def write_file(path: str | Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
    """Write batches of any sizes to a file, whole or not at all."""
    with open_writer(path, schema) as writer:
        for part in recut(batches, writer.part_rows):
            writer.write(writer.prepare(part))


def recut(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `rows` (the last may be smaller) with buffers of their own.

    Rows so long that a batch would take more than 256 MiB come in smaller ones.
    """
    held: list[pa.RecordBatch] = []
    count = size = 0
    for given in batches:
        batch = given
        while batch.num_rows:
            head = batch.slice(0, rows - count)
            held.append(head)
            count += head.num_rows
            size += head.nbytes
            batch = batch.slice(head.num_rows)
            if count == rows or size > _MOST_BYTES:
                yield _joined(held)
                held, count, size = [], 0, 0
    if held:
        yield _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    # Two pieces are copied into one; a single slice would be written with what lies around its rows.
    return pa.concat_batches([*batches, batches[0].slice(0, 0)])
