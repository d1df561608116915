"""Staging tables: heaps of one run's own name, that every strategy loads and one statement moves on.

A bulk copy commits by itself, on a connection of its own, so it may only load a table that nobody reads. Each load
writes a number of its own, the part, into every row: where a connection breaks, nobody can tell whether the rows
arrived, so they are sent again as another part, and the move takes the parts that were confirmed.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from gidbench.stores.naming import quoted, quoted_table
from gidbench.stores.sqlserver.types import columns_sql

PREFIX = "gidbench_stage_"
PART = "gidbench_part"  # name of the column that tells the loads apart
# Locks are a database's own on SQL Server, but one set for all databases of Babelfish.
_RESOURCE = "DECLARE @resource nvarchar(255) = DB_NAME() + N' ' + CAST(? AS nvarchar(100))"
_STAGED = re.compile(rf"{PREFIX}([0-9a-f]{{12}})_\d+")


def new_run() -> str:
    """A name for a run that no other run has."""
    return secrets.token_hex(6)


def run_lock(run: str) -> str:
    """The application lock that a run holds while it lives."""
    return f"gidbench_run_{run}"


@dataclass(frozen=True)
class Staging:
    """A staging table.

    Attributes
    ----------
    name:
        [SCHEMA.]TABLE.
    schema:
        Columns of the batches, without the part.
    types:
        SQL types by column, where Arrow's do not say enough.
    """

    name: str
    schema: pa.Schema
    types: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def sql(self) -> str:
        return quoted_table(self.name)

    @property
    def loaded_schema(self) -> pa.Schema:
        """What is sent: the columns and the part."""
        return self.schema.append(pa.field(PART, pa.int32(), nullable=False))

    def marked(self, batch: pa.RecordBatch, part: int) -> pa.RecordBatch:
        """A batch with the column of its part."""
        mark = pa.array(np.full(batch.num_rows, part, np.int32))
        return pa.RecordBatch.from_arrays([*batch.columns, mark], schema=self.loaded_schema)


@dataclass
class Yard:
    """The staging tables of one run, made and dropped on a connection that is in no transaction.

    Attributes
    ----------
    schema:
        Schema of the database in which they stand; empty: the login's own.
    """

    run: str
    schema: str = ""
    _made: list[Staging] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def make(self, connection: Any, schema: pa.Schema, types: Mapping[str, str]) -> Staging:
        """A new heap for batches of a schema; `types` says SQL types by column."""
        prefix = f"{self.schema}." if self.schema else ""
        made = Staging(f"{prefix}{PREFIX}{self.run}_{next(self._numbers)}", schema, types)
        columns = columns_sql(made.loaded_schema, types)
        _run(connection, f"CREATE TABLE {made.sql} ({columns})")
        self._made.append(made)
        return made

    def twin(self, connection: Any, staging: Staging) -> Staging:
        """Another of the same columns."""
        return self.make(connection, staging.schema, staging.types)

    def drop(self, connection: Any, staging: Staging) -> None:
        """Drop one, also inside a transaction, which then has it back if it fails."""
        _run(connection, f"DROP TABLE IF EXISTS {staging.sql}")
        if staging in self._made:
            self._made.remove(staging)

    def clear(self, connection: Any) -> None:
        """Drop all of this run that are left."""
        for staging in list(self._made):
            self.drop(connection, staging)


def _run(connection: Any, statement: str) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()


def sweep(connection: Any) -> int:
    """Drop the staging tables of runs that live no more; returns how many there were.

    A run holds its application lock while it lives: whoever gets the lock knows that the run is dead.
    """
    cursor = connection.cursor()
    try:
        rows = cursor.execute(
            "SELECT s.name, t.name FROM sys.tables t JOIN sys.schemas s ON s.schema_id = t.schema_id"
            " WHERE t.name LIKE ?",
            [PREFIX.replace("_", "[_]") + "%"],
        ).fetchall()
        tables: dict[str, list[str]] = {}
        for schema, table in rows:
            if found := _STAGED.fullmatch(table):
                tables.setdefault(found[1], []).append(f"{quoted(schema)}.{quoted(table)}")
        swept = 0
        for run, names in tables.items():
            if not take_lock(cursor, run_lock(run), 0):
                continue
            try:
                for name in names:
                    cursor.execute(f"DROP TABLE IF EXISTS {name}")
                    swept += 1
            finally:
                release_lock(cursor, run_lock(run))
        return swept
    finally:
        cursor.close()


def take_lock(cursor: Any, resource: str, timeout_ms: int, owner: str = "Session") -> bool:
    """Take an application lock for the session (or the transaction); False where another one holds it all that time.

    Source: Microsoft Learn, "sp_getapplock (Transact-SQL)": 0 and 1 are granted, -1 is a timeout.
    """
    cursor.execute(
        f"DECLARE @answer int; {_RESOURCE}; EXEC @answer = sp_getapplock @Resource = @resource,"
        f" @LockMode = 'Exclusive', @LockOwner = '{owner}', @LockTimeout = ?; SELECT @answer",
        [resource, timeout_ms],
    )
    while cursor.description is None and cursor.nextset():  # the procedure's own count of rows
        pass
    [answer] = cursor.fetchone()
    while cursor.nextset():
        pass
    return int(answer) >= 0


def release_lock(cursor: Any, resource: str) -> None:
    cursor.execute(
        f"{_RESOURCE}; EXEC sp_releaseapplock @Resource = @resource, @LockOwner = 'Session'", [resource]
    )
