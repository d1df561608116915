"""Other readers and pandas find the people that we find."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gidbench.bench.peers import intake_pandas, intake_readers
from gidbench.bench.peers.intake_checks import check_people, keys_digest, people_digest
from gidbench.errors import VerificationError
from gidbench.operations import generate, process
from gidbench.records import PERSON_FIELDS

TODAY = date(2100, 1, 1)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("peers") / "people.csv"
    generate(3_000, seed=5, out=path)
    return path


@pytest.mark.parametrize("name", ["by_pyarrow", "by_duckdb", "by_polars"])
def test_readers_find_our_people(people: Path, name: str) -> None:
    ours = process(people, today=TODAY)
    assert ours.accepted == 3_000
    table = getattr(intake_readers, name)(people)
    check_people(table, people_digest(ours.batches), name)
    with pytest.raises(VerificationError, match="not read the same people"):
        check_people(table.slice(1), people_digest(ours.batches), name)


def test_pyarrow_reads_some_columns_only_if_it_is_asked_to(people: Path) -> None:
    ours = people_digest(process(people, today=TODAY).batches)
    table = intake_readers.by_pyarrow(people, PERSON_FIELDS)
    assert table.column_names == list(PERSON_FIELDS)
    check_people(table, ours, "pyarrow")


def test_pandas_does_all_that_we_do(people: Path, tmp_path: Path) -> None:
    messy = tmp_path / "messy.csv"
    lines = people.read_text(encoding="utf-8").splitlines(keepends=True)
    fields = lines[7].rstrip("\n").split(",")
    for place, text in (
        (1, " "),
        (1, "X"),
        (3, "12"),
        (3, "1" * 16),
        (5, "2024-02-30"),
        (4, "A1"),
        (2, "x" * 33),
    ):
        lines.append(",".join([*fields[:place], text, *fields[place + 1 :]]) + "\n")
    lines += [lines[5], lines[9].replace(fields[3], "")]
    unnumbered = lines[3].split(",")
    unnumbered[2:4] = ["", "3201010101909999"]
    lines.append(",".join(unnumbered))
    messy.write_text("".join(lines), encoding="utf-8")
    ours, theirs = process(messy, today=TODAY), intake_pandas.process_by_pandas(messy, TODAY)
    assert (ours.accepted, ours.duplicate, ours.rejected) == (3_001, 2, 7)
    check_people(theirs, people_digest(ours.batches), "pandas")
    assert keys_digest(theirs.to_batches()) == keys_digest(ours.batches)
