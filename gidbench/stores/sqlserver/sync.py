"""The steps of a synchronisation within one SQL Server: set-based statements, no row leaves it.

No MERGE: it has a record of faults under concurrency, and needs HOLDLOCK all the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from gidbench.records import ACTIVE, NON_ACTIVE, PERSON_FIELDS
from gidbench.stores import outcomes
from gidbench.stores.base import COMPARED, OUTCOMES
from gidbench.stores.sqlserver import tables
from gidbench.stores.sqlserver.expressions import (
    assigned,
    differs,
    gid_ordinal,
    gid_text,
    is_gid,
    other_gid,
    status,
)

if TYPE_CHECKING:
    from gidbench.stores.sqlserver.store import SqlServerStore

_WINNERS, _NEW = "#gidbench_winners", "#gidbench_new"
_CONFLICTS = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("kept_id", pa.int64())])


class SqlServerSynchroniser:
    """See `gidbench.stores.base.Synchroniser`; temporary tables are the session's own."""

    def __init__(self, store: SqlServerStore, now: datetime) -> None:
        self._store, self._session, self._now = store, store.session, now
        self._e, self._g = store.names.employee, store.names.global_id
        e, g = self._e, self._g
        self._winners = str(e)  # the rows that count: one for each no_ktp
        self._conflicts = self._brought = self._stopped = 0
        self._looks_later = False  # for conflicts
        self._are_all_new = False  # the target was empty when it was looked at
        self._first = 0  # ordinal of the first newcomer who brings no G_ID
        self._same = f"e.{e.no_ktp} = g.{g.no_ktp}"
        self._status = status(e)
        alike = self._session.look(lambda connection: tables.alike(connection, e, g))
        self._differs = f"({differs(e, g, alike)} OR g.{g.status} <> {self._status})"
        self._unique = unique_columns(store)
        for table in (_WINNERS, _NEW):
            self._session.execute(f"DROP TABLE IF EXISTS {table}")

    def scan(self) -> int:
        """Count, and look for numbers that occur twice or not at all: at once, or where it costs nothing, by `compare`.

        Where the target holds each number once, its rows and those that match them tell of doubles.
        """
        e = self._e
        self._are_all_new = not self._store.scalar(f"SELECT TOP 1 1 FROM {self._g}")
        self._looks_later = "no_ktp" in self._unique and not self._are_all_new
        if self._looks_later:
            return int(self._store.scalar(f"SELECT COUNT_BIG(*) FROM {e}"))
        # one pass; groups by hash or by index, where COUNT(DISTINCT) would sort
        [(total, people)] = self._store.rows(
            f"SELECT SUM(n), COUNT_BIG(no_ktp) FROM (SELECT {e.no_ktp} AS no_ktp, COUNT_BIG(*) AS n"
            f" FROM {e} GROUP BY {e.no_ktp}) grouped"
        )
        self._single_out(int(total or 0) - int(people))
        return int(total or 0)

    def _single_out(self, conflicts: int) -> None:
        """Set apart the rows that count, if there are others.

        Of several rows, those not deleted come before the deleted, then the lowest id wins.
        """
        self._conflicts, e = conflicts, self._e
        if conflicts:
            needed = e.list(("id", *PERSON_FIELDS, "g_id", "deleted_at"))
            self._session.execute(
                f"SELECT {needed} INTO {_WINNERS} FROM (SELECT {needed}, ROW_NUMBER() OVER ("
                f"PARTITION BY {e.no_ktp} ORDER BY CASE WHEN {e.deleted_at} IS NULL THEN 0 ELSE 1 END, {e.id}"
                f") AS gidbench_place FROM {e} WHERE {e.no_ktp} IS NOT NULL) placed WHERE gidbench_place = 1"
            )
            self._winners = _WINNERS

    def compare(self) -> dict[str, int]:
        if self._are_all_new:  # nobody to compare with
            [(new, brought)] = self._store.rows(
                f"SELECT COUNT_BIG(*), COUNT_BIG({self._e.g_id}) FROM {self._winners}"
            )
            self._brought = int(brought)
            counts = {**dict.fromkeys((*OUTCOMES, "gone", "unwritten"), 0), "inserted": int(new)}
        else:
            counts = self._outcomes()
        if self._looks_later:
            self._single_out(self._surplus(counts))
            if self._conflicts:
                counts = self._outcomes()
        counts["conflict"] = self._conflicts
        return counts

    def _surplus(self, counts: dict[str, int]) -> int:
        """How many rows of all that were compared do not count."""
        rows = sum(counts[name] for name in OUTCOMES) - counts["gone"]
        known = int(self._store.scalar(f"SELECT COUNT_BIG(*) FROM {self._g}"))
        surplus = rows - counts["inserted"] - (known - counts["gone"])
        if counts["inserted"]:
            people = f"SELECT COUNT_BIG(DISTINCT e.{self._e.no_ktp}) {self._newcomers}"
            surplus += counts["inserted"] - int(self._store.scalar(people))
        return surplus

    def _outcomes(self) -> dict[str, int]:
        """Sums over one pass: to group by the outcome would take more than to find it."""
        e, g = self._e, self._g
        told = outcomes.sums(
            e, g, self._differs, other_gid(e, g), lambda rows: f"SUM(CASE WHEN {rows} THEN 1 ELSE 0 END)"
        )
        [row] = self._store.rows(
            f"""SELECT COUNT_BIG(*), COUNT_BIG(e.{e.id}), COUNT_BIG(g.{g.g_id}),
                COUNT_BIG(CASE WHEN g.{g.g_id} IS NULL THEN e.{e.g_id} END), {told}
            FROM {self._winners} e FULL OUTER JOIN {g} g ON {self._same}"""
        )
        pairs, rows, people, self._brought, *found = (int(number or 0) for number in row)
        self._stopped = found[0]
        return outcomes.counts(pairs, rows, people, found)

    def conflicts(self) -> pa.Table:
        e = self._e
        rows = self._store.rows(
            f"""SELECT s.{e.id}, w.{e.id} FROM {e} s LEFT JOIN {self._winners} w ON s.{e.no_ktp} = w.{e.no_ktp}
            WHERE w.{e.id} IS NULL OR w.{e.id} <> s.{e.id} ORDER BY s.{e.id}"""
        )
        ids, kept = zip(*rows, strict=True) if rows else ((), ())
        return pa.table([pa.array(ids, pa.int64()), pa.array(kept, pa.int64())], _CONFLICTS)

    @property
    def _newcomers(self) -> str:
        """The rest of a SELECT of the rows that count of people whom the target does not know."""
        g = self._g
        return f"FROM {self._winners} e WHERE NOT EXISTS (SELECT 1 FROM {g} g WHERE {self._same})"

    def assign(self, expected: int) -> int:
        """Newcomers who bring no G_ID are numbered by the statement that inserts them."""
        if self._are_all_new and not self._brought:
            self._first = self._advance(expected)
            return expected
        e, g = self._e, self._g
        valid = f"CASE WHEN {is_gid(f'e.{e.g_id}')} THEN LEFT(e.{e.g_id}, 8) END"
        self._session.execute(
            f"SELECT e.{e.id} AS id, CAST({valid} AS char(8)) AS brought, CAST(0 AS int) AS keep"
            f" INTO {_NEW} {self._newcomers}"
        )
        self._session.execute(
            f"""UPDATE n SET keep = 1 FROM {_NEW} n JOIN (
                SELECT brought, MIN(id) AS id FROM {_NEW} WHERE brought IS NOT NULL GROUP BY brought
            ) f ON f.id = n.id WHERE NOT EXISTS (SELECT 1 FROM {g} g WHERE g.{g.g_id} = n.brought)"""
        )
        [(count, kept, beyond)] = self._store.rows(
            f"SELECT COUNT_BIG(*), SUM(keep), MAX(CASE WHEN keep = 1 THEN {gid_ordinal('brought')} END) FROM {_NEW}"
        )
        if count != expected:
            return int(count)
        beyond = -1 if beyond is None else int(beyond)
        self._first = self._advance(expected - int(kept or 0), beyond)
        return expected

    def _advance(self, count: int, beyond: int = -1) -> int:
        with self._session.using("reserving G_IDs") as connection:
            return self._store.advance_sequence(connection, count, beyond)

    def insert(self) -> int:
        e, g = self._e, self._g
        columns = g.list(("g_id", *PERSON_FIELDS, "status", "source", "created_at", "updated_at"))
        if not self._are_all_new or self._brought:
            number = f"ROW_NUMBER() OVER (PARTITION BY n.keep ORDER BY e.{e.id})"
            extra, source = "n.keep, n.brought,", f"FROM {self._winners} e JOIN {_NEW} n ON n.id = e.{e.id}"
            text = f"CASE WHEN s.keep = 1 THEN s.brought ELSE {gid_text('s.ordinal')} END"
        else:
            number, extra, source = f"ROW_NUMBER() OVER (ORDER BY e.{e.id})", "", f"FROM {self._winners} e"
            text = gid_text("s.ordinal")
        persons = ", ".join(f"e.{e.list([name])} AS {name}" for name in PERSON_FIELDS)
        fields = ", ".join(f"s.{name}" for name in PERSON_FIELDS)
        return self._session.execute(
            f"""INSERT INTO {g} ({columns}) SELECT {text}, {fields}, s.status, 'database', ?, ?
            FROM (SELECT {self._first - 1} + {number} AS ordinal, {extra} {persons}, {self._status} AS status
                {source}) s""",
            parameters=[self._now, self._now],
        )

    def update(self) -> int:
        e, g = self._e, self._g
        values = assigned(
            g,
            (*COMPARED, "status", "updated_at"),
            (*(f"e.{e.list([column])}" for column in COMPARED), self._status, "?"),
        )
        changed = self._session.execute(
            f"UPDATE g SET {values} FROM {g} g JOIN {self._winners} e ON {self._same} WHERE {self._differs}",
            parameters=[self._now],
        )
        if not self._stopped:
            return changed
        gone = self._session.execute(
            f"""UPDATE g SET {g.status} = '{NON_ACTIVE}', {g.updated_at} = ? FROM {g} g
            WHERE g.{g.status} = '{ACTIVE}'
                AND NOT EXISTS (SELECT 1 FROM {self._winners} e WHERE {self._same})""",
            parameters=[self._now],
        )
        return changed + gone

    def write_back(self) -> int:
        e, g = self._e, self._g
        winner = ""
        if self._conflicts:  # only the row that counts carries the G_ID
            winner = f" JOIN {_WINNERS} w ON w.{e.id} = e.{e.id}"
        return self._session.execute(
            f"UPDATE e SET {e.g_id} = g.{g.g_id} FROM {e} e{winner} JOIN {g} g ON {self._same}"
            f" WHERE {other_gid(e, g)}"
        )

    def verify(self) -> dict[str, int]:
        """Keys that the server itself keeps unique need no look."""
        e, g = self._e, self._g
        [found] = self._store.rows(
            f"""SELECT SUM(CASE WHEN g.{g.no_ktp} IS NULL THEN 1 ELSE 0 END),
                SUM(CASE WHEN e.{e.no_ktp} IS NULL AND g.{g.status} = '{ACTIVE}' THEN 1 ELSE 0 END),
                SUM(CASE WHEN {self._same} AND {self._differs} THEN 1 ELSE 0 END)
            FROM {self._winners} e FULL OUTER JOIN {g} g ON {self._same}"""
        )
        laws = ("missing", "active_though_gone", "different")
        return {
            **{law: int(count or 0) for law, count in zip(laws, found, strict=True)},
            **repeated(self._store, self._unique),
        }


def unique_columns(store: SqlServerStore) -> set[str]:
    """Our names of the columns of global_id in which the server itself lets no value repeat."""
    g = store.names.global_id
    unique = store.session.look(lambda connection: tables.single_unique_columns(connection, g.name))
    return {column for column, called in g.columns.items() if called.lower() in unique}


def repeated(store: SqlServerStore, unique: set[str]) -> dict[str, int]:
    """How many rows of global_id repeat a G_ID or a no_ktp, where no unique index sees to that."""
    g = store.names.global_id
    found = {"repeated_g_id": 0, "repeated_no_ktp": 0}
    for law, column in (("repeated_g_id", "g_id"), ("repeated_no_ktp", "no_ktp")):
        if column not in unique:
            name = g.list([column])
            found[law] = int(store.scalar(f"SELECT COUNT_BIG(*) - COUNT_BIG(DISTINCT {name}) FROM {g}"))
    return found
