"""Ranges of a file: put together they equal the whole, and a run goes on where another one was stopped."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from intake_model import fresh, next_ordinal, query, read_full_rejects, stored

from gidbench import cli
from gidbench.admission import Admission
from gidbench.errors import InputError, TooManyRejectsError
from gidbench.files import readers
from gidbench.files.csv_reader import CsvReader
from gidbench.operations import process
from gidbench.processing import _Ranges
from gidbench.records import GLOBAL_ID
from gidbench.stores.duckdb_store import DuckDBStore

TODAY = date(2024, 6, 15)
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
# what a record is: someone new, someone again, or a fault
KINDS = st.lists(st.sampled_from("nnnndxc\n"), max_size=40)


def content(kinds: list[str]) -> bytes:
    lines = ["name,no_ktp,bod"]
    people = 0
    for kind in kinds:
        if kind == "n":
            people += 1
        number = 3201_0101_0190_0000 + (people if kind == "n" else people // 2)
        lines.append(
            {"x": "X,1,1", "c": "Budi,1", "\n": ""}.get(kind, f'"Bu\ndi {people}",{number},1990-01-02')
        )
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def set_size(size: int) -> None:
        monkeypatch.setitem(readers.READERS, ".csv", lambda path, *a: CsvReader(path, *a, chunk_bytes=size))

    return set_size


def outcome(folder: Path, url: str) -> tuple[Any, ...]:
    """Table, sequence and rejects after a run."""
    return stored(url), next_ordinal(url), read_full_rejects(folder / "people.rejects.csv")


@settings(max_examples=20, phases=UNSHRUNK)
@given(kinds=KINDS, cuts=st.sets(st.integers(1, 40), max_size=4), chunk=st.sampled_from([1, 60, 1 << 20]))
def test_ranges_put_together_equal_the_whole(
    tmp_path: Path, small_chunks: Callable[[int], None], kinds: list[str], cuts: set[int], chunk: int
) -> None:
    small_chunks(chunk)
    folder, url = fresh(tmp_path)
    other, other_url = fresh(tmp_path)
    for each in (folder, other):
        (each / "people.csv").write_bytes(content(kinds))
    whole = process(folder / "people.csv", url, today=TODAY)
    expected, found = outcome(folder, url), []
    bounds = [0, *sorted(cuts), None]
    counts = [0, 0, 0, 0]
    for low, high in itertools.pairwise(bounds):
        part = process(
            other / "people.csv",
            other_url,
            first_record=(low or 0) + 1,
            last_record=high,
            today=TODAY,
            workers=2,
            rejects=other / f"{low}.csv",
        )
        found += read_full_rejects(other / f"{low}.csv")
        counts = [
            a + b
            for a, b in zip(counts, [part.records, part.accepted, part.duplicate, part.rejected], strict=True)
        ]
    assert counts == [whole.records, whole.accepted, whole.duplicate, whole.rejected]
    assert outcome(other, other_url)[:2] == expected[:2]
    known = [reject._replace(code="duplicate") if "duplicate" in reject.code else reject for reject in found]
    assert known == [
        reject._replace(code="duplicate") if "duplicate" in reject.code else reject for reject in expected[2]
    ]


@settings(max_examples=15, phases=UNSHRUNK)
@given(
    kinds=KINDS,
    every=st.sampled_from([1, 3, 7, 100]),
    crash=st.integers(0, 8),
    step=st.sampled_from(["append", "verify", "record", "after"]),
    chunk=st.sampled_from([1, 60, 1 << 20]),
)
def test_a_run_that_is_resumed_after_a_crash_ends_like_one_that_was_not_stopped(
    tmp_path: Path,
    small_chunks: Callable[[int], None],
    kinds: list[str],
    every: int,
    crash: int,
    step: str,
    chunk: int,
) -> None:
    small_chunks(chunk)
    folder, url = fresh(tmp_path)
    other, other_url = fresh(tmp_path)
    for each in (folder, other):
        (each / "people.csv").write_bytes(content(kinds))
    process(folder / "people.csv", url, commit_every=every, today=TODAY)
    passed = []

    def failing(original: Callable[..., Any]) -> Callable[..., Any]:
        def replacement(*arguments: Any) -> Any:
            passed.append(step)
            if len(passed) == crash + 1:
                raise RuntimeError("power cut")
            return original(*arguments)

        return replacement

    owner, name = {
        "append": (DuckDBStore, "append"),
        "verify": (_Ranges, "verify"),
        "record": (DuckDBStore, "record"),
        "after": (Admission, "keep"),  # the range is kept in the table, and nobody was told
    }[step]
    with pytest.MonkeyPatch.context() as patched:
        replacement: Any = failing(getattr(owner, name))
        patched.setattr(owner, name, staticmethod(replacement) if name == "verify" else replacement)
        with contextlib.suppress(RuntimeError):
            process(other / "people.csv", other_url, commit_every=every, today=TODAY)
    result = process(other / "people.csv", other_url, commit_every=every, resume=True, today=TODAY)
    assert outcome(other, other_url) == outcome(folder, url)
    assert result.records <= len([kind for kind in kinds if kind != "\n"])


def test_a_process_that_is_killed_between_ranges_is_resumed(tmp_path: Path, database: str) -> None:
    file, kinds = tmp_path / "people.csv", ["n", "x", "n", "d", "n", "n", "x", "n"]
    file.write_bytes(content(kinds))
    process(file, database, commit_every=4, last_record=4, today=TODAY)
    # what a process leaves behind that dies after it has written rejects, and before it has committed
    rejects = tmp_path / "people.rejects.csv"
    before = rejects.read_text()
    rejects.write_text(before + '7,11,,,name_too_short,name,X,"X,1,1"\n')
    result = process(file, database, resume=True, today=TODAY)
    assert (result.first_record, result.records, result.accepted, result.rejected) == (5, 4, 3, 1)
    assert [reject.record for reject in read_full_rejects(rejects)] == [2, 4, 7]
    again = process(file, database, resume=True, today=TODAY)
    assert (again.first_record, again.records) == (9, 0)
    assert [reject.record for reject in read_full_rejects(rejects)] == [2, 4, 7]
    assert len(stored(database)) == 5


def test_resuming_goes_on_behind_the_ranges_that_are_kept_without_a_gap(
    tmp_path: Path, database: str
) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content(["n"] * 10))
    process(file, database, first_record=4, last_record=6, today=TODAY)
    process(file, database, first_record=1, last_record=2, today=TODAY)
    result = process(file, database, resume=True, today=TODAY)
    assert (result.first_record, result.accepted, result.duplicate) == (3, 5, 3)
    assert len(stored(database)) == 10


def test_a_file_that_was_changed_is_another_one(tmp_path: Path, database: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content(["n"] * 5))
    process(file, database, last_record=3, today=TODAY)
    facts = file.stat()
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1_000_000))
    result = process(file, database, resume=True, today=TODAY)
    assert (result.first_record, result.accepted, result.duplicate) == (1, 2, 3)


def test_the_audit_log_tells_ranges_and_neither_names_nor_paths(tmp_path: Path, database: str) -> None:
    file = tmp_path / "secret.csv"
    file.write_bytes(content(["n", "x", "n", "d", "n"]))
    process(file, database, commit_every=2, today=TODAY)
    found = query(database, "SELECT counts, parameters FROM audit_log")
    assert [json.loads(str(row[1]))["records"] for row in found] == [[1, 2], [3, 4], [5, 5]]
    assert [json.loads(str(row[0]))["accepted"] for row in found] == [1, 1, 1]
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"first_record": 0}, "are none"),
        ({"first_record": 5, "last_record": 4}, "are none"),
        ({"commit_every": 0}, "commit_every is 0"),
        ({"max_rejects": "many"}, "max_rejects is 'many'"),
        ({"max_rejects": "101%"}, "max_rejects is"),
        ({"max_rejects": -1}, "max_rejects is -1"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    tmp_path: Path, database: str, options: dict[str, Any], problem: str
) -> None:
    (tmp_path / "people.csv").write_bytes(content(["n"]))
    with pytest.raises(InputError, match=problem):
        process(tmp_path / "people.csv", database, **options)
    assert not (tmp_path / "people.duckdb").exists()


def test_without_a_database_there_is_nothing_to_resume(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(content(["n"]))
    for options in ({"resume": True}, {"commit_every": 5}):
        with pytest.raises(InputError, match="no database"):
            process(tmp_path / "people.csv", **options)  # type: ignore[arg-type]


# --- in memory ------------------------------------------------------------------------------------------


@settings(max_examples=15, phases=UNSHRUNK)
@given(
    kinds=KINDS,
    first=st.integers(1, 12),
    last=st.one_of(st.none(), st.integers(12, 40)),
    workers=st.sampled_from([1, 2, 4]),
    chunk=st.sampled_from([1, 60, 1 << 20]),
)
def test_in_memory_the_rows_are_those_that_a_new_table_would_have(
    tmp_path: Path,
    small_chunks: Callable[[int], None],
    kinds: list[str],
    first: int,
    last: int | None,
    workers: int,
    chunk: int,
) -> None:
    small_chunks(chunk)
    folder, url = fresh(tmp_path)
    (folder / "people.csv").write_bytes(content(kinds))
    options = {"first_record": first, "last_record": last, "today": TODAY}
    stored_result = process(folder / "people.csv", url, **options)  # type: ignore[arg-type]
    in_table = outcome(folder, url)
    result = process(folder / "people.csv", workers=workers, **options)  # type: ignore[arg-type]
    table = result.to_arrow()
    table.validate(full=True)
    assert table.schema == GLOBAL_ID
    columns = ["g_id", "name", "personal_number", "no_ktp", "passport_id", "bod", "status", "source"]
    assert [tuple(row.values()) for row in table.select(columns).to_pylist()] == in_table[0]
    assert read_full_rejects(folder / "people.rejects.csv") == in_table[2]
    assert (result.records, result.reasons) == (stored_result.records, stored_result.reasons)


# --- too many rejects -----------------------------------------------------------------------------------


@pytest.mark.parametrize("into", [True, False])
@pytest.mark.parametrize(
    ("most", "fails"), [(4, True), (5, False), ("4", True), ("33%", True), ("34 %", False)]
)
def test_too_many_rejects_stop_the_run_and_keep_what_was_found(
    tmp_path: Path,
    database: str,
    small_chunks: Callable[[int], None],
    most: int | str,
    fails: bool,
    into: bool,
) -> None:
    small_chunks(50)
    file = tmp_path / "people.csv"
    file.write_bytes(content(["n", "x", "d"] * 5))  # duplicates do not count
    url = database if into else None
    if not fails:
        assert process(file, url, max_rejects=most, today=TODAY).rejected == 5
        return
    with pytest.raises(TooManyRejectsError, match=r"5 of 1\d records were rejected, more than") as caught:
        process(file, url, max_rejects=most, today=TODAY)
    assert caught.value.exit_code == 1
    rejects = read_full_rejects(tmp_path / "people.rejects.csv")
    assert [reject.record for reject in rejects if reject.code == "name_too_short"] == [2, 5, 8, 11, 14]
    if into:
        assert stored(database) == []
        assert query(database, "SELECT outcome FROM audit_log") == [("failed",)]


@pytest.mark.parametrize("chunk", [50, 1 << 20])
def test_a_share_is_judged_from_a_thousand_records_on(
    tmp_path: Path, database: str, small_chunks: Callable[[int], None], chunk: int
) -> None:
    small_chunks(chunk)
    file = tmp_path / "people.csv"
    file.write_bytes(content(["x"] * 20 + ["n"] * 1_500 + ["x"] * 5))
    assert process(file, database, max_rejects="2%", today=TODAY).rejected == 25
    file.write_bytes(content(["n"] * 990 + ["x"] * 400))
    with pytest.raises(TooManyRejectsError, match=r"20 of 1,010 records were rejected, more than 1.9 %"):
        process(file, database, max_rejects="1.9%", today=TODAY)


def test_ranges_that_were_kept_before_too_many_rejects_stay(tmp_path: Path, database: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content(["n", "x"] * 10))
    with pytest.raises(TooManyRejectsError):
        process(file, database, max_rejects=6, commit_every=4, today=TODAY)
    assert len(stored(database)) == 6
    rejects = read_full_rejects(tmp_path / "people.rejects.csv")
    assert [reject.record for reject in rejects] == [2, 4, 6, 8, 10, 12, 14]
    result = process(file, database, resume=True, today=TODAY)
    assert (result.first_record, result.accepted, result.rejected) == (13, 4, 4)
    assert len(read_full_rejects(tmp_path / "people.rejects.csv")) == 10


# --- from the shell -------------------------------------------------------------------------------------


def run(arguments: list[str]) -> int:
    try:
        cli.main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_ranges_and_limits_from_the_shell(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_bytes(content(["n", "x"] * 10))
    base = ["process", "people.csv", "--into", database, "--json"]
    assert run([*base, "--max-rejects", "3"]) == 1
    assert "4 of 8 records were rejected, more than 3" in capsys.readouterr().err
    assert run([*base, "--records", "3:6"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 4
    assert run([*base, "--records", ":2"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 2
    assert run([*base, "--resume", "--commit-every", "5"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 14
    assert len(stored(database)) == 10
    for wrong in ("5", "a:b", "6:5"):
        assert run([*base, "--records", wrong]) == 2
