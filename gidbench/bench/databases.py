"""The database that is measured: the caller's, whose tables must be empty and are left so, or one of the run's own."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gidbench import gid
from gidbench.errors import InputError
from gidbench.records import SCHEMAS
from gidbench.settings import EMBEDDED_DATABASE, Settings
from gidbench.stores.opening import open_store, safe_name


@dataclass(frozen=True)
class Target:
    """A database to measure: its URL, what to call it, and where its sequence of G_IDs stands.

    `file` is that of a database made for the run, which is removed; None for the caller's.
    """

    url: str
    name: str
    first_ordinal: int
    file: Path | None = None


@contextlib.contextmanager
def database(given: str, settings: Settings, folder: Path) -> Iterator[Target]:
    """The database of a run, cleaned up at the end. Raises InputError, StoreError."""
    secret = settings.database_url
    url = given or (secret.get_secret_value() if secret else "")
    if url:
        first = require_empty(url)
        try:
            yield Target(url, safe_name(url), first)
        finally:
            restore(url, first)
        return
    path = folder / EMBEDDED_DATABASE
    try:
        shown = f"duckdb:///{os.path.relpath(path)}"
        yield Target(shown, "embedded, made for this run and removed", gid.FIRST_ORDINAL, path)
    finally:
        remove_database(path)


def begin_afresh(url: str, first_ordinal: int, *tables: str) -> None:
    """Empty some tables, and take back the G_IDs that were handed out for their rows."""
    with open_store(url) as store:
        store.create_tables()
        for table in tables:
            store.clear(table)
        store.return_gids(first_ordinal, store.reserve_gids(0))


def restore(url: str, first_ordinal: int) -> None:
    """Empty the tables of a caller's database, and give the G_IDs back."""
    begin_afresh(url, first_ordinal, *SCHEMAS)


def remove_database(path: Path) -> None:
    """Remove a DuckDB file and what DuckDB may have left beside it."""
    for beside in (path, path.with_name(path.name + ".wal")):
        beside.unlink(missing_ok=True)
    shutil.rmtree(path.with_name(path.name + ".tmp"), ignore_errors=True)


def require_empty(url: str) -> int:
    """The next ordinal of a database to measure; raises InputError where its tables can't be filled and emptied."""
    with open_store(url) as store:
        store.create_tables()
        held = {table: store.count(table) for table in SCHEMAS}
        first = store.reserve_gids(0)
    full = {table: count for table, count in held.items() if count}
    if full:
        found = ", ".join(f"{table} {count:,} rows" for table, count in full.items())
        raise InputError(
            f"the database to measure holds data ({found}), which measuring would delete",
            "Name an empty database, or empty these tables yourself",
        )
    return first
