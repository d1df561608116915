"""Parquet whose row groups are encoded on every thread: each as a file of its own, put together by their footers.

pyarrow encodes one column after the other, on one thread. A row group's bytes are the same wherever they stand
but for the offsets in the footer (parquet.thrift), which are moved.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gidbench.files.thrift import I64, LIST, STRUCT, Field, Sequence, get, read_struct, write_struct

ROW_GROUP, MOST_ROWS = 131_072, 1 << 20  # rows of a row group
_MAGIC = b"PAR1"
_END_BYTES = 8  # the length of the footer, and the magic number
_SAMPLE = 4_096  # values of a column chunk that tell whether they repeat
_DICTIONARY_BYTES = 1 << 20  # beyond, pyarrow gives up on a dictionary it has begun
# Fields of parquet.thrift.
_NUM_ROWS, _ROW_GROUPS = 3, 4
_COLUMNS, _GROUP_OFFSET, _GROUP_ORDINAL = 1, 5, 7
_CHUNK_OFFSETS, _META_DATA = (2, 4, 6), 3
_PAGE_OFFSETS = (9, 10, 11, 14)
_MOST_ORDINALS = 1 << 15


@dataclass(frozen=True)
class Encoded:
    """The pages of row groups, and their parts of the footer, as in a file of their own."""

    rows: int
    body: pa.Buffer
    groups: list[list[Field]]


class ParquetWriter:
    """Parquet, snappy; a row group for each part, or for each MOST_ROWS of one that is larger."""

    part_rows = ROW_GROUP

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._file, self._schema = file, schema
        empty = pa.BufferOutputStream()
        pq.ParquetWriter(empty, schema).close()
        self._footer = _split(empty.getvalue())[1]
        self._groups: list[bytes] = []
        self._rows = 0
        self._at = len(_MAGIC)
        file.write(_MAGIC)

    def prepare(self, batch: pa.RecordBatch | pa.Table) -> Encoded | None:
        """The rows of a batch or table, encoded."""
        if not batch.num_rows:
            return None
        table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
        repeating = [
            name for name, column in zip(table.column_names, table.columns, strict=True) if _repeats(column)
        ]
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(sink, self._schema, use_dictionary=repeating or False) as writer:
            writer.write_table(table, row_group_size=MOST_ROWS)
        body, footer = _split(sink.getvalue())
        groups = get(footer, _ROW_GROUPS)
        return Encoded(table.num_rows, body, groups.value.items if groups else [])

    def write(self, prepared: Encoded | None) -> int:
        if prepared is None:
            return 0
        for group in prepared.groups:
            _move(group, self._at - len(_MAGIC), len(self._groups))
            self._groups.append(write_struct(group))
        self._file.write(prepared.body)
        self._at += prepared.body.size
        self._rows += prepared.rows
        return int(prepared.body.size)

    def close(self) -> None:
        footer = [each for each in self._footer if each.number not in (_NUM_ROWS, _ROW_GROUPS)]
        footer.append(Field(_NUM_ROWS, I64, self._rows))
        footer.append(Field(_ROW_GROUPS, LIST, Sequence(STRUCT, list(self._groups))))
        footer.sort(key=lambda field: field.number)
        text = write_struct(footer)
        self._file.write(text + struct.pack("<I", len(text)) + _MAGIC)


def _split(file: pa.Buffer) -> tuple[pa.Buffer, list[Field]]:
    """Pages and footer of a Parquet file."""
    end = file.size - _END_BYTES
    (length,) = struct.unpack("<I", file[end : end + 4].to_pybytes())
    return file[len(_MAGIC) : end - length], read_struct(file[end - length : end].to_pybytes())


def _move(group: list[Field], by: int, ordinal: int) -> None:
    """Let the footer of a row group speak of pages that stand `by` bytes further on."""
    if (number := get(group, _GROUP_ORDINAL)) is not None:
        if ordinal < _MOST_ORDINALS:
            number.value = ordinal
        else:
            group.remove(number)
    moved = [get(group, _GROUP_OFFSET)]
    columns = get(group, _COLUMNS)
    for chunk in columns.value.items if columns else []:
        moved += [get(chunk, number) for number in _CHUNK_OFFSETS]
        if (meta := get(chunk, _META_DATA)) is not None:
            moved += [get(meta.value, number) for number in _PAGE_OFFSETS]
    for field in moved:
        if field is not None and field.value:  # 0: nothing is said
            field.value += by


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether a dictionary of a column's values is small, going by how often values meet in a sample.

    Of s values that were drawn from many more, d, s^2 / 2d meet another one; from few, the sample has most of them.
    """
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return False
    rows = len(column)
    step = max(1, rows // _SAMPLE)
    places = pa.array(np.arange(0, rows, step, dtype=np.int64))
    sample = column.take(places).drop_null()
    if not len(sample):
        return False
    distinct = pc.count_distinct(sample).as_py()
    meetings = len(sample) - distinct
    if meetings < distinct:
        distinct = len(sample) ** 2 / (2 * meetings) if meetings else rows
    return bool(distinct <= rows / 4 and distinct * _width(sample) <= _DICTIONARY_BYTES / 2)


def _width(sample: pa.ChunkedArray) -> float:
    """Bytes that a value of a sample has in a dictionary."""
    if pa.types.is_string(sample.type):
        return float(4 + pc.mean(pc.binary_length(sample)).as_py())
    return 8
