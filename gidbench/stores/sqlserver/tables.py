"""Our tables in SQL Server: made where they are missing, and checked where they are somebody's own."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from gidbench.errors import InputError
from gidbench.stores.fitting import ALL_SCHEMAS, Found, check_distinct, check_fit, first_ordinal_sql
from gidbench.stores.naming import LONGEST_NAME, Names, Table, quoted, quoted_table, split_name
from gidbench.stores.sqlserver.types import OWN_TYPES, arrow_type, columns_sql
from gidbench.stores.sqlserver.writing.model import execute

KEYS = {"employee": "id", "global_id": "g_id", "global_id_file": "g_id"}
UNIQUE = {"global_id": "no_ktp", "global_id_file": "no_ktp"}
INDEXED = {
    "employee": "no_ktp"
}  # where a number may occur twice: that is a conflict, to be told, not to be refused
IDENTITY = {"employee": "id"}
LINE = "gidbench_line"  # of the audit log, where it is ours: the order in which lines came


@dataclass(frozen=True)
class Column:
    """A column as the catalogue has it; `length` in characters, -1 for max, None for other types."""

    name: str
    type: str
    length: int | None
    precision: int | None
    scale: int | None
    nullable: bool
    collation: str | None = None

    @property
    def is_utf8(self) -> bool:
        return "UTF8" in (self.collation or "")

    @property
    def shown(self) -> str:
        if self.length is None:
            return self.type
        return f"{self.type}({'max' if self.length < 0 else self.length})"

    @property
    def arrow(self) -> pa.DataType:
        return arrow_type(self.type, self.precision, self.scale)


def columns_of(connection: Any, table: str) -> list[Column]:
    """The columns of [DATABASE.][SCHEMA.]TABLE in their order; none where there is no such table."""
    *where, name = split_name(table)
    catalogue = f"{quoted(where[0])}." if len(where) == 2 else ""
    rows = _rows(
        connection,
        "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, IS_NULLABLE,"
        f" COLLATION_NAME FROM {catalogue}INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = ?"
        f" AND TABLE_SCHEMA = {'?' if where else 'SCHEMA_NAME()'} ORDER BY ORDINAL_POSITION",
        [name, *where[-1:]],
    )
    return [
        Column(name, kind, length, precision, scale, nullable == "YES", collation)
        for name, kind, length, precision, scale, nullable, collation in rows
    ]


def alike(connection: Any, one: Table, other: Table) -> set[str]:
    """Our names of the columns whose texts are kept in the same bytes in two tables: same type, same collation."""
    first, second = (
        {
            column.name.lower(): (column.type, column.collation)
            for column in columns_of(connection, table.name)
        }
        for table in (one, other)
    )
    return {
        name
        for name, called in one.columns.items()
        if name in other.columns
        and called.lower() in first
        and first[called.lower()] == second.get(other.columns[name].lower())
    }


def _generated(connection: Any, table: str) -> set[str]:
    """Columns, in lower case, that the server fills where an insert says nothing: by default, as identity, …"""
    *where, _ = split_name(table)
    catalogue = f"{quoted(where[0])}." if len(where) == 2 else ""
    rows = _rows(
        connection,
        f"SELECT name FROM {catalogue}sys.columns WHERE object_id = OBJECT_ID(?) AND (default_object_id <> 0"
        " OR is_identity = 1 OR is_computed = 1 OR TYPE_NAME(system_type_id) = 'timestamp'"
        " OR COLUMNPROPERTY(object_id, name, 'GeneratedAlwaysType') > 0)",
        [quoted_table(table)],
    )
    return {str(name).lower() for (name,) in rows}


def create_missing(connection: Any, names: Names) -> tuple[list[str], list[str], list[str]]:
    """Create our tables, keys and indexes where they are missing; returns the names of those made, the names of
    those that were there, and what is to be said of these (see `fitting.check_fit`).

    A table that is there stays as it is. Raises InputError where its columns do not fit, having made nothing.
    """
    own, collation = _rows(
        connection,
        "SELECT SCHEMA_NAME(), CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128))",
    )[0]
    places = {table: _place(names.table(table), str(own)) for table in ALL_SCHEMAS}
    check_distinct(places, names)
    for catalogue in sorted({place[0] for place in places.values()} - {""}):
        if _rows(connection, "SELECT DB_ID(?)", [catalogue]) == [(None,)]:
            raise InputError(
                f"there is no database {catalogue!r} on the server, or the login may not see it",
                "Name another one in the names file, or leave it out",
            )
    exact_case = "_CS_" in str(collation).upper() or "_BIN" in str(collation).upper()
    missing, present, notes = [], [], []
    for table in ALL_SCHEMAS:
        known = names.table(table)
        found = columns_of(connection, known.name)
        if found:
            hinders = (_hinders_reading if table == "employee" else _hinders_writing)(found)
            notes += check_fit(
                known,
                _found(connection, known, found),
                hinders,
                exact_case=exact_case,
            )
            present.append(known.name)
        else:
            missing.append(known)
    _make_schemas(connection, [places[known.table] for known in missing])
    for known in missing:
        create_table(connection, known, partial(_is_free, connection, places[known.table][:2]))
    sequence = names.g_id_sequence
    if not _rows(connection, f"SELECT TOP 1 1 FROM {sequence}"):
        execute(connection.cursor(), first_ordinal_sql(names))
    return [known.name for known in missing], present, notes


def create_table(connection: Any, known: Table, is_free: Callable[[str], bool] = lambda _: True) -> None:
    """Create a table of ours, its keys and its indexes; `is_free`: whether a constraint may be called so."""
    for statement in _statements(known, is_free):
        execute(connection.cursor(), statement)


def _found(connection: Any, known: Table, columns: list[Column]) -> list[Found]:
    ours = {name.lower() for name in known.columns.values()}
    further = [column for column in columns if not column.nullable and column.name.lower() not in ours]
    generated = _generated(connection, known.name) if further else set()
    return [Found(each.name, each.shown, each.nullable, each.name.lower() in generated) for each in columns]


def create_statements(names: Names) -> list[str]:
    """What makes all of our tables in a database that has none of them."""
    schemas = {tuple(split_name(names.table(table).name)[:-1]) for table in ALL_SCHEMAS}
    made = [
        f"CREATE SCHEMA {quoted(where[0])}"
        for where in sorted(schemas)
        if len(where) == 1 and where[0] != "dbo"
    ]
    for table in ALL_SCHEMAS:
        made += _statements(names.table(table), lambda _: True)
    return [*made, first_ordinal_sql(names)]


def _rows(connection: Any, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    try:
        cursor.execute(statement, list(parameters)) if parameters else cursor.execute(statement)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()


def _place(known: Table, own: str) -> tuple[str, str, str]:
    """(database, or empty for this one; schema; table)."""
    *where, name = split_name(known.name)
    return (where[0] if len(where) == 2 else "", where[-1] if where else own, name)


def _make_schemas(connection: Any, places: list[tuple[str, str, str]]) -> None:
    """Create the schemas of tables that are about to be made."""
    for catalogue, schema in sorted({place[:2] for place in places}):
        prefix = f"{quoted(catalogue)}." if catalogue else ""
        if _rows(connection, f"SELECT 1 FROM {prefix}sys.schemas WHERE name = ?", [schema]):
            continue
        [(may,)] = _rows(connection, "SELECT HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'CREATE SCHEMA')")
        if catalogue or not may:
            reason = "in another database" if catalogue else "and the login may not create it"
            raise InputError(
                f"there is no schema {schema!r} {reason}",
                f"Have CREATE SCHEMA {quoted(schema)} run there, or name another one in the names file",
            )
        execute(connection.cursor(), f"CREATE SCHEMA {quoted(schema)}")


def _is_free(connection: Any, where: tuple[str, str], constraint: str) -> bool:
    """Names of constraints are one for a schema: a table that was renamed has kept those of its old name."""
    catalogue, schema = where
    named = ".".join(quoted(part) for part in (catalogue, schema, constraint) if part)
    return _rows(connection, "SELECT OBJECT_ID(?)", [named]) == [(None,)]


def _statements(known: Table, is_free: Callable[[str], bool]) -> list[str]:
    table, schema = known.table, ALL_SCHEMAS[known.table]
    types = {known.columns[name]: OWN_TYPES[name] for name in schema.names}
    identity = known.columns.get(IDENTITY.get(table, ""))
    lines = [columns_sql(known.rename(schema), types, identity=identity)]
    if table == "audit_log":  # several lines may have one moment
        lines.append(f"{quoted(LINE)} bigint IDENTITY(1, 1) NOT NULL PRIMARY KEY")
    short = split_name(known.name)[-1]

    def called(prefix: str, *parts: str) -> str:
        name = "_".join((prefix, short, *parts))
        if len(name) > LONGEST_NAME:  # still another one for another table
            name = f"{name[: LONGEST_NAME - 9]}_{zlib.crc32(name.encode()):08x}"
        return name

    def constraint(prefix: str, *parts: str) -> str:
        name = called(prefix, *parts)
        return f"CONSTRAINT {quoted(name)} " if is_free(name) else ""

    if table in KEYS:
        lines.append(f"{constraint('pk')}PRIMARY KEY ({getattr(known, KEYS[table])})")
    if table in UNIQUE:
        lines.append(f"{constraint('uq', UNIQUE[table])}UNIQUE ({getattr(known, UNIQUE[table])})")
    made = [f"CREATE TABLE {known} ({', '.join(lines)})"]
    if table in INDEXED:
        index = quoted(called("ix", INDEXED[table]))
        made.append(f"CREATE INDEX {index} ON {known} ({getattr(known, INDEXED[table])})")
    return made


def _hinders_reading(found: list[Column]) -> Callable[[pa.Field, Found], str]:
    """Why a column of a table that is read can't hold our field."""
    by_name = {column.name: column for column in found}

    def hinders(field: pa.Field, column: Found) -> str:
        kind = by_name[column.name]
        if field.name == "id" and kind.type in ("int", "smallint", "tinyint"):
            return ""  # of one's own employees, who will not be 2,147,483,648
        return _unfit(field, kind)

    return hinders


