"""What makes a load into a table minimally logged: pages, not rows, in the transaction log.

Sources: Microsoft Learn, "Prerequisites for minimal logging in bulk import", "INSERT (Transact-SQL)", section "Best
practices", "Columnstore indexes - data loading guidance"; "The Data Loading Performance Guide".
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gidbench.errors import InputError
from gidbench.findings import Check
from gidbench.stores.naming import quoted, quoted_table, split_name
from gidbench.stores.sqlserver import faults
from gidbench.stores.sqlserver.loading import UNIT_ROWS, Load
from gidbench.stores.sqlserver.server import Server
from gidbench.stores.sqlserver.writing.model import DEFAULTS, Strategy, WriteOptions

if TYPE_CHECKING:
    from gidbench.stores.sqlserver.data import SqlServerTables

_ADVISED_ROWS = 1_000  # how fewer are logged is no matter
COLUMNSTORE_ROWS = 102_400  # of one batch: fewer go through a delta store, row by row
_HEAP, _CLUSTERED, _NONCLUSTERED = 0, 1, 2  # sys.indexes.type
_CLUSTERED_COLUMNSTORE, _COLUMNSTORE = 5, 6


@dataclass(frozen=True)
class TableState:
    """Facts of a table that decide how a load into it is logged.

    Attributes
    ----------
    kind:
        heap, clustered index, or clustered columnstore index.
    indexes:
        Nonclustered indexes that are not disabled, columnstore ones among them.
    triggers:
        Triggers that an insert fires.
    published:
        What copies its changes from the log: replication, change data capture.
    recovery:
        Recovery model of its database; empty where the login may not see it.
    """

    kind: str
    is_empty: bool
    indexes: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    in_memory: bool = False
    recovery: str = ""


@dataclass(frozen=True)
class Advice:
    """Whether a load into a table can be minimally logged, and each thing that decides it (good or note)."""

    table: str
    minimal: bool
    findings: tuple[Check, ...]

    @property
    def hindering(self) -> tuple[str, ...]:
        return tuple(check.name for check in self.findings if check.state != "good")

    def to_dict(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "minimal": self.minimal,
            "findings": [check.to_dict() for check in self.findings],
        }


def state_of(connection: Any, table: str) -> TableState:
    """Look a table up; nothing is changed. Raises InputError where there is none."""
    parts = split_name(table)
    own = f"{quoted(parts[0])}." if len(parts) == 3 else ""
    named = quoted_table(table)
    cursor = connection.cursor()

    def rows(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in cursor.execute(statement, list(parameters)).fetchall()]

    try:
        found = rows(
            "SELECT CAST(is_published AS int), CAST(is_replicated AS int), CAST(is_merge_published AS int),"
            f" CAST(is_tracked_by_cdc AS int), CAST(is_memory_optimized AS int) FROM {own}sys.tables"
            " WHERE object_id = OBJECT_ID(?)",
            named,
        )
        if not found:
            raise InputError(f"there is no table {table!r}", "Check its name, or create it")
        published, replicated, merged, tracked, in_memory = found[0]
        indexes = rows(
            f"SELECT CAST(type AS int), name FROM {own}sys.indexes WHERE object_id = OBJECT_ID(?)"
            " AND is_disabled = 0 AND is_hypothetical = 0",
            named,
        )
        triggers = rows(
            f"SELECT t.name FROM {own}sys.triggers t JOIN {own}sys.trigger_events e ON e.object_id = t.object_id"
            " WHERE t.parent_id = OBJECT_ID(?) AND t.is_disabled = 0 AND e.type_desc = 'INSERT'",
            named,
        )
        recovery = rows(
            "SELECT recovery_model_desc FROM sys.databases WHERE name = COALESCE(?, DB_NAME())",
            parts[0] if own else None,
        )
        is_empty = not rows(f"SELECT TOP 1 1 FROM {named}")
    finally:
        cursor.close()
    kinds = {kind for kind, _ in indexes}
    kind = (
        "clustered columnstore index"
        if _CLUSTERED_COLUMNSTORE in kinds
        else "clustered index"
        if _CLUSTERED in kinds
        else "heap"
    )
    copied = {
        "transactional replication": published or replicated,
        "merge replication": merged,
        "change data capture": tracked,
    }
    return TableState(
        kind,
        is_empty,
        tuple(
            sorted(name for kind, name in indexes if kind >= _NONCLUSTERED and kind != _CLUSTERED_COLUMNSTORE)
        ),
        tuple(sorted(name for (name,) in triggers)),
        tuple(name for name, there in copied.items() if there),
        bool(in_memory),
        str(recovery[0][0] or "") if recovery else "",
    )


def advise_on(store: SqlServerTables, table: str, *, was_empty: bool | None = None) -> Advice:
    """Advice on a table of a store, by the name that it has there, as it is now or was before a load."""
    with faults.explained("looking up a table"):
        state = state_of(store.session.connection, table)
    if was_empty is not None:
        state = replace(state, is_empty=was_empty)
    return advise(table, state, store.server, strategy=store.choice.strategy, options=store.options.write)


def facts_of(store: SqlServerTables, load: Load | None, table: str, was_empty: bool) -> dict[str, Any]:
    """A load in plain values; the table that it was moved to is looked up only now, when its time is taken."""
    if load is None:
        return {}
    if load.rows >= _ADVISED_ROWS and table:
        with contextlib.suppress(InputError):  # a view takes rows, too, but its log is its tables' affair
            load.advice = advise_on(store, table, was_empty=was_empty)
    return load.to_dict()


def advise(
    table: str,
    state: TableState,
    server: Server,
    *,
    strategy: Strategy | None = None,
    options: WriteOptions = DEFAULTS,
    batch_rows: int = UNIT_ROWS,
) -> Advice:
    """What speaks for and against minimal logging of a load into a table in this state.

    With a `strategy`, the way by which the staging heap is loaded is judged, too: only bulk loads with a lock on
    the table as a whole, of the heap that is moved on afterwards.
    """
    findings = [
        _recovery(state, server),
        _copied(state),
        _locked(state, options),
        _structure(state),
        *_indexes(state),
        _triggers(state),
    ]
    if "columnstore" in state.kind:
        findings.append(_segments(batch_rows))
    if strategy is not None:
        findings.append(_way(strategy))
    checks = tuple(findings)
    return Advice(table, all(check.state == "good" for check in checks), checks)


def _recovery(state: TableState, server: Server) -> Check:
    name = "recovery model"
    if server.is_azure:
        return Check(
            name,
            "note",
            "FULL: Azure SQL Database logs every row",
            "A higher service tier writes more log a second; there is no other remedy",
        )
    if not state.recovery:
        return Check(
            name,
            "note",
            "the login may not see it",
            f"GRANT VIEW ANY DATABASE, or ask whether {server.database} is SIMPLE or BULK_LOGGED",
        )
    if state.recovery in ("SIMPLE", "BULK_LOGGED"):
        return Check(name, "good", state.recovery)
    return Check(
        name,
        "note",
        f"{state.recovery}: every row is logged",
        "ALTER DATABASE … SET RECOVERY BULK_LOGGED for the load, then FULL again and a backup of the log"
        " (not where a mirror or an availability group needs FULL)",
    )


def _copied(state: TableState) -> Check:
    if not state.published:
        return Check("replication", "good", "the table is not replicated")
    return Check(
        "replication",
        "note",
        f"{', '.join(state.published)} reads the table's changes from the log: every row is logged",
        "Load a table that is not published, or take it out for the load",
    )


def _locked(state: TableState, options: WriteOptions) -> Check:
    name = "table lock"
    if state.kind == "clustered columnstore index":
        return Check(name, "good", "a columnstore needs none, and takes parallel loads better without")
    if not options.table_lock:
        return Check(name, "note", "switched off: every row is logged", "Leave the option table_lock on")
    if not state.is_empty:
        return Check(
            name,
            "note",
            "none: others may be reading a table that holds rows, so it is not locked as a whole",
            "Load it while it is empty (--replace)",
        )
    return Check(name, "good", "of the table as a whole, while it is loaded")


def _structure(state: TableState) -> Check:
    name = "structure"
    if state.in_memory:
        return Check(
            name, "note", "memory-optimized: rows are logged in a way of its own", "Load a table on disk"
        )
    if state.kind == "clustered index" and not state.is_empty:
        return Check(
            name,
            "note",
            "a clustered index that holds rows: at most its new pages are logged minimally (SQL Server 2016"
            " and later), all else row by row",
            "Empty the table first (--replace), or load a heap or a columnstore",
        )
    return Check(name, "good", f"{'an empty ' if state.is_empty else ''}{state.kind}")


def _indexes(state: TableState) -> list[Check]:
    if not state.indexes:
        return [Check("nonclustered indexes", "good", "none")]
    listed = ", ".join(state.indexes)
    if state.is_empty:
        return [Check("nonclustered indexes", "good", f"{listed}: empty, so built by pages with the load")]
    return [
        Check(
            "nonclustered indexes",
            "note",
            f"{listed}: each of their rows is logged, as the table is not empty",
            "ALTER INDEX … DISABLE before a large load and REBUILD after it (not those that keep keys unique)",
        )
    ]


def _triggers(state: TableState) -> Check:
    if not state.triggers:
        return Check("triggers", "good", "none on INSERT")
    return Check(
        "triggers",
        "note",
        f"{', '.join(state.triggers)}: the rows are logged and kept as versions in tempdb for them",
        "DISABLE TRIGGER for the load, if what they do can be done afterwards",
    )


def _segments(batch_rows: int) -> Check:
    found = f"{batch_rows:,} rows at once"
    if batch_rows >= COLUMNSTORE_ROWS:
        return Check("batch", "good", f"{found}: compressed row groups from {COLUMNSTORE_ROWS:,} on")
    return Check(
        "batch",
        "note",
        f"{found}: fewer than {COLUMNSTORE_ROWS:,} go into a delta store, row by row",
        f"Load at least {COLUMNSTORE_ROWS:,} rows at once (1,048,576 fill a row group)",
    )


def _way(strategy: Strategy) -> Check:
    if strategy.is_bulk:
        return Check("write strategy", "good", f"{strategy.name} into an empty heap")
    return Check(
        "write strategy",
        "note",
        f"{strategy.name}: inserts, each row of which is logged in the staging table",
        "Use bulkcopy_arrow, bulkcopy or bulk_insert where they are to be had (`gidbench doctor` says)",
    )
