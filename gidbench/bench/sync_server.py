"""The bars of synchronising within a SQL Server: against the server's own INSERT … SELECT of the same rows."""

from __future__ import annotations

import time
from functools import partial

from gidbench.bench.comparison import PROOF_RECORDS, Bar, Contender
from gidbench.bench.peers.model import Syncer
from gidbench.bench.peers.registry import syncers_for
from gidbench.bench.server_subject import NAMES, PREFIX, Subject
from gidbench.bench.sync_embedded import AGREED
from gidbench.digest import digest_of
from gidbench.engine import Cancellation, Context
from gidbench.errors import StoreError, VerificationError
from gidbench.records import GLOBAL_ID, PERSON_FIELDS
from gidbench.stores.naming import Names, quoted_table
from gidbench.stores.sqlserver import tables
from gidbench.synchronisation import SyncResult, synchronise

_ROWS = quoted_table(f"{PREFIX}rows")  # a heap of what global_id has in the end
_COPIES = Names({"global_id": f"{PREFIX}copy"})
_CHANGES = (
    "UPDATE {e} SET name = name + N'x', passport_id = NULL WHERE id % 50 = 0",
    "UPDATE {e} SET deleted_at = updated_at WHERE id % 50 = 1",
    "UPDATE {e} SET deleted_at = NULL WHERE id % 50 = 2",
    "DELETE FROM {e} WHERE id % 50 = 3",
)
_CHANGED = "UPDATE {e} SET {name} = {name} + N'x' WHERE {id} % 100 = {turn}"


def server_bars(
    subject: Subject, database: str, *, peers: bool
) -> tuple[list[Contender], list[Bar], dict[str, str]]:
    """Who synchronises, what must come out, and who can't here (title: why)."""
    bench = _Bench(subject)
    left_out: dict[str, str] = {}
    people = f"{subject.records:,} employees"
    contenders = [
        Contender(
            "initial",
            f"initial sync in mode server, {people}",
            "records/s",
            bench.initial,
            bench.prove,
        ),
        Contender(
            "insert",
            f"INSERT … SELECT of the rows of global_id into a table like it, {people}",
            "records/s",
            bench.insert,
        ),
        Contender(
            "insert and update",
            f"the same, and UPDATE of employee with the G_IDs, {people}",
            "records/s",
            partial(bench.insert, update=True),
        ),
        Contender("unchanged", f"sync again, nothing changed, {people}", "records/s", bench.unchanged),
        Contender("changed", f"sync again, 1 % of {people} changed", "records/s", bench.changed),
    ]
    own = "the server's INSERT … SELECT of global_id's rows, same keys"
    bars = [
        Bar(f"initial sync / {own}", "initial", 0.7, "insert"),
        Bar("initial sync / that and UPDATE of employee with the G_IDs", "initial", 0.7, "insert and update"),
        Bar("unchanged second sync / initial sync", "unchanged", 5, "initial"),
        Bar("second sync with 1 % changed / initial sync", "changed", 3, "initial"),
    ]
    for peer in syncers_for(database) if peers else ():
        if why := peer.lacks() or peer.hinders(database):
            left_out[peer.title] = why
            continue
        count = peer.records(subject.records)
        name = f"sync {peer.name}"
        rate = partial(bench.by_peer, peer, database, count)
        proof = partial(bench.prove_peer, peer, database)
        contenders.append(Contender(name, f"{peer.title}, {count:,} employees", "records/s", rate, proof))
        bars.append(Bar(f"initial sync / {peer.title}", "initial", None, name))
    return contenders, bars, left_out


