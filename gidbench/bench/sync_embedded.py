"""The bars of synchronising the embedded database: whole syncs of DuckDB files, against the way of pandas."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from gidbench.bench.comparison import PROOF_RECORDS, Bar, Contender
from gidbench.bench.peers.model import Syncer
from gidbench.bench.peers.registry import SYNCERS
from gidbench.digest import digest_of
from gidbench.errors import VerificationError
from gidbench.operations import generate, sync
from gidbench.records import PERSON_FIELDS
from gidbench.stores.naming import OURS
from gidbench.stores.opening import open_store
from gidbench.synchronisation import SyncResult

_LEAST = {"pandas": 10.0}  # how many times as fast we must be; nothing is asked of the others
AGREED = ("g_id", *PERSON_FIELDS, "status", "source")  # all of global_id but the moments


@dataclass(frozen=True)
class Files:
    """Databases of employees, and copies of them to work on."""

    folder: Path
    seed: int
    workers: int

    def fresh(self, records: int, *, synced: bool = False) -> Path:
        """A new copy of a database with so many employees, of whom global_id knows none, or all."""
        template = self.folder / f"{records}{'-synced' if synced else ''}.duckdb"
        if not template.exists():
            if synced:
                shutil.copyfile(self.fresh(records), template)
                sync(_url(template), workers=self.workers)
            else:
                generate(records, seed=self.seed, workers=self.workers, into=_url(template))
        copy = self.folder / "copy.duckdb"
        self.remove(copy)
        shutil.copyfile(template, copy)
        return copy

    @property
    def target(self) -> Path:
        """The other file of a sync from file to file."""
        return self.folder / "target.duckdb"

    @staticmethod
    def remove(path: Path) -> None:
        for each in (path, path.with_name(path.name + ".wal")):
            each.unlink(missing_ok=True)


def _url(path: Path) -> str:
    return f"duckdb:///{path}"


def agreement(path: Path) -> str:
    """Digests of what stands in global_id, and of the G_IDs that employees carry."""
    with open_store(_url(path)) as store:
        agreed = digest_of(store.read("global_id", AGREED))
        return f"{agreed} {digest_of(store.read('employee', ['id', 'g_id']))}"


def embedded_bars(files: Files, records: int, *, peers: bool) -> tuple[list[Contender], list[Bar]]:
    """Who takes part without a server."""

    def rate(prepare: Callable[[], Path], work: Callable[[Path], object]) -> float:
        path = prepare()
        started = time.perf_counter()
        work(path)
        return records / (time.perf_counter() - started)

    def ours(path: Path) -> SyncResult:
        return sync(_url(path), workers=files.workers)

    def stream(path: Path) -> SyncResult:
        files.remove(files.target)
        return sync(_url(path), _url(files.target), workers=files.workers)

    def change(count: int) -> Path:
        path = files.fresh(count, synced=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute("UPDATE employee SET name = name || 'x' WHERE id % 100 = 0")
        return path

    fresh, synced = partial(files.fresh, records), partial(files.fresh, records, synced=True)
    people = f"{records:,} employees"
    contenders = [
        Contender(
            "initial",
            f"initial sync within a file, {people}",
            "records/s",
            partial(rate, fresh, ours),
            partial(_prove, files, ours),
        ),
        Contender(
            "unchanged",
            f"the same again, nothing changed, {people}",
            "records/s",
            partial(rate, synced, ours),
        ),
        Contender(
            "changed",
            f"the same again, 1 % changed, {people}",
            "records/s",
            partial(rate, partial(change, records), ours),
        ),
        Contender(
            "stream",
            f"initial sync from one file to another, {people}",
            "records/s",
            partial(rate, fresh, stream),
            partial(_prove_stream, files, stream),
        ),
    ]
    bars = [
        Bar("initial sync within a file", "initial", 1e6),
        Bar("unchanged second sync / initial", "unchanged", None, "initial"),
        Bar("second sync with 1 % changed / initial", "changed", None, "initial"),
        Bar("initial sync from one file to another", "stream", None),
    ]
    if peers:
        for peer in SYNCERS:
            if peer.backend != "duckdb":
                continue
            contenders.append(
                Contender(
                    peer.name,
                    f"{peer.title}, {people}",
                    "records/s",
                    partial(rate, fresh, partial(_by_peer, peer)),
                    partial(prove_syncer, files, ours, peer),
                )
            )
            bars.append(
                Bar(f"initial sync within a file / {peer.title}", "initial", _LEAST.get(peer.name), peer.name)
            )
    return contenders, bars


def _by_peer(peer: Syncer, path: Path) -> int:
    return peer.sync(_url(path), OURS)


def _require(found: str, expected: str, who: str) -> None:
    if found != expected:
        raise VerificationError(
            f"{who} does not end in the same rows: {found} in the place of {expected}",
            "Its time would say nothing",
        )


def _prove(files: Files, ours: Callable[[Path], SyncResult]) -> None:
    """Ours gives every one of the people a G_ID."""
    path = files.fresh(PROOF_RECORDS)
    ours(path)
    with open_store(_url(path)) as store:
        people, agreed = (digest_of(store.read(table, PERSON_FIELDS)) for table in ("employee", "global_id"))
        carried, held = (
            digest_of(store.read(table, ["no_ktp", "g_id"])) for table in ("employee", "global_id")
        )
    _require(f"{agreed} {held}", f"{people} {carried}", "the sync")


def _prove_stream(files: Files, stream: Callable[[Path], SyncResult]) -> None:
    """The other file has what ours has within one."""
    path = files.fresh(PROOF_RECORDS)
    stream(path)
    with open_store(_url(files.target)) as target, open_store(_url(path)) as source:
        found = (
            digest_of(target.read("global_id", AGREED))
            + " "
            + digest_of(source.read("employee", ["id", "g_id"]))
        )
    _require(found, agreement(files.fresh(PROOF_RECORDS, synced=True)), "the sync from file to file")


def prove_syncer(files: Files, ours: Callable[[Path], object], peer: Syncer) -> None:
    """Initially, and when people have changed, left and gone, it ends in the rows that ours ends in."""
    found = []
    for work in (ours, partial(_by_peer, peer)):
        path = files.fresh(PROOF_RECORDS)
        work(path)
        first = agreement(path)
        with duckdb.connect(str(path)) as connection:
            connection.execute("UPDATE employee SET name = name || 'x', passport_id = NULL WHERE id % 50 = 0")
            connection.execute("UPDATE employee SET deleted_at = updated_at WHERE id % 50 = 1")
            connection.execute("UPDATE employee SET deleted_at = NULL WHERE id % 50 = 2")
            connection.execute("DELETE FROM employee WHERE id % 50 = 3")
        work(path)
        found.append(f"{first} {agreement(path)}")
    _require(found[1], found[0], peer.name)
