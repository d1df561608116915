"""The target's side of a synchronisation that streams, in DuckDB: temporary tables, then set-based statements."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from gidbench.records import ACTIVE, NON_ACTIVE, PERSON_FIELDS
from gidbench.stores.base import COMPARED, DEACTIVATE, DECISIONS, INSERT, STAGED_PEOPLE, UPDATE

if TYPE_CHECKING:
    from gidbench.stores.duckdb_store import DuckDBStore

_PEOPLE, _DECISIONS = "temp.sync_people", "temp.sync_decisions"


class DuckDBMerger:
    """See `gidbench.stores.base.Merger`; temporary tables are this connection's own, and end with it."""

    def __init__(self, store: DuckDBStore, now: datetime) -> None:
        self._store, self._now, self._g = store, now, store.names.global_id
        self._drop()

    def stage_people(self, batches: Iterable[pa.RecordBatch]) -> int:
        return self._stage(_PEOPLE, STAGED_PEOPLE, batches)

    def stage_decisions(self, batches: Iterable[pa.RecordBatch]) -> int:
        return self._stage(_DECISIONS, DECISIONS, batches)

    def _stage(self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
        with self._store.incoming(schema, batches) as incoming:
            return int(self._store.scalar(f"CREATE TEMP TABLE {table} AS SELECT * FROM {incoming}"))

    def next_ordinal(self) -> int:
        return self._store.next_ordinal()

    def reserve(self, count: int, beyond: int) -> int:
        return self._store.advance_sequence(self._store.connection, count, beyond)

    def insert(self) -> int:
        columns = self._g.list(("g_id", *PERSON_FIELDS, "status", "source", "created_at", "updated_at"))
        fields = ", ".join(f"s.{column}" for column in (*PERSON_FIELDS, "status"))
        return int(
            self._store.scalar(
                f"""INSERT INTO {self._g} ({columns}) SELECT d.g_id, {fields}, 'database', ?, ?
                FROM {_DECISIONS} d JOIN {_PEOPLE} s ON d.id = s.id WHERE d.action = {INSERT}""",
                [self._now, self._now],
            )
        )

    def update(self) -> int:
        g = self._g
        values = ", ".join(f"{g.list([column])} = s.{column}" for column in (*COMPARED, "status"))
        return int(
            self._store.scalar(
                f"""UPDATE {g} g SET {values}, {g.updated_at} = ? FROM {_DECISIONS} d, {_PEOPLE} s
                WHERE d.action = {UPDATE} AND d.id = s.id AND g.{g.g_id} = d.g_id""",
                [self._now],
            )
        )

    def deactivate(self) -> int:
        g = self._g
        return int(
            self._store.scalar(
                f"""UPDATE {g} g SET {g.status} = '{NON_ACTIVE}', {g.updated_at} = ? FROM {_DECISIONS} d
                WHERE d.action = {DEACTIVATE} AND g.{g.g_id} = d.g_id AND g.{g.status} = '{ACTIVE}'""",
                [self._now],
            )
        )

    def verify(self, people: int) -> dict[str, int]:
        g = self._g
        inserted = f"FROM {_DECISIONS} d WHERE d.action = {INSERT}"
        [(count, by_gid, by_ktp, new)] = self._store.rows(
            f"""SELECT (SELECT count(*) FROM {g}),
                (SELECT count(*) FROM {g} g WHERE g.{g.g_id} IN (SELECT d.g_id {inserted})),
                (SELECT count(*) FROM {g} g WHERE g.{g.no_ktp} IN (
                    SELECT s.no_ktp FROM {_PEOPLE} s WHERE s.id IN (SELECT d.id {inserted}))),
                (SELECT count(*) {inserted})"""
        )
        return {
            "lost_or_added": abs(count - people),
            "repeated_g_id": by_gid - new,
            "repeated_no_ktp": by_ktp - new,
        }

    def close(self) -> None:
        with contextlib.suppress(duckdb.Error):
            self._drop()

    def _drop(self) -> None:
        for table in (_PEOPLE, _DECISIONS):
            self._store.rows(f"DROP TABLE IF EXISTS {table}")
