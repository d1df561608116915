"""The contract of peers: every registered one proves, on few records, to end in the values that ours ends in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import live
import pyarrow as pa
import pytest

from gidbench.bench.generation_bars import prove_maker
from gidbench.bench.peers.intake_checks import check_people, people_digest
from gidbench.bench.peers.model import Maker, Peer, Reader, Syncer
from gidbench.bench.peers.registry import BOOK_READERS, CSV_READERS, MAKERS, SYNCERS
from gidbench.bench.server_subject import opened
from gidbench.bench.sync_embedded import Files, prove_syncer
from gidbench.bench.sync_server import server_bars
from gidbench.errors import VerificationError
from gidbench.operations import generate, sync

RECORDS = 3_000
needs_server = pytest.mark.skipif(not live.LIVE, reason=live.WHY_NOT)


def named(peer: Peer) -> str:
    return f"{type(peer).__name__}-{peer.name.replace(' ', '-')}-{getattr(peer, 'backend', '')}"


def present(peer: Peer) -> None:
    if why := peer.lacks():
        pytest.skip(why)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for kind in ("csv", "xlsx"):
        generate(RECORDS, seed=5, out=folder / f"people.{kind}")
    return folder


@pytest.fixture
def database() -> Iterator[str]:
    url = live.create_database()
    yield url
    live.drop_database(url)


def test_every_peer_of_the_issue_is_registered() -> None:
    names = {kind: {peer.name for peer in peers} for kind, peers in (
        ("generate", MAKERS), ("csv", CSV_READERS), ("xlsx", BOOK_READERS),
    )}  # fmt: skip
    assert names["generate"] == {"faker", "mimesis", "numpy", "numpy + pandas", "polars", "duckdb"}
    assert names["csv"] == {"pandas c", "pandas pyarrow", "pyarrow", "polars", "duckdb", "pandas"}
    assert names["xlsx"] == {"openpyxl", "pandas xlsx", "calamine", "fastexcel", "polars xlsx"}
    assert {(peer.backend, peer.name) for peer in SYNCERS} == {
        (backend, name) for backend in ("duckdb", "mssql") for name in ("pandas", "sql", "merge")
    }


@pytest.mark.parametrize("peer", MAKERS, ids=named)
def test_makers_make_the_same_table(peer: Maker) -> None:
    present(peer)
    prove_maker(peer, 3, RECORDS)
    short = dataclasses.replace(peer, make=lambda records, seed: peer.make(records, seed).slice(1))
    with pytest.raises(VerificationError, match="does not make the same table"):
        prove_maker(short, 3, RECORDS)


@pytest.mark.parametrize("peer", CSV_READERS + BOOK_READERS, ids=named)
def test_readers_read_the_same_people(peer: Reader, files: Path) -> None:
    present(peer)
    ours = people_digest(generate(RECORDS, seed=5).batches)
    people = peer.people(peer.read(files / f"people.{peer.kind}"))
    check_people(people, ours, peer.name)
    other = people.set_column(people.column_names.index("name"), "name", pa.array(["x"] * RECORDS))
    with pytest.raises(VerificationError, match="not read the same people"):
        check_people(other, ours, peer.name)


@pytest.mark.parametrize("peer", [peer for peer in SYNCERS if peer.backend == "duckdb"], ids=named)
def test_syncers_of_files_end_in_the_same_rows(peer: Syncer, tmp_path: Path) -> None:
    present(peer)
    own = Files(tmp_path, 3, 2)
    ours = lambda path: sync(f"duckdb:///{path}")  # noqa: E731
    prove_syncer(own, ours, peer)
    lazy = dataclasses.replace(peer, sync=lambda url, names: 0)
    with pytest.raises(VerificationError, match="does not end in the same rows"):
        prove_syncer(own, ours, lazy)


@needs_server
def test_syncers_of_a_server_end_in_the_same_rows_or_say_why_not(database: str) -> None:
    with opened(database, RECORDS, 3, 2) as subject:
        contenders, _, left_out = server_bars(subject, database, peers=True)
        proving = [each for each in contenders if each.name.startswith("sync ")]
        for each in proving:
            each.prepare()
        told = len(proving) + len(left_out)
        assert told == 3
        if subject.store.server.is_babelfish:
            assert left_out == {
                "plain T-SQL: MERGE by hand": "'MERGE' is not currently supported in Babelfish"
            }


def test_a_peer_whose_library_is_missing_says_so() -> None:
    peer = dataclasses.replace(MAKERS[0], modules=("no_such_library",))
    assert peer.lacks() == 'no_such_library is not installed: pip install "gidbench[peers]"'
    assert MAKERS[0].lacks() == ""


def test_slow_peers_are_given_fewer_records() -> None:
    given = {peer.name: peer.records(1_000_000) for peer in MAKERS}
    assert given["faker"] < given["mimesis"] < given["numpy"] == 1_000_000
    assert all(peer.records(100) == 100 for peer in MAKERS)
