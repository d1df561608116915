"""Operations to be broken: how the databases are before, how each is run, and what must stand there afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import live
from sqlalchemy.engine import make_url

import gidbench
from gidbench import gid
from gidbench.stores.opening import open_store

State = dict[str, Any]
_EMPLOYEE = "id, name, personal_number, no_ktp, passport_id, bod, g_id"
_PERSON = "g_id, name, personal_number, no_ktp, passport_id, bod, status, source"
_OUR = ("employee", "global_id", "global_id_file", "g_id_sequence")


class Server:
    """A database of the live server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return live.query(self.url, statement)

    def through(self, port: int) -> str:
        """Its URL by way of a proxy."""
        url = make_url(self.url).set(host="127.0.0.1", port=port)
        return url.render_as_string(hide_password=False)

    def create(self) -> None:
        with open_store(self.url) as store:
            store.create_tables()

    def save(self) -> None:
        """Remember what stands in our tables."""
        for table in _OUR:
            self.query(f"DROP TABLE IF EXISTS saved_{table}")
            self.query(f"SELECT * INTO saved_{table} FROM {table}")

    def restore(self) -> None:
        for table in (*_OUR, "audit_log"):
            self.query(f"DELETE FROM {table}")
        names = f"{_EMPLOYEE}, created_at, updated_at, deleted_at"
        self.query(
            f"SET IDENTITY_INSERT employee ON; INSERT INTO employee ({names}) SELECT {names} FROM saved_employee;"
            " SET IDENTITY_INSERT employee OFF"
        )
        for table in _OUR[1:]:
            self.query(f"INSERT INTO {table} SELECT * FROM saved_{table}")

    def staged(self) -> list[str]:
        """Names of the staging tables."""
        found = self.query("SELECT name FROM sys.tables WHERE name LIKE 'gidbench[_]stage[_]%'")
        return [name for [name] in found]

    def sessions(self) -> list[int]:
        """Numbers of the sessions in this database, but for the one that asks."""
        found = self.query(
            "SELECT DISTINCT spid FROM sys.sysprocesses WHERE dbid = DB_ID() AND spid <> @@SPID"
        )
        return [int(spid) for [spid] in found]

    def kill(self, spid: int) -> None:
        self.query(f"KILL {spid}")


class File:
    """A DuckDB database."""

    def __init__(self, path: Path) -> None:
        self.path, self.url = path, f"duckdb:///{path}"

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(statement).fetchall()

    def through(self, _: int) -> str:
        return self.url

    def create(self) -> None:
        with open_store(self.url) as store:
            store.create_tables()

    def save(self) -> None:
        shutil.copy(self.path, self.path.with_suffix(".saved"))

    def restore(self) -> None:
        self.path.with_name(self.path.name + ".wal").unlink(missing_ok=True)
        shutil.copy(self.path.with_suffix(".saved"), self.path)

    def staged(self) -> list[str]:
        found = self.query("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'gidbench%stage%'")
        return [name for [name] in found]


Base = Server | File


