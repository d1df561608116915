"""Columns of SQL Server for Arrow's types, and back.

Source of the types and their limits: Microsoft Learn, "Data types (Transact-SQL)".
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from gidbench.errors import InputError
from gidbench.stores.naming import quoted

# How the columns of our own tables are declared; the same column has the same type in every table.
# Microseconds are what Arrow batches carry, so datetime2(6) gives back just what went in.
OWN_TYPES = {
    "id": "bigint",
    "name": "nvarchar(255)",
    "personal_number": "varchar(32)",
    "no_ktp": "char(16)",
    "passport_id": "varchar(16)",
    "bod": "date",
    "g_id": "char(8)",
    "status": "varchar(16)",
    "source": "varchar(16)",
    "created_at": "datetime2(6)",
    "updated_at": "datetime2(6)",
    "deleted_at": "datetime2(6)",
    "next_ordinal": "bigint",
    "operation": "varchar(32)",
    "started_at": "datetime2(6)",
    "outcome": "varchar(32)",
    "counts": "nvarchar(max)",
    "parameters": "nvarchar(max)",
}

_TYPES = {
    pa.bool_(): "bit",
    pa.int8(): "smallint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "real",
    pa.float64(): "float",
    pa.date32(): "date",
    pa.timestamp("s"): "datetime2(0)",
    pa.timestamp("ms"): "datetime2(3)",
    pa.timestamp("us"): "datetime2(6)",
    pa.string(): "nvarchar(4000)",
    pa.large_string(): "nvarchar(max)",
    pa.binary(): "varbinary(max)",
}

_ARROW = {
    "bit": pa.bool_(),
    "tinyint": pa.int16(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "float": pa.float64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "datetime2": pa.timestamp("us"),
    "smalldatetime": pa.timestamp("us"),
    "char": pa.string(),
    "varchar": pa.string(),
    "nchar": pa.string(),
    "nvarchar": pa.string(),
    "text": pa.string(),
    "ntext": pa.string(),
}


def sql_type(kind: pa.DataType) -> str:
    """The type of a column of one's own table. Raises InputError where there is none."""
    if pa.types.is_decimal(kind):
        if kind.precision > 38:
            raise InputError(f"a number of {kind.precision} digits is asked for", "SQL Server has up to 38")
        return f"decimal({kind.precision}, {kind.scale})"
    if kind not in _TYPES:
        raise InputError(f"there is no column for {kind} in SQL Server", "Convert it to text first")
    return _TYPES[kind]


def arrow_type(name: str, precision: int | None, scale: int | None) -> pa.DataType:
    """The Arrow type that a column of INFORMATION_SCHEMA.COLUMNS is read as; other types as text."""
    if name in ("decimal", "numeric"):
        return pa.decimal128(precision or 38, scale or 0)
    return _ARROW.get(name, pa.string())


def columns_sql(schema: pa.Schema, types: Mapping[str, str], *, identity: str | None = None) -> str:
    """The columns of CREATE TABLE: a type of `types` by name, else by the Arrow type."""
    lines = []
    for field in schema:
        kind = types.get(field.name) or sql_type(field.type)
        grows = " IDENTITY(1, 1)" if field.name == identity else ""
        lines.append(f"{quoted(field.name)} {kind}{grows} {'NULL' if field.nullable else 'NOT NULL'}")
    return ", ".join(lines)
