"""Bounds: measured for each operation, held against what a case did, and nothing of them stays."""

from __future__ import annotations

import zlib
from pathlib import Path

import live
import pytest

from gidbench import gid
from gidbench.bench import bounds, limits
from gidbench.bench.bounds import Bound, Bounds, limits_for, limits_of, measure_bounds
from gidbench.bench.ground import Bench
from gidbench.bench.results import Result
from gidbench.errors import StoreError

NAMES = {
    "generate": {"memory write", "disk write", "page cache write", "own insert"},
    "process": {"memory read", "disk write", "disk read", "page cache read", "inflate", "own insert"},
    "sync": {"memory write", "disk write", "own insert", "own compare"},
}


def bench_on(url: str, folder: Path) -> Bench:
    return Bench(folder, url, gid.FIRST_ORDINAL, 2_000, 7, 1_000, 2)


def result(operation: str, variant: str, **given: object) -> Result:
    values = {"median_s": 2.0, "bytes_per_second": 1e8, "records_per_second": 5e5, "written_bytes": 4 * 10**8}
    return Result(operation, variant, "t", False, 10**6, "ok", **{**values, **given})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "_MEMORY_BYTES", 1 << 20)
    monkeypatch.setattr(bounds, "_LEAST_MEMORY", 1 << 20)
    monkeypatch.setattr(bounds, "_FILE_BYTES", 1 << 20)


@pytest.mark.parametrize("operation", NAMES)
def test_every_operation_has_its_bounds(operation: str, database: str, tmp_path: Path) -> None:
    bench = bench_on(database, tmp_path)
    measured = measure_bounds(operation, bench)
    assert set(measured.known) == NAMES[operation]
    assert all(bound.value > 0 and bound.title and bound.unit for bound in measured.known.values())
    assert (measured.inflated_share > 1) == (operation == "process")
    assert {path.name for path in tmp_path.iterdir()} <= {"intake-2000.xlsx"}


@pytest.mark.skipif(not live.LIVE, reason=live.WHY_NOT)
@pytest.mark.parametrize("operation", NAMES)
def test_a_server_has_its_own_statements_and_its_tables_go(operation: str, tmp_path: Path) -> None:
    url = live.create_database()
    try:
        measured = measure_bounds(operation, bench_on(url, tmp_path))
        assert set(measured.known) == NAMES[operation] | {"loopback"}
        assert live.query(url, "SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES") == [(0,)]
    finally:
        live.drop_database(url)


def test_shares_are_of_what_the_case_did_and_the_tightest_is_first() -> None:
    known = {name: Bound(name, name, "x/s", 1e9) for names in NAMES.values() for name in names}
    known["own insert"] = Bound("own insert", "own", "records/s", 1e6)
    all_of = Bounds(known, inflated_share=4.0)
    shares = {
        case: {each["name"]: pytest.approx(each["share"]) for each in limits_of(result(*case), all_of)}
        for case in (("generate", "memory"), ("generate", "csv"), ("generate", "database"),
                     ("process", "csv"), ("process", "xlsx"), ("sync", "initial"), ("sync", "unchanged"))
    }  # fmt: skip
    assert shares["generate", "memory"] == {"memory write": 0.1}
    assert shares["generate", "csv"] == {"disk write": 0.2, "memory write": 0.1, "page cache write": 0.1}
    assert shares["generate", "database"] == {"own insert": 0.5, "disk write": 0.2, "memory write": 0.1}
    assert shares["process", "xlsx"]["inflate"] == 0.4
    assert "inflate" not in shares["process", "csv"]
    assert shares["sync", "initial"] == {"own insert": 0.5, "disk write": 0.2}
    assert shares["sync", "unchanged"] == {"own compare": 5e5 / 1e9}
    first = limits_of(result("generate", "database"), all_of)[0]
    assert first == {"name": "own insert", "title": "own", "unit": "records/s", "value": 1e6, "share": 0.5}


def test_peers_are_held_against_what_they_do() -> None:
    known = {
        name: Bound(name, name, "x/s", 1e9) for name in ("memory read", "own insert", "loopback", "inflate")
    }
    all_of = Bounds(known, inflated_share=4.0, is_server=True)
    reader = result("process", "peer calamine", peer="calamine", against="xlsx memory")
    assert {each["name"] for each in limits_of(reader, all_of)} == {"memory read", "inflate"}
    whole = result("process", "peer pandas", peer="pandas", against="csv")
    assert {each["name"] for each in limits_of(whole, all_of)} == {"memory read", "own insert", "loopback"}
    failed = Result("process", "csv", "t", True, 1, "failed", "broken")
    assert limits_of(failed, all_of) == []


def test_limits_for_names_every_result(database: str, tmp_path: Path) -> None:
    results = [result("generate", "csv"), result("generate", "memory")]
    found = limits_for("generate", bench_on(database, tmp_path), results)
    assert set(found) == {("generate", "csv"), ("generate", "memory")}
    assert all(each["share"] > 0 for each in found["generate", "csv"])


def test_a_bound_that_cannot_be_measured_is_left_out(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> dict[str, float]:
        raise StoreError("no room", "make some")

    def full(*_: object, **__: object) -> float:
        raise OSError("disk full")

    monkeypatch.setattr(bounds, "own_rates", refuse)
    monkeypatch.setattr(limits, "file_write_bytes_per_second", full)
    assert set(measure_bounds("generate", bench_on(database, tmp_path)).known) == {"memory write"}


def test_primitives_move_what_they_say(tmp_path: Path) -> None:
    memory = limits.MemoryWrite(2, 1 << 20)
    assert memory.add_up() == memory.fill() == 2 << 20
    assert limits.loopback_bytes_per_second(4 << 20) > 0
    machine = zlib.compressobj(wbits=-15)
    deflated = machine.compress(bytes(5_000_000)) + machine.flush()
    assert limits.inflate_bytes_per_second(deflated) > 0
    (tmp_path / "x").write_bytes(bytes(3_000_000))
    for cold in (False, True):
        assert limits.file_read_bytes_per_second(tmp_path / "x", cold=cold) > 0


def test_several_gives_the_median_after_one_that_does_not_count() -> None:
    script = iter([100.0, 1.0, 5.0, 3.0, 9.0, 9.0])
    assert limits.several(lambda: next(script), goes=3) == 3.0
    assert next(script) == 9.0
