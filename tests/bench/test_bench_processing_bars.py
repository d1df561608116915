"""bench process: everyone proves to read the same people before anyone is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from gidbench.bench import intake_process
from gidbench.bench.peers import intake_files, intake_readers
from gidbench.bench.peers.intake_checks import check_people, keys_digest, people_digest
from gidbench.bench.processing_bars import compare_processing
from gidbench.errors import InputError, VerificationError
from gidbench.operations import generate, process

RECORDS = 5_000


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("people") / "people.csv"
    generate(RECORDS, seed=3, out=path)
    return path


def test_too_few_records_say_nothing() -> None:
    with pytest.raises(InputError, match="say nothing"):
        compare_processing(1_000)


@pytest.mark.slow
def test_every_contender_takes_part_and_every_bar_has_a_finding(tmp_path: Path) -> None:
    result = compare_processing(RECORDS, rounds=1, scratch=tmp_path)
    assert result.failures == {}
    assert len(result.findings) == 14
    assert all(finding.value is not None and finding.value > 0 for finding in result.findings)
    assert {"csv", "xlsx", "pyarrow", "pandas", "openpyxl", "duckdb copy, infer"} <= set(result.rates)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_command_tells_it_as_json(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gidbench", "bench", "process", "--records", str(RECORDS), "--json"]
    done = subprocess.run(
        [*command, "--rounds", "1", "--scratch", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [finding["title"] for finding in told["findings"]] == ["a workbook processed (ULTRA)"]


def test_a_reader_that_finds_other_people_is_found_out(people: Path) -> None:
    table = intake_readers.by_pyarrow(people)
    expected = people_digest(table.to_batches())
    check_people(table, expected, "pyarrow")
    other = table.set_column(1, "name", pa.array(["x"] * RECORDS))
    with pytest.raises(VerificationError, match="pyarrow has not read the same people"):
        check_people(other, expected, "pyarrow")


def test_the_digest_of_keys_tells_whether_the_numbering_is_the_same(people: Path) -> None:
    once, again = (process(people, workers=workers).batches for workers in (1, 2))
    assert keys_digest(once) == keys_digest(again)
    assert keys_digest(once) != keys_digest(process(people, first_record=2).batches)


def test_a_conversion_with_other_rows_is_found_out(tmp_path: Path, people: Path) -> None:
    copied = intake_files.copied_by_duckdb(tmp_path / "t.parquet", people, types="text")
    intake_files.prove_conversion(lambda: copied, RECORDS)
    with pytest.raises(VerificationError, match="5,000 rows, not 5,001"):
        intake_files.prove_conversion(lambda: copied, RECORDS + 1)


def test_a_workbook_with_other_cells_is_found_out(tmp_path: Path) -> None:
    one, other = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    generate(50, seed=3, out=one)
    generate(50, seed=4, out=other)
    assert intake_files.same_cells(one, one)
    assert not intake_files.same_cells(one, other)
    for read in (intake_files.book_by_us, intake_files.book_by_fastexcel):
        intake_files.prove_cells(lambda: one, read, "it")
        with pytest.raises(VerificationError, match="not read the same cells"):
            intake_files.prove_cells(lambda: one, lambda _, read=read: read(other), "it")


def test_a_whole_process_tells_records_time_and_memory(people: Path) -> None:
    found = intake_process.measure(people, 2, people)
    assert (found.records, found.accepted) == (RECORDS, RECORDS)
    assert found.wall_s > 0
    assert 50_000_000 < found.peak_rss_bytes < 2_000_000_000
    with pytest.raises(VerificationError, match="no file"):
        intake_process.measure(people.with_name("none.csv"), 1, people)
