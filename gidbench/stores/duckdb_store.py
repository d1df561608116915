"""The embedded store: one DuckDB file, no server."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import psutil
import pyarrow as pa

from gidbench import gid
from gidbench.arrays import fixed_values
from gidbench.engine import ending
from gidbench.errors import InputError, StoreBusyError, StoreError
from gidbench.records import SCHEMAS
from gidbench.stores.base import AuditEntry, Synchroniser
from gidbench.stores.duckdb_sync import DuckDBSynchroniser

BATCH_ROWS = 131_072  # rows per batch read back; a multiple of DuckDB's vectors
_MEMORY_SHARE = 0.5  # of the memory that is free when the store is opened
_LEAST_MEMORY_BYTES = 256 << 20
# A load writes as it goes; what DuckDB keeps of it beyond this is cache that nobody reads.
_LOAD_MEMORY_BYTES = 256 << 20

# Choosing and applying a compression of text takes more than half of a load: a million rows in 0.62 s with
# it, in 0.27 s without, for a file of 102 instead of 35 MB.
_NO_TEXT_COMPRESSION = "fsst,dict_fsst,zstd"

_TYPES = {
    pa.int64(): "BIGINT",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
    pa.bool_(): "BOOLEAN",
}
# no_ktp and g_id have no index here: DuckDB's cost a load two thirds of its rate (0.9 s became 2.7 s for a
# million rows). Their uniqueness is a law that every process and sync checks inside its transaction.
_EXTRA = {"employee": ", PRIMARY KEY (id)"}

# One lock per database file and purpose; DuckDB lets no second process in, so these reach far enough.
_locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)


class DuckDBStore:
    """See `gidbench.stores.base.Store`.

    Parameters
    ----------
    path:
        Database file, created where it does not exist; None: in memory.
    threads, memory_bytes:
        What DuckDB may use; default: its own choice of threads, half of the free memory.

    Raises StoreBusyError where another process has the file open, InputError where it is no database.
    """

    def __init__(
        self, path: Path | None, *, threads: int | None = None, memory_bytes: int | None = None
    ) -> None:
        self.path = path.resolve() if path else None
        self.name = f"duckdb:///{path}" if path else "duckdb:///:memory:"
        self._own: dict[str, pa.Schema] = {}
        self._identity = str(self.path) if self.path else f"memory-{id(self)}"
        if path and not path.resolve().parent.is_dir():
            raise InputError(
                f"the folder {path.parent} does not exist", "Create it, or name another database file"
            )
        try:
            self.connection = duckdb.connect(str(self.path) if self.path else ":memory:")
        except duckdb.IOException as error:
            raise _opening_error(self.name, error) from error
        memory = memory_bytes or int(psutil.virtual_memory().available * _MEMORY_SHARE)
        self._memory_bytes = max(memory, _LEAST_MEMORY_BYTES)
        self._limit_memory(self._memory_bytes)
        self.rows("SET preserve_insertion_order = false")
        self.rows("SET enable_progress_bar = false")
        self.rows(f"SET disabled_compression_methods = '{_NO_TEXT_COMPRESSION}'")
        if threads:
            self.rows(f"SET threads = {threads}")

    @property
    def version(self) -> str:
        return f"DuckDB {duckdb.__version__}"

    def create_tables(self) -> None:
        with self.transaction():  # one commit, not one a table
            for table, schema in SCHEMAS.items():
                columns = ", ".join(
                    f'"{field.name}" {_TYPES[field.type]}{"" if field.nullable else " NOT NULL"}'
                    for field in schema
                )
                self.rows(f"CREATE TABLE IF NOT EXISTS {table} ({columns}{_EXTRA.get(table, '')})")
            self.rows("CREATE TABLE IF NOT EXISTS g_id_sequence (next_ordinal BIGINT NOT NULL)")
            self.rows(
                "INSERT INTO g_id_sequence SELECT ? WHERE NOT EXISTS (FROM g_id_sequence)",
                [gid.FIRST_ORDINAL],
            )
            self.rows(
                "CREATE TABLE IF NOT EXISTS audit_log (operation VARCHAR NOT NULL,"
                " started_at TIMESTAMP NOT NULL, outcome VARCHAR NOT NULL,"
                " counts JSON NOT NULL, parameters JSON NOT NULL)"
            )

    def create_table(self, table: str, schema: pa.Schema) -> None:
        columns = ", ".join(
            f"{_quoted_name(field.name)} {_type_name(field.type)}{'' if field.nullable else ' NOT NULL'}"
            for field in schema
        )
        self.rows(f"CREATE TABLE IF NOT EXISTS {_quoted(table)} ({columns})")
        found = self.schema_of(table)
        if found.names != schema.names or found.types != schema.types:
            raise InputError(
                f"{table} of {self.name} has other columns ({', '.join(found.names[:8])})",
                "Name another table, or change the spec",
            )
        self._own[table] = schema

    def schema_of(self, table: str) -> pa.Schema:
        if table in SCHEMAS:
            return SCHEMAS[table]
        try:
            # on this very connection, which sees what its transaction has created
            found = self.connection.sql(f"SELECT * FROM {_quoted(table)} LIMIT 0").to_arrow_table().schema
        except duckdb.Error:
            raise InputError(f"there is no table {table!r} in {self.name}", "Check its name") from None
        self._own.setdefault(table, found)
        return found

    def _schema(self, table: str) -> pa.Schema:
        """Schema of a table of ours, or of one that was created or looked up here."""
        known = {**SCHEMAS, **self._own}
        if table not in known:
            raise InputError(f"there is no table {table!r}", f"Use one of {', '.join(known)}")
        return known[table]

    def scalar(self, statement: str, parameters: Sequence[object] = ()) -> Any:
        """First column of the first row."""
        rows = self.rows(statement, parameters)
        return rows[0][0] if rows else None

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Every row: a result that is left unfinished would block the connection."""
        return self.connection.execute(statement, list(parameters)).fetchall()

    def count(self, table: str) -> int:
        self.schema_of(table)
        return int(self.scalar(f"SELECT count(*) FROM {_quoted(table)}"))

    def clear(self, table: str) -> None:
        self._schema(table)
        self.rows(f"TRUNCATE {_quoted(table)}")

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        names = ", ".join(_quoted_name(column) for column in columns)
        known = self._schema(table)
        schema = pa.schema([known.field(column) for column in columns])
        with self.connection.cursor() as cursor:
            for batch in cursor.sql(f"SELECT {names} FROM {_quoted(table)}").to_arrow_reader(BATCH_ROWS):
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)

    def keys(self, table: str) -> npt.NDArray[np.int64]:
        keys = self.connection.sql(f"SELECT no_ktp::BIGINT FROM {_quoted(table)}").to_arrow_table()
        return fixed_values(keys.column(0).combine_chunks(), np.int64)

    def append(self, table: str, batches: Iterable[pa.RecordBatch]) -> int:
        with self.incoming(self._schema(table), batches) as source:
            self._limit_memory(min(self._memory_bytes, _LOAD_MEMORY_BYTES))
            inserted = int(self.scalar(f"INSERT INTO {_quoted(table)} SELECT * FROM {source}"))
            self._limit_memory(self._memory_bytes)
        return inserted

    def _limit_memory(self, count: int) -> None:
        self.rows(f"SET memory_limit = '{count >> 20}MiB'")

    @contextlib.contextmanager
    def incoming(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[str]:
        """Name under which a statement may read the batches, once; what they raise is raised here."""
        failure: list[BaseException] = []

        def watched() -> Generator[pa.RecordBatch, None, None]:
            try:
                yield from batches
            except BaseException as error:
                failure.append(error)
                raise

        with ending(watched()) as stream:
            self.connection.register("incoming", pa.RecordBatchReader.from_batches(schema, stream))
            try:
                yield "incoming"
            except duckdb.Error as error:
                if failure:
                    raise failure[0] from None
                raise explain(error) from error
            finally:
                with contextlib.suppress(duckdb.Error):  # a failed transaction takes the name with it
                    self.connection.unregister("incoming")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self.rows("BEGIN TRANSACTION")
        try:
            yield
            self.rows("COMMIT")
        except BaseException as error:
            with contextlib.suppress(duckdb.Error):  # DuckDB may have rolled back by itself
                self.rows("ROLLBACK")
            if isinstance(error, duckdb.Error):
                raise explain(error) from error
            raise

    @contextlib.contextmanager
    def lock(self, purpose: str, timeout_s: float) -> Iterator[None]:
        held = _locks[self._identity, purpose]
        if not held.acquire(timeout=timeout_s):
            raise StoreBusyError(
                f"another run holds {purpose} of {self.name} for more than {timeout_s:g} s",
                "Wait until it ends, or allow a longer wait",
            )
        try:
            yield
        finally:
            held.release()

    def reserve_gids(self, count: int) -> int:
        with self._sequence() as cursor:
            return self.advance_sequence(cursor, count)

    def return_gids(self, first: int, end: int) -> bool:
        with self._sequence() as cursor:
            [(changed,)] = cursor.execute(
                "UPDATE g_id_sequence SET next_ordinal = ? WHERE next_ordinal = ?", [first, end]
            ).fetchall()
            return bool(changed)

    def gids_left(self) -> int:
        with self.connection.cursor() as cursor:
            [(used,)] = cursor.execute("SELECT max(next_ordinal) FROM g_id_sequence").fetchall()
            return gid.CAPACITY - int(used)

    @staticmethod
    def advance_sequence(connection: duckdb.DuckDBPyConnection, count: int, beyond: int = -1) -> int:
        """Move the sequence on by `count`, and past `beyond`; returns the first ordinal of the range."""
        rows = connection.execute(
            "UPDATE g_id_sequence SET next_ordinal = greatest(next_ordinal, ? + 1) + ?"
            " RETURNING next_ordinal",
            [beyond, count],
        ).fetchall()
        if not rows:
            raise StoreError(
                "g_id_sequence holds no row", "Insert the next ordinal, or create the tables anew"
            )
        first = int(rows[0][0]) - count
        gid.check_capacity(first, count)
        return first

    @contextlib.contextmanager
    def _sequence(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A short transaction of its own on g_id_sequence, one at a time."""
        with self.lock("g_id_sequence", 30.0), self.connection.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(duckdb.Error):
                    cursor.execute("ROLLBACK")
                raise

    def record(self, entry: AuditEntry) -> None:
        self.rows(
            "INSERT INTO audit_log VALUES (?, ?, ?, ?, ?)",
            [
                entry.operation,
                entry.started_at,
                entry.outcome,
                json.dumps(entry.counts),
                json.dumps(entry.parameters),
            ],
        )

    def entries(self, operation: str) -> list[AuditEntry]:
        rows = self.rows(
            "SELECT operation, started_at, outcome, counts, parameters FROM audit_log WHERE operation = ?"
            " ORDER BY started_at",
            [operation],
        )
        return [
            AuditEntry(name, moment, outcome, json.loads(counts), json.loads(parameters))
            for name, moment, outcome, counts, parameters in rows
        ]

    def synchroniser(self, now: datetime) -> Synchroniser:
        return DuckDBSynchroniser(self, now)

    def write_back(self, assignments: Iterable[pa.RecordBatch]) -> int:
        schema = pa.schema([("id", pa.int64()), ("g_id", pa.string())])
        with self.incoming(schema, assignments) as source:
            return int(
                self.scalar(
                    f"UPDATE employee SET g_id = new.g_id FROM {source} new"
                    " WHERE employee.id = new.id AND employee.g_id IS DISTINCT FROM new.g_id"
                )
            )

    def close(self) -> None:
        self.connection.close()


def explain(error: duckdb.Error) -> StoreError:
    """What DuckDB says, as one sentence without the statement and without values."""
    text = str(error).strip().splitlines()[0]
    if isinstance(error, duckdb.ConstraintException):
        return StoreError(
            "a row breaks a rule of its table", f"Check its keys and empty values ({text.split(':')[0]})"
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return StoreError("DuckDB has too little memory or disk", "Free some, or use fewer records")
    if isinstance(error, duckdb.InterruptException):
        return StoreError("the statement was interrupted", "Nothing was kept; run it again")
    return StoreError(f"DuckDB refuses ({text[:200]})", "Check the tables against the README")


def _opening_error(name: str, error: duckdb.IOException) -> Exception:
    text = str(error).splitlines()[0]
    if "lock" in text:
        return StoreBusyError(
            f"{name} is open in another process", "Close that one, or name another database file"
        )
    return InputError(f"{name} cannot be opened as a DuckDB database", f"Name another file ({text[:160]})")


def _quoted(table: str) -> str:
    """TABLE or SCHEMA.TABLE, each part quoted."""
    return ".".join(_quoted_name(part) for part in table.split("."))


def _quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _type_name(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return _TYPES[kind]
