"""Writers of record batches: CSV, Parquet, Arrow IPC and xlsx behind one face.

`prepare` may run on many threads at once; `write` is called with its results in order. What a writer
produces depends on the rows alone, never on how they were cut into batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from gidbench.errors import InputError
from gidbench.files.atomic import replacing
from gidbench.files.xlsx_writer import XlsxWriter

_NO_QUOTES = pa.csv.WriteOptions(include_header=False, quoting_style="none")
ROW_GROUP = 131_072  # rows per Parquet row group and per Arrow IPC batch, whatever the batch size


class Writer(Protocol):
    """One open file that takes batches of one schema."""

    def prepare(self, batch: pa.RecordBatch) -> Any: ...

    def write(self, prepared: Any) -> None: ...

    def close(self) -> None: ...


class CsvWriter:
    """RFC 4180 with a header row, UTF-8, LF; only values with a quote, comma or line end are quoted."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = path.open("wb")
        titles = [pa.array([name], pa.string()) for name in schema.names]
        self._file.write(_quoted_rows(titles))

    def prepare(self, batch: pa.RecordBatch) -> pa.Buffer:
        sink = pa.BufferOutputStream()
        try:
            pa.csv.write_csv(batch, sink, _NO_QUOTES)
        except pa.ArrowInvalid:  # a value needs quotes; Arrow would put them around every text of the batch
            return _quoted_rows(batch.columns)
        return sink.getvalue()

    def write(self, prepared: pa.Buffer) -> None:
        self._file.write(prepared)

    def close(self) -> None:
        self._file.close()


def _quoted_rows(columns: Sequence[pa.Array]) -> pa.Buffer:
    """Rows as CSV, like Arrow's writer, but with quotes around the values that need them."""
    cells = []
    for column in columns:
        text = column.cast(pa.string())
        quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
        needed = pc.match_substring_regex(text, '[",\r\n]')
        cells.append(pc.fill_null(pc.if_else(needed, quoted, text), ""))
    rows = pc.binary_join_element_wise(pc.binary_join_element_wise(*cells, ","), "\n", "")
    return rows.buffers()[2]


class _Regrouping:
    """Collects rows into groups of ROW_GROUP, so that batches of any size give the same file."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._held: list[pa.RecordBatch] = []
        self._rows = 0

    def prepare(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch

    def write(self, prepared: pa.RecordBatch) -> None:
        while prepared.num_rows:
            head = prepared.slice(0, ROW_GROUP - self._rows)
            self._held.append(head)
            self._rows += head.num_rows
            prepared = prepared.slice(head.num_rows)
            if self._rows == ROW_GROUP:
                self._flush()

    def _flush(self) -> None:
        if self._rows:
            # two pieces are copied into one, a single one would be passed on with what lies around its rows
            self._held.append(self._held[0].slice(0, 0))
            self._emit(pa.Table.from_batches(self._held, self._schema).combine_chunks())
            self._held, self._rows = [], 0

    def _emit(self, group: pa.Table) -> None:
        raise NotImplementedError


class ParquetWriter(_Regrouping):
    """Parquet, snappy, row groups of ROW_GROUP rows."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__(schema)
        self._file = pa.parquet.ParquetWriter(path, schema)

    def _emit(self, group: pa.Table) -> None:
        self._file.write_table(group, row_group_size=ROW_GROUP)

    def close(self) -> None:
        self._flush()
        self._file.close()


class ArrowWriter(_Regrouping):
    """Arrow IPC file format, batches of ROW_GROUP rows."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__(schema)
        self._sink = pa.OSFile(str(path), "wb")
        self._file = pa.ipc.new_file(self._sink, schema)

    def _emit(self, group: pa.Table) -> None:
        self._file.write_table(group)

    def close(self) -> None:
        self._flush()
        self._file.close()
        self._sink.close()


WRITERS: dict[str, Callable[[Path, pa.Schema], Writer]] = {
    ".csv": CsvWriter,
    ".parquet": ParquetWriter,
    ".arrow": ArrowWriter,
    ".xlsx": XlsxWriter,
}


def check_destination(path: Path) -> None:
    """Raise InputError unless a writer exists for the file's extension."""
    if path.suffix.lower() not in WRITERS:
        raise InputError(
            f"{path.name} has the extension {path.suffix!r}", f"Use one of {', '.join(sorted(WRITERS))}"
        )


@contextmanager
def open_writer(path: Path, schema: pa.Schema) -> Iterator[Writer]:
    """A writer by the file's extension; the file appears under its name only when everything is written."""
    check_destination(path)
    with replacing(path) as beside:
        writer = WRITERS[path.suffix.lower()](beside, schema)
        try:
            yield writer
        except BaseException:
            _abandon(writer)
            raise
        writer.close()


def _abandon(writer: Writer) -> None:
    """Release the file of a writer whose content no longer matters."""
    try:
        writer.close()
    except (OSError, ValueError, pa.ArrowException):
        return
