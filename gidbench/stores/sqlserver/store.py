"""SQL Server as a store: its tables, its locks and transactions, its G_IDs."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from gidbench import gid
from gidbench.errors import CapacityError, StoreError
from gidbench.stores.base import AuditEntry, ChangeMark, Merger, Synchroniser
from gidbench.stores.naming import quoted
from gidbench.stores.sqlserver import changes, faults, tables
from gidbench.stores.sqlserver.data import TOKEN, SqlServerTables
from gidbench.stores.sqlserver.staging import take_lock
from gidbench.stores.sqlserver.types import OWN_TYPES

_LOGGED = ("operation", "started_at", "outcome", "counts", "parameters")
_ASSIGNMENTS = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("g_id", pa.string())])
_SEQUENCE_WAIT_MS = 30_000
WRITE_BACK_ROWS = 100_000  # of one transaction: more would hold many locks and much log for long


class SqlServerStore(SqlServerTables):
    """See `gidbench.stores.base.Store`."""

    def lock(self, purpose: str, timeout_s: float) -> contextlib.AbstractContextManager[None]:
        return self.session.lock(purpose, timeout_s)

    # G_IDs

    def reserve_gids(self, count: int) -> int:
        def reserve() -> int:
            with self._sequence() as connection:
                first = self.advance_sequence(connection, count)
                connection.commit()
                return first

        # a commit whose answer is lost leaves a gap, never a range that two have
        return self.retry.call(reserve, faults.is_transient)

    def return_gids(self, first: int, end: int) -> bool:
        try:
            return self._return_gids(first, end)
        except StoreError as error:
            if not error.transient:
                raise
            return False  # nobody needs them back

    def _return_gids(self, first: int, end: int) -> bool:
        sequence = self.names.g_id_sequence
        at = sequence.next_ordinal
        with self._sequence() as connection:
            cursor = connection.cursor()
            cursor.execute(f"UPDATE {sequence} SET {at} = ? WHERE {at} = ?", [first, end])
            changed = int(cursor.rowcount)
            connection.commit()
            return changed > 0

    @contextlib.contextmanager
    def _sequence(self) -> Iterator[Any]:
        """A short transaction on g_id_sequence, of its own and one at a time."""
        with faults.explained("reserving G_IDs"), self.connections.session() as connection:
            cursor = connection.cursor()
            if not take_lock(cursor, "gidbench_g_id_sequence", _SEQUENCE_WAIT_MS, owner="Transaction"):
                raise self.session.busy("g_id_sequence", _SEQUENCE_WAIT_MS / 1000)
            yield connection

    def gids_left(self) -> int:
        return gid.CAPACITY - self.next_ordinal()

    def next_ordinal(self) -> int:
        """Where the sequence stands."""
        sequence = self.names.g_id_sequence
        found = self.scalar(f"SELECT MAX({sequence.next_ordinal}) FROM {sequence}")
        if found is None:
            raise _no_sequence()
        return int(found)

    def advance_sequence(self, connection: Any, count: int, beyond: int = -1) -> int:
        """Move the sequence on by `count`, and past `beyond`, by one statement; returns the first of the range."""
        sequence = self.names.g_id_sequence
        at = sequence.next_ordinal
        begin = f"CASE WHEN {at} <= ? THEN ? ELSE {at} END"
        cursor = connection.cursor()
        try:
            row = cursor.execute(
                f"UPDATE {sequence} SET {at} = {begin} + ? OUTPUT inserted.{at} WHERE {begin} <= ?",
                [beyond, beyond + 1, count, beyond, beyond + 1, gid.CAPACITY - count],
            ).fetchone()
            while cursor.nextset():
                pass
            if row:
                return int(row[0]) - count
            row = cursor.execute(f"SELECT MAX({at}) FROM {sequence}").fetchone()
        finally:
            cursor.close()
        if row is None or row[0] is None:
            raise _no_sequence()
        gid.check_capacity(max(int(row[0]), beyond + 1), count)
        raise CapacityError(f"{count:,} G_IDs are asked for", "Look at g_id_sequence")

    # the log

    def record(self, entry: AuditEntry) -> None:
        log = self.names.audit_log
        parameters = dict(entry.parameters)
        if self.session.token:
            parameters[TOKEN] = self.session.token
            self.session.leaves_a_trace = True  # if the statement fails, the transaction does
        self.session.execute(
            f"INSERT INTO {log} ({log.list(_LOGGED)}) VALUES (?, ?, ?, ?, ?)",
            parameters=[
                entry.operation,
                entry.started_at,
                entry.outcome,
                json.dumps(entry.counts),
                json.dumps(parameters),
            ],
        )

    def entries(self, operation: str) -> list[AuditEntry]:
        log = self.names.audit_log
        known = {column.name for column in tables.columns_of(self.session.connection, log.name)}
        order = quoted(tables.LINE) if tables.LINE in known else log.started_at
        rows = self.rows(
            f"SELECT {log.list(_LOGGED)} FROM {log} WHERE {log.operation} = ? ORDER BY {order}", [operation]
        )
        found = [
            AuditEntry(name, moment, outcome, json.loads(counts), json.loads(parameters))
            for name, moment, outcome, counts, parameters in rows
        ]
        for entry in found:
            entry.parameters.pop(TOKEN, None)
        return found

    # synchronisation

    def change_mark(self) -> ChangeMark | None:
        return changes.change_mark(self)

    def changed(self, mark: ChangeMark, columns: Sequence[str]) -> Iterator[pa.RecordBatch] | None:
        return changes.changed(self, mark, columns)

    def synchroniser(self, now: datetime) -> Synchroniser:
        from gidbench.stores.sqlserver.sync import SqlServerSynchroniser

        return SqlServerSynchroniser(self, now)

    def merger(self, now: datetime) -> Merger:
        from gidbench.stores.sqlserver.merge import SqlServerMerger

        return SqlServerMerger(self, now)

    def write_back(self, assignments: Iterable[pa.RecordBatch]) -> int:
        e = self.names.employee
        types = {name: OWN_TYPES[name] for name in _ASSIGNMENTS.names}
        shaped = (pa.RecordBatch.from_arrays(batch.columns, schema=_ASSIGNMENTS) for batch in assignments)
        changed = 0
        with self.staged(_ASSIGNMENTS, shaped, types) as (staging, loaded):
            also = loaded.condition("n.").replace(" WHERE ", " AND ")
            statement = (
                f"UPDATE e SET {e.g_id} = n.g_id FROM {e} e JOIN {staging.sql} n ON e.{e.id} = n.id"
                f" WHERE (e.{e.g_id} IS NULL OR e.{e.g_id} <> n.g_id) AND n.id > ? AND n.id <= ?{also}"
            )
            for low, high in self._slices(staging.sql, loaded.rows):
                changed += self.retry.call(
                    lambda low=low, high=high: self.session.execute(statement, parameters=[low, high]),  # type: ignore[misc]
                    faults.is_transient,
                )
        return changed

    def _slices(self, staging: str, rows: int) -> Iterator[tuple[int, int]]:
        """Bounds (above, up to) of ids that have some WRITE_BACK_ROWS rows each, if they lie evenly."""
        if not rows:
            return
        [(low, high)] = self.rows(f"SELECT MIN(id), MAX(id) FROM {staging}")
        pieces = max(1, -(-rows // WRITE_BACK_ROWS))
        bounds = [low - 1 + (high - low + 1) * piece // pieces for piece in range(pieces + 1)]
        yield from itertools.pairwise(bounds)


def _no_sequence() -> StoreError:
    return StoreError("g_id_sequence holds no row", "Insert the next ordinal, or create the tables anew")
