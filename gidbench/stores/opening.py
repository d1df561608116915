"""From a URL to a store; credentials stay inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from gidbench.errors import InputError
from gidbench.stores.base import Store
from gidbench.stores.duckdb_store import DuckDBStore
from gidbench.stores.naming import OURS, Names


def parse_url(text: str) -> URL:
    """A database URL. Raises InputError, without repeating the text, which may hold a password."""
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        raise InputError(
            "the database URL cannot be understood",
            "Write it like duckdb:///people.duckdb or mssql+pyodbc://user:password@host:1433/database",
        ) from None


def safe_name(text: str) -> str:
    """The URL with its password and query hidden: fit for logs, results and reports."""
    url = parse_url(text)
    return url.set(query={}).render_as_string(hide_password=True)


def duckdb_path(url: URL) -> Path | None:
    """File of a DuckDB URL; None where it is in memory."""
    if not url.database or url.database == ":memory:":
        return None
    return Path(url.database)


@contextmanager
def open_store(text: str, *, names: Names = OURS, create: bool = True) -> Iterator[Store]:
    """The store of a URL, closed at the end. Raises InputError where there is no store for its kind.

    Parameters
    ----------
    names:
        How our tables and columns are called there.
    create:
        Whether a database file that does not exist is created; InputError otherwise.
    """
    url = parse_url(text)
    store: Store
    if url.get_backend_name() == "duckdb":
        path = duckdb_path(url)
        if path is not None and not create and not path.exists():
            raise InputError(f"{safe_name(text)} does not exist", "Name a database that does")
        store = DuckDBStore(path, names=names)
    elif url.get_backend_name() == "mssql":
        from gidbench.stores.sqlserver.opening import open_sql_server  # its drivers take 0.2 s to load

        store = open_sql_server(url, names=names)
    else:
        raise InputError(
            f"there is no store for {url.drivername} databases",
            "Use duckdb:///FILE or mssql+pyodbc://user:password@host:1433/database",
        )
    try:
        yield store
    finally:
        store.close()


def split_table(text: str) -> tuple[str, str]:
    """(URL of the database, table) of URL/TABLE, where TABLE may be SCHEMA.TABLE; options stay with the URL."""
    url = parse_url(text)
    database, slash, table = (url.database or "").rpartition("/")
    if not slash or not database or not table:
        raise InputError(
            f"{safe_name(text)} names no table", "Write URL/TABLE, as in duckdb:///people.duckdb/employee"
        )
    return url.set(database=database).render_as_string(hide_password=False), table


def is_same_store(one: str, other: str) -> bool:
    """Whether two URLs mean the same database."""
    first, second = parse_url(one), parse_url(other)
    if first.get_backend_name() == second.get_backend_name() == "duckdb":
        paths = duckdb_path(first), duckdb_path(second)
        return paths[0] is not None and paths[1] is not None and paths[0].resolve() == paths[1].resolve()
    if first.get_backend_name() == second.get_backend_name() == "mssql":
        from gidbench.stores.sqlserver.address import address_of

        return address_of(first).identity == address_of(second).identity
    return first == second
