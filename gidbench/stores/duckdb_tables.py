"""One DuckDB file: its tables, what goes into them and what comes out."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import psutil
import pyarrow as pa

from gidbench.arrays import as_type, fixed_values
from gidbench.engine import ending
from gidbench.errors import InputError
from gidbench.records import SCHEMAS
from gidbench.stores import duckdb_schema
from gidbench.stores.duckdb_faults import explain, opening_error
from gidbench.stores.duckdb_schema import defined
from gidbench.stores.fitting import SchemaReport
from gidbench.stores.naming import OURS, Names, quoted

BATCH_ROWS = 131_072  # rows per batch read back; a multiple of DuckDB's vectors
_MEMORY_SHARE = 0.5  # of the memory that is free when the store is opened
_LEAST_MEMORY_BYTES = 256 << 20
# A load writes as it goes; what DuckDB keeps of it beyond this is cache that nobody reads.
_LOAD_MEMORY_BYTES = 256 << 20

# Choosing and applying a compression of text takes more than half of a load: a million rows in 0.62 s with
# it, in 0.27 s without, for a file of 102 instead of 35 MB.
_NO_TEXT_COMPRESSION = "fsst,dict_fsst,zstd"


class DuckDBTables:
    """A connection to a DuckDB database, its tables, and what goes into them and comes out.

    Parameters
    ----------
    path:
        Database file, created where it does not exist; None: in memory.
    threads, memory_bytes:
        What DuckDB may use; default: its own choice of threads, half of the free memory.
    names:
        How our tables and columns are called in this database.

    Raises StoreBusyError where another process has the file open, InputError where it is no database.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        threads: int | None = None,
        memory_bytes: int | None = None,
        names: Names = OURS,
    ) -> None:
        self.names = names
        self.path = path.resolve() if path else None
        self.name = f"duckdb:///{path}" if path else "duckdb:///:memory:"
        self._own: dict[str, pa.Schema] = {}
        self.identity = str(self.path) if self.path else f"memory-{id(self)}"
        if path and not path.resolve().parent.is_dir():
            raise InputError(
                f"the folder {path.parent} does not exist", "Create it, or name another database file"
            )
        try:
            self.connection = duckdb.connect(str(self.path) if self.path else ":memory:")
        except duckdb.IOException as error:
            raise opening_error(self.name, error) from error
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

    def create_tables(self) -> SchemaReport:
        with self.transaction():  # one commit, not one a table
            made, present, notes = duckdb_schema.create_missing(self.connection, self.names)
        return SchemaReport(self.name, tuple(made), tuple(present), tuple(notes))

    def has_table(self, table: str) -> bool:
        try:
            self.rows(f"SELECT 1 FROM {self._named(table)} LIMIT 0")
        except duckdb.CatalogException:
            return False
        return True

    def create_table(self, table: str, schema: pa.Schema) -> None:
        columns = ", ".join(defined(field) for field in schema)
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

    def _named(self, table: str) -> str:
        """Name of a table of ours or of somebody's in this database, quoted."""
        return str(self.names.table(table)) if table in SCHEMAS else _quoted(table)

    def _columns(self, table: str, columns: Sequence[str], prefix: str = "") -> str:
        if table in SCHEMAS:
            return self.names.table(table).selected(columns, prefix)
        return ", ".join(prefix + quoted(column) for column in columns)

    def scalar(self, statement: str, parameters: Sequence[object] = ()) -> Any:
        """First column of the first row."""
        rows = self.rows(statement, parameters)
        return rows[0][0] if rows else None

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Every row: a result that is left unfinished would block the connection."""
        return self.connection.execute(statement, list(parameters)).fetchall()

    def count(self, table: str) -> int:
        self.schema_of(table)
        return int(self.scalar(f"SELECT count(*) FROM {self._named(table)}"))

    def clear(self, table: str) -> None:
        self._schema(table)
        duckdb_schema.empty(self.connection, self._named(table))

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        self._schema(table)
        return self.selected(table, columns, f"FROM {self._named(table)}")

    def matching(
        self, table: str, columns: Sequence[str], column: str, values: pa.StringArray
    ) -> Iterator[pa.RecordBatch]:
        self._schema(table)
        key = self._columns(table, [column], "t.").split(" AS ")[0]
        clause = f"FROM {self._named(table)} t SEMI JOIN wanted ON {key} = wanted.value"
        return self.selected(table, columns, clause, wanted=pa.table({"value": values}))

    def selected(
        self,
        table: str,
        columns: Sequence[str],
        clause: str,
        parameters: Sequence[object] = (),
        *,
        wanted: pa.Table | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Columns of a table by the rest of a SELECT, which may join `wanted`; on a connection of its own."""
        known = self._schema(table)
        schema = pa.schema([known.field(column) for column in columns])
        with self.connection.cursor() as cursor:
            if wanted is not None:
                cursor.register("wanted", wanted)
            try:
                reader = cursor.sql(
                    f"SELECT {self._columns(table, columns)} {clause}", params=list(parameters)
                ).to_arrow_reader(BATCH_ROWS)
            except duckdb.CatalogException:
                raise InputError(
                    f"{self.name} has no table {self._named(table)}", "Check its name, or create it"
                ) from None
            except duckdb.Error as error:
                raise explain(error) from error
            for batch in reader:
                arrays = [as_type(*pair) for pair in zip(batch.columns, schema.types, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def keys(self, table: str) -> npt.NDArray[np.int64]:
        column = self.names.table(table).no_ktp
        keys = self.connection.sql(f"SELECT {column}::BIGINT FROM {self._named(table)}").to_arrow_table()
        return fixed_values(keys.column(0).combine_chunks(), np.int64)

    def append(self, table: str, batches: Iterable[pa.RecordBatch]) -> int:
        schema = self._schema(table)
        columns = self.names.table(table).list(schema.names) if table in SCHEMAS else _listed(schema)
        with self.incoming(schema, batches) as source:
            self._limit_memory(min(self._memory_bytes, _LOAD_MEMORY_BYTES))
            inserted = int(
                self.scalar(
                    f"INSERT INTO {self._named(table)} ({columns}) SELECT {_listed(schema)} FROM {source}"
                )
            )
            self._limit_memory(self._memory_bytes)
        return inserted

    def load_facts(self) -> dict[str, Any]:
        return {}

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

    def close(self) -> None:
        self.connection.close()


def _quoted(table: str) -> str:
    """TABLE or SCHEMA.TABLE, each part quoted."""
    return ".".join(quoted(part) for part in table.split("."))


def _listed(schema: pa.Schema) -> str:
    return ", ".join(quoted(name) for name in schema.names)
