"""Synchronising as one does it with pandas: both tables read, merged with an indicator, what differs written back."""

from __future__ import annotations

from pathlib import Path

import duckdb

from gidbench.bench.peers.intake_pandas import gids
from gidbench.records import ACTIVE, GLOBAL_ID, NON_ACTIVE
from gidbench.units import utc_now

_COMPARED = ["name", "personal_number", "passport_id", "bod"]


def sync_by_pandas(path: Path) -> int:
    """Make global_id of a DuckDB file agree with its employee; returns the rows that changed.

    The rows of employee have a no_ktp each, of their own: no conflicts are looked for.
    """
    with duckdb.connect(str(path)) as connection:
        employee = connection.execute(
            f"SELECT id, no_ktp, {', '.join(_COMPARED)}, deleted_at FROM employee ORDER BY id"
        ).df()
        known = connection.execute(f"SELECT g_id, no_ktp, {', '.join(_COMPARED)}, status FROM global_id").df()
        both = employee.merge(known, on="no_ktp", how="outer", suffixes=("", "_known"), indicator=True)
        moment = utc_now()
        wanted = both["deleted_at"].isna().map({True: ACTIVE, False: NON_ACTIVE})

        is_new = both["_merge"] == "left_only"
        new = both.loc[is_new].sort_values("id")
        [(first,)] = connection.execute("SELECT next_ordinal FROM g_id_sequence").fetchall()
        new = new.assign(
            g_id=gids(len(new), first),
            status=wanted[new.index],
            source="database",
            created_at=moment,
            updated_at=moment,
        )

        is_known = both["_merge"] == "both"
        differs = both["status"] != wanted
        for column in _COMPARED:
            one, other = both[column], both[f"{column}_known"]
            differs |= (one != other) & ~(one.isna() & other.isna())
        changed = both.loc[is_known & differs].assign(status=wanted[is_known & differs])
        gone = both.loc[(both["_merge"] == "right_only") & (both["status"] == ACTIVE), ["g_id"]]

        connection.begin()
        if len(new):
            inserted, numbered = new[GLOBAL_ID.names], new[["id", "g_id"]]
            connection.register("inserted", inserted)
            connection.execute("INSERT INTO global_id SELECT * FROM inserted")
            connection.execute("UPDATE g_id_sequence SET next_ordinal = ?", [first + len(new)])
            connection.register("numbered", numbered)
            connection.execute(
                "UPDATE employee SET g_id = numbered.g_id FROM numbered WHERE employee.id = numbered.id"
            )
        if len(changed):
            connection.register("changed", changed[["g_id", *_COMPARED, "status"]])
            values = ", ".join(f"{column} = changed.{column}" for column in (*_COMPARED, "status"))
            connection.execute(
                f"UPDATE global_id SET {values}, updated_at = ? FROM changed WHERE global_id.g_id = changed.g_id",
                [moment],
            )
        if len(gone):
            connection.register("gone", gone)
            connection.execute(
                f"UPDATE global_id SET status = '{NON_ACTIVE}', updated_at = ? FROM gone"
                " WHERE global_id.g_id = gone.g_id",
                [moment],
            )
        connection.commit()
    return len(new) + len(changed) + len(gone)
