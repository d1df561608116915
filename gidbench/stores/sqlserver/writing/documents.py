"""Writing rows as one parameter: a JSON document, or a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from gidbench.stores.naming import quoted
from gidbench.stores.sqlserver.server import Server
from gidbench.stores.sqlserver.types import columns_sql, sql_type
from gidbench.stores.sqlserver.writing.model import (
    Source,
    Strategy,
    WriteOptions,
    execute,
    pieces_of,
    rows_of,
)


def write_openjson(
    connections: Source,
    table: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    options: WriteOptions,
) -> int:
    """One JSON array of rows as a parameter, taken apart by OPENJSON … WITH on the server."""
    columns = ", ".join(quoted(name) for name in schema.names)
    # rows as arrays, not as objects: a third of the text
    typed = ", ".join(
        f"{quoted(field.name)} {sql_type(field.type)} '$[{place}]'" for place, field in enumerate(schema)
    )
    statement = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM OPENJSON(?) WITH ({typed})"
    written = 0
    with connections.session() as connection:
        cursor = connection.cursor()
        for piece in pieces_of(batches, options.batch_rows):
            text = json.dumps(list(rows_of(piece)), ensure_ascii=False, default=_as_json)
            execute(cursor, statement, [text])
            written += piece.num_rows
        connection.commit()
    return written


def _as_json(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def write_tvp(
    connections: Source,
    table: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    options: WriteOptions,
) -> int:
    """A table-valued parameter (pyodbc): needs a table type, which is made for this load and dropped again."""
    columns = ", ".join(quoted(name) for name in schema.names)
    # a type of a name of its own beside the table: "…gidbench_stage_ab12_0" becomes "…gidbench_stage_ab12_0_type"
    kind = f'{table[:-1]}_type"'
    plain = kind.split('"')[-2]
    owner = kind.split('"')[1] if kind.count('"') == 4 else "dbo"
    written = 0
    with connections.session() as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE TYPE {kind} AS TABLE ({columns_sql(schema, {})})")
        connection.commit()
        try:
            for piece in pieces_of(batches, options.batch_rows):
                rows = [plain, owner, *rows_of(piece)]
                execute(cursor, f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ?", [rows])
                written += piece.num_rows
            connection.commit()
        finally:
            connection.rollback()
            cursor.execute(f"DROP TYPE {kind}")
            connection.commit()
    return written


def _hinders_openjson(connections: Source, server: Server, options: WriteOptions) -> str | None:  # noqa: ARG001
    return None if server.has_openjson else "the server is older than SQL Server 2016"


def _hinders_tvp(connections: Source, server: Server, options: WriteOptions) -> str | None:  # noqa: ARG001
    if not server.has_table_parameters:
        return "the server takes no table-valued parameters from ODBC"
    with connections.session() as connection:
        if not hasattr(connection, "getinfo") or "tds" in str(connection.getinfo(6)).lower():
            return "only pyodbc with Microsoft's driver sends tables"
    return None


OPENJSON = Strategy("openjson", "a JSON document per batch, OPENJSON", write_openjson, _hinders_openjson)
TVP = Strategy("tvp", "a table-valued parameter per batch", write_tvp, _hinders_tvp)
