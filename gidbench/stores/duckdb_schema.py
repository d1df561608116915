"""Our tables in DuckDB: made where they are missing, and checked where they are somebody's own."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from gidbench.stores.fitting import ALL_SCHEMAS, Found, check_distinct, check_fit, first_ordinal_sql
from gidbench.stores.naming import Names, Table, quoted, split_name

_TYPES = {
    pa.int64(): "BIGINT",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
    pa.bool_(): "BOOLEAN",
}
_JSON = {"audit_log": ("counts", "parameters")}
_SMALLER = {"BIGINT": ("INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT")}
# no_ktp and g_id have no index here: DuckDB's cost a load two thirds of its rate (0.9 s became 2.7 s for a
# million rows). Their uniqueness is a law that every process and sync checks inside its transaction.

# How a table was made, and whether that is all there is to it: what hangs on it would be lost, or keep it from going.
_MADE_BY = """
SELECT t.sql, t.comment IS NULL AND NOT t.temporary AND t.database_name = current_database()
    AND NOT EXISTS (FROM duckdb_columns() c WHERE c.table_oid = t.table_oid AND c.comment IS NOT NULL)
    AND NOT EXISTS (FROM duckdb_indexes() i WHERE i.table_oid = t.table_oid)
    AND NOT EXISTS (FROM duckdb_triggers() r WHERE lower(r.table_name) = lower(t.table_name))
    AND NOT EXISTS (FROM duckdb_constraints() k WHERE k.constraint_type = 'FOREIGN KEY'
        AND (k.table_oid = t.table_oid OR lower(k.referenced_table) = lower(t.table_name)))
FROM duckdb_tables() t
WHERE lower(t.database_name) = ? AND lower(t.schema_name) = ? AND lower(t.table_name) = ?
"""


def create_missing(
    connection: duckdb.DuckDBPyConnection, names: Names
) -> tuple[list[str], list[str], list[str]]:
    """Create our tables where they are missing; returns the names of those made, the names of those that were
    there, and what is to be said of these.

    Raises InputError where the columns of one that is there do not fit, having made nothing.
    """
    [(database, schema)] = connection.execute("SELECT current_database(), current_schema()").fetchall()
    places = {table: _place(names.table(table).name, database, schema) for table in ALL_SCHEMAS}
    check_distinct(places, names)
    columns = _columns(connection)
    made, present, notes = [], [], []
    for table in ALL_SCHEMAS:
        known = names.table(table)
        found = columns.get(tuple(part.lower() for part in places[table]))
        if found is None:
            made.append(known)
            continue
        notes += check_fit(known, found, _hinders)
        present.append(known.name)
    for known in made:
        for statement in _statements(known):
            connection.execute(statement)
    connection.execute(first_ordinal_sql(names))
    return [known.name for known in made], present, notes


def create_statements(names: Names) -> list[str]:
    """What makes all of our tables in a database that has none of them."""
    return [
        *(statement for table in ALL_SCHEMAS for statement in _statements(names.table(table))),
        first_ordinal_sql(names),
    ]


def empty(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Delete every row of a table, in the transaction that is open.

    A table with nothing hanging on it is dropped and made anew as it was: rows that are deleted stay in the primary
    key until the commit, which makes the next million dear (1.45 s in the place of 0.55 s) and the file larger.
    """
    [(database, schema)] = connection.execute("SELECT current_database(), current_schema()").fetchall()
    found = connection.execute(
        _MADE_BY, [part.lower() for part in _place(table, database, schema)]
    ).fetchall()
    if [free for _, free in found] == [True]:
        connection.execute(f"DROP TABLE {table}")
        connection.execute(found[0][0])
    else:
        connection.execute(f"TRUNCATE {table}")


def _place(table: str, database: str, schema: str) -> tuple[str, ...]:
    *where, name = split_name(table)
    return (where[0] if len(where) == 2 else database, where[-1] if where else schema, name)


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, ...], list[Found]]:
    """The columns of every table and view, by database, schema and name in lower case."""
    rows = connection.execute(
        "SELECT lower(database_name), lower(schema_name), lower(table_name), column_name, data_type, is_nullable,"
        " column_default IS NOT NULL FROM duckdb_columns() WHERE NOT internal ORDER BY table_oid, column_index"
    ).fetchall()
    found: dict[tuple[str, ...], list[Found]] = {}
    for database, schema, table, name, kind, nullable, generated in rows:
        found.setdefault((database, schema, table), []).append(
            Found(name, kind, bool(nullable), bool(generated))
        )
    return found


def _hinders(field: pa.Field, column: Found) -> str:
    wanted = _TYPES[field.type]
    kind = column.shown
    if kind == wanted or (wanted == "VARCHAR" and kind == "JSON"):
        return ""
    if field.name == "id" and kind in _SMALLER[wanted]:
        return ""
    return f"which does not hold {wanted}"


def _statements(known: Table) -> list[str]:
    table = known.table
    columns = []
    for field, ours in zip(known.rename(ALL_SCHEMAS[table]), ALL_SCHEMAS[table].names, strict=True):
        line = defined(field)
        columns.append(line.replace("VARCHAR", "JSON") if ours in _JSON.get(table, ()) else line)
    if table == "employee":
        columns.append(f"PRIMARY KEY ({known.id})")
    where = split_name(known.name)[:-1]
    schema = [f"CREATE SCHEMA IF NOT EXISTS {'.'.join(quoted(part) for part in where)}"] if where else []
    return [*schema, f"CREATE TABLE {known} ({', '.join(columns)})"]


def defined(field: pa.Field) -> str:
    """A column of CREATE TABLE."""
    kind = field.type
    if pa.types.is_decimal(kind):
        called = f"DECIMAL({kind.precision}, {kind.scale})"
    else:
        called = _TYPES[kind]
    return f"{quoted(field.name)} {called}{'' if field.nullable else ' NOT NULL'}"
