"""What every way of writing shares: its options, its face, and how batches become rows of Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from gidbench.stores.sqlserver.server import Server


class Source(Protocol):
    """Where connections come from: see `gidbench.stores.sqlserver.connections.Connections`."""

    @property
    def has_arrow(self) -> bool: ...

    def session(self, *, autocommit: bool = False) -> AbstractContextManager[Any]: ...

    def arrow(self) -> AbstractContextManager[Any]: ...


@dataclass(frozen=True)
class WriteOptions:
    """How rows are written.

    Attributes
    ----------
    batch_rows:
        Rows of one statement or one array of parameters (1 to 100,000); the ways that stream do not use it.
    table_lock:
        Lock the table as a whole: several bulk copies into one heap then run side by side, and log less.
    keep_nulls:
        An empty value stays empty, where the column has a default.
    check_constraints, fire_triggers:
        Bulk copies pass over both unless told.
    order:
        Columns by which the rows come sorted, for a target with that clustered index (`bulk_insert` only).
    timeout_s:
        Of one load; 0: none.
    shared_folder, server_folder:
        For `bulk_insert`: a folder that this machine writes, and the same folder as the server names it.
    """

    batch_rows: int = 5_000
    table_lock: bool = True
    keep_nulls: bool = True
    check_constraints: bool = False
    fire_triggers: bool = False
    order: tuple[str, ...] = ()
    timeout_s: int = 0
    shared_folder: Path | None = None
    server_folder: str | None = None


DEFAULTS = WriteOptions()

Write = Callable[[Source, str, pa.Schema, Iterable[pa.RecordBatch], WriteOptions], int]


@dataclass(frozen=True)
class Strategy:
    """A way of writing rows into a table.

    Attributes
    ----------
    write:
        `(connections, table, schema, batches, options) -> rows`: insert the batches into a table, whose name is
        quoted and whose columns are called as the schema's, and commit. Errors are the driver's.
    hinders:
        Why it can't be used with (connections, server, options); None where it can.
    is_bulk:
        Whether the server takes its rows as a bulk load, which it can log by pages.
    """

    name: str
    title: str
    write: Write
    hinders: Callable[[Source, Server, WriteOptions], str | None] = lambda *_: None
    is_bulk: bool = False


def rows_of(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch as tuples of Python's values."""
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def pieces_of(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """The batches in pieces of `most` rows at most; none is empty."""
    for batch in batches:
        for first in range(0, batch.num_rows, most):
            yield batch.slice(first, most)


def execute(cursor: Any, statement: str, parameters: Sequence[Any] = ()) -> int:
    """Run a statement to its very end; returns the rows that it changed: the first count that the server tells.

    A later error of a statement only comes up with the next result: so all are fetched.
    """
    cursor.execute(statement, parameters) if parameters else cursor.execute(statement)
    changed = int(cursor.rowcount)
    while cursor.nextset():
        changed = int(cursor.rowcount) if changed < 0 else changed
    return changed


def drain(cursor: Any) -> None:
    """Fetch what is left of the results of a statement."""
    while cursor.nextset():
        pass
