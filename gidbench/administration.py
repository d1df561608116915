"""What is done with a database beside the operations: its tables made, loads into it judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gidbench.errors import InputError
from gidbench.findings import Check
from gidbench.settings import load_settings
from gidbench.stores.fitting import SchemaReport
from gidbench.stores.naming import OURS, Names
from gidbench.stores.opening import open_store, parse_url

__all__ = ["LoadAdvice", "SchemaReport", "advise", "create_schema", "schema_sql"]


@dataclass(frozen=True)
class LoadAdvice:
    """Whether loads into a table can be minimally logged, and all that decides it."""

    database: str
    table: str
    minimal: bool
    findings: tuple[Check, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "database": self.database,
            "table": self.table,
            "minimal": self.minimal,
            "findings": [check.to_dict() for check in self.findings],
        }


def _url(database: str | None) -> str:
    secret = load_settings(database_url=database).database_url
    if secret is None:
        raise InputError("no database is named", "Say --database URL, or set DATABASE_URL")
    return secret.get_secret_value()


def create_schema(database: str | None = None, *, names: Names = OURS) -> SchemaReport:
    """Make the tables, keys and indexes that are missing in a database; what is there stays as it is.

    Parameters
    ----------
    database:
        URL; default: DATABASE_URL.
    names:
        How our tables and columns are called there.

    Raises
    ------
    InputError where a table is there whose columns do not fit, having made nothing; StoreError
    """
    with open_store(_url(database), names=names) as store:
        return store.create_tables()


def schema_sql(database: str | None = None, *, names: Names = OURS) -> str:
    """The statements that make every table of ours in a kind of database (DuckDB without a URL), as text to be read
    and run by somebody else; nothing is connected to."""
    url = load_settings(database_url=database).url
    backend = parse_url(url).get_backend_name() if url else "duckdb"
    if backend == "mssql":
        from gidbench.stores.sqlserver.tables import create_statements

        return "".join(f"{statement};\nGO\n" for statement in create_statements(names))
    if backend != "duckdb":
        raise InputError(f"there is no schema for {backend} databases", "Use duckdb:/// or mssql+pyodbc://")
    from gidbench.stores.duckdb_schema import create_statements as of_duckdb

    return "".join(f"{statement};\n" for statement in of_duckdb(names))


def advise(database: str | None = None, *, table: str = "employee", names: Names = OURS) -> LoadAdvice:
    """What makes a load into a table of a SQL Server minimally logged, and what of it is lacking.

    Parameters
    ----------
    database:
        URL; default: DATABASE_URL.
    table:
        One of ours, or any [[DATABASE.]SCHEMA.]TABLE.

    Raises
    ------
    InputError where there is no such table, or the database is no SQL Server; StoreError
    """
    url = _url(database)
    if parse_url(url).get_backend_name() != "mssql":
        raise InputError("only loads into SQL Server can be advised on", "Name a mssql+pyodbc:// URL")
    from gidbench.stores.sqlserver.opening import open_sql_server

    store = open_sql_server(parse_url(url), names=names)
    try:
        found = store.advise(table)
        seen = store.server.hides_state
        remedy = (
            "" if store.server.is_babelfish else "Ask for it to see what loads write to the log and wait for"
        )
        views = (
            Check("log and waits", "note", seen, remedy)
            if seen
            else Check("log and waits", "good", "recorded with each load")
        )
        return LoadAdvice(store.name, found.table, found.minimal, (*found.findings, views))
    finally:
        store.close()
