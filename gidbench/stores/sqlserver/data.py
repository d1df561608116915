"""The tables of one database of SQL Server: what goes into them and what comes out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench.arrays import fixed_values
from gidbench.engine import ending
from gidbench.errors import InputError, StoreError
from gidbench.records import SCHEMAS
from gidbench.stores.fitting import SchemaReport
from gidbench.stores.naming import OURS, Names, quoted, quoted_table
from gidbench.stores.retry import RetryPolicy
from gidbench.stores.sqlserver import faults, tables
from gidbench.stores.sqlserver.advisor import Advice, advise_on, facts_of
from gidbench.stores.sqlserver.connections import Connections
from gidbench.stores.sqlserver.loading import Load, load, split
from gidbench.stores.sqlserver.metering import counters
from gidbench.stores.sqlserver.proof import check, prove
from gidbench.stores.sqlserver.reading import read, read_rows, scalar, trimmed
from gidbench.stores.sqlserver.server import Server, look_at
from gidbench.stores.sqlserver.session import Session
from gidbench.stores.sqlserver.staging import PART, Staging
from gidbench.stores.sqlserver.types import OWN_TYPES, columns_sql
from gidbench.stores.sqlserver.writing import AUTO, OPENJSON, VALUES, Choice, choose
from gidbench.stores.sqlserver.writing.model import DEFAULTS, WriteOptions

R = TypeVar("R")
SMALL_ROWS = 1_000
TOKEN = "transaction"  # in the parameters of a line of the audit log: which transaction wrote it


@dataclass(frozen=True)
class LoadOptions:
    """How rows are loaded: by which strategy, on how many connections."""

    strategy: str = AUTO
    workers: int = 2
    write: WriteOptions = DEFAULTS


class SqlServerTables:
    """Tables of ours and of anybody's in one database.

    Parameters
    ----------
    names:
        How our tables and columns are called there.
    schema:
        Of the staging tables; empty: the login's own.

    Raises StoreError where the server cannot be reached or refuses.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        names: Names = OURS,
        options: LoadOptions | None = None,
        retry: RetryPolicy | None = None,
        schema: str = "",
    ) -> None:
        self.connections, self.names = connections, names
        self.options, self.retry = options or LoadOptions(), retry or RetryPolicy()
        self.name, self.identity = connections.name, connections.address.identity
        self.session = Session(connections, self.name, self.identity, self.retry, schema)
        self.last_load: Load | None = None
        self._moved_to = ("", False)  # what the last load was moved to, and whether that was empty
        self._own: dict[str, pa.Schema] = {}
        self._identities: dict[str, bool] = {}

    @cached_property
    def server(self) -> Server:
        def look() -> Server:
            with (
                faults.explained("looking at the server"),
                self.connections.session(autocommit=True) as connection,
            ):
                return look_at(connection)

        # one that was never reached is more likely a wrong URL
        return self.retry.call(
            look, lambda error: self.connections.status().opened > 0 and faults.is_transient(error)
        )

    @property
    def version(self) -> str:
        return self.server.version

    @cached_property
    def choice(self) -> Choice:
        """The write strategy, and why."""
        return choose(self.options.strategy, self.connections, self.server, self.options.write)

    @cached_property
    def small_choice(self) -> Choice:
        """The strategy for few rows: a bulk copy begins with a login and with looking the table up."""
        hindered = OPENJSON.hinders(self.connections, self.server, self.options.write)
        return Choice(VALUES if hindered else OPENJSON, f"fewer than {SMALL_ROWS:,} rows")

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Every row of a statement, in the transaction under way if there is one."""
        return self.session.rows(statement, parameters)

    def scalar(self, statement: str, parameters: Sequence[object] = ()) -> Any:
        """First column of the first row."""
        rows = self.rows(statement, parameters)
        return rows[0][0] if rows else None

    @contextlib.contextmanager
    def apart(self) -> Iterator[Any]:
        """A connection of its own for statements that count at once, whatever the transaction does."""
        with faults.explained(""), self.connections.session(autocommit=True) as connection:
            yield connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        token = ""

        def was_kept(connection: Any) -> bool:
            return self._has_line(connection, token)

        with self.session.transaction(was_kept):
            token = self.session.token
            yield

    def _has_line(self, connection: Any, token: str) -> bool:
        """Whether a transaction has left its line in the audit log."""
        log = self.names.audit_log
        statement = f"SELECT COUNT(*) FROM {log} WHERE {log.parameters} LIKE ?"
        return bool(scalar(connection, statement, [f'%"{TOKEN}": "{token}"%']))

    # tables

    def create_tables(self) -> SchemaReport:
        def create() -> SchemaReport:
            with self.session.lock("schema", 60.0), self.apart() as connection:
                made, present, notes = tables.create_missing(connection, self.names)
            return SchemaReport(self.name, tuple(made), tuple(present), tuple(notes))

        return self.retry.call(create, faults.is_transient)

    def has_table(self, table: str) -> bool:
        return bool(self.session.look(lambda connection: tables.columns_of(connection, self._name(table))))

    def create_table(self, table: str, schema: pa.Schema) -> None:
        if not self.has_table(table):
            self.session.execute(f"CREATE TABLE {quoted_table(table)} ({columns_sql(schema, {})})")
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
        found = self.session.look(lambda connection: tables.columns_of(connection, table))
        if not found:
            raise InputError(f"there is no table {table!r} in {self.name}", "Check its name")
        schema = pa.schema([pa.field(each.name, each.arrow, each.nullable) for each in found])
        self._own.setdefault(table, schema)
        return schema

    def _schema(self, table: str) -> pa.Schema:
        known = {**SCHEMAS, **self._own}
        if table not in known:
            raise InputError(f"there is no table {table!r}", f"Use one of {', '.join(known)}")
        return known[table]

    def _name(self, table: str) -> str:
        return self.names.table(table).name if table in SCHEMAS else table

    def _sql(self, table: str) -> str:
        return quoted_table(self._name(table))

    def _columns(self, table: str, columns: Iterable[str]) -> str:
        if table in SCHEMAS:
            return self.names.table(table).list(columns)
        return ", ".join(quoted(column) for column in columns)

    def count(self, table: str) -> int:
        self.schema_of(table)
        return int(self.scalar(f"SELECT COUNT_BIG(*) FROM {self._sql(table)}"))

    def clear(self, table: str) -> None:
        self._schema(table)
        # TRUNCATE logs pages, not rows, but needs ALTER, and no foreign key that points here
        [(altered, referred)] = self.rows(
            "SELECT HAS_PERMS_BY_NAME(?, 'OBJECT', 'ALTER'), (SELECT COUNT(*) FROM sys.foreign_keys"
            " WHERE referenced_object_id = OBJECT_ID(?))",
            [self._sql(table)] * 2,
        )
        how = "TRUNCATE TABLE" if altered and not referred else "DELETE FROM"
        self.session.execute(f"{how} {self._sql(table)}")

    # reading

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        self._schema(table)
        return self.selected(table, columns, f"FROM {self._sql(table)}")

    def matching(
        self, table: str, columns: Sequence[str], column: str, values: pa.StringArray
    ) -> Iterator[pa.RecordBatch]:
        wanted = pa.schema([pa.field("value", self._schema(table).field(column).type)])
        batch = pa.RecordBatch.from_arrays([values], schema=wanted)
        with self.staged(wanted, [batch], {"value": OWN_TYPES.get(column, "nvarchar(4000)")}) as (
            staging,
            loaded,
        ):
            clause = (
                f"FROM {self._sql(table)} t WHERE t.{self._columns(table, [column])} IN"
                f" (SELECT s.value FROM {staging.sql} s{loaded.condition('s.')})"
            )
            asked = set(values.to_pylist())
            with ending(self.selected(table, columns, clause)) as found:
                for rows in found:
                    if column in columns:  # the server may take A for a
                        exact = pc.is_in(rows.column(column), value_set=pa.array(asked, wanted.field(0).type))
                        rows = rows.filter(exact)
                    yield rows

    def selected(
        self, table: str, columns: Sequence[str], clause: str, parameters: Sequence[object] = ()
    ) -> Generator[pa.RecordBatch, None, None]:
        """Columns of a table by the rest of a SELECT: on a connection of its own, but in a transaction on its."""
        known = self._schema(table)
        schema = pa.schema([known.field(column) for column in columns])
        statement = f"SELECT {self._columns(table, columns)} {clause}"
        with faults.explained("reading"):
            if self.session.in_transaction:
                batches = read_rows(self.session.connection, statement, parameters, schema)
            else:
                batches = read(self.connections, statement, parameters, schema)
            with ending(batches):
                for batch in batches:
                    yield trimmed(batch)

    def keys(self, table: str) -> npt.NDArray[np.int64]:
        parts = []
        for batch in self.read(table, ["no_ktp"]):
            column = batch.column(0)
            digits = column.filter(pc.match_substring_regex(column, "^[0-9]{1,18}$"))
            parts.append(fixed_values(digits.cast(pa.int64()), np.int64))
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    # writing

    @contextlib.contextmanager
    def staged(
        self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], types: Mapping[str, str]
    ) -> Iterator[tuple[Staging, Load]]:
        """Batches loaded into a staging table, which is dropped at the end of the block, or of the transaction."""
        with self.apart() as connection:
            staging = self.session.yard.make(connection, schema, types)
        try:
            yield staging, self.load(staging, batches)
        finally:
            self.session.put_away(staging)

    def load(self, staging: Staging, batches: Iterable[pa.RecordBatch]) -> Load:
        """Load a staging table by the strategy chosen, on several connections; few rows by one statement."""
        options = self.options
        head, rest = split(batches, SMALL_ROWS)
        rows = sum(batch.num_rows for batch in head)
        if not rows:
            return Load(self.choice.strategy.name, self.choice.why, 0)
        is_small = rows < SMALL_ROWS and options.strategy == AUTO
        choice = self.small_choice if is_small else self.choice

        def attempt(work: Callable[[], R]) -> R:
            return self.retry.call(work, faults.is_transient)

        with faults.explained("loading"):
            if not is_small:
                yard = self.session.yard
                attempt(lambda: prove(self.connections, choice, yard, staging, head[0], options.write))
            loaded = load(
                self.connections,
                staging,
                rest,
                choice=choice,
                options=options.write,
                workers=1 if is_small else options.workers,
                attempt=attempt,
            )
            if is_small:
                attempt(lambda: check(self.connections, staging, loaded, head))
        self.last_load = loaded
        return loaded

    def append(self, table: str, batches: Iterable[pa.RecordBatch]) -> int:
        schema = self._schema(table)
        types = {name: OWN_TYPES[name] for name in schema.names} if table in SCHEMAS else {}
        before = counters(self)
        with self.staged(schema, batches, types) as (staging, loaded):
            if not loaded.rows:
                return 0
            with self._kept_with(staging):
                moved = self.session.execute(*self._move(table, schema, staging, loaded))
                if moved != loaded.rows:
                    raise StoreError(
                        f"{moved:,} of {loaded.rows:,} rows arrived", "Nothing was kept; run it again"
                    )
            loaded.cost = counters(self) - before
        return moved

    @contextlib.contextmanager
    def _kept_with(self, staging: Staging) -> Iterator[None]:
        """The transaction under way, or one of its own, which leaves a row in the staging table as its trace."""
        if self.session.in_transaction:
            yield
            return

        def was_kept(connection: Any) -> bool:
            return bool(scalar(connection, f"SELECT COUNT(*) FROM {staging.sql} WHERE {PART} = -1"))

        with self.session.transaction(was_kept):
            yield
            columns = ", ".join(quoted(name) for name in staging.schema.names)
            self.session.execute(
                f"INSERT INTO {staging.sql} ({columns}, {PART}) SELECT TOP 1 {columns}, -1 FROM {staging.sql}"
            )
            self.session.leaves_a_trace = True

    def advise(self, table: str) -> Advice:
        """What speaks for and against minimal logging of a load into a table, as it is now."""
        return advise_on(self, self._name(table))

    def load_facts(self) -> dict[str, Any]:
        return facts_of(self, self.last_load, *self._moved_to)

    def _move(self, table: str, schema: pa.Schema, staging: Staging, loaded: Load) -> tuple[str, ...]:
        """The statements that move what is staged into a table."""
        target, columns = self._sql(table), self._columns(table, schema.names)
        # with a lock on the whole of an empty table, SQL Server logs pages, not rows
        is_empty = not self.scalar(f"SELECT TOP 1 1 FROM {target}")
        self._moved_to = (self._name(table), is_empty)
        hint = " WITH (TABLOCK)" if is_empty else ""
        own = ", ".join(quoted(name) for name in schema.names)
        insert = f"INSERT INTO {target}{hint} ({columns}) SELECT {own} FROM {staging.sql}{loaded.condition()}"
        numbered = tables.IDENTITY.get(table)
        if numbered is None or not self._has_identity(table, numbered):
            return (insert,)
        # the setting ends with the statement that is run as one batch
        return (f"SET IDENTITY_INSERT {target} ON; {insert}; SET IDENTITY_INSERT {target} OFF",)

    def _has_identity(self, table: str, column: str) -> bool:
        if table not in self._identities:
            known = self.names.table(table)
            self._identities[table] = self.session.look(
                lambda connection: tables.has_identity(connection, known.name, known.columns[column])
            )
        return self._identities[table]

    def close(self) -> None:
        self.session.close()
        self.connections.close()
