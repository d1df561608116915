"""Peers as cases of a run: rebuilt from plain arguments, proved after each round, in the families of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import live
import pyarrow as pa
import pytest

from gidbench import notebooks
from gidbench.bench import peer_cases
from gidbench.bench.case import Case
from gidbench.bench.ground import PeerOutcome
from gidbench.bench.peers.registry import BOOK_READERS, CSV_READERS, MAKERS
from gidbench.bench.results import load_results
from gidbench.bench.session import measure
from gidbench.bench.suite import OPERATIONS, Bench, cases_for, left_out
from gidbench.engine import Cancellation
from gidbench.errors import InputError, VerificationError
from gidbench.stores.opening import open_store

RECORDS = 2_000
needs_server = pytest.mark.skipif(not live.LIVE, reason=live.WHY_NOT)


def bench_on(url: str, folder: Path, *, peers: bool = True) -> Bench:
    with open_store(url) as store:
        store.create_tables()
        first = store.reserve_gids(0)
    return Bench(folder, url, first, RECORDS, 7, 1_000, 2, peers)


def values_of(cases: list[Case]) -> dict[str, dict[str, str]]:
    """Of each family, what its cases gave; every case twice, as rounds do."""
    values: dict[str, dict[str, str]] = {}
    for _ in range(2):
        for case in cases:
            outcome = case.prepare(Cancellation())()
            values.setdefault(case.family, {})[case.variant] = case.verify(outcome).value
    return values


@pytest.mark.parametrize("operation", OPERATIONS)
def test_peers_give_the_values_of_ours(operation: str, database: str, tmp_path: Path) -> None:
    bench = bench_on(database, tmp_path)
    cases = cases_for(operation, bench)
    assert [case.variant for case in cases] == [case.variant for case in cases_for(operation, bench)]
    assert left_out(operation, bench) == []
    ours = {case.variant for case in cases if case.peer is None}
    theirs = [case for case in cases if case.peer is not None]
    assert {case.against for case in theirs} <= ours
    assert all(case.variant == f"peer {case.peer}" and not case.headline for case in theirs)
    found = values_of(cases)
    assert all(len(set(values.values())) == 1 for values in found.values())
    if operation == "sync":
        assert set(found["agreement"]) == {*ours, "peer pandas", "peer sql", "peer merge"}
    if operation == "process":
        names = {f"peer {peer.name}" for peer in CSV_READERS + BOOK_READERS}
        assert set(found[f"intake of {RECORDS}"]) == ours | names


def test_without_peers_there_are_ours_only(database: str, tmp_path: Path) -> None:
    bench = bench_on(database, tmp_path, peers=False)
    assert [case.peer for operation in OPERATIONS for case in cases_for(operation, bench)] == [None] * 8
    assert left_out("generate", bench) == []


def test_a_missing_library_is_told_and_no_failure(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(MAKERS[0]), "lacks", lambda peer: "gone" if peer.name == "faker" else "")
    bench = bench_on(database, tmp_path)
    assert "peer faker" not in {case.variant for case in cases_for("generate", bench)}
    [told] = left_out("generate", bench)
    assert (told.status, told.variant, told.error, told.peer) == ("skipped", "peer faker", "gone", "faker")


def test_a_slow_peer_says_that_it_takes_fewer_records(database: str, tmp_path: Path) -> None:
    bench = Bench(tmp_path, database, 0, 1_000_000, 7, 1_000, 2, peers=True)
    [faker] = [case for case in cases_for("generate", bench) if case.peer == "faker"]
    [pandas] = [case for case in cases_for("process", bench) if case.peer == "pandas"]
    assert pandas.title == "pandas, all of processing, into the database (slow, so on 500,000 records only)"
    assert (faker.records, faker.title) == (5_000, "Faker (slow, so on 5,000 records only)")


def test_a_peer_that_makes_other_values_is_found_out(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_on(database, tmp_path)
    cases = {case.variant: case for name in OPERATIONS for case in cases_for(name, bench)}
    maker = cases["peer numpy"]
    with pytest.raises(VerificationError, match="does not make the same table"):
        maker.verify(PeerOutcome("generate", RECORDS, 0.0, made=MAKERS[0].make(RECORDS - 1, 7)))
    reader = cases["peer pyarrow"]
    people = pa.Table.from_batches(bench.people(RECORDS - 1))
    with pytest.raises(VerificationError, match="has not read the same people"):
        reader.verify(PeerOutcome("process", RECORDS, 0.0, made=people))
    syncer = cases["peer sql"]
    syncer.prepare(Cancellation())
    with pytest.raises(VerificationError, match="has changed 1 rows"):
        syncer.verify(PeerOutcome("sync", RECORDS, 0.0, made=1))
    with pytest.raises(VerificationError, match="global_id holds"):
        syncer.verify(PeerOutcome("sync", RECORDS, 0.0, made=RECORDS))
    with pytest.raises(TypeError, match="times the peer"):
        maker.verify(peer_cases.Outcome("generate", RECORDS, 0.0))


@pytest.mark.slow
def test_a_measurement_has_peers_limits_and_bottlenecks(tmp_path: Path) -> None:
    found = measure("sync", records=RECORDS, processes=1, rounds=1, out=tmp_path / "run", peers=True)
    written = load_results(found.path).results
    assert written == found.results
    by_variant = {result.variant: result for result in written}
    assert set(by_variant) == {"initial", "unchanged", "peer pandas", "peer sql", "peer merge"}
    assert {result.status for result in written} == {"ok"}
    assert {(result.peer, result.against) for result in written if result.peer} == {
        (name, "initial") for name in ("pandas", "sql", "merge")
    }
    assert all(result.limits and result.bottleneck["words"] for result in written)
    assert "own insert" in {limit["name"] for limit in by_variant["initial"].limits}
    assert [limit["name"] for limit in by_variant["unchanged"].limits] == ["own compare"]


def test_a_notebook_parameter_is_true_or_false() -> None:
    assert notebooks.typed({"peers": "True"}, ["01_generate"]) == {"peers": True}
    assert notebooks.typed({"peers": "false"}, ["01_generate"]) == {"peers": False}
    with pytest.raises(InputError, match="neither true nor false"):
        notebooks.typed({"peers": "perhaps"}, ["01_generate"])


@pytest.fixture
def server_database() -> Iterator[str]:
    url = live.create_database()
    yield url
    live.drop_database(url)


@needs_server
@pytest.mark.slow
def test_a_server_is_loaded_and_synchronised_by_peers_too(server_database: str, tmp_path: Path) -> None:
    bench = bench_on(server_database, tmp_path)
    cases = [case for case in cases_for("generate", bench) if case.against == "database"]
    assert {"peer load row", "peer load values", "peer load to_sql", "peer load to_sql fast"} <= {
        case.variant for case in cases
    }
    loads = values_of(cases)
    assert all(len(set(values.values())) == 1 for values in loads.values())
    told = left_out("generate", bench)
    assert "peer load bulk_insert" in {each.variant for each in told}
    assert all(each.status == "skipped" and each.error for each in told)
    found = values_of(cases_for("sync", bench))
    assert all(len(set(values.values())) == 1 for values in found.values())
    assert [name for name, in live.query(server_database, "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES")
            if name.startswith("gidbench_bench")] == []  # fmt: skip
