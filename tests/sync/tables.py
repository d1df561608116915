"""Putting employees into a DuckDB file, and reading both tables back, for the tests of synchronisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
from model import Employee, Person

from gidbench.engine import Context
from gidbench.stores.duckdb_store import DuckDBStore
from gidbench.synchronisation import SyncResult, synchronise

NOON = datetime(2026, 1, 2, 12)


@contextmanager
def stores(source: Path, target: Path) -> Iterator[tuple[DuckDBStore, DuckDBStore]]:
    """Both stores, one and the same where the paths are."""
    first = DuckDBStore(source)
    second = first if source == target else DuckDBStore(target)
    try:
        first.create_tables()
        second.create_tables()
        yield first, second
    finally:
        second.close()
        first.close()


def run_sync(source: Path, target: Path, **options: Any) -> SyncResult:
    with stores(source, target) as (first, second):
        return synchronise(first, second, context=Context(), clock=lambda: NOON, **options)


def put_employees(path: Path, employees: Iterable[Employee]) -> None:
    """Make the table employee hold exactly these."""
    with stores(path, path) as (store, _):
        store.rows("TRUNCATE employee")
        for e in employees:
            store.rows(
                "INSERT INTO employee VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    e.id,
                    e.name,
                    e.personal_number,
                    e.no_ktp,
                    e.passport_id,
                    date.fromisoformat(e.bod),
                    e.g_id,
                    NOON,
                    NOON,
                    NOON if e.deleted else None,
                ],
            )


def people_in(path: Path) -> dict[str, Person]:
    with duckdb.connect(str(path)) as connection:
        rows = connection.execute(
            "SELECT g_id, name, personal_number, no_ktp, passport_id, bod::VARCHAR, status FROM global_id"
        ).fetchall()
    found = [Person(*row) for row in rows]
    assert len({person.no_ktp for person in found}) == len(found)
    return {person.no_ktp: person for person in found}


def gids_in(path: Path) -> dict[int, str | None]:
    with duckdb.connect(str(path)) as connection:
        return dict(connection.execute("SELECT id, g_id FROM employee").fetchall())


def everything_in(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every table but the audit log, in a fixed order."""
    with duckdb.connect(str(path)) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
            for table in ("employee", "global_id", "global_id_file", "g_id_sequence")
        }
