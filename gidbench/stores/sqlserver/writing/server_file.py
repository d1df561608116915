"""Writing by a file that the server reads: BULK INSERT.

Source of the format: Microsoft Learn, "BULK INSERT (Transact-SQL)" and "Use character format to import or export
data". The file has fields ended by U+001F and rows ended by U+001E, which no value of ours holds, since the quotes of
FORMAT = 'CSV' need SQL Server 2017; an empty field is a null, a field of U+0000 alone an empty text.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from gidbench.errors import InputError
from gidbench.stores.naming import quoted
from gidbench.stores.sqlserver.server import Server
from gidbench.stores.sqlserver.writing.model import Source, Strategy, WriteOptions, execute, rows_of

_FIELD, _ROW, _EMPTY = "\x1f", "\x1e", "\x00"


def write_bulk_insert(
    connections: Source,
    table: str,
    schema: pa.Schema,  # noqa: ARG001
    batches: Iterable[pa.RecordBatch],
    options: WriteOptions,
) -> int:
    """Write a file in the shared folder and let the server load it; the file is removed in the end."""
    if options.shared_folder is None:
        raise InputError("bulk_insert has no folder to share with the server", "Say shared_folder")
    path = options.shared_folder / f"gidbench_{uuid.uuid4().hex}.txt"
    try:
        count = _write_file(path, batches)
        if not count:
            return 0
        with connections.session() as connection:
            cursor = connection.cursor()
            execute(cursor, statement(table, path, options))
            connection.commit()
        return count
    finally:
        path.unlink(missing_ok=True)


def statement(table: str, path: Path, options: WriteOptions) -> str:
    """The statement for a file as the server names it; BULK INSERT takes no parameters."""
    seen = f"{options.server_folder.rstrip('/')}/{path.name}" if options.server_folder else str(path)
    told = ["DATAFILETYPE = 'widechar'", "FIELDTERMINATOR = '0x1F00'", "ROWTERMINATOR = '0x1E00'"]
    if options.table_lock:
        told.append("TABLOCK")
    if options.keep_nulls:
        told.append("KEEPNULLS")
    if options.check_constraints:
        told.append("CHECK_CONSTRAINTS")
    if options.fire_triggers:
        told.append("FIRE_TRIGGERS")
    if options.order:
        told.append(f"ORDER ({', '.join(quoted(name) for name in options.order)})")
    return f"BULK INSERT {table} FROM N'{_escaped(seen)}' WITH ({', '.join(told)})"


def _escaped(text: str) -> str:
    return text.replace("'", "''")


def _write_file(path: Path, batches: Iterable[pa.RecordBatch]) -> int:
    count = 0
    with path.open("w", encoding="utf-16-le", newline="") as file:
        for batch in batches:
            file.writelines(_FIELD.join(map(_text, row)) + _ROW for row in rows_of(batch))
            count += batch.num_rows
    return count


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = str(int(value)) if isinstance(value, bool) else str(value)
    if _FIELD in text or _ROW in text or _EMPTY in text:
        raise InputError(
            "a text holds U+0000, U+001E or U+001F", "Write it by another strategy than bulk_insert"
        )
    return text or _EMPTY


def _hinders(connections: Source, server: Server, options: WriteOptions) -> str | None:  # noqa: ARG001
    if options.shared_folder is None:
        return "no folder is shared with the server"
    if server.is_babelfish:
        return "the server has no BULK INSERT"
    return None if server.may_bulk_insert else "the login lacks ADMINISTER BULK OPERATIONS"


BULK_INSERT = Strategy(
    "bulk_insert", "a file that the server loads", write_bulk_insert, _hinders, is_bulk=True
)
