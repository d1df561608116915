"""The steps of a synchronisation within one DuckDB database: set-based statements, nothing row by row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench import gid
from gidbench.arrays import fixed_values
from gidbench.records import ACTIVE, NON_ACTIVE, PERSON_FIELDS
from gidbench.stores import outcomes
from gidbench.stores.base import COMPARED
from gidbench.stores.naming import Table
from gidbench.stores.numbering import keep_brought, number

if TYPE_CHECKING:
    from gidbench.stores.duckdb_store import DuckDBStore

ASSIGNMENTS = pa.schema([("id", pa.int64()), ("g_id", pa.string())])


class DuckDBSynchroniser:
    """See `gidbench.stores.base.Synchroniser`; its temporary table is dropped when a run begins."""

    def __init__(self, store: DuckDBStore, now: datetime) -> None:
        self._store, self._now = store, now
        self._sql = store.connection
        self._e, self._g = store.names.employee, store.names.global_id
        e, g = self._e, self._g
        self._winners = str(e)  # the rows that count: one for each no_ktp
        self._conflicts = self._gone = self._stopped = 0
        self._assignments = ASSIGNMENTS.empty_table()
        # What a source row and its target row must agree in; e is the source, g the target.
        self._same_person = f"e.{e.no_ktp} = g.{g.no_ktp}"
        self._other_gid = f"e.{e.g_id} IS DISTINCT FROM g.{g.g_id}"
        self._status = f"CASE WHEN e.{e.deleted_at} IS NULL THEN '{ACTIVE}' ELSE '{NON_ACTIVE}' END"
        self._differs = " OR ".join(
            [f"e.{e.list([column])} IS DISTINCT FROM g.{g.list([column])}" for column in COMPARED]
            + [f"g.{g.status} <> {self._status}"]
        )
        self._store.rows("DROP TABLE IF EXISTS temp.sync_winners")

    def scan(self) -> int:
        """Count, and single out the rows that count where a no_ktp occurs twice or not at all.

        Of several rows, those not deleted come before the deleted, then the lowest id wins.
        """
        e = self._e
        rows = self._store.count("employee")
        people = self._distinct(str(e), e.no_ktp, rows)
        self._conflicts = rows - people
        if self._conflicts:
            self._store.rows(
                f"""CREATE TEMP TABLE sync_winners AS SELECT * FROM {e} WHERE {e.no_ktp} IS NOT NULL
                QUALIFY row_number() OVER (
                    PARTITION BY {e.no_ktp} ORDER BY {e.deleted_at} IS NOT NULL, {e.id}) = 1"""
            )
            self._winners = "temp.sync_winners"
        return int(rows)

    def compare(self) -> dict[str, int]:
        e, g = self._e, self._g
        told = outcomes.sums(e, g, self._differs, self._other_gid, lambda rows: f"count(*) FILTER ({rows})")
        [(pairs, rows, people, *found)] = self._store.rows(
            f"""SELECT count(*), count(e.{e.id}), count(g.{g.g_id}), {told}
            FROM {self._winners} e FULL JOIN {g} g ON {self._same_person}"""
        )
        self._gone, self._stopped = pairs - rows, found[0]
        return outcomes.counts(pairs, rows, people, found, self._conflicts)

    def _distinct(self, table: str, column: str, rows: int) -> int:
        """Distinct values of a column: where the rows have as many hashes, all are; else these are counted."""
        hashes = f"SELECT count(DISTINCT hash({column})) FROM {table} WHERE {column} IS NOT NULL"
        if self._store.scalar(hashes) == rows:
            return rows
        return int(self._store.scalar(f"SELECT count(DISTINCT {column}) FROM {table}"))

    def conflicts(self) -> pa.Table:
        e = self._e
        return self._sql.sql(
            f"""SELECT s.{e.id} AS id, w.{e.id} AS kept_id FROM {e} s
            LEFT JOIN {self._winners} w ON s.{e.no_ktp} = w.{e.no_ktp}
            WHERE w.{e.id} IS DISTINCT FROM s.{e.id} ORDER BY s.{e.id}"""
        ).to_arrow_table()

    def assign(self, expected: int) -> int:
        e, g = self._e, self._g
        newcomers = self._sql.sql(
            f"""SELECT e.{e.id} AS id, e.{e.g_id} AS g_id FROM {self._winners} e
            ANTI JOIN {g} g ON {self._same_person} ORDER BY e.{e.id}"""
        ).to_arrow_table()
        if newcomers.num_rows != expected:
            return int(newcomers.num_rows)
        texts = newcomers.column("g_id").combine_chunks()
        if texts.null_count == expected:
            first = self._store.advance_sequence(self._sql, expected)
            gids = gid.encode_range(first, expected)
        else:
            brought = gid.decode_array(texts)
            gids = gid.encode_array(number(brought, keep_brought(brought, self._taken), self._reserve))
        self._assignments = pa.table([newcomers.column("id"), gids], ASSIGNMENTS)
        return expected

    def _reserve(self, count: int, beyond: int) -> int:
        return self._store.advance_sequence(self._sql, count, beyond)

    def _taken(self, ordinals: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        g = self._g
        texts = gid.encode_array(ordinals)
        with self._store.incoming(ASSIGNMENTS, _assigned(texts)) as incoming:
            found = self._sql.sql(
                f"SELECT g.{g.g_id} FROM {g} g SEMI JOIN {incoming} i ON g.{g.g_id} = i.g_id"
            ).to_arrow_table()
        held = pc.is_in(texts, value_set=found.column(0).combine_chunks())
        return fixed_values(held.cast(pa.uint8()), np.uint8).view(np.bool_)

    def insert(self) -> int:
        e, g = self._e, self._g
        columns = g.list(("g_id", *PERSON_FIELDS, "status", "source", "created_at", "updated_at"))
        with self._store.incoming(ASSIGNMENTS, self._assignments.to_batches()) as incoming:
            return int(
                self._store.scalar(
                    f"""INSERT INTO {g} ({columns})
                    SELECT a.g_id, {e.list(PERSON_FIELDS, "e.")}, {self._status}, 'database', ?, ?
                    FROM {self._winners} e JOIN {incoming} a ON e.{e.id} = a.id""",
                    [self._now, self._now],
                )
            )

    def update(self) -> int:
        e, g = self._e, self._g
        values = ", ".join(f"{g.list([column])} = e.{e.list([column])}" for column in COMPARED)
        changed = self._store.scalar(
            f"""UPDATE {g} g SET {values}, {g.status} = {self._status}, {g.updated_at} = ?
            FROM {self._winners} e WHERE {self._same_person} AND ({self._differs})""",
            [self._now],
        )
        if not self._stopped:
            return int(changed)
        gone = self._store.scalar(
            f"""UPDATE {g} g SET {g.status} = '{NON_ACTIVE}', {g.updated_at} = ?
            WHERE g.{g.status} = '{ACTIVE}'
                AND NOT EXISTS (FROM {self._winners} e WHERE {self._same_person})""",
            [self._now],
        )
        return int(changed) + int(gone)

    def write_back(self) -> int:
        e, g = self._e, self._g
        if self._conflicts:  # only the row that counts carries the G_ID
            return int(
                self._store.scalar(
                    f"""UPDATE {e} e SET {e.g_id} = g.{g.g_id} FROM {self._winners} w, {g} g
                    WHERE e.{e.id} = w.{e.id} AND w.{e.no_ktp} = g.{g.no_ktp} AND {self._other_gid}"""
                )
            )
        return int(
            self._store.scalar(
                f"UPDATE {e} e SET {e.g_id} = g.{g.g_id} FROM {g} g"
                f" WHERE {self._same_person} AND {self._other_gid}"
            )
        )

    def verify(self) -> dict[str, int]:
        """Where nobody is gone, the same rows must stand on both sides: sums of their hashes tell, at less than half
        the time of joining them. Where these differ, or somebody is gone, the rows are looked at one by one."""
        laws = ("missing", "active_though_gone", "different", "repeated_no_ktp")
        g = self._g
        [(people, digest)] = self._store.rows(self._digest(str(g), g, g.status))
        found: Iterable[int] = (0,) * len(laws)
        if self._gone or self._store.rows(self._digest(f"{self._winners} e", self._e, self._status)) != [
            (people, digest)
        ]:
            found = self._violations()
        repeated = people - self._distinct(str(g), g.g_id, people)
        return {**dict(zip(laws, found, strict=True)), "repeated_g_id": repeated}

    def _digest(self, rows: str, names: Table, status: str) -> str:
        """Counts rows and sums hashes of what must agree, so that their order does not matter."""
        return f"SELECT count(*), sum(hash({names.list(PERSON_FIELDS)}, {status})) FROM {rows}"

    def _violations(self) -> tuple[int, ...]:
        e, g = self._e, self._g
        [found] = self._store.rows(
            f"""SELECT
                count(*) FILTER (e.{e.no_ktp} IS NOT NULL AND g.{g.no_ktp} IS NULL),
                count(*) FILTER (e.{e.no_ktp} IS NULL AND g.{g.status} = '{ACTIVE}'),
                count(*) FILTER ({self._same_person} AND ({self._differs})),
                (SELECT count(*) - count(DISTINCT {g.no_ktp}) FROM {g})
            FROM {self._winners} e FULL JOIN {g} g ON {self._same_person}"""
        )
        return found


def _assigned(gids: pa.StringArray) -> list[pa.RecordBatch]:
    return [pa.RecordBatch.from_arrays([pa.nulls(len(gids), pa.int64()), gids], schema=ASSIGNMENTS)]
