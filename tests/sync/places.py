"""A database for the tests of synchronisation: putting employees in, reading both tables back, by URL.

Another kind of database is another kind of `Place`: a function that makes a URL, and what SQL cannot say alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import live
import pyarrow as pa
from model import Employee, Person

from gidbench.engine import Context
from gidbench.records import EMPLOYEE, GLOBAL_ID
from gidbench.stores.base import Store
from gidbench.stores.naming import OURS, Names
from gidbench.stores.opening import open_store
from gidbench.synchronisation import SyncResult, synchronise

NOON = datetime(2026, 1, 2, 12)


@dataclass(frozen=True)
class Place:
    """One database, and the names of its tables."""

    url: str
    names: Names = OURS
    _held: list[Store] = field(default_factory=list, compare=False)

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Open the store once for everything within."""
        if self.url in SERVERS.values():
            yield
            return
        with open_store(self.url, names=self.names) as store:
            store.create_tables()
            self._held.append(store)
            try:
                yield
            finally:
                self._held.clear()

    @contextmanager
    def store(self) -> Iterator[Store]:
        if self._held:
            yield self._held[0]
            return
        if self.url in SERVERS.values():
            yield self._kept_open()
            return
        with open_store(self.url, names=self.names) as store:
            store.create_tables()
            yield store

    def _kept_open(self) -> Store:
        key = self.url, repr(self.names)
        if key not in _open:
            _open[key] = _opened.enter_context(open_store(self.url, names=self.names))
            _open[key].create_tables()
        return _open[key]

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement answers, in SQL that every kind of database takes."""
        with self.store() as store:
            found: list[tuple[Any, ...]] = store.rows(statement)  # type: ignore[attr-defined]
            return found

    def drop_keys(self) -> None:
        """Take the keys of global_id away, where it has any: then nobody but a synchronisation sees to them."""
        if self.url in SERVERS.values():
            for constraint in ("pk_global_id", "uq_global_id_no_ktp"):
                self.sql(f"ALTER TABLE global_id DROP CONSTRAINT {constraint}")

    def put_employees(self, employees: Iterable[Employee]) -> None:
        """Make the table employee hold exactly these."""
        rows = [
            {
                **{name: getattr(e, name) for name in ("id", "name", "personal_number", "no_ktp")},
                "passport_id": e.passport_id,
                "bod": date.fromisoformat(e.bod),
                "g_id": e.g_id,
                "created_at": NOON,
                # hours apart: SQL Server also reads what was changed in the ten minutes before the last change
                "updated_at": NOON + timedelta(hours=e.changed),
                "deleted_at": NOON if e.deleted else None,
            }
            for e in employees
        ]
        with self.store() as store:
            store.clear("employee")
            if rows:
                store.append("employee", pa.Table.from_pylist(rows, EMPLOYEE).to_batches())

    def people(self) -> dict[str, Person]:
        rows = self.rows("global_id")
        names = ("g_id", "name", "personal_number", "no_ktp", "passport_id")
        found = [
            Person(*(row[name] for name in names), row["bod"].isoformat(), row["status"]) for row in rows
        ]
        assert len({person.no_ktp for person in found}) == len(found)
        return {person.no_ktp: person for person in found}

    def gids(self) -> dict[int, str | None]:
        return {row["id"]: row["g_id"] for row in self.rows("employee")}

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row, in order of its first column."""
        schema = {"employee": EMPLOYEE}.get(table, GLOBAL_ID)
        with self.store() as store:
            found = pa.Table.from_batches(store.read(table, schema.names), schema).to_pylist()
        return sorted(found, key=lambda row: tuple(map(str, row.values())))

    def everything(self) -> dict[str, Any]:
        """Every table but the audit log, in a fixed order, and where the sequence stands."""
        tables = {table: self.rows(table) for table in ("employee", "global_id", "global_id_file")}
        with self.store() as store:
            return {**tables, "left": store.gids_left()}


# Which kind of database a place of a name is, as the fixture `pair` of conftest.py says; its URL, where it is fixed.
KINDS: dict[str, str] = {}
SERVERS: dict[str, str] = {}
_open: dict[tuple[str, str], Store] = {}
_opened = ExitStack()  # of those


def new_place(folder: Path, name: str = "people", names: Names = OURS) -> Place:
    """A database of one's own, without any table."""
    role = "target" if "target" in name else "source"
    if KINDS.get(role, "duckdb") == "duckdb":
        return Place(f"duckdb:///{folder / name}.duckdb", names)
    which = role if role in name or name == "people" else name
    if which not in SERVERS:
        SERVERS[which] = live.create_database()
    url = SERVERS[which]
    live.drop_tables(url)
    # sessions cost half a second each: a store of a server stays open
    for key in [key for key in _open if key[0] == url]:
        _open.pop(key).close()
    return Place(url, names)


def drop_servers() -> None:
    _opened.close()
    for url in SERVERS.values():
        live.drop_database(url)


@contextmanager
def stores(source: Place, target: Place) -> Iterator[tuple[Store, Store]]:
    """Both stores, one and the same where the places are."""
    with source.store() as first:
        if source == target:
            yield first, first
            return
        with target.store() as second:
            yield first, second


def run_sync(source: Place, target: Place, **options: Any) -> SyncResult:
    with stores(source, target) as (first, second):
        return synchronise(
            first, second, context=Context(), **{"clock": lambda: NOON, "workers": 2, **options}
        )
