"""A live SQL Server for tests, where GIDBENCH_TEST_MSSQL_URL names one: an empty database for each test."""

from __future__ import annotations

import os
import secrets
from typing import Any

from sqlalchemy.engine import make_url

from gidbench.stores.naming import quoted
from gidbench.stores.sqlserver.address import address_of
from gidbench.stores.sqlserver.connections import Connections, PoolOptions

VARIABLE = "GIDBENCH_TEST_MSSQL_URL"
LIVE = os.environ.get(VARIABLE, "")
WHY_NOT = f"no live SQL Server: set {VARIABLE} to the URL of one where databases may be created"

_kept: dict[str, Connections] = {}


def url_of(database: str, **query: str) -> str:
    """The server's URL with another database."""
    url = make_url(LIVE).set(database=database).update_query_dict(query)
    return url.render_as_string(hide_password=False)


def run(statement: str, database: str = "master") -> None:
    """Run a statement on a connection of its own, which commits."""
    connections = Connections(address_of(make_url(url_of(database))), PoolOptions(size=1))
    try:
        with connections.session(autocommit=True) as connection:
            connection.cursor().execute(statement)
    finally:
        connections.close()


def create_database() -> str:
    """URL of a new database."""
    name = f"gidbench_test_{secrets.token_hex(5)}"
    run(f"CREATE DATABASE {name}")
    return url_of(name)


def drop_database(url: str) -> None:
    if url in _kept:
        _kept.pop(url).close()
    run(f"DROP DATABASE IF EXISTS {make_url(url).database}")


def drop_tables(url: str) -> None:
    """Make a database empty again."""
    for schema, table in query(url, "SELECT TABLE_SCHEMA, TABLE_NAME FROM INFORMATION_SCHEMA.TABLES"):
        query(url, f"DROP TABLE {quoted(schema)}.{quoted(table)}")


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What a statement answers, by one connection that is kept for each URL."""
    if url not in _kept:
        _kept[url] = Connections(address_of(make_url(url)), PoolOptions(size=1))
    with _kept[url].session(autocommit=True) as connection:
        cursor = connection.cursor().execute(statement)
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
