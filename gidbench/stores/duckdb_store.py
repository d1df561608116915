"""The embedded store: one DuckDB file, no server."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from gidbench import gid
from gidbench.errors import StoreBusyError, StoreError
from gidbench.stores.base import AuditEntry, ChangeMark, Merger, Synchroniser
from gidbench.stores.duckdb_merge import DuckDBMerger
from gidbench.stores.duckdb_sync import ASSIGNMENTS, DuckDBSynchroniser
from gidbench.stores.duckdb_tables import DuckDBTables

_LOGGED = ("operation", "started_at", "outcome", "counts", "parameters")

# One lock per database file and purpose; DuckDB lets no second process in, so these reach far enough.
_locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)


class DuckDBStore(DuckDBTables):
    """See `gidbench.stores.base.Store`."""

    @contextlib.contextmanager
    def lock(self, purpose: str, timeout_s: float) -> Iterator[None]:
        held = _locks[self.identity, purpose]
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
        sequence = self.names.g_id_sequence
        at = sequence.next_ordinal
        with self._sequence() as cursor:
            [(changed,)] = cursor.execute(
                f"UPDATE {sequence} SET {at} = ? WHERE {at} = ?", [first, end]
            ).fetchall()
            return bool(changed)

    def gids_left(self) -> int:
        return gid.CAPACITY - self.next_ordinal()

    def next_ordinal(self) -> int:
        """Where the sequence stands, for everybody."""
        sequence = self.names.g_id_sequence
        with self.connection.cursor() as cursor:
            [(found,)] = cursor.execute(f"SELECT max({sequence.next_ordinal}) FROM {sequence}").fetchall()
            return int(found)

    def advance_sequence(self, connection: duckdb.DuckDBPyConnection, count: int, beyond: int = -1) -> int:
        """Move the sequence on by `count`, and past `beyond`; returns the first ordinal of the range."""
        sequence = self.names.g_id_sequence
        at = sequence.next_ordinal
        rows = connection.execute(
            f"UPDATE {sequence} SET {at} = greatest({at}, ? + 1) + ? RETURNING {at}", [beyond, count]
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
        log = self.names.audit_log
        self.rows(
            f"INSERT INTO {log} ({log.list(_LOGGED)}) VALUES (?, ?, ?, ?, ?)",
            [
                entry.operation,
                entry.started_at,
                entry.outcome,
                json.dumps(entry.counts),
                json.dumps(entry.parameters),
            ],
        )

    def entries(self, operation: str) -> list[AuditEntry]:
        log = self.names.audit_log
        rows = self.rows(
            f"SELECT {log.list(_LOGGED)} FROM {log} WHERE {log.operation} = ? ORDER BY {log.started_at}, rowid",
            [operation],
        )
        return [
            AuditEntry(name, moment, outcome, json.loads(counts), json.loads(parameters))
            for name, moment, outcome, counts, parameters in rows
        ]

    def change_mark(self) -> ChangeMark | None:
        e = self.names.employee
        try:
            [(last_id, moment, rows)] = self.rows(
                f"SELECT max({e.id}), max(greatest({e.updated_at}, {e.deleted_at})), count(*) FROM {e}"
            )
        except duckdb.BinderException:
            return None
        return ChangeMark("updated_at", moment.isoformat(), int(last_id), int(rows)) if moment else None

    def changed(self, mark: ChangeMark, columns: Sequence[str]) -> Iterator[pa.RecordBatch] | None:
        if mark.column != "updated_at":
            return None
        e, moment = self.names.employee, datetime.fromisoformat(mark.value)
        clause = f"FROM {e} WHERE {e.updated_at} >= ? OR {e.deleted_at} >= ? OR {e.updated_at} IS NULL"
        return self.selected("employee", columns, clause, [moment, moment])

    def synchroniser(self, now: datetime) -> Synchroniser:
        return DuckDBSynchroniser(self, now)

    def merger(self, now: datetime) -> Merger:
        return DuckDBMerger(self, now)

    def write_back(self, assignments: Iterable[pa.RecordBatch]) -> int:
        e = self.names.employee
        with self.incoming(ASSIGNMENTS, assignments) as source:
            return int(
                self.scalar(
                    f"UPDATE {e} e SET {e.g_id} = new.g_id FROM {source} new"
                    f" WHERE e.{e.id} = new.id AND e.{e.g_id} IS DISTINCT FROM new.g_id"
                )
            )