def _hinders_writing(found: list[Column]) -> Callable[[pa.Field, Found], str]:
    """Why a column of a table that takes rows can't hold our field."""
    by_name = {column.name: column for column in found}

    def hinders(field: pa.Field, column: Found) -> str:
        kind = by_name[column.name]
        if kind.type in ("char", "varchar") and OWN_TYPES[field.name].startswith("n") and not kind.is_utf8:
            return f"which loses letters that its code page lacks; {OWN_TYPES[field.name]} does not"
        return _unfit(field, kind)

    return hinders


def _unfit(field: pa.Field, column: Column) -> str:
    wanted = OWN_TYPES[field.name]
    if column.type in ("text", "ntext"):
        return "which can't be compared"
    return "" if _fits(field, column) else f"which does not hold {wanted}"


def _fits(field: pa.Field, column: Column) -> bool:
    wanted = OWN_TYPES[field.name]
    if pa.types.is_string(field.type):
        if column.length is None or column.arrow != field.type:
            return False
        if column.length < 0:
            return True
        digits = wanted.partition("(")[2].rstrip(")")
        return digits != "max" and column.length >= int(digits)
    if pa.types.is_timestamp(field.type):
        return column.type in ("datetime2", "datetimeoffset", "datetime")
    return bool(column.arrow == field.type)


def has_identity(connection: Any, table: str, column: str) -> bool:
    """Whether the server numbers a column by itself, so that giving it needs IDENTITY_INSERT."""
    row = (
        connection.cursor()
        .execute("SELECT COLUMNPROPERTY(OBJECT_ID(?), ?, 'IsIdentity')", [quoted_table(table), column])
        .fetchone()
    )
    return bool(row and row[0])


def single_unique_columns(connection: Any, table: str) -> set[str]:
    """Columns that a unique index, not filtered, has to itself, in lower case: the server sees to those."""
    rows = (
        connection.cursor()
        .execute(
            "SELECT i.index_id, c.name FROM sys.indexes i"
            " JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id"
            " JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id"
            " WHERE i.object_id = OBJECT_ID(?) AND i.is_unique = 1 AND i.is_disabled = 0 AND i.has_filter = 0",
            [quoted_table(table)],
        )
        .fetchall()
    )
    several: dict[int, list[str]] = {}
    for index, column in rows:
        several.setdefault(int(index), []).append(str(column).lower())
    return {columns[0] for columns in several.values() if len(columns) == 1}