@dataclass
class Job:
    """One operation.

    Attributes
    ----------
    arguments:
        Of the operation, by the port of a proxy.
    exact:
        Whether the G_IDs, too, are the same as in a clean run: where they are reserved by the transaction that
        uses them. Else an aborted run may skip some.
    """

    name: str
    operation: str
    bases: tuple[Base, ...]
    arguments: Callable[[int], dict[str, Any]]
    exact: bool = True

    def restore(self) -> None:
        for base in self.bases:
            base.restore()

    def state(self) -> State:
        """What counts of all tables."""
        found: State = {}
        for number, base in enumerate(self.bases):
            compared = (("employee", _EMPLOYEE), ("global_id", _PERSON), ("global_id_file", _PERSON))
            for table, columns in compared:
                rows = base.query(f"SELECT {columns} FROM {table}")
                if not self.exact and table != "employee":
                    rows = [row[1:] for row in rows]
                found[f"{table} {number}"] = sorted(rows, key=repr)
            found[f"next {number}"] = (
                base.query("SELECT next_ordinal FROM g_id_sequence") if self.exact else []
            )
        return found

    def staged(self) -> list[str]:
        return [name for base in self.bases for name in base.staged()]

    def check_gids(self) -> None:
        """Every G_ID is of one person, and the sequence is past all of them."""
        for base in self.bases:
            people = base.query(
                "SELECT g_id, no_ktp FROM global_id UNION ALL SELECT g_id, no_ktp FROM global_id_file"
            )
            gids = [found for found, _ in people]
            assert len(set(gids)) == len(gids), f"{self.name}: a G_ID is used twice"
            assert len({key for _, key in people}) == len(people), f"{self.name}: a person is there twice"
            [(following,)] = base.query("SELECT next_ordinal FROM g_id_sequence")
            if gids:
                last = gid.decode(max(gids))
                assert last < following, f"{self.name}: the sequence stands at {following}, {last} is used"


PAIRS = {
    "sync in the server": "server",
    "sync SQL Server to SQL Server": "auto",
    "sync DuckDB to SQL Server": "auto",
    "sync SQL Server to DuckDB": "auto",
    "sync by stream in one SQL Server": "stream",
}
# the first ones are those that are broken where there is little time
NAMES = (
    "generate",
    "sync in the server",
    "sync DuckDB to SQL Server",
    "sync SQL Server to DuckDB",
    "process",
    "append",
    "sync SQL Server to SQL Server",
    "sync by stream in one SQL Server",
)


def make_job(name: str, folder: Path, new_database: Callable[[], str], rows: int) -> Job:
    """One operation that is broken, on databases of its own, which are at its beginning."""
    folder.mkdir()
    if name in PAIRS:
        return _sync_job(name, folder, new_database, rows)
    base = Server(new_database())
    base.create()
    base.save()
    people = folder / "people.csv"
    if name == "process":
        gidbench.generate(rows, seed=5, out=people)

    def arguments(port: int) -> dict[str, Any]:
        url = base.through(port)
        if name == "generate":
            return {"records": rows, "seed": 3, "into": url, "replace": True, "batch_size": 1000}
        if name == "process":
            return {"path": people, "into": url, "rejects": folder / "people.rejects.csv"}
        return {"url": url, "table": "employee", "rows": rows}

    return Job(name, name, (base,), arguments, exact=name != "process")


def _sync_job(name: str, folder: Path, new_database: Callable[[], str], rows: int) -> Job:
    kinds = name.removeprefix("sync ").split(" to ")
    made: list[Base] = [
        File(folder / f"{number}.duckdb") if kind == "DuckDB" else Server(new_database())
        for number, kind in enumerate(kinds)
    ]
    source, target = made[0], made[-1]
    prepare_sync(source, target, rows)

    def arguments(port: int) -> dict[str, Any]:
        return {"source": source.through(port), "target": target.through(port), "mode": PAIRS[name]}

    return Job(name, "sync", tuple(made), arguments)


def prepare_sync(source: Base, target: Base, rows: int) -> None:
    """A first sync of half of the employees, then something of everything for a second to do."""
    bases = (source,) if source is target else (source, target)
    for base in bases:
        base.create()
    known = rows // 2
    gidbench.generate(known, into=source.url, seed=7)
    gidbench.sync(source.url, target.url)
    source.query("DELETE FROM employee WHERE id % 40 = 2")
    source.query("UPDATE employee SET name = 'Another Name' WHERE id % 10 = 1")
    source.query("UPDATE employee SET deleted_at = '2026-01-02' WHERE id % 10 = 3")
    with open_store(source.url) as store:
        store.append("employee", gidbench.generate(rows - known, first_row=known, seed=7).batches)
    for base in bases:
        base.save()
