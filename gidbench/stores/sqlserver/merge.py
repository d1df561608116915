"""The target's side of a synchronisation that streams, in SQL Server: staging tables, then set-based statements."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from gidbench.records import ACTIVE, NON_ACTIVE, PERSON_FIELDS
from gidbench.stores.base import COMPARED, DEACTIVATE, DECISIONS, INSERT, STAGED_PEOPLE, UPDATE
from gidbench.stores.sqlserver.expressions import assigned
from gidbench.stores.sqlserver.loading import Load
from gidbench.stores.sqlserver.staging import Staging
from gidbench.stores.sqlserver.sync import repeated, unique_columns
from gidbench.stores.sqlserver.types import OWN_TYPES

if TYPE_CHECKING:
    from gidbench.stores.sqlserver.store import SqlServerStore

_TYPES = {**OWN_TYPES, "action": "smallint"}


class SqlServerMerger:
    """See `gidbench.stores.base.Merger`."""

    def __init__(self, store: SqlServerStore, now: datetime) -> None:
        self._store, self._session, self._now = store, store.session, now
        self._g = store.names.global_id
        self._stack = contextlib.ExitStack()
        self._people: tuple[Staging, Load] | None = None
        self._decisions: tuple[Staging, Load] | None = None

    def stage_people(self, batches: Iterable[pa.RecordBatch]) -> int:
        self._people = self._stage(STAGED_PEOPLE, batches)
        return self._people[1].rows

    def stage_decisions(self, batches: Iterable[pa.RecordBatch]) -> int:
        self._decisions = self._stage(DECISIONS, batches)
        return self._decisions[1].rows

    def _stage(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> tuple[Staging, Load]:
        types = {name: _TYPES[name] for name in schema.names}
        return self._stack.enter_context(self._store.staged(schema, batches, types))

    def next_ordinal(self) -> int:
        return self._store.next_ordinal()

    def reserve(self, count: int, beyond: int) -> int:
        with self._session.using("reserving G_IDs") as connection:
            return self._store.advance_sequence(connection, count, beyond)

    def _staged(self, action: int, *, people: bool) -> str:
        """FROM and WHERE of the decisions of one action, with the staged rows of their people."""
        assert self._decisions is not None
        decided, loaded = self._decisions
        source, rows = f"FROM {decided.sql} d", loaded.condition("d.").replace(" WHERE ", " AND ")
        if people:
            assert self._people is not None
            staged, loaded = self._people
            source += f" JOIN {staged.sql} s ON s.id = d.id"
            rows += loaded.condition("s.").replace(" WHERE ", " AND ")
        return f"{source} WHERE d.action = {action}{rows}"

    def insert(self) -> int:
        columns = self._g.list(("g_id", *PERSON_FIELDS, "status", "source", "created_at", "updated_at"))
        fields = ", ".join(f"s.{column}" for column in (*PERSON_FIELDS, "status"))
        return self._session.execute(
            f"INSERT INTO {self._g} ({columns}) SELECT d.g_id, {fields}, 'database', ?, ?"
            f" {self._staged(INSERT, people=True)}",
            parameters=[self._now, self._now],
        )

    def update(self) -> int:
        g, columns = self._g, (*COMPARED, "status")
        values = assigned(g, (*columns, "updated_at"), (*(f"s.{column}" for column in columns), "?"))
        return self._session.execute(
            f"UPDATE g SET {values} {self._onto(UPDATE, people=True)}", parameters=[self._now]
        )

    def deactivate(self) -> int:
        g = self._g
        return self._session.execute(
            f"UPDATE g SET {g.status} = '{NON_ACTIVE}', {g.updated_at} = ?"
            f" {self._onto(DEACTIVATE, people=False)} AND g.{g.status} = '{ACTIVE}'",
            parameters=[self._now],
        )

    def _onto(self, action: int, *, people: bool) -> str:
        """The same, joined with the persons of the target."""
        g = self._g
        staged = self._staged(action, people=people)
        return staged.replace(" WHERE ", f" JOIN {g} g ON g.{g.g_id} = d.g_id WHERE ", 1)

    def verify(self, people: int) -> dict[str, int]:
        count = int(self._store.scalar(f"SELECT COUNT_BIG(*) FROM {self._g}"))
        return {"lost_or_added": abs(count - people), **repeated(self._store, unique_columns(self._store))}

    def close(self) -> None:
        self._stack.close()
