"""A database of SQL Server to be measured: tables of the benchmark's own names in it, which are dropped in the end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from gidbench.errors import InputError, StoreError
from gidbench.operations import generate
from gidbench.records import EMPLOYEE, SCHEMAS
from gidbench.settings import load_settings
from gidbench.stores.naming import OURS, TABLES, Names, quoted_table, split_name
from gidbench.stores.opening import parse_url
from gidbench.stores.sqlserver.data import LoadOptions
from gidbench.stores.sqlserver.opening import open_sql_server
from gidbench.stores.sqlserver.store import SqlServerStore
from gidbench.stores.sqlserver.types import OWN_TYPES, columns_sql

PREFIX = "gidbench_bench_"
NAMES = Names({table: PREFIX + table for table in TABLES})
HEAP = quoted_table(f"{PREFIX}heap")  # what is loaded
BATCH_ROWS = 10_000  # so that several connections have the same to do


@dataclass(frozen=True)
class Subject:
    """An open store under the benchmark's names, the people that are loaded and synchronised, and what is closed."""

    store: SqlServerStore
    people: list[pa.RecordBatch]
    records: int
    workers: int
    stack: contextlib.ExitStack

    def first(self, count: int) -> list[pa.RecordBatch]:
        """The first of the people; all of them where there are no more."""
        found: list[pa.RecordBatch] = []
        for batch in self.people:
            if count <= 0:
                break
            found.append(batch.slice(0, count))
            count -= batch.num_rows
        return found

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        return self.store.rows(statement)

    def new_heap(self) -> None:
        """A new heap of the columns of employee, without any index."""
        self.run(f"DROP TABLE IF EXISTS {HEAP}")
        self.run(f"CREATE TABLE {HEAP} ({columns_sql(EMPLOYEE, OWN_TYPES)})")


@contextlib.contextmanager
def opened(database: str, records: int, seed: int, workers: int) -> Iterator[Subject]:
    """The subject of a URL. Raises InputError where the database holds data, StoreError where it can't be opened."""
    url = parse_url(database)
    connections = min(workers, load_settings().pool_size)
    _require_empty(database)
    store = open_sql_server(url, names=NAMES, options=LoadOptions(workers=connections))
    with contextlib.closing(store), store.lock(f"bench_{store.server.database}", 0.0):
        try:
            _drop(store)  # of a run that was killed
            store.create_tables()
            people = generate(records, seed=seed, workers=workers, batch_size=BATCH_ROWS).batches
            with contextlib.ExitStack() as stack:
                yield Subject(store, people, records, connections, stack)
        finally:
            _drop(store)


def _require_empty(database: str) -> None:
    """Whoever has people in a database does not want its disk, its log and its memory taken by a benchmark."""
    with contextlib.closing(open_sql_server(parse_url(database), names=OURS)) as store:
        held = {table: store.count(table) for table in SCHEMAS if store.has_table(table)}
        if full := {table: count for table, count in held.items() if count}:
            found = ", ".join(f"{table} {count:,} rows" for table, count in full.items())
            raise InputError(
                f"the database to measure holds data ({found})", "Name a database whose tables are empty"
            )


def _drop(store: SqlServerStore) -> None:
    """Drop every table of the benchmark's."""
    with contextlib.suppress(StoreError):
        found = store.rows(
            "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = SCHEMA_NAME()"
        )
        for (table,) in found:
            if str(table).startswith(PREFIX):
                store.rows(f"DROP TABLE IF EXISTS {quoted_table(split_name(str(table))[0])}")