class _Bench:
    """The state of the tables from turn to turn: each contender makes the one that it needs, untimed."""

    def __init__(self, subject: Subject) -> None:
        self._subject, self._store = subject, subject.store
        self._first = subject.store.reserve_gids(0)
        self._is_synced, self._turn = False, 0

    def _fill(self, count: int | None = None) -> None:
        """Employees without G_IDs, nobody in global_id, no G_ID handed out."""
        store, self._is_synced = self._store, False
        for table in ("global_id", "employee"):
            store.clear(table)
        store.return_gids(self._first, store.reserve_gids(0))
        people = self._subject.people if count is None else self._subject.first(count)
        store.append("employee", people)
        self._look()

    def _look(self) -> None:
        """Let the server count its rows, as it does by itself after a while."""
        try:
            self._subject.run("EXEC sp_updatestats")
        except StoreError:
            return

    def _sync(self, expected: dict[str, int]) -> float:
        started = time.perf_counter()
        found = synchronise(self._store, self._store, context=Context(None, Cancellation()), mode="server")
        spent = time.perf_counter() - started
        self._require(found, expected)
        return self._subject.records / spent

    def _require(self, found: SyncResult, expected: dict[str, int]) -> None:
        counts = {name: count for name, count in found.counts().items() if count}
        if counts != expected:
            raise VerificationError(
                f"the outcomes are {counts} in the place of {expected}", "Its time would say nothing"
            )

    def initial(self) -> float:
        records = self._subject.records
        self._fill()
        rate = self._sync({"inserted": records, "written_back": records})
        self._is_synced = True
        self._look()
        return rate

    def _agree(self) -> None:
        if not self._is_synced:
            self.initial()

    def unchanged(self) -> float:
        self._agree()
        return self._sync({"unchanged": self._subject.records})

    def changed(self) -> float:
        self._agree()
        e, self._turn = NAMES.employee, (self._turn + 1) % 100
        with self._store.apart() as connection:
            cursor = connection.cursor()
            cursor.execute(_CHANGED.format(e=e, name=e.list(["name"]), id=e.id, turn=self._turn))
            changed = int(cursor.rowcount)
        return self._sync({"updated": changed, "unchanged": self._subject.records - changed})

    def by_peer(self, peer: Syncer, database: str, count: int) -> float:
        """Records a second of somebody else's initial sync."""
        self._fill(count)
        started = time.perf_counter()
        changed = peer.sync(database, NAMES)
        spent = time.perf_counter() - started
        if changed != count:
            raise VerificationError(f"{changed:,} rows were written", "Its time would say nothing")
        return count / spent

    def prove_peer(self, peer: Syncer, database: str) -> None:
        """Initially, and when people have changed, left and gone, it ends in the rows that ours ends in."""
        count = min(self._subject.records, PROOF_RECORDS)
        found = []
        for is_ours in (True, False):
            states: list[str] = []
            for change in ((), _CHANGES):
                if not states:
                    self._fill(count)
                for statement in change:
                    self._subject.run(statement.format(e=NAMES.employee))
                if is_ours:
                    synchronise(
                        self._store, self._store, context=Context(None, Cancellation()), mode="server"
                    )
                else:
                    peer.sync(database, NAMES)
                states.append(digest_of(self._store.read("global_id", AGREED)))
                states.append(digest_of(self._store.read("employee", ["id", "g_id"])))
            found.append(states)
        self._is_synced = False
        if found[0] != found[1]:
            raise VerificationError(
                f"{peer.title} does not end in the same rows: {found[1]} in the place of {found[0]}",
                "Its time would say nothing",
            )

    def prove(self) -> None:
        """The people of global_id are those of employee, under the G_IDs that these carry."""
        self.initial()
        read = self._store.read
        agreed, people = (digest_of(read(table, PERSON_FIELDS)) for table in ("global_id", "employee"))
        held, carried = (digest_of(read(table, ["no_ktp", "g_id"])) for table in ("global_id", "employee"))
        if (agreed, held) != (people, carried):
            raise VerificationError("global_id has not the people of employee", "Its time would say nothing")
        g = NAMES.global_id
        self._subject.run(f"DROP TABLE IF EXISTS {_ROWS}")
        self._subject.run(f"SELECT {g.list(GLOBAL_ID.names)} INTO {_ROWS} FROM {g} ORDER BY {g.g_id}")

    def insert(self, *, update: bool = False) -> float:
        """Records a second of the server's own statements, in one transaction."""
        records, copy, e = self._subject.records, _COPIES.global_id, NAMES.employee
        self._subject.run(f"DROP TABLE IF EXISTS {copy}")
        tables.create_table(self._store.session.connection, copy)
        if update:
            self._fill()
        columns = copy.list(GLOBAL_ID.names)
        statements = [f"INSERT INTO {copy} ({columns}) SELECT {columns} FROM {_ROWS}"]
        if update:
            statements.append(
                f"UPDATE e SET {e.g_id} = g.{copy.g_id} FROM {e} e JOIN {copy} g ON e.{e.no_ktp} = g.{copy.no_ktp}"
            )
        started = time.perf_counter()
        with self._store.transaction():
            done = [self._store.session.execute(statement) for statement in statements]
        spent = time.perf_counter() - started
        if set(done) != {records}:
            raise VerificationError(f"{done} rows were written", "Its time would say nothing")
        return records / spent
