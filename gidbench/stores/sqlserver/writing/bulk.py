"""Writing by bulk copy, the protocol's own way (BCP) by mssql-python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

from gidbench.stores.sqlserver import faults
from gidbench.stores.sqlserver.server import Server
from gidbench.stores.sqlserver.writing.model import Source, Strategy, WriteOptions, rows_of


def write_bulkcopy(
    connections: Source,
    table: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    options: WriteOptions,
) -> int:
    """Rows of Python, as one bulk copy."""
    rows = (row for batch in batches for row in rows_of(batch))
    return _copy("bulkcopy", connections, table, schema, rows, options)


def write_bulkcopy_arrow(
    connections: Source,
    table: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    options: WriteOptions,
) -> int:
    """Arrow's buffers straight into the stream of rows, all batches as one bulk copy."""
    return _copy("bulkcopy_arrow", connections, table, schema, batches, options)


def _copy(
    how: str,
    connections: Source,
    table: str,
    schema: pa.Schema,
    source: Iterable[Any],
    options: WriteOptions,
) -> int:
    """One call: it is one transaction on a connection of its own, kept as a whole or not at all."""
    failure: list[BaseException] = []

    def watched() -> Iterator[Any]:
        try:
            yield from source
        except BaseException as error:
            failure.append(error)
            raise

    with connections.arrow() as connection:
        cursor = connection.cursor()
        call: Callable[..., dict[str, Any]] = getattr(cursor, how)
        try:
            done = call(
                table,
                watched(),
                timeout=options.timeout_s,
                column_mappings=list(schema.names),
                check_constraints=options.check_constraints,
                table_lock=options.table_lock,
                keep_nulls=options.keep_nulls,
                fire_triggers=options.fire_triggers,
            )
        except BaseException as error:
            if failure:  # what the source raised, not what the driver made of it
                raise failure[0] from None
            if isinstance(error, RuntimeError):  # the library's only kind, whatever it has to say
                raise faults.explain(error) from None
            raise
        finally:
            cursor.close()
    return int(done["rows_copied"])


def _hinders(connections: Source, server: Server, options: WriteOptions) -> str | None:  # noqa: ARG001
    return None if connections.has_arrow else "mssql-python can't use this URL or is not installed"


BULKCOPY = Strategy("bulkcopy", "bulk copy of rows (mssql-python)", write_bulkcopy, _hinders, is_bulk=True)
BULKCOPY_ARROW = Strategy(
    "bulkcopy_arrow",
    "bulk copy of Arrow batches (mssql-python)",
    write_bulkcopy_arrow,
    _hinders,
    is_bulk=True,
)
