"""Synchronising as one writes it in SQL by hand, in DuckDB: INSERT … SELECT and UPDATE, or MERGE.

The rows of employee have a no_ktp each, of their own: no conflicts are looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from gidbench.records import ACTIVE, GLOBAL_ID, NON_ACTIVE
from gidbench.units import utc_now

_COMPARED = ("name", "personal_number", "passport_id", "bod")
_STATUS = f"CASE WHEN e.deleted_at IS NULL THEN '{ACTIVE}' ELSE '{NON_ACTIVE}' END"
_DIFFERS = " OR ".join(
    [*(f"g.{column} IS DISTINCT FROM e.{column}" for column in _COMPARED), f"g.status <> {_STATUS}"]
)
_VALUES = ", ".join([*(f"{column} = e.{column}" for column in _COMPARED), f"status = {_STATUS}"])
_COLUMNS = ", ".join(GLOBAL_ID.names)
_WRITE_BACK = (
    "UPDATE employee SET g_id = g.g_id FROM global_id g"
    " WHERE employee.no_ktp = g.no_ktp AND employee.g_id IS DISTINCT FROM g.g_id"
)


def _gid(ordinal: str) -> str:
    """The text of an ordinal's G_ID."""
    letters = " || ".join(f"chr((65 + {ordinal} // {step} % 26)::INTEGER)" for step in (2_600, 100))
    return (
        f"'G' || lpad(({ordinal} // 67600)::VARCHAR, 3, '0') || {letters}"
        f" || lpad(({ordinal} % 100)::VARCHAR, 2, '0')"
    )


def _row(alias: str) -> str:
    """The values of a new row of global_id, in the order of its columns."""
    fields = ", ".join(
        f"{alias}.{column}" for column in ("name", "personal_number", "no_ktp", "passport_id", "bod")
    )
    status = _STATUS.replace("e.", f"{alias}.")
    return f"{_gid(f'{alias}.ordinal')}, {fields}, {status}, 'database', $now, $now"


def sync_by_statements(path: Path) -> int:
    """Make global_id of a DuckDB file agree by a statement for each kind of change; returns the rows changed."""
    with duckdb.connect(str(path)) as connection:
        first = _next_ordinal(connection)
        now = {"now": utc_now()}
        connection.begin()
        gone = _changed(
            connection,
            f"UPDATE global_id SET status = '{NON_ACTIVE}', updated_at = $now WHERE status = '{ACTIVE}'"
            " AND no_ktp NOT IN (SELECT no_ktp FROM employee)",
            now,
        )
        changed = _changed(
            connection,
            f"UPDATE global_id AS g SET {_VALUES}, updated_at = $now FROM employee e"
            f" WHERE g.no_ktp = e.no_ktp AND ({_DIFFERS})",
            now,
        )
        new = _changed(
            connection,
            f"INSERT INTO global_id ({_COLUMNS}) SELECT {_row('e')} FROM ("
            "SELECT *, $first + row_number() OVER (ORDER BY id) - 1 AS ordinal FROM employee"
            " WHERE no_ktp NOT IN (SELECT no_ktp FROM global_id)) AS e",
            {**now, "first": first},
        )
        _finish(connection, first + new)
    return new + changed + gone


def sync_by_merge(path: Path) -> int:
    """The same by one MERGE, which takes G_IDs for all who are new, in the order of their ids."""
    with duckdb.connect(str(path)) as connection:
        first = _next_ordinal(connection)
        connection.begin()
        held = _count(connection)
        done = _changed(
            connection,
            f"""MERGE INTO global_id AS g USING (
                SELECT e.*, $first - 1 + row_number() OVER (PARTITION BY k.no_ktp IS NULL ORDER BY e.id) AS ordinal
                FROM employee e LEFT JOIN global_id k ON k.no_ktp = e.no_ktp
            ) AS e ON g.no_ktp = e.no_ktp
            WHEN MATCHED AND ({_DIFFERS}) THEN UPDATE SET {_VALUES}, updated_at = $now
            WHEN NOT MATCHED THEN INSERT ({_COLUMNS}) VALUES ({_row("e")})
            WHEN NOT MATCHED BY SOURCE AND g.status = '{ACTIVE}'
                THEN UPDATE SET status = '{NON_ACTIVE}', updated_at = $now""",
            {"now": utc_now(), "first": first},
        )
        _finish(connection, first + _count(connection) - held)
    return done


def _next_ordinal(connection: duckdb.DuckDBPyConnection) -> int:
    [(first,)] = connection.execute("SELECT next_ordinal FROM g_id_sequence").fetchall()
    return int(first)


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    [(count,)] = connection.execute("SELECT count(*) FROM global_id").fetchall()
    return int(count)


def _changed(connection: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, object]) -> int:
    [(count,)] = connection.execute(statement, parameters).fetchall()
    return int(count)


def _finish(connection: duckdb.DuckDBPyConnection, next_ordinal: int) -> None:
    """Write the G_IDs back, say where the sequence stands, and commit."""
    connection.execute(_WRITE_BACK)
    connection.execute("UPDATE g_id_sequence SET next_ordinal = $1", [next_ordinal])
    connection.commit()
