"""The database that is measured: the caller's, whose tables must be empty and are left so, or one of the run's own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from gidbench import gid
from gidbench.errors import InputError
from gidbench.records import SCHEMAS
from gidbench.settings import AUTO, EMBEDDED_DATABASE, Settings
from gidbench.stores.opening import duckdb_path, open_store, parse_url, safe_name

_SECRET = re.compile(
    "pwd|password|secret|token|key|connect$", re.IGNORECASE
)  # odbc_connect may hold all of them


@dataclass(frozen=True)
class Target:
    """A database to measure: its URL, what to call it, and where its sequence of G_IDs stands.

    `file` is that of a database made for the run, which is removed; None for the caller's.
    """

    url: str
    name: str
    first_ordinal: int
    file: Path | None = None

    @property
    def is_server(self) -> bool:
        return parse_url(self.url).get_backend_name() == "mssql"

    @property
    def shown(self) -> str:
        """The caller's URL without password or path of this machine; empty for the run's own database."""
        if self.file is not None:
            return ""
        path = duckdb_path(parse_url(self.url)) if not self.is_server else None
        return f"duckdb:///{path.name}" if path and path.is_absolute() else without_password(self.url)


@contextlib.contextmanager
def database(given: str, settings: Settings, folder: Path) -> Iterator[Target]:
    """The database of a run, cleaned up at the end. Raises InputError, StoreError."""
    url = completed(given, settings)
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


def completed(given: str, settings: Settings) -> str:
    """The URL of the database to measure: the given one, or that of the settings; empty where there is neither.

    A given one without a password gets it from DATABASE_URL where that is the same but for its password: so a
    command can name a database and still be shown to everybody.
    """
    kept = settings.url
    if not given:
        return kept
    if kept and parse_url(given).password is None and without_password(kept) == without_password(given):
        return kept
    return given


def without_password(text: str) -> str:
    """A URL as it may be shown, but good for use: without its password, and options that may hold a secret.

    Raises InputError where it cannot be understood.
    """
    url = parse_url(text)
    query = {name: value for name, value in url.query.items() if not _SECRET.search(name)}
    return URL.create(
        url.drivername, url.username, None, url.host, url.port, url.database, query
    ).render_as_string(hide_password=False)


def lasting(url: str) -> str:
    """A URL for processes that work in other folders: a DuckDB file by its full path. InputError for one in memory."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "duckdb":
        return url
    path = duckdb_path(parsed)
    if path is None:
        raise InputError("a database in memory does not last from one notebook to the next", "Name a file")
    return f"duckdb:///{path.resolve()}"


def check_strategy(strategy: str, url: str) -> None:
    """Raise InputError where a write strategy is asked for and the database, empty for the embedded one, has none.

    Which of them a server can use is looked at when it is opened.
    """
    if strategy not in ("", AUTO) and (not url or parse_url(url).get_backend_name() != "mssql"):
        raise InputError(
            f"the write strategy {strategy!r} is one of SQL Server, but the database is DuckDB",
            "Leave the strategy out, or name a SQL Server",
        )


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
