"""Synchronising as one writes it in T-SQL by hand: INSERT … SELECT and UPDATE, or MERGE; and with pandas.

The rows of employee have a no_ktp each, of their own: no conflicts are looked for. Texts are compared under the
database's own collation.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from gidbench.records import ACTIVE, GLOBAL_ID, NON_ACTIVE
from gidbench.stores.naming import Names, split_name
from gidbench.stores.opening import parse_url
from gidbench.stores.sqlserver.address import Address, address_of
from gidbench.units import utc_now

_COMPARED = ("name", "personal_number", "passport_id", "bod")
_PERSON = ("name", "personal_number", "no_ktp", "passport_id", "bod")
_STATUS = f"CASE WHEN e.deleted_at IS NULL THEN '{ACTIVE}' ELSE '{NON_ACTIVE}' END"
_DIFFERS = " OR ".join(
    [
        *(f"g.{column} <> e.{column}" for column in _COMPARED),
        "(g.passport_id IS NULL AND e.passport_id IS NOT NULL)",
        "(g.passport_id IS NOT NULL AND e.passport_id IS NULL)",
        f"g.status <> {_STATUS}",
    ]
)
_VALUES = ", ".join([*(f"{column} = e.{column}" for column in _COMPARED), f"status = {_STATUS}"])
_COLUMNS = ", ".join(GLOBAL_ID.names)
_FROM = ", ".join(f"e.{column}" for column in _PERSON)
# int, not bigint: CHAR and string arithmetic take no more, and there are fewer G_IDs
_GID = (
    "'G' + RIGHT('000' + CAST({n} / 67600 AS varchar(8)), 3) + CHAR(65 + {n} / 2600 % 26)"
    " + CHAR(65 + {n} / 100 % 26) + RIGHT('00' + CAST({n} % 100 AS varchar(8)), 2)"
).format(n="e.ordinal")
_TRIED = (
    "CREATE TABLE #gidbench_merge (a int)",
    "MERGE #gidbench_merge AS t USING (SELECT 1 AS a) AS s ON t.a = s.a"
    " WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a);",
)


@contextlib.contextmanager
def connected(address: Address) -> Iterator[Any]:
    """A connection of pyodbc, one transaction, committed at the end."""
    import pyodbc

    connection = pyodbc.connect(address.odbc_string())
    try:
        yield connection
        connection.commit()
    finally:
        connection.close()


def merge_hinders(url: str) -> str:
    """Why the server of a URL has no MERGE, in its own words; empty where it has."""
    import pyodbc

    try:
        with connected(address_of(parse_url(url))) as connection:
            for statement in _TRIED:
                connection.cursor().execute(statement)
    except pyodbc.Error as error:
        said = str(error.args[-1])
        return said.rpartition("]")[2].partition(" (")[0] or said
    return ""


def sync_by_statements(url: str, names: Names) -> int:
    """Make global_id agree by a statement for each kind of change; returns the rows changed."""
    employee, known, sequence = names.employee, names.global_id, names.g_id_sequence
    with connected(address_of(parse_url(url))) as connection:
        cursor, now = connection.cursor(), utc_now()
        first = _next_ordinal(cursor, sequence)
        cursor.execute(
            f"UPDATE g SET status = '{NON_ACTIVE}', updated_at = ? FROM {known} g WHERE g.status = '{ACTIVE}'"
            f" AND NOT EXISTS (SELECT 1 FROM {employee} e WHERE e.no_ktp = g.no_ktp)",
            [now],
        )
        gone = cursor.rowcount
        cursor.execute(
            f"UPDATE g SET {_VALUES}, updated_at = ? FROM {known} g JOIN {employee} e ON g.no_ktp = e.no_ktp"
            f" WHERE {_DIFFERS}",
            [now],
        )
        changed = cursor.rowcount
        cursor.execute(
            f"""INSERT INTO {known} ({_COLUMNS}) SELECT {_GID}, {_FROM}, {_STATUS}, 'database', ?, ? FROM (
                SELECT e.*, CAST({first - 1} + ROW_NUMBER() OVER (ORDER BY e.id) AS int) AS ordinal FROM {employee} e
                WHERE NOT EXISTS (SELECT 1 FROM {known} g WHERE g.no_ktp = e.no_ktp)) e""",
            [now, now],
        )
        new = int(cursor.rowcount)
        _finish(cursor, names, first + new)
    return new + int(changed) + int(gone)


def sync_by_merge(url: str, names: Names) -> int:
    """The same by one MERGE, which takes G_IDs for all who are new, in the order of their ids."""
    employee, known, sequence = names.employee, names.global_id, names.g_id_sequence
    with connected(address_of(parse_url(url))) as connection:
        cursor, now = connection.cursor(), utc_now()
        first = _next_ordinal(cursor, sequence)
        held = _count(cursor, known)
        cursor.execute(
            f"""MERGE {known} AS g USING (
                SELECT e.*, CAST({first - 1} + ROW_NUMBER() OVER (PARTITION BY CASE WHEN k.no_ktp IS NULL THEN 1
                    ELSE 0 END ORDER BY e.id) AS int) AS ordinal
                FROM {employee} e LEFT JOIN {known} k ON k.no_ktp = e.no_ktp
            ) AS e ON g.no_ktp = e.no_ktp
            WHEN MATCHED AND ({_DIFFERS}) THEN UPDATE SET {_VALUES}, updated_at = ?
            WHEN NOT MATCHED THEN INSERT ({_COLUMNS}) VALUES ({_GID}, {_FROM}, {_STATUS}, 'database', ?, ?)
            WHEN NOT MATCHED BY SOURCE AND g.status = '{ACTIVE}'
                THEN UPDATE SET status = '{NON_ACTIVE}', updated_at = ?;""",
            [now, now, now, now],
        )
        done = int(cursor.rowcount)
        _finish(cursor, names, first + _count(cursor, known) - held)
    return done


def sync_by_pandas(url: str, names: Names) -> int:
    """Both tables read, merged with an indicator, what is new appended by to_sql with fast_executemany, and what
    differs updated row by row with the same; returns the rows changed.
    """
    import pandas as pd
    from sqlalchemy import create_engine

    from gidbench.bench.peers.intake_pandas import gids

    address = address_of(parse_url(url))
    employee, known = names.employee, names.global_id
    import pyodbc

    engine = create_engine(
        "mssql+pyodbc://",
        creator=lambda: pyodbc.connect(address.odbc_string()),
        fast_executemany=True,
        use_insertmanyvalues=False,
    )
    with contextlib.closing(_Disposed(engine)), engine.begin() as connection:
        people = pd.read_sql(
            f"SELECT id, no_ktp, {', '.join(_COMPARED)}, deleted_at FROM {employee} ORDER BY id", connection
        )
        held = pd.read_sql(f"SELECT g_id, no_ktp, {', '.join(_COMPARED)}, status FROM {known}", connection)
        both = people.merge(held, on="no_ktp", how="outer", suffixes=("", "_known"), indicator=True)
        wanted = both["deleted_at"].isna().map({True: ACTIVE, False: NON_ACTIVE})
        moment = utc_now()
        new = both.loc[both["_merge"] == "left_only"].sort_values("id")
        cursor: Any = connection.connection.cursor()
        cursor.fast_executemany = True
        first = _next_ordinal(cursor, names.g_id_sequence)
        new = new.assign(
            g_id=gids(len(new), first),
            status=wanted[new.index],
            source="database",
            created_at=moment,
            updated_at=moment,
        )
        if len(new):
            place = split_name(known.name)
            schema = place[-2] if len(place) > 1 else None
            new[GLOBAL_ID.names].to_sql(place[-1], connection, schema=schema, if_exists="append", index=False)
        is_known = both["_merge"] == "both"  # only these: an assignment to no rows would bring all of them in
        same = both.loc[is_known].assign(wanted=wanted[is_known])
        differs = (same["status"] != same["wanted"]).astype(bool)
        for column in _COMPARED:
            one, other = same[column], same[f"{column}_known"]
            differs |= ((one != other) & ~(one.isna() & other.isna())).astype(bool)
        changed = same.loc[differs].assign(status=same.loc[differs, "wanted"])
        gone = both.loc[(both["_merge"] == "right_only") & (both["status"] == ACTIVE)]
        if len(changed):
            values = ", ".join(f"{column} = ?" for column in (*_COMPARED, "status", "updated_at"))
            rows = changed[[*_COMPARED, "status", "g_id"]].astype(object)
            rows = rows.where(rows.notna(), None).assign(updated_at=moment)
            order = rows[[*_COMPARED, "status", "updated_at", "g_id"]].to_numpy().tolist()
            cursor.executemany(f"UPDATE {known} SET {values} WHERE g_id = ?", order)
        if len(gone):
            cursor.executemany(
                f"UPDATE {known} SET status = '{NON_ACTIVE}', updated_at = ? WHERE g_id = ?",
                [(moment, each) for each in gone["g_id"]],
            )
        _finish(cursor, names, first + len(new))
    return len(new) + len(changed) + len(gone)


class _Disposed:
    """An engine that `closing` can close."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def close(self) -> None:
        self._engine.dispose()


def _next_ordinal(cursor: Any, sequence: Any) -> int:
    return int(cursor.execute(f"SELECT MAX(next_ordinal) FROM {sequence}").fetchone()[0])


def _count(cursor: Any, table: Any) -> int:
    return int(cursor.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])


def _finish(cursor: Any, names: Names, next_ordinal: int) -> None:
    """Write the G_IDs back, and say where the sequence stands."""
    cursor.execute(
        f"UPDATE e SET g_id = g.g_id FROM {names.employee} e JOIN {names.global_id} g ON e.no_ktp = g.no_ktp"
        " WHERE e.g_id IS NULL OR e.g_id <> g.g_id"
    )
    cursor.execute(f"UPDATE {names.g_id_sequence} SET next_ordinal = ?", [next_ordinal])
