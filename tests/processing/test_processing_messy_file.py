"""A messy file of thousands of records, with every kind of fault, comes out exactly as it was made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import messy
import pytest
from intake_model import gid_of, read_rejects, stored

from gidbench.operations import process
from gidbench.processing import ProcessResult
from gidbench.records import Reason


def check(path: Path, expected: messy.Messy, result: ProcessResult, url: str) -> None:
    assert result.reasons == dict(expected.reasons)
    assert result.records == expected.records
    assert result.accepted == expected.accepted
    assert result.duplicate == expected.reasons["duplicate_in_file"]
    assert result.accepted + result.duplicate + result.rejected == result.records
    assert [row[0] for row in stored(url)] == [gid_of(place) for place in range(expected.accepted)]

    rejects = read_rejects(path.with_name(f"{path.stem}.rejects.csv"))
    assert len(rejects) == expected.reasons.total()
    assert sorted({reject.record for reject in rejects}) == [reject.record for reject in rejects]
    content = path.read_bytes().decode("utf-8-sig", "backslashreplace")
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for reject in rejects:  # each stands where it is said to stand
        original = reject.original.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert lines[reject.line - 1 : reject.line - 1 + len(original)] == original


def test_every_record_of_a_messy_file_is_accounted_for_under_its_reason(
    tmp_path: Path, database: str
) -> None:
    path = tmp_path / "messy.csv"
    expected = messy.write_messy(path, 10_000)
    check(path, expected, process(path, database), database)

    again = process(path, database)
    assert again.accepted == 0
    assert again.reasons == {**expected.reasons, "duplicate_in_table": expected.accepted}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 4])
def test_a_messy_file_of_several_chunks_is_accounted_for_as_well(
    tmp_path: Path, database: str, workers: int
) -> None:
    path = tmp_path / "messy.csv"
    expected = messy.write_messy(path, 100_000, seed=workers)
    assert path.stat().st_size > 2 * (4 << 20)
    check(path, expected, process(path, database, workers=workers), database)


def test_the_messy_file_has_a_fault_of_every_kind_that_one_file_can_have(tmp_path: Path) -> None:
    possible = {reason.code for reason in Reason} - {"duplicate_in_table"}
    assert set(messy.write_messy(tmp_path / "least.csv", messy.LEAST_ROWS).reasons) == possible


def test_the_messy_file_is_the_same_every_time(tmp_path: Path) -> None:
    first, second, other = (tmp_path / f"{name}.csv" for name in ("first", "second", "other"))
    assert messy.write_messy(first, 500) == messy.write_messy(second, 500)
    messy.write_messy(other, 500, seed=8)
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()


def test_the_messy_file_can_be_made_from_the_shell(tmp_path: Path) -> None:
    script = Path(messy.__file__)
    done = subprocess.run(
        [sys.executable, script, tmp_path / "out.csv", "300"], capture_output=True, text=True, check=True
    )
    expected = messy.write_messy(tmp_path / "same.csv", 300)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "same.csv").read_bytes()
    assert done.stdout.startswith(f"records 302\naccepted {expected.accepted}\n")
    assert subprocess.run([sys.executable, script], capture_output=True, check=False).returncode == 2
