"""Dry runs, comparison afterwards, incremental runs, the lock, and tables that are called otherwise."""

from __future__ import annotations

import dataclasses
import itertools
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from model import Employee
from places import NOON, Place, new_place, run_sync

import gidbench
from gidbench.errors import InputError, StoreBusyError, VerificationError
from gidbench.generation.plan import employees
from gidbench.stores.naming import Names, load_names
from gidbench.stores.opening import open_store
from gidbench.synchronisation import SyncResult

PEOPLE = [
    Employee(n, f"Name {n}", f"EMP-{n}", f"32010101019{n:05}", None, "1990-01-01", changed=-n)
    for n in range(1, 9)
]


@pytest.fixture
def source(tmp_path: Path) -> Place:
    return new_place(tmp_path, "source")


@pytest.fixture(params=["one store", "two stores"])
def target(request: pytest.FixtureRequest, tmp_path: Path, source: Place) -> Place:
    return source if request.param == "one store" else new_place(tmp_path, "target")


def lines(place: Place) -> list[str]:
    with place.store() as store:
        return [entry.outcome for entry in store.entries("sync")]


class Incremental:
    """Runs that are an hour apart; the source as its owner sees it."""

    def __init__(self, source: Place, target: Place) -> None:
        self.source, self.target = source, target
        self.rows = {row.id: dataclasses.replace(row) for row in PEOPLE}
        self._hours = itertools.count()

    def sync(self, **options: Any) -> SyncResult:
        hour = next(self._hours)
        self.source.put_employees(self.rows.values())
        result = run_sync(
            self.source,
            self.target,
            **{"incremental": True, "verify": True, "clock": lambda: NOON + timedelta(hours=hour), **options},
        )
        for number, g_id in self.source.gids().items():
            self.rows[number].g_id = g_id
        return result

    def change(self, number: int, hour: int, **values: Any) -> None:
        self.rows[number] = dataclasses.replace(self.rows[number], changed=hour, **values)


@pytest.fixture
def runs(source: Place, target: Place) -> Incremental:
    return Incremental(source, target)


def test_modes_that_cannot_be_are_refused(tmp_path: Path, source: Place) -> None:
    source.put_employees(PEOPLE)
    other = new_place(tmp_path, "other")
    for options, message in (
        ({"mode": "server"}, "two stores"),
        ({"mode": "fast"}, "no mode 'fast'"),
        ({"dry_run": True, "verify": True}, "nothing to verify"),
    ):
        with pytest.raises(InputError, match=message):
            run_sync(source, other, **options)
    with pytest.raises(InputError, match="incremental run streams"):
        run_sync(source, source, mode="server", incremental=True)


def test_auto_stays_within_the_server_where_it_can(tmp_path: Path, source: Place) -> None:
    source.put_employees(PEOPLE)
    assert run_sync(source, source).mode == "server"
    assert run_sync(source, new_place(tmp_path, "other")).mode == "stream"


@pytest.mark.parametrize("mode", ["auto", "stream"])
def test_a_dry_run_counts_as_the_run_does_and_changes_nothing(
    source: Place, target: Place, mode: str
) -> None:
    source.put_employees(PEOPLE)
    run_sync(source, target)
    carried = source.gids()
    rows = [dataclasses.replace(row, g_id=carried[row.id]) for row in PEOPLE]
    rows[0].name, rows[1].deleted = "Other", True
    source.put_employees([*rows[:6], Employee(50, "New", "EMP-50", "3201010101900050", None, "1990-01-01")])
    before = source.everything(), target.everything(), lines(target)
    dry = run_sync(source, target, mode=mode, dry_run=True)
    assert (source.everything(), target.everything(), lines(target)) == before
    assert dry.written_back == 0
    wet = run_sync(source, target, mode=mode)
    assert wet.counts() == {**dry.counts(), "written_back": 1}
    assert (wet.inserted, wet.updated, wet.deactivated, wet.unchanged) == (1, 1, 3, 4)


def test_a_dry_run_creates_no_table_and_no_file(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'source.duckdb'}"
    with open_store(url) as store:
        store.create_tables()
        store.append("employee", [employees(1).batch(0, 20)])
        for table in ("global_id", "global_id_file", "g_id_sequence", "audit_log"):
            store.rows(f"DROP TABLE {table}")  # type: ignore[attr-defined]
    for options in ({}, {"incremental": True}, {"mode": "server"}):
        assert gidbench.sync(url, dry_run=True, **options).inserted == 20
    with open_store(url) as store:
        assert not store.has_table("global_id")
        assert not store.has_table("audit_log")
    missing = f"duckdb:///{tmp_path / 'missing.duckdb'}"
    for pair in ((missing, url), (url, missing)):
        with pytest.raises(InputError, match="does not exist"):
            gidbench.sync(*pair, dry_run=True)
    assert not (tmp_path / "missing.duckdb").exists()


