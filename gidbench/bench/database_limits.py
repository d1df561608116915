"""What a database does by itself with the same rows: the bound that no tool from outside can pass.

Tables of names of their own, dropped at the end; of the embedded database in a file of its own on the same disk.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from gidbench import gid
from gidbench.bench.ground import Bench
from gidbench.engine import Cancellation
from gidbench.errors import StoreError
from gidbench.records import ACTIVE, GLOBAL_ID, NON_ACTIVE, PERSON_FIELDS, SCHEMAS
from gidbench.stores.naming import TABLES, Names
from gidbench.stores.opening import open_store, parse_url

_EMBEDDED_ROWS, _SERVER_ROWS = 300_000, 30_000  # at most: enough for a rate that does not grow any more
_GOES = 3
_FROM = Names({table: f"gidbench_limit_{table}" for table in TABLES})
_TO = Names({table: f"gidbench_limit_copy_{table}" for table in TABLES})
_TABLE = {"generate": "employee", "process": "global_id_file", "sync": "global_id"}


def own_rates(operation: str, bench: Bench, cancellation: Cancellation | None = None) -> dict[str, float]:
    """Records per second of `insert`, the database's INSERT … SELECT of the rows that the operation writes, into a
    table with the same keys; of a sync also of `compare`, a join of both tables that finds that nothing differs.

    The median of some goes each. Raises OperationCancelled, between two of them.
    """
    token = cancellation or Cancellation()
    is_server = parse_url(bench.database).get_backend_name() == "mssql"
    count = min(bench.records, _SERVER_ROWS if is_server else _EMBEDDED_ROWS)
    url = bench.database if is_server else f"duckdb:///{bench.folder / 'limit.duckdb'}"
    try:
        return _rates(operation, bench, url, count, token)
    finally:
        if not is_server:
            for name in ("limit.duckdb", "limit.duckdb.wal"):
                Path(bench.folder / name).unlink(missing_ok=True)


def _rates(operation: str, bench: Bench, url: str, count: int, token: Cancellation) -> dict[str, float]:
    table = _TABLE[operation]
    with open_store(url, names=_FROM) as source, open_store(url, names=_TO) as target:
        try:
            for store in (source, target):
                store.create_tables()
                store.clear(table)
            people = [batch for batch in bench.people(count) if not token.cancelled]
            token.check()
            rows = people if table == "employee" else [_agreed(batch) for batch in people]
            source.append(table, rows)
            found = {"insert": _typical(lambda: count / _inserted(target, table), token)}
            if operation == "sync":
                source.append("employee", people)
                token.check()
                found["compare"] = _typical(lambda: count / _compared(source), token)
            return found
        finally:
            _drop(source)
            _drop(target)


def _typical(measure: Callable[[], float], token: Cancellation) -> float:
    found = []
    for _ in range(_GOES + 1):
        token.check()
        found.append(measure())
    return statistics.median(found)


def _agreed(people: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of global_id as a sync writes them."""
    first, count = int(people.column("id")[0].as_py()), people.num_rows
    columns: dict[str, Any] = {name: people.column(name) for name in PERSON_FIELDS}
    columns["g_id"] = gid.encode_range(gid.FIRST_ORDINAL + first, count)
    gone = people.column("deleted_at").is_valid()
    columns["status"] = pa.array([NON_ACTIVE if each else ACTIVE for each in gone.to_pylist()], pa.string())
    columns["source"] = pa.array(["database"] * count, pa.string())
    columns["created_at"] = columns["updated_at"] = people.column("updated_at")
    return pa.RecordBatch.from_arrays([columns[name] for name in GLOBAL_ID.names], schema=GLOBAL_ID)


def _inserted(store: Any, table: str) -> float:
    """Seconds of one INSERT … SELECT into the empty table."""
    store.clear(table)
    columns = _TO.table(table).list(SCHEMAS[table].names)
    statement = f"INSERT INTO {_TO.table(table)} ({columns}) SELECT {columns} FROM {_FROM.table(table)}"
    with store.transaction(), _identities(store, table):
        began = time.perf_counter()
        _run(store, statement)
        return time.perf_counter() - began


@contextlib.contextmanager
def _identities(store: Any, table: str) -> Iterator[None]:
    """SQL Server takes ids for a column that counts by itself only where it is told to."""
    if table != "employee" or not hasattr(store, "session"):
        yield
        return
    _run(store, f"SET IDENTITY_INSERT {_TO.employee} ON")
    yield
    _run(store, f"SET IDENTITY_INSERT {_TO.employee} OFF")


def _compared(store: Any) -> float:
    """Seconds of the join that has to be made to know that nothing differs."""
    e, g = _FROM.employee, _FROM.global_id
    differs = " OR ".join(f"e.{name} <> g.{name}" for name in PERSON_FIELDS)
    began = time.perf_counter()
    store.rows(
        f"SELECT COUNT(*), SUM(CASE WHEN {differs} THEN 1 ELSE 0 END) FROM {e} e JOIN {g} g ON e.no_ktp = g.no_ktp"
    )
    return time.perf_counter() - began


def _run(store: Any, statement: str) -> None:
    if hasattr(store, "session"):  # of SQL Server: in the transaction under way
        store.session.execute(statement)
    else:
        store.rows(statement)


def _drop(store: Any) -> None:
    for table in TABLES:
        with contextlib.suppress(StoreError):
            store.rows(f"DROP TABLE IF EXISTS {store.names.table(table)}")
