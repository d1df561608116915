"""Writing by statements with parameters: row by row, by arrays, by many rows of VALUES."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from gidbench.stores.naming import quoted
from gidbench.stores.sqlserver.server import Server
from gidbench.stores.sqlserver.writing.model import (
    Source,
    Strategy,
    WriteOptions,
    drain,
    execute,
    pieces_of,
    rows_of,
)

# Of one statement. Source: Microsoft Learn, "Maximum capacity specifications for SQL Server" (2,100 parameters,
# of which the driver takes two where it prepares a statement) and "Table Value Constructor" (1,000 rows).
_MOST_PARAMETERS, _MOST_VALUES = 2_098, 1_000


def _insert(table: str, schema: pa.Schema) -> tuple[str, str]:
    """The statement up to VALUES, and one row of markers."""
    columns = ", ".join(quoted(name) for name in schema.names)
    return f"INSERT INTO {table} ({columns}) VALUES ", f"({', '.join('?' * len(schema))})"


def write_rows(
    connections: Source,
    table: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    options: WriteOptions,  # noqa: ARG001
) -> int:
    """A statement for every row: what a loop in a script does, and what all else is measured by."""
    statement = "".join(_insert(table, schema))
    written = 0
    with connections.session() as connection:
        cursor = connection.cursor()
        for batch in batches:
            for row in rows_of(batch):
                execute(cursor, statement, row)
            written += batch.num_rows
        connection.commit()
    return written


def write_executemany(
    connections: Source,
    table: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    options: WriteOptions,
) -> int:
    """The driver's executemany as it comes: pyodbc still sends row by row."""
    return _many(connections, table, schema, batches, options, fast=False)


def write_fast_executemany(
    connections: Source,
    table: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    options: WriteOptions,
) -> int:
    """Arrays of parameters (pyodbc's fast_executemany), their sizes set, so many rows at a time."""
    return _many(connections, table, schema, batches, options, fast=True)


def _many(
    connections: Source,
    table: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    options: WriteOptions,
    *,
    fast: bool,
) -> int:
    statement = "".join(_insert(table, schema))
    written = 0
    with connections.session() as connection:
        cursor = connection.cursor()
        for piece in pieces_of(batches, options.batch_rows):
            if fast:
                cursor.fast_executemany = True
                cursor.setinputsizes([_input_size(column) for column in piece.columns])
            cursor.executemany(statement, list(rows_of(piece)))
            drain(cursor)
            written += piece.num_rows
        connection.commit()
    return written


def _input_size(column: pa.Array) -> tuple[int, int, int]:
    """(ODBC type, size, decimal digits) of a column of parameters.

    Without it the driver takes sizes from the first rows, and a longer text or a finer moment further down fails
    or is cut; with a first row of nulls it guesses. Source: Microsoft Learn, "ODBC programmer's reference: SQL data
    types"; -155 and such are SQL Server's own, which nobody needs here.
    """
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        longest = 2 * max((len(text) for text in column.to_pylist() if text), default=1)  # UTF-16
        return (-9, longest, 0) if longest <= 4000 else (-10, 0, 0)
    if pa.types.is_timestamp(kind):
        return 93, 26, 6
    if pa.types.is_date(kind):
        return 91, 10, 0
    if pa.types.is_decimal(kind):
        return 2, kind.precision, kind.scale
    if pa.types.is_boolean(kind):
        return -7, 1, 0
    if pa.types.is_floating(kind):
        return 8, 53, 0
    if pa.types.is_binary(kind):
        return -3, max((len(value) for value in column.to_pylist() if value), default=1), 0
    return -5, 19, 0


def write_values(
    connections: Source,
    table: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    options: WriteOptions,  # noqa: ARG001
) -> int:
    """INSERT … VALUES with as many rows as parameters are allowed."""
    head = _insert(table, schema)[0]
    most = max(1, min(_MOST_VALUES, _MOST_PARAMETERS // len(schema)))
    written = 0
    with connections.session() as connection:
        cursor = connection.cursor()
        for piece in pieces_of(batches, most):
            rows, values = [], []
            for row in rows_of(piece):
                # NULL by name: the driver asks the server for the type of each parameter that is None
                rows.append(f"({', '.join('NULL' if value is None else '?' for value in row)})")
                values += [value for value in row if value is not None]
            execute(cursor, head + ", ".join(rows), values)
            written += piece.num_rows
        connection.commit()
    return written


def _hinders_fast(connections: Source, server: Server, options: WriteOptions) -> str | None:  # noqa: ARG001
    with connections.session() as connection:
        if not hasattr(connection.cursor(), "fast_executemany"):
            return "only pyodbc has it"
        # by the name of the library, SQL_DRIVER_NAME: FreeTDS crashes the whole process
        name = str(connection.getinfo(6)).lower()
        return "FreeTDS crashes with it" if "tds" in name else None


ROW = Strategy("row", "INSERT, a statement per row", write_rows)
EXECUTEMANY = Strategy("executemany", "executemany", write_executemany)
FAST_EXECUTEMANY = Strategy(
    "fast_executemany", "executemany with arrays of parameters", write_fast_executemany, _hinders_fast
)
VALUES = Strategy("values", "INSERT … VALUES of many rows", write_values)
