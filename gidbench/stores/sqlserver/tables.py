"""Our tables in SQL Server: made where they are missing, and checked where they are somebody's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from gidbench import gid
from gidbench.errors import InputError
from gidbench.records import SCHEMAS
from gidbench.stores.naming import Names, Table, quoted, quoted_table, split_name
from gidbench.stores.sqlserver.types import OWN_TYPES, arrow_type, columns_sql
from gidbench.stores.sqlserver.writing.model import execute

_TEXT = pa.string()
_MOMENT = pa.timestamp("us")
_OTHERS = {
    "g_id_sequence": pa.schema([pa.field("next_ordinal", pa.int64(), nullable=False)]),
    "audit_log": pa.schema(
        [
            pa.field("operation", _TEXT, nullable=False),
            pa.field("started_at", _MOMENT, nullable=False),
            pa.field("outcome", _TEXT, nullable=False),
            pa.field("counts", _TEXT, nullable=False),
            pa.field("parameters", _TEXT, nullable=False),
        ]
    ),
}
ALL_SCHEMAS = {**SCHEMAS, **_OTHERS}
KEYS = {"employee": "id", "global_id": "g_id", "global_id_file": "g_id"}
UNIQUE = {"global_id": "no_ktp", "global_id_file": "no_ktp"}
INDEXED = {
    "employee": "no_ktp"
}  # where a number may occur twice: that is a conflict, to be told, not to be refused
IDENTITY = {"employee": "id"}
OPTIONAL = {"employee": ("created_at", "updated_at")}  # a synchronisation does without
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
    cursor = connection.cursor()
    try:
        rows = cursor.execute(
            "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, IS_NULLABLE"
            f" FROM {catalogue}INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = ?"
            f" AND TABLE_SCHEMA = {'?' if where else 'SCHEMA_NAME()'} ORDER BY ORDINAL_POSITION",
            [name, *where[-1:]],
        ).fetchall()
    finally:
        cursor.close()
    return [
        Column(name, kind, length, precision, scale, nullable == "YES")
        for name, kind, length, precision, scale, nullable in rows
    ]


def create_missing(connection: Any, names: Names) -> list[str]:
    """Create our tables, keys and indexes where they are missing; returns the names of those made.

    A table that is there stays as it is. Raises InputError where its columns do not fit, having made nothing.
    """
    missing = []
    for table, schema in ALL_SCHEMAS.items():
        known = names.table(table)
        found = columns_of(connection, known.name)
        if found:
            check_fit(known, schema, found)
        else:
            missing.append(known)
    for known in missing:
        create_table(connection, known)
    if any(known.table == "g_id_sequence" for known in missing):
        sequence = names.g_id_sequence
        execute(
            connection.cursor(),
            f"INSERT INTO {sequence} ({sequence.next_ordinal}) SELECT {gid.FIRST_ORDINAL}"
            f" WHERE NOT EXISTS (SELECT 1 FROM {sequence})",
        )
    return [known.name for known in missing]


def create_table(connection: Any, known: Table) -> None:
    """Create a table of ours, its keys and its indexes."""
    table, schema = known.table, ALL_SCHEMAS[known.table]
    types = {known.columns[name]: OWN_TYPES[name] for name in schema.names}
    identity = known.columns.get(IDENTITY.get(table, ""))
    lines = [columns_sql(known.rename(schema), types, identity=identity)]
    if table == "audit_log":  # several lines may have one moment
        lines.append(f"{quoted(LINE)} bigint IDENTITY(1, 1) NOT NULL PRIMARY KEY")
    short = "_".join(split_name(known.name)[-1:])
    if table in KEYS:
        lines.append(f"CONSTRAINT {quoted(f'pk_{short}')} PRIMARY KEY ({getattr(known, KEYS[table])})")
    if table in UNIQUE:
        column = getattr(known, UNIQUE[table])
        lines.append(f"CONSTRAINT {quoted(f'uq_{short}_{UNIQUE[table]}')} UNIQUE ({column})")
    execute(connection.cursor(), f"CREATE TABLE {known} ({', '.join(lines)})")
    if table in INDEXED:
        index = quoted(f"ix_{short}_{INDEXED[table]}")
        execute(connection.cursor(), f"CREATE INDEX {index} ON {known} ({getattr(known, INDEXED[table])})")


def check_fit(known: Table, schema: pa.Schema, found: list[Column]) -> None:
    """Raise InputError where a table that is there can't hold our columns: missing, of another kind, too short.

    Further columns of its own are no matter, if they are nullable or have defaults, which an insert will tell.
    """
    there = {column.name.lower(): column for column in found}
    for field in schema:
        called = known.columns[field.name]
        column = there.get(called.lower())
        if column is None and field.name in OPTIONAL.get(known.table, ()):
            continue
        if column is None:
            raise InputError(
                f"the table {known.name} has no column {called!r}",
                f"Name the one that it calls so in a names file ([{known.table}.columns]), or name another table",
            )
        if not _fits(field, column):
            raise InputError(
                f"the column {called!r} of {known.name} is {column.shown}, which does not hold {OWN_TYPES[field.name]}",
                "Alter it, or name another table in a names file",
            )


def _fits(field: pa.Field, column: Column) -> bool:
    wanted = OWN_TYPES[field.name]
    if pa.types.is_string(field.type):
        if column.length is None:
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
