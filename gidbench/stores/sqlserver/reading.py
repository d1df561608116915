"""Reading results as Arrow batches: by mssql-python where it can be used, else row by row."""

from __future__ import annotations

import itertools
from collections.abc import Container, Generator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gidbench.stores.sqlserver.writing.model import Source

BATCH_ROWS = 65_536
_PADDED = ("no_ktp", "g_id")  # char columns: a shorter text comes back filled up with spaces


def read(
    connections: Source, statement: str, parameters: Sequence[Any], schema: pa.Schema
) -> Generator[pa.RecordBatch, None, None]:
    """The rows of a SELECT, as batches of a schema, on a connection of their own."""
    if not connections.has_arrow:
        with connections.session(autocommit=True) as connection:
            yield from read_rows(connection, statement, parameters, schema)
        return
    with connections.arrow() as connection:
        # a cursor for this result alone: closing a reader closes whatever its cursor has run since
        cursor = connection.cursor()
        try:
            cursor.execute(statement, list(parameters)) if parameters else cursor.execute(statement)
            for batch in cursor.arrow_reader(BATCH_ROWS):
                yield shaped(batch, schema)
            while cursor.nextset():  # an error of the server may come behind the rows
                pass
        finally:
            cursor.close()


def read_rows(
    connection: Any, statement: str, parameters: Sequence[Any], schema: pa.Schema
) -> Generator[pa.RecordBatch, None, None]:
    """The same by a given connection of any driver."""
    cursor = connection.cursor()
    try:
        cursor.execute(statement, list(parameters)) if parameters else cursor.execute(statement)
        while rows := cursor.fetchmany(BATCH_ROWS // 4):
            columns = itertools.zip_longest(*map(tuple, rows))
            yield pa.RecordBatch.from_arrays(
                [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)],
                schema=schema,
            )
        while cursor.nextset():
            pass
    finally:
        cursor.close()


def shaped(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch in the types of a schema; the driver has large texts and may have other units."""
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def trimmed(batch: pa.RecordBatch, padded: Container[str] = _PADDED) -> pa.RecordBatch:
    """Texts, of our own tables no_ktp and g_id, without the spaces that a char column has filled them up with."""
    columns = [
        pc.utf8_rtrim(column, " ") if name in padded and pa.types.is_string(column.type) else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def scalar(connection: Any, statement: str, parameters: Sequence[object] = ()) -> Any:
    """First column of the first row."""
    cursor = connection.cursor()
    try:
        cursor.execute(statement, list(parameters)) if parameters else cursor.execute(statement)
        return cursor.fetchone()[0]
    finally:
        cursor.close()