def test_a_source_without_employees_is_an_input_error(tmp_path: Path, database: str) -> None:
    empty = tmp_path / "empty.duckdb"
    with open_store(f"duckdb:///{empty}"):
        pass
    with pytest.raises(InputError, match="has no table employee"):
        gidbench.sync(f"duckdb:///{empty}", database)


PLANTED = {
    "name": "UPDATE global_id SET name = 'Z' WHERE no_ktp = '3201010101900003'",
    "passport_id": "UPDATE global_id SET passport_id = '' WHERE no_ktp = '3201010101900003'",
    "bod": "UPDATE global_id SET bod = CAST('1990-01-02' AS date) WHERE no_ktp = '3201010101900003'",
    "status": "UPDATE global_id SET status = 'Non Active' WHERE no_ktp = '3201010101900003'",
    "g_id": "UPDATE global_id SET g_id = 'G999AA00' WHERE no_ktp = '3201010101900003'",
    "not in global_id": "DELETE FROM global_id WHERE no_ktp = '3201010101900003'",
    "twice in global_id": "INSERT INTO global_id SELECT * FROM global_id WHERE no_ktp = '3201010101900003'",
    "G025AA02 (active, but not in employee)": "UPDATE global_id SET no_ktp = 'x' WHERE no_ktp = '3201010101900003'",
}


