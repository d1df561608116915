"""A load of a few rows before a load of many: what comes back must be what was sent.

A server or a driver that puts values into the wrong columns, cuts them or reads them in another encoding does so with
every row, and tells nobody. So a strategy has to prove itself once for each kind of table in a process.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from typing import Any

import pyarrow as pa

from gidbench.digest import digest_of
from gidbench.errors import VerificationError
from gidbench.stores.naming import quoted
from gidbench.stores.sqlserver.loading import Load
from gidbench.stores.sqlserver.reading import read_rows, trimmed
from gidbench.stores.sqlserver.staging import Staging, Yard
from gidbench.stores.sqlserver.writing import Choice
from gidbench.stores.sqlserver.writing.model import Source, WriteOptions

ROWS = 100

_proven: set[Hashable] = set()
_lock = threading.Lock()


def prove(
    connections: Source,
    choice: Choice,
    yard: Yard,
    staging: Staging,
    batch: pa.RecordBatch,
    options: WriteOptions,
) -> None:
    """Load the first rows of a batch into a table like `staging`, and read them back.

    Raises VerificationError where they are others; nothing else has been loaded then.
    """
    fact = (id(connections), choice.strategy.name, staging.loaded_schema)
    with _lock:
        if fact in _proven:
            return
    with connections.session(autocommit=True) as connection:
        sample = yard.twin(connection, staging)
        try:
            sent = staging.marked(batch.slice(0, ROWS), 0)
            choice.strategy.write(connections, sample.sql, sample.loaded_schema, [sent], options)
            found = list(_rows(connection, sample, ""))
        finally:
            yard.drop(connection, sample)
    _require_same(found, [sent], staging, choice.strategy.name)
    with _lock:
        _proven.add(fact)


def check(connections: Source, staging: Staging, loaded: Load, sent: list[pa.RecordBatch]) -> None:
    """Read everything back that a load has confirmed. Raises VerificationError where it is not what was sent."""
    with connections.session(autocommit=True) as connection:
        found = [
            batch.select(staging.schema.names) for batch in _rows(connection, staging, loaded.condition())
        ]
    _require_same(found, sent, staging, loaded.strategy)


def _rows(connection: Any, staging: Staging, condition: str) -> Iterator[pa.RecordBatch]:
    columns = ", ".join(quoted(name) for name in staging.loaded_schema.names)
    return read_rows(connection, f"SELECT {columns} FROM {staging.sql}{condition}", (), staging.loaded_schema)


def _require_same(
    found: list[pa.RecordBatch], sent: list[pa.RecordBatch], staging: Staging, strategy: str
) -> None:
    """But for the spaces that a char column fills a shorter text up with."""
    padded = [name for name, kind in staging.types.items() if kind.startswith("char(")]
    there, wanted = (digest_of(trimmed(batch, padded) for batch in batches) for batches in (found, sent))
    if there != wanted:
        raise VerificationError(
            f"{strategy} does not put the values where they belong on this server",
            "Nothing was loaded; choose another write strategy",
        )
