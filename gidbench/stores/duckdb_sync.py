"""The steps of a synchronisation in DuckDB: set-based statements, nothing row by row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from gidbench.records import ACTIVE, EMPLOYEE, NON_ACTIVE
from gidbench.stores.base import OUTCOMES, SOURCE_COLUMNS

if TYPE_CHECKING:
    from gidbench.stores.duckdb_store import DuckDBStore

_ASSIGNMENTS = pa.schema([("id", pa.int64()), ("g_id", pa.string())])

# What a source row and its target row must agree in; e is the source, g the target.
_DIFFERS = " OR ".join(
    f"e.{column} IS DISTINCT FROM g.{column}" for column in ("name", "personal_number", "passport_id", "bod")
)
_STATUS = f"CASE WHEN e.deleted_at IS NULL THEN '{ACTIVE}' ELSE '{NON_ACTIVE}' END"

# Outcome of each pair of a full join of the source's rows that count with the target.
_OUTCOME = f"""CASE
    WHEN g.no_ktp IS NULL THEN 'inserted'
    WHEN e.no_ktp IS NULL THEN CASE g.status WHEN '{ACTIVE}' THEN 'deactivated' ELSE 'unchanged' END
    WHEN e.deleted_at IS NOT NULL AND g.status = '{ACTIVE}' THEN 'deactivated'
    WHEN e.deleted_at IS NULL AND g.status <> '{ACTIVE}' THEN 'reactivated'
    WHEN {_DIFFERS} THEN 'updated'
    ELSE 'unchanged' END"""


class DuckDBSynchroniser:
    """See `gidbench.stores.base.Synchroniser`; temporary tables are dropped when a run begins."""

    def __init__(self, store: DuckDBStore, now: datetime) -> None:
        self._store, self._now = store, now
        self._sql = store.connection
        self._source = "employee"  # every row of the source
        self._winners = "employee"  # those that count: one for each no_ktp
        self._conflicts = 0
        for table in ("sync_source", "sync_winners"):
            self._store.rows(f"DROP TABLE IF EXISTS temp.{table}")

    def scan_local(self) -> int:
        return self._scan()

    def scan_foreign(self, batches: Iterable[pa.RecordBatch]) -> int:
        schema = pa.schema([EMPLOYEE.field(name) for name in SOURCE_COLUMNS])
        with self._store.incoming(schema, batches) as incoming:
            self._store.rows(f"CREATE TEMP TABLE sync_source AS SELECT * FROM {incoming}")
        self._source = self._winners = "temp.sync_source"
        return self._scan()

    def _scan(self) -> int:
        """Count, and single out the rows that count where a no_ktp occurs twice or not at all.

        Of several rows, those not deleted come before the deleted, then the lowest id wins.
        """
        [(rows, people)] = self._store.rows(f"SELECT count(*), count(DISTINCT no_ktp) FROM {self._source}")
        self._conflicts = rows - people
        if self._conflicts:
            self._store.rows(
                f"""CREATE TEMP TABLE sync_winners AS SELECT * FROM {self._source} WHERE no_ktp IS NOT NULL
                QUALIFY row_number() OVER (PARTITION BY no_ktp ORDER BY deleted_at IS NOT NULL, id) = 1"""
            )
            self._winners = "temp.sync_winners"
        return int(rows)

    def compare(self) -> dict[str, int]:
        counts = dict.fromkeys(OUTCOMES, 0)
        rows = self._store.rows(
            f"""SELECT {_OUTCOME}, e.no_ktp IS NULL, count(*),
                count(*) FILTER (e.no_ktp = g.no_ktp AND e.g_id IS DISTINCT FROM g.g_id)
            FROM {self._winners} e FULL JOIN global_id g ON e.no_ktp = g.no_ktp GROUP BY ALL"""
        )
        for outcome, _, count, _ in rows:
            counts[outcome] += count
        counts["conflict"] = self._conflicts
        counts["gone"] = sum(count for _, gone, count, _ in rows if gone)
        counts["unwritten"] = sum(unwritten for *_, unwritten in rows)
        return counts

    def conflicts(self) -> pa.Table:
        return self._sql.sql(
            f"""SELECT s.id, w.id AS kept_id FROM {self._source} s
            LEFT JOIN {self._winners} w ON s.no_ktp = w.no_ktp
            WHERE w.id IS DISTINCT FROM s.id ORDER BY s.id"""
        ).to_arrow_table()

    def newcomers(self) -> pa.Table:
        return self._sql.sql(
            f"""SELECT e.id, e.g_id FROM {self._winners} e
            ANTI JOIN global_id g ON e.no_ktp = g.no_ktp ORDER BY e.id"""
        ).to_arrow_table()

    def taken(self, gids: pa.Array) -> pa.Array:
        table = pa.table({"g_id": gids})
        with self._store.incoming(table.schema, table.to_batches()) as incoming:
            found = self._sql.sql(f"SELECT g.g_id FROM global_id g SEMI JOIN {incoming} i ON g.g_id = i.g_id")
            return found.to_arrow_table().column(0).combine_chunks()

    def reserve(self, count: int, beyond: int) -> int:
        return self._store.advance_sequence(self._sql, count, beyond)

    def insert(self, assignments: pa.Table) -> int:
        with self._store.incoming(_ASSIGNMENTS, assignments.to_batches()) as incoming:
            return int(
                self._store.scalar(
                    f"""INSERT INTO global_id
                    SELECT a.g_id, e.name, e.personal_number, e.no_ktp, e.passport_id, e.bod, {_STATUS},
                        'database', ?, ?
                    FROM {self._winners} e JOIN {incoming} a ON e.id = a.id""",
                    [self._now, self._now],
                )
            )

    def update(self) -> int:
        changed = self._store.scalar(
            f"""UPDATE global_id g SET name = e.name, personal_number = e.personal_number,
                passport_id = e.passport_id, bod = e.bod, status = {_STATUS}, updated_at = ?
            FROM {self._winners} e
            WHERE e.no_ktp = g.no_ktp AND (g.status <> {_STATUS} OR {_DIFFERS})""",
            [self._now],
        )
        gone = self._store.scalar(
            f"""UPDATE global_id g SET status = '{NON_ACTIVE}', updated_at = ?
            WHERE status = '{ACTIVE}' AND NOT EXISTS (FROM {self._winners} e WHERE e.no_ktp = g.no_ktp)""",
            [self._now],
        )
        return int(changed) + int(gone)

    def write_back_local(self) -> int:
        if self._conflicts:  # only the row that counts carries the G_ID
            return int(
                self._store.scalar(
                    f"""UPDATE employee SET g_id = g.g_id FROM {self._winners} w, global_id g
                    WHERE employee.id = w.id AND w.no_ktp = g.no_ktp
                        AND employee.g_id IS DISTINCT FROM g.g_id"""
                )
            )
        return int(
            self._store.scalar(
                """UPDATE employee SET g_id = g.g_id FROM global_id g
                WHERE employee.no_ktp = g.no_ktp AND employee.g_id IS DISTINCT FROM g.g_id"""
            )
        )

    def missing_write_backs(self) -> pa.Table:
        return self._sql.sql(
            f"""SELECT e.id, g.g_id FROM {self._winners} e JOIN global_id g ON e.no_ktp = g.no_ktp
            WHERE e.g_id IS DISTINCT FROM g.g_id ORDER BY e.id"""
        ).to_arrow_table()

    def verify(self) -> dict[str, int]:
        [found] = self._store.rows(
            f"""SELECT
                count(*) FILTER (e.no_ktp IS NOT NULL AND g.no_ktp IS NULL),
                count(*) FILTER (e.no_ktp IS NULL AND g.status <> '{NON_ACTIVE}'),
                count(*) FILTER (e.no_ktp IS NOT NULL AND g.no_ktp IS NOT NULL
                    AND ({_DIFFERS} OR g.status <> {_STATUS})),
                (SELECT count(*) - count(DISTINCT g_id) FROM global_id),
                (SELECT count(*) - count(DISTINCT no_ktp) FROM global_id)
            FROM {self._winners} e FULL JOIN global_id g ON e.no_ktp = g.no_ktp"""
        )
        laws = ("missing", "active_though_gone", "different", "repeated_g_id", "repeated_no_ktp")
        return dict(zip(laws, found, strict=True))
