"""bench sync: everyone proves to end in the same rows before anyone is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import live
import pytest

from gidbench.bench.comparison import Bar, Contender, compare
from gidbench.bench.peers.sync_pandas import sync_by_pandas
from gidbench.bench.sync_bars import compare_synchronising
from gidbench.bench.sync_embedded import Files, agreement
from gidbench.comparison_table import print_comparison
from gidbench.errors import InputError
from gidbench.operations import generate, sync

RECORDS = 5_000
needs_server = pytest.mark.skipif(not live.LIVE, reason=live.WHY_NOT)


@pytest.fixture
def database() -> Iterator[str]:
    url = live.create_database()
    yield url
    live.drop_database(url)


def tables(url: str) -> list[str]:
    return [name for (name,) in live.query(url, "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES")]


def test_too_few_records_say_nothing() -> None:
    with pytest.raises(InputError, match="say nothing"):
        compare_synchronising(1_000)


def test_only_a_sql_server_is_measured_by_its_url(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no SQL Server"):
        compare_synchronising(RECORDS, database=f"duckdb:///{tmp_path / 'people.duckdb'}")
    assert list(tmp_path.iterdir()) == []


def test_every_contender_takes_part_with_files(tmp_path: Path) -> None:
    result = compare_synchronising(RECORDS, rounds=1, scratch=tmp_path)
    assert result.failures == {}
    assert set(result.rates) == {"initial", "unchanged", "changed", "stream", "pandas", "sql", "merge"}
    assert all(finding.value is not None and finding.value > 0 for finding in result.findings)
    assert [finding.met is None for finding in result.findings] == [
        False,
        True,
        True,
        True,
        False,
        True,
        True,
    ]
    assert list(tmp_path.iterdir()) == []


def test_pandas_ends_in_the_rows_of_a_sync_when_people_change_and_go(tmp_path: Path) -> None:
    files = Files(tmp_path, 3, 2)
    found = []
    for work in (lambda path: sync(f"duckdb:///{path}"), sync_by_pandas):
        path = files.fresh(500)
        work(path)
        with duckdb.connect(str(path)) as connection:
            connection.execute("UPDATE employee SET name = name || '!' WHERE id % 10 = 0")
            connection.execute("DELETE FROM employee WHERE id % 10 = 1")
            connection.execute("UPDATE employee SET deleted_at = created_at WHERE id % 10 = 2")
        before = agreement(path)
        work(path)
        found.append(agreement(path))
        assert found[-1] != before
    assert found[0] == found[1]


def test_a_bar_without_a_bound_is_told_and_not_judged(capsys: pytest.CaptureFixture[str]) -> None:
    result = compare(
        [Contender("a", "A", "records/s", lambda: 2.0), Contender("b", "B", "records/s", lambda: 4.0)],
        [Bar("a / b", "a", None, "b"), Bar("b / a", "b", 1.5, "a")],
        rounds=1,
    )
    result.left_out = {"C": "it has no road"}
    assert [(finding.value, finding.met) for finding in result.findings] == [(0.5, None), (2.0, True)]
    print_comparison(result)
    told = capsys.readouterr().out
    assert "50%" in told
    assert "told" in told
    assert "reached" in told
    assert "takes no part: it has no road" in told


@needs_server
def test_every_strategy_loads_and_every_bar_has_a_finding(database: str) -> None:
    result = compare_synchronising(RECORDS, database=database, rounds=1)
    assert result.failures == {}
    assert {"auto", "bare", "row", "openjson", "fast_executemany", "to_sql", "initial", "insert"} <= set(
        result.rates
    )
    assert all(finding.value is not None and finding.value > 0 for finding in result.findings)
    assert any(title.startswith("bulk_insert") for title in result.left_out)
    assert tables(database) == []


@needs_server
def test_a_database_that_holds_people_is_left_alone(database: str) -> None:
    generate(10, into=database)
    with pytest.raises(InputError, match=r"holds data \(employee 10 rows"):
        compare_synchronising(RECORDS, database=database)
    assert live.query(database, "SELECT COUNT(*) FROM employee") == [(10,)]
    assert not [name for name in tables(database) if name.startswith("gidbench_bench")]


@needs_server
def test_a_whole_process_tells_the_memory_of_its_load(database: str) -> None:
    from gidbench.bench import load_process

    found = load_process.measure(database, RECORDS, 2)
    assert found.records == RECORDS
    assert 50_000_000 < found.peak_rss_bytes < 2_000_000_000
    assert tables(database) == []


@needs_server
def test_the_command_tells_it_as_json(database: str) -> None:
    command = [sys.executable, "-m", "gidbench", "bench", "sync", "--records", str(RECORDS), "--rounds", "1"]
    done = subprocess.run([*command, "--json", "--database", database], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    titles = [finding["title"] for finding in json.loads(done.stdout)["findings"]]
    assert "load, auto / bare bulkcopy_arrow, as many connections" in titles
    assert not [title for title in titles if "pandas" in title]
