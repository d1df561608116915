"""Parquet and Arrow files behind the same face as CSV: every column as text (`gidbench.files.table_texts`)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gidbench.errors import InputError
from gidbench.files.options import DEFAULTS, ReadOptions
from gidbench.files.table_texts import as_texts
from gidbench.files.text import Decision, TextBatch

CHUNK_ROWS = 65_536
_FILE_MAGIC = b"ARROW1"


class _TableFile:
    """What files of typed columns have in common; see `gidbench.files.text.TableReader`.

    A line of such a file is a row; names of columns are its header.
    """

    unit = "rows"
    sheet_name = ""
    header_rows = 1
    header_lines = 0
    kind = ""

    def __init__(self, path: Path, options: ReadOptions = DEFAULTS) -> None:
        self._path, self._limits = path, options.limits
        with self._explained():
            self._schema, self.size = self._open()
        self.header = list(self._schema.names)
        self.decisions: Sequence[Decision] = [
            Decision("read by", f"pyarrow ({self.kind})", 1.0, "the file says what it is"),
            Decision("columns", f"{len(self.header):,}", 1.0, "their names stand in the file"),
        ]
        if len(self.header) > self._limits.columns:
            raise InputError(
                f"{path.name} has {len(self.header):,} columns; the limit is {self._limits.columns:,}",
                "Raise the limit of columns if you trust the file",
            )

    def _open(self) -> tuple[pa.Schema, int]:
        raise NotImplementedError

    def _batches(self) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError

    def chunks(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        batches = self._batches()
        while True:
            with self._explained():
                batch = next(batches, None)
            if batch is None:
                return
            for start in range(0, batch.num_rows, CHUNK_ROWS):
                part = batch.slice(start, CHUNK_ROWS)
                yield part.num_rows, part

    def parse(self, chunk: pa.RecordBatch, wanted: Sequence[int]) -> TextBatch:
        rows = chunk.num_rows
        with self._explained():
            columns = tuple(as_texts(chunk.column(place)) for place in wanted)

        def raw(record: int) -> str:
            line = io.StringIO()
            csv.writer(line).writerow(
                as_texts(column.slice(record, 1))[0].as_py() for column in chunk.columns
            )
            return line.getvalue().removesuffix("\r\n")

        return TextBatch(columns, np.zeros(rows, np.uint8), np.arange(rows, dtype=np.int64), rows, raw)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Arrow's own errors as one that names the file."""
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            told = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"{self._path.name} cannot be read as {self.kind} ({told})",
                f"Check that it is whole, and {self.kind}",
            ) from error

    def sheets(self) -> Iterator[_TableFile]:
        yield self

    def close(self) -> None:
        raise NotImplementedError


class ParquetReader(_TableFile):
    """A Parquet file."""

    kind = "Parquet"

    def _open(self) -> tuple[pa.Schema, int]:
        self._file: Any = pq.ParquetFile(self._path, memory_map=True)
        return self._file.schema_arrow, self._file.metadata.num_rows

    def _batches(self) -> Iterator[pa.RecordBatch]:
        return iter(self._file.iter_batches(CHUNK_ROWS, use_threads=False))

    def close(self) -> None:
        self._file.close()


class ArrowReader(_TableFile):
    """An Arrow IPC file, or a stream that was written to a file."""

    kind = "Arrow"

    def _open(self) -> tuple[pa.Schema, int]:
        with self._path.open("rb") as file:
            self._is_stream = file.read(len(_FILE_MAGIC)) != _FILE_MAGIC
        self._map = pa.memory_map(str(self._path))
        if self._is_stream:
            self._map.seek(0)
            return pa.ipc.open_stream(self._map).schema, self._map.size()
        file = pa.ipc.open_file(self._map)
        return file.schema, sum(batch.num_rows for batch in self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if self._is_stream:
            self._map.seek(0)
            yield from pa.ipc.open_stream(self._map)
        else:
            file = pa.ipc.open_file(self._map)
            for place in range(file.num_record_batches):
                yield file.get_batch(place)

    def close(self) -> None:
        self._map.close()
