"""The rejects file holds what was added to it, and is there only if anything was."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.errors import InputError, StoreError
from gidbench.files.rejects import COLUMNS, Reject, RejectsFile
from gidbench.records import Reason

# what a reader may hand on: a line end inside a record always stands in quotes
ORIGINALS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20).map(
    lambda text: f'"{text}"' if "\r" in text or "\n" in text else text
)


def some(record: int) -> Reject:
    return Reject(record, record + 1, "", "", Reason.BOD_MISSING, "bod", "", "x")


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


@given(
    st.lists(
        st.builds(
            Reject,
            st.integers(1, 10**9),
            st.one_of(st.integers(1, 10**9), st.just("")),
            ORIGINALS,
            st.just("B7"),
            st.sampled_from(Reason),
            ORIGINALS,
            ORIGINALS,
            ORIGINALS,
        ),
        min_size=1,
        max_size=10,
    )
)
def test_every_record_is_read_back_as_it_was_added(tmp_path: Path, added: list[Reject]) -> None:
    path = tmp_path / "rejects.csv"
    with RejectsFile(path) as refused:
        for reject in added:
            refused.add(reject)
    assert rows(path) == [
        list(COLUMNS),
        *([str(cell) for cell in (*each[:4], each.reason.code, *each[5:])] for each in added),
    ]
    assert list(tmp_path.iterdir()) == [path]


def test_without_records_there_is_no_file(tmp_path: Path) -> None:
    with RejectsFile(tmp_path / "rejects.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_without_records_the_file_of_an_earlier_run_is_gone(tmp_path: Path) -> None:
    (tmp_path / "rejects.csv").write_text("record,line,reason,original\n1,2,name_missing,x\n")
    with RejectsFile(tmp_path / "rejects.csv") as refused:
        refused.seal()
        assert (tmp_path / "rejects.csv").exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("records", [0, 1])
@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt(), StoreError("gone", "start it")])
def test_a_failure_keeps_the_file_of_an_earlier_run_and_no_part(
    tmp_path: Path, failure: BaseException, records: int
) -> None:
    path = tmp_path / "rejects.csv"
    path.write_text("old")
    with pytest.raises(type(failure)) as caught, RejectsFile(path) as refused:
        for number in range(records):
            refused.add(some(number))
        raise failure
    assert caught.value is failure
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_after_sealing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), RejectsFile(tmp_path / "rejects.csv") as refused:
        refused.add(some(1))
        refused.seal()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_destination_that_cannot_be_is_refused_with_the_first_record(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"), RejectsFile(tmp_path / "folder.csv") as refused:
        refused.add(some(1))
    with pytest.raises(InputError, match="does not exist"), RejectsFile(tmp_path / "no" / "r.csv") as refused:
        refused.add(some(1))
