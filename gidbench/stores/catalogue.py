"""What databases say of their tables: columns, keys, references; the same form for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from gidbench.errors import InputError, StoreError
from gidbench.stores.opening import duckdb_path, parse_url


@dataclass(frozen=True)
class TableFacts:
    """Columns of a table in order, and its rules.

    Attributes
    ----------
    types:
        SQL type by column, as the database writes it.
    key:
        Columns of the primary key.
    unique:
        Columns that are unique by themselves.
    references:
        Column -> (table, column) that it refers to, where a reference is of one column.
    """

    name: str
    types: dict[str, str]
    nullable: dict[str, bool]
    key: tuple[str, ...] = ()
    unique: frozenset[str] = frozenset()
    references: dict[str, tuple[str, str]] = field(default_factory=dict)


class Catalogue(Protocol):
    def facts(self, table: str) -> TableFacts:
        """Of TABLE or SCHEMA.TABLE. Raises InputError, naming some that are there, where it is not."""
        ...


@contextmanager
def open_catalogue(text: str) -> Iterator[Catalogue]:
    """The catalogue of the database at a URL. A file of a database must be there: none is created."""
    url = parse_url(text)
    shown = url.set(query={}).render_as_string(hide_password=True)
    if url.get_backend_name() in ("duckdb", "sqlite"):
        path = duckdb_path(url)
        if path is None or not path.is_file():
            raise InputError(f"there is no database file {path or shown}", "Check the name and the folder")
    if url.get_backend_name() == "duckdb":
        with _open_duckdb(shown, duckdb_path(url)) as connection:
            yield _DuckDBCatalogue(connection, shown)
        return
    with _open_engine(url, shown) as inspector:
        yield _InspectedCatalogue(inspector, shown)


@contextmanager
def _open_duckdb(shown: str, path: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        told = str(error).splitlines()[0][:160]
        raise InputError(
            f"{shown} cannot be opened as a DuckDB database", f"Name another file ({told})"
        ) from error
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _open_engine(url: URL, shown: str) -> Iterator[sa.Inspector]:
    if url.get_backend_name() == "mssql":
        with _sql_server_engine(url) as engine:
            yield from _inspect(engine, shown)
        return
    try:
        engine = sa.create_engine(url)
    except (SQLAlchemyError, ImportError) as error:
        raise InputError(
            f"nothing here knows how to talk to {url.drivername}",
            f"Install its driver ({type(error).__name__})",
        ) from error
    try:
        yield from _inspect(engine, shown)
    finally:
        engine.dispose()


def _inspect(engine: sa.Engine, shown: str) -> Iterator[sa.Inspector]:
    try:
        with engine.connect() as connection:
            yield sa.inspect(connection)
    except SQLAlchemyError as error:
        kind = type(error).__name__
        raise StoreError(
            f"{shown} cannot be asked for its tables ({kind})", "Run `gidbench doctor`"
        ) from error


@contextmanager
def _sql_server_engine(url: URL) -> Iterator[sa.Engine]:
    """SQLAlchemy's engine on a pool of ours: the same driver, settings and sentences as for all other work."""
    from gidbench.stores.sqlserver.address import address_of
    from gidbench.stores.sqlserver.connections import Connections, PoolOptions

    # by pyodbc in any case: what SQLAlchemy asks by mssql-python, not every server answers
    connections = Connections(address_of(url.set(drivername="mssql+pyodbc")), PoolOptions(size=1))
    try:
        yield sa.create_engine("mssql+pyodbc://", pool=connections.pool)
    finally:
        connections.close()


@dataclass(frozen=True)
class _DuckDBCatalogue:
    connection: duckdb.DuckDBPyConnection
    shown: str

    def facts(self, table: str) -> TableFacts:
        schema, _, name = table.rpartition(".")
        found = self._rows(
            "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE table_name = ?"
            " AND (? = '' OR schema_name = ?) AND NOT internal ORDER BY column_index",
            [name, schema, schema],
        )
        if not found:
            known = self._rows("SELECT schema_name || '.' || table_name FROM duckdb_tables()", [])
            raise _unknown(table, self.shown, [row[0] for row in known])
        rules = self._rows(
            "SELECT constraint_type, constraint_column_names, referenced_table, referenced_column_names"
            " FROM duckdb_constraints() WHERE table_name = ? AND (? = '' OR schema_name = ?)",
            [name, schema, schema],
        )
        single = [row for row in rules if len(row[1]) == 1]
        return TableFacts(
            name,
            {row[0]: row[1] for row in found},
            {row[0]: bool(row[2]) for row in found},
            next((tuple(row[1]) for row in rules if row[0] == "PRIMARY KEY"), ()),
            frozenset(row[1][0] for row in single if row[0] == "UNIQUE"),
            {row[1][0]: (row[2], row[3][0]) for row in single if row[0] == "FOREIGN KEY"},
        )

    def _rows(self, statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, parameters).fetchall()


@dataclass(frozen=True)
class _InspectedCatalogue:
    """Any database that SQLAlchemy knows, SQL Server among them."""

    inspector: sa.Inspector
    shown: str

    def facts(self, table: str) -> TableFacts:
        schema, _, name = table.rpartition(".")
        where = schema or None
        if not self.inspector.has_table(name, where):
            raise _unknown(table, self.shown, self.inspector.get_table_names(where))
        columns = self.inspector.get_columns(name, where)
        unique = self.inspector.get_unique_constraints(name, where)
        # SQLite keeps UNIQUE of a column as an index of its own making
        found = self.inspector.get_indexes(name, where, include_auto_indexes=True)
        indexes = [index for index in found if index["unique"]]
        several: list[Any] = [rule["column_names"] for rule in [*unique, *indexes]]
        alone = [names for names in several if len(names) == 1]
        references = {}
        for rule in self.inspector.get_foreign_keys(name, where):
            if len(rule["constrained_columns"]) == 1:
                prefix = f"{rule['referred_schema']}." if rule["referred_schema"] else ""
                target = (prefix + rule["referred_table"], rule["referred_columns"][0])
                references[rule["constrained_columns"][0]] = target
        return TableFacts(
            name,
            {column["name"]: _type_text(column["type"]) for column in columns},
            {column["name"]: bool(column["nullable"]) for column in columns},
            tuple(self.inspector.get_pk_constraint(name, where)["constrained_columns"]),
            frozenset(str(names[0]) for names in alone),
            references,
        )


def _type_text(kind: Any) -> str:
    """A type as SQL; with the digits of a second, which SQLAlchemy's text leaves out."""
    digits = getattr(kind, "precision", None) if isinstance(kind, sa.DateTime) else None
    return f"{kind!s}({digits})" if digits is not None and "(" not in str(kind) else str(kind)


def _unknown(table: str, shown: str, known: list[str]) -> InputError:
    some = ", ".join(sorted(known)[:10]) or "no table at all"
    return InputError(f"there is no table {table!r} in {shown}", f"There are: {some}")
