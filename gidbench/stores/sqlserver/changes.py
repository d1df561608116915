"""What has changed in `employee` since a mark: by a rowversion column where there is one, else by `updated_at`.

Source: Microsoft Learn, "rowversion (Transact-SQL)" and "MIN_ACTIVE_ROWVERSION (Transact-SQL)": a transaction under way
has taken its versions already, so the mark is the lowest that is not committed yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from gidbench.stores.base import ChangeMark
from gidbench.stores.naming import quoted
from gidbench.stores.sqlserver.tables import columns_of

if TYPE_CHECKING:
    from gidbench.stores.sqlserver.data import SqlServerTables

# A transaction that is older than this when it commits would be missed: updated_at is what its client wrote.
OVERLAP = timedelta(minutes=10)


def change_mark(store: SqlServerTables) -> ChangeMark | None:
    """How far `employee` has come; None where nothing tells, or it is empty."""
    e = store.names.employee
    columns = {column.name.lower(): column for column in store.session.look(lambda c: columns_of(c, e.name))}
    versions = [column.name for column in columns.values() if column.type in ("timestamp", "rowversion")]
    mark = None
    if (
        versions and store.server.has_row_versions
    ):  # before the rows are counted: what comes in between is read twice
        mark = store.scalar("SELECT MIN_ACTIVE_ROWVERSION()")
    told = ["updated_at", "deleted_at"] if e.columns["updated_at"].lower() in columns else []
    # one statement: all of one moment
    maxima = "".join(f", MAX({e.list([column])})" for column in told)
    [(last_id, rows, *moments)] = store.rows(f"SELECT MAX({e.id}), COUNT_BIG(*){maxima} FROM {e}")
    if last_id is None:
        return None
    if mark is not None:
        return ChangeMark(versions[0], "0x" + bytes(mark).hex().upper(), int(last_id), int(rows))
    known = [moment for moment in moments if moment is not None]
    if not known:
        return None
    return ChangeMark("updated_at", (max(known) - OVERLAP).isoformat(), int(last_id), int(rows))


def changed(
    store: SqlServerTables, mark: ChangeMark, columns: Sequence[str]
) -> Iterator[pa.RecordBatch] | None:
    """The rows changed at or after a mark; None where the store no longer tells by its column."""
    e = store.names.employee
    there = {column.name.lower(): column for column in store.session.look(lambda c: columns_of(c, e.name))}
    if mark.column == "updated_at":
        if e.columns["updated_at"].lower() not in there:
            return None
        moment = datetime.fromisoformat(mark.value)
        clause = f"FROM {e} WHERE {e.updated_at} >= ? OR {e.deleted_at} >= ? OR {e.updated_at} IS NULL"
        return store.selected("employee", columns, clause, [moment, moment])
    if mark.column.lower() not in there or not store.server.has_row_versions:
        return None
    clause = f"FROM {e} WHERE {quoted(mark.column)} >= CAST(? AS binary(8))"
    return store.selected("employee", columns, clause, [bytes.fromhex(mark.value[2:])])