@pytest.mark.parametrize("planted", PLANTED)
def test_verify_finds_what_somebody_changed_behind_the_merge(
    source: Place, target: Place, planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put_employees(PEOPLE)
    run_sync(source, target, verify=True)
    if planted == "twice in global_id":
        target.drop_keys()
    monkeypatch.setattr("gidbench.synchronisation.run_in_server", planting(target, PLANTED[planted]))
    monkeypatch.setattr("gidbench.synchronisation.run_by_stream", planting(target, PLANTED[planted]))
    with pytest.raises(VerificationError) as caught:
        run_sync(source, target, verify=True)
    text = str(caught.value)
    if "G025" in planted:
        assert "2 people differ" in text
        assert planted in text
        assert "id 3 (not in global_id)" in text
    else:
        assert "1 people differ" in text
        assert f"id 3 ({planted})" in text
    for secret in ("Name 3", "3201010101900003", "EMP-3", "1990"):
        assert secret not in text


def planting(target: Place, statement: str) -> Any:
    """In the place of a run: the run, and then somebody who changes the target."""
    from gidbench.synchronisation import run_by_stream, run_in_server

    def run(*arguments: Any) -> Any:
        found = (run_in_server if len(arguments) == 2 else run_by_stream)(*arguments)
        store = arguments[0] if len(arguments) == 2 else arguments[1]
        store.rows(statement)
        return found

    return run


def test_verify_tells_the_first_of_many_and_counts_all(
    source: Place, target: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [
        Employee(n, f"Name {n}", f"EMP-{n}", f"{n * 99_999_999_999:016}", None, "1990-01-01")
        for n in range(1, 90)
    ]
    source.put_employees(people)
    run_sync(source, target, verify=True)
    for name in ("run_in_server", "run_by_stream"):
        monkeypatch.setattr(
            f"gidbench.synchronisation.{name}", planting(target, "UPDATE global_id SET name = 'Z'")
        )
    with pytest.raises(VerificationError, match=r"89 people differ .* and 69 more") as caught:
        run_sync(source, target, verify=True)
    assert str(caught.value).count("(name)") == 20


def test_verify_knows_which_of_several_rows_counts(source: Place, target: Place) -> None:
    rows = [dataclasses.replace(row) for row in PEOPLE[:4]]
    rows[0].no_ktp = rows[1].no_ktp = rows[2].no_ktp
    rows[0].deleted = True
    source.put_employees(rows)
    result = run_sync(source, target, verify=True)
    assert (result.inserted, result.conflict) == (2, 2)


def test_an_incremental_run_reads_what_was_changed_and_no_more(runs: Incremental) -> None:
    assert runs.sync().mode == "stream"
    runs.change(3, 10, name="Other")
    runs.rows[20] = Employee(20, "New", "EMP-20", "3201010101900020", None, "1990-01-01", changed=11)
    result = runs.sync()
    assert (result.mode, result.records) == ("incremental", 3)  # and the row at the mark
    assert (result.inserted, result.updated, result.written_back) == (1, 1, 1)
    result = runs.sync()
    assert (result.mode, result.records, result.unchanged) == ("incremental", 1, 1)


def test_a_row_that_is_not_read_still_wins_over_a_changed_one(runs: Incremental) -> None:
    runs.sync()
    runs.rows[20] = Employee(20, "Twin", "EMP-20", PEOPLE[2].no_ktp, None, "1990-01-01", changed=10)
    result = runs.sync()
    assert (result.mode, result.conflict, result.updated) == ("incremental", 1, 0)
    assert result.conflicts is not None
    assert result.conflicts.to_pylist() == [{"id": 20, "kept_id": 3}]


def test_a_row_that_is_not_read_takes_the_place_of_one_that_is_deleted(runs: Incremental) -> None:
    runs.rows[20] = Employee(20, "Twin", "EMP-20", PEOPLE[2].no_ktp, None, "1990-01-01")
    runs.sync()
    runs.change(3, 10, deleted=True)
    result = runs.sync()
    assert (result.mode, result.updated, result.conflict, result.written_back) == ("incremental", 1, 1, 1)
    assert runs.target.people()[PEOPLE[2].no_ktp].name == "Twin"


def test_rows_that_do_not_count_may_change_without_end(runs: Incremental) -> None:
    for number in (20, 21):
        runs.rows[number] = Employee(number, "Twin", "EMP", PEOPLE[2].no_ktp, None, "1990-01-01")
    assert runs.sync().conflict == 2
    runs.change(20, 10, name="Twins")
    result = runs.sync()
    assert (result.mode, result.conflict, result.updated) == ("incremental", 2, 0)
    runs.change(20, 11, no_ktp="3201010101900099")  # counts from now on
    result = runs.sync()
    assert (result.mode, result.conflict, result.inserted) == ("incremental", 0, 1)
    runs.change(21, 12, name="Twins")
    assert runs.sync().mode == "incremental"
    runs.change(20, 13, no_ktp=PEOPLE[2].no_ktp)
    result = runs.sync()
    assert (result.mode, result.conflict, result.deactivated) == ("incremental", 2, 1)


def test_who_lost_their_row_to_another_no_ktp_is_noticed(runs: Incremental) -> None:
    runs.sync()
    runs.change(3, 10, no_ktp="3201010101900099")
    result = runs.sync()
    assert (result.mode, result.inserted, result.deactivated) == ("incremental", 1, 1)


def test_a_row_that_is_not_read_takes_the_place_of_one_that_moved(runs: Incremental) -> None:
    runs.rows[20] = Employee(20, "Twin", "EMP-20", PEOPLE[2].no_ktp, None, "1990-01-01", changed=-20)
    runs.sync()
    runs.change(3, 10, no_ktp="3201010101900099")
    result = runs.sync()
    assert (result.mode, result.inserted, result.updated, result.deactivated) == ("incremental", 1, 1, 0)
    assert runs.target.people()[PEOPLE[2].no_ktp].name == "Twin"


def test_a_row_that_counts_meanwhile_is_no_longer_without_effect(runs: Incremental) -> None:
    runs.rows[20] = Employee(20, "Twin", "EMP-20", PEOPLE[2].no_ktp, None, "1990-01-01", changed=-20)
    runs.sync()
    runs.change(3, 10, no_ktp="3201010101900099")
    assert runs.sync().mode == "incremental"
    runs.change(20, 20, no_ktp="3201010101900098", g_id=None)
    result = runs.sync()
    assert (result.mode, result.inserted, result.deactivated) == ("stream", 1, 1)


@pytest.mark.parametrize("why", ["removed", "old moment", "no G_ID", "people"])
def test_a_run_is_full_where_changes_do_not_tell_everything(runs: Incremental, why: str) -> None:
    runs.sync()
    runs.change(3, 10, name="Other")
    runs.sync()
    if why == "removed":
        del runs.rows[5]
    elif why == "old moment":
        runs.rows[20] = Employee(20, "New", "EMP-20", "3201010101900020", None, "1990-01-01", changed=-999)
    elif why == "no G_ID":
        runs.change(4, 20, no_ktp="3201010101900044", g_id=None)
    else:
        runs.target.sql("DELETE FROM global_id WHERE no_ktp = '3201010101900006'")
    result = runs.sync()
    assert result.mode == "stream"
    assert result.inserted == {"removed": 0, "people": 1}.get(why, 1)
    assert result.deactivated == (1 if why in ("removed", "no G_ID") else 0)


def test_an_incremental_run_after_that_of_another_source_is_full(tmp_path: Path) -> None:
    target = new_place(tmp_path, "target")
    first = Incremental(new_place(tmp_path, "first"), target)
    other = Incremental(new_place(tmp_path, "other"), target)
    assert [first.sync().mode, first.sync().mode] == ["stream", "incremental"]
    assert other.sync(clock=lambda: NOON + timedelta(hours=9)).mode == "stream"
    assert first.sync(clock=lambda: NOON + timedelta(hours=10)).mode == "stream"


def test_a_second_sync_gives_up_after_the_time_that_was_said(database: str) -> None:
    gidbench.generate(5, into=database)
    with open_store(database) as store, store.lock("global_id", 1.0):
        with pytest.raises(StoreBusyError, match=r"for more than 0\.05 s"):
            gidbench.sync(database, lock_timeout_s=0.05)
    for wrong in (-1.0, 1e9, float("nan")):
        with pytest.raises(InputError, match="no time to wait"):
            gidbench.sync(database, lock_timeout_s=wrong)


NAMES = """
g_id_sequence = "gid.urutan"
audit_log = "gid.catatan"
global_id_file = "gid.berkas"
[employee]
name = "hr.order"
[employee.columns]
id = "nomor"
name = "nama"
no_ktp = "nik"
g_id = "kode"
deleted_at = "dihapus"
[global_id]
name = "gid.orang"
[global_id.columns]
name = "nama"
no_ktp = "nik"
g_id = "kode"
status = "aktif"
"""


@pytest.fixture
def named(tmp_path: Path) -> Names:
    path = tmp_path / "names.toml"
    path.write_text(NAMES)
    return load_names(path)


@pytest.mark.parametrize("mode", ["server", "stream"])
def test_tables_and_columns_of_other_names_are_used_everywhere(
    tmp_path: Path, named: Names, mode: str
) -> None:
    place = new_place(tmp_path, names=named)
    rows = [dataclasses.replace(row) for row in PEOPLE]
    rows[7].no_ktp = rows[6].no_ktp
    place.put_employees(rows)
    options = {"mode": mode, "incremental": mode == "stream"}
    assert run_sync(place, place, verify=True, **options).counts()["inserted"] == 7
    rows[0].name, rows[1].deleted, rows[2].changed = "Other", True, 10
    carried = place.gids()
    rows = [dataclasses.replace(row, g_id=carried[row.id]) for row in rows[:7]]
    place.put_employees(rows)
    result = run_sync(place, place, verify=True, clock=lambda: NOON + timedelta(hours=1), **options)
    assert (result.updated, result.deactivated, result.unchanged) == (1, 1, 5)
    assert run_sync(place, place, dry_run=True, mode=mode).unchanged == 7
    tables = place.sql("SELECT table_schema || '.' || table_name FROM information_schema.tables ORDER BY 1")
    assert [name for (name,) in tables] == [
        "gid.berkas",
        "gid.catatan",
        "gid.orang",
        "gid.urutan",
        "hr.order",
    ]
    [line] = place.sql("SELECT kode, nama, aktif FROM gid.orang WHERE nama = 'Other'")
    assert line == ("G025AA00", "Other", "Active")


def test_generate_and_process_use_the_names(tmp_path: Path, named: Names, database: str) -> None:
    gidbench.generate(30, into=database, names=named)
    gidbench.generate(30, out=tmp_path / "people.csv", first_row=100)
    result = gidbench.process(tmp_path / "people.csv", database, names=named)
    assert result.counts()["accepted"] == 30
    assert gidbench.sync(database, names=named).inserted == 30
    place = Place(database, named)
    assert place.sql('SELECT count(*) FROM hr."order" WHERE kode IS NOT NULL') == [(30,)]
    assert place.sql("SELECT count(*) FROM gid.berkas") == [(30,)]


def test_employees_need_no_columns_that_a_sync_does_not_read(tmp_path: Path, database: str) -> None:
    own = tmp_path / "own.duckdb"
    with open_store(f"duckdb:///{own}") as store:
        store.rows(  # type: ignore[attr-defined]
            "CREATE TABLE employee AS SELECT 1::INTEGER AS id, 'Siti' AS name, 'E1' AS personal_number,"
            " 3201010101900001 AS no_ktp, NULL::VARCHAR AS passport_id, TIMESTAMP '1990-01-01' AS bod,"
            " NULL::VARCHAR AS g_id, NULL::DATE AS deleted_at"
        )
    for expected in ({"inserted": 1}, {"unchanged": 1}):
        found = gidbench.sync(f"duckdb:///{own}", database, incremental=True, verify=True).counts()
        assert found == {**dict.fromkeys(found, 0), **expected, "written_back": expected.get("inserted", 0)}


def gidbench_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gidbench", *arguments], capture_output=True, text=True, timeout=120
    )


def test_the_command_line_takes_all_of_it(tmp_path: Path, named: Names, database: str) -> None:
    names = ["--names", str(tmp_path / "names.toml")]
    assert gidbench_cli("generate", "--records", "20", "--into", database, *names).returncode == 0
    sync = ["sync", "--source", database, "--json", *names]
    dry = gidbench_cli(*sync, "--dry-run")
    assert json.loads(dry.stdout)["inserted"] == 20
    wet = gidbench_cli(*sync, "--mode", "stream", "--incremental", "--verify", "--lock-timeout", "1")
    assert json.loads(wet.stdout)["written_back"] == 20
    refused = gidbench_cli(*sync, "--dry-run", "--verify")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "nothing to verify" in refused.stderr
