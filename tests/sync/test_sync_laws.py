"""What a sync promises beyond its outcomes: identity for life, conflicts told, nothing half-done."""

from __future__ import annotations

from pathlib import Path

import pytest
from model import Employee
from places import Place, new_place, run_sync, stores

import gidbench
from gidbench import gid
from gidbench.digest import digest_of
from gidbench.engine import Cancellation, Context
from gidbench.errors import CapacityError, OperationCancelled, StoreBusyError, VerificationError
from gidbench.records import GLOBAL_ID
from gidbench.stores.base import TARGET_COLUMNS
from gidbench.stores.opening import open_store
from gidbench.synchronisation import synchronise


def employee(number: int, ktp: int | None = None, **values: object) -> Employee:
    row = Employee(
        number, f"Name {number}", f"EMP-{number}", f"32010101019{ktp or number:05}", None, "1990-01-01"
    )
    for name, value in values.items():
        setattr(row, name, value)
    return row


@pytest.fixture(params=["server", "stream"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return new_place(tmp_path)


def test_newcomers_are_numbered_in_order_of_id_from_the_first_g_id(place: Place, mode: str) -> None:
    place.put_employees([employee(30), employee(10), employee(20)])
    run_sync(place, place, mode=mode)
    assert place.gids() == {10: "G025AA00", 20: "G025AA01", 30: "G025AA02"}


def test_a_deleted_employee_who_was_never_synchronised_gets_a_g_id_but_is_not_active(
    place: Place, mode: str
) -> None:
    place.put_employees([employee(1, deleted=True)])
    assert run_sync(place, place, mode=mode).inserted == 1
    assert [person.status for person in place.people().values()] == ["Non Active"]


def test_who_returns_is_active_again_under_the_same_g_id(place: Place, mode: str) -> None:
    place.put_employees([employee(1), employee(2)])
    run_sync(place, place, mode=mode)
    first = {no_ktp: person.g_id for no_ktp, person in place.people().items()}
    place.put_employees([employee(2)])
    assert run_sync(place, place, mode=mode).deactivated == 1
    place.put_employees([employee(1), employee(2)])
    assert run_sync(place, place, mode=mode).reactivated == 1
    assert {no_ktp: person.g_id for no_ktp, person in place.people().items()} == first


def test_a_g_id_that_an_employee_brings_along_is_kept_and_never_given_to_another(
    place: Place, mode: str
) -> None:
    place.put_employees([employee(1), employee(2, g_id="G025AA05"), employee(3, g_id="nonsense")])
    run_sync(place, place, mode=mode)
    assert place.gids() == {1: "G025AA06", 2: "G025AA05", 3: "G025AA07"}
    place.put_employees([employee(1), employee(2), employee(3), employee(4)])
    run_sync(place, place, mode=mode)
    assert place.gids()[4] == "G025AA08"


def test_two_employees_who_bring_the_same_g_id_do_not_share_it(place: Place, mode: str) -> None:
    place.put_employees([employee(1, g_id="G025AA05"), employee(2, g_id="G025AA05")])
    run_sync(place, place, mode=mode)
    assert place.gids() == {1: "G025AA05", 2: "G025AA06"}


def test_a_g_id_that_somebody_in_the_target_holds_is_not_taken_from_them(place: Place, mode: str) -> None:
    place.put_employees([employee(1)])
    run_sync(place, place, mode=mode)
    place.put_employees([employee(2, g_id="G025AA00")])
    run_sync(place, place, mode=mode)
    assert {person.g_id for person in place.people().values()} == {"G025AA00", "G025AA01"}


def test_conflicts_are_told_by_id_with_the_row_that_counts(place: Place, mode: str) -> None:
    place.put_employees([employee(1, 7, deleted=True), employee(2, 7), employee(3, 7), employee(4)])
    result = run_sync(place, place, mode=mode)
    assert result.conflict == 2
    assert result.conflicts is not None
    assert result.conflicts.to_pylist() == [{"id": 1, "kept_id": 2}, {"id": 3, "kept_id": 2}]
    assert place.gids() == {1: None, 2: "G025AA00", 3: None, 4: "G025AA01"}


def test_running_out_of_g_ids_changes_nothing(place: Place, mode: str) -> None:
    place.put_employees([employee(1), employee(2), employee(3)])
    place.sql(f"UPDATE g_id_sequence SET next_ordinal = {gid.CAPACITY - 2}")
    before = place.everything()
    with pytest.raises(CapacityError, match="3 G_IDs are asked for, but only 2 of 67,600,000 are left"):
        run_sync(place, place, mode=mode)
    assert place.everything() == before


def test_the_very_last_g_ids_can_be_used(place: Place, mode: str) -> None:
    place.put_employees([employee(1), employee(2)])
    place.sql(f"UPDATE g_id_sequence SET next_ordinal = {gid.CAPACITY - 2}")
    run_sync(place, place, mode=mode)
    assert place.gids() == {1: "G999ZZ98", 2: "G999ZZ99"}


def test_a_target_that_repeats_a_g_id_is_refused_and_left_as_it_is(place: Place, mode: str) -> None:
    place.put_employees([employee(1), employee(2)])
    run_sync(place, place, mode=mode)
    place.drop_keys()
    place.sql("UPDATE global_id SET g_id = 'G025AA00'")
    place.put_employees([employee(1), employee(2), employee(3)])
    before = place.everything()
    with pytest.raises(VerificationError, match="repeated g id: 1"):
        run_sync(place, place, mode=mode)
    assert place.everything() == before


def test_a_target_that_repeats_a_person_is_refused(place: Place, mode: str) -> None:
    place.put_employees([employee(1), employee(2)])
    run_sync(place, place, mode=mode)
    place.drop_keys()
    columns = ", ".join(GLOBAL_ID.names[1:])
    place.sql(
        f"INSERT INTO global_id (g_id, {columns}) SELECT 'G555XX55', {columns} FROM global_id"
        " WHERE name = 'Name 1'"
    )
    with pytest.raises(VerificationError):
        run_sync(place, place, mode=mode)


def test_cancelling_changes_nothing(place: Place, mode: str) -> None:
    place.put_employees([employee(1)])
    before = place.everything()
    cancellation = Cancellation()

    def stop_at_insert(step: str) -> None:
        if step == "insert":
            cancellation.cancel()

    with stores(place, place) as (store, _), pytest.raises(OperationCancelled):
        synchronise(
            store, store, mode=mode, context=Context(cancellation=cancellation), before=stop_at_insert
        )
    assert place.everything() == before


def test_a_second_sync_waits_for_the_first_and_says_so_when_it_gives_up(place: Place, mode: str) -> None:
    place.put_employees([employee(1)])
    with stores(place, place) as (store, _), store.lock("global_id", 1.0):
        with pytest.raises(StoreBusyError, match="another run holds global_id"):
            synchronise(store, store, mode=mode, context=Context(), lock_timeout_s=0.05)


def test_every_run_leaves_a_line_in_the_audit_log_without_personal_data(place: Place, mode: str) -> None:
    place.put_employees([employee(1)])
    url = place.url
    gidbench.sync(url, mode=mode)
    place.sql(f"UPDATE g_id_sequence SET next_ordinal = {gid.CAPACITY}")
    place.put_employees([employee(1), employee(2)])
    with pytest.raises(CapacityError):
        gidbench.sync(url, mode=mode)
    lines = place.sql("SELECT operation, outcome, counts, parameters FROM audit_log ORDER BY started_at")
    assert [(line[0], line[1]) for line in lines] == [("sync", "done"), ("sync", "failed")]
    for secret in ("Name 1", "3201010101900001", "EMP-1", "1990-01-01"):
        assert secret not in str(lines)


def test_an_employee_without_no_ktp_is_a_conflict_with_nobody(tmp_path: Path, mode: str) -> None:
    own = new_place(tmp_path, "own")
    with open_store(own.url) as store:
        for statement in (
            "CREATE TABLE employee (id bigint NOT NULL, name varchar(255), personal_number varchar(32),"
            " no_ktp char(16), passport_id varchar(16), bod date, g_id char(8), deleted_at datetime)",
            *(
                f"INSERT INTO employee VALUES ({n}, 'Siti', 'E{n}', {ktp}, NULL, '1990-01-01', NULL, NULL)"
                for n, ktp in ((1, "'3201010101900001'"), (2, "NULL"), (3, "'3201010101900003'"))
            ),
        ):
            store.rows(statement)  # type: ignore[attr-defined]
    result = gidbench.sync(own.url, mode=mode, verify=True)
    assert (result.inserted, result.conflict, result.records) == (2, 1, 3)
    assert result.conflicts is not None
    assert result.conflicts.to_pylist() == [{"id": 2, "kept_id": None}]
    with open_store(own.url) as store:
        [batch] = store.read("employee", ["id", "g_id"])
        assert sorted(batch.to_pylist(), key=lambda row: row["id"])[1] == {"id": 2, "g_id": None}


def test_a_status_of_somebodys_own_counts_as_not_active(place: Place, mode: str) -> None:
    place.put_employees([employee(1), employee(2), employee(3)])
    run_sync(place, place, mode=mode)
    place.sql("UPDATE global_id SET status = 'Suspended'")
    carried = place.gids()
    place.put_employees([employee(1, g_id=carried[1]), employee(2, g_id=carried[2], deleted=True)])
    result = run_sync(place, place, mode=mode, verify=True)
    assert (result.reactivated, result.updated, result.unchanged) == (1, 1, 1)
    statuses = {person.name: person.status for person in place.people().values()}
    assert statuses == {"Name 1": "Active", "Name 2": "Non Active", "Name 3": "Suspended"}


def test_both_ways_agree_on_tables_of_many_batches(tmp_path: Path, pair: str) -> None:
    on_server = pair.startswith("sql server")
    found = []
    for mode, apart in (("server", False), ("stream", False), ("stream", True)):
        if not apart and " to " in pair:
            continue
        source = new_place(tmp_path, f"source {mode} {apart}")
        target = new_place(tmp_path, f"target {mode}") if apart else source
        gidbench.generate(280_000 if pair == "duckdb" else 70_000, into=source.url)
        counts = [run_sync(source, target, mode=mode).counts()]
        for statement in (
            "UPDATE employee SET name = 'Other' WHERE id % 11 = 0",
            "UPDATE employee SET deleted_at = NULL WHERE id % 3 = 0",
            "UPDATE employee SET deleted_at = updated_at WHERE id % 7 = 0",
            "UPDATE employee SET passport_id = '' WHERE passport_id IS NULL AND id % 5 = 0",
            "UPDATE e SET no_ktp = o.no_ktp FROM employee e JOIN employee o ON o.id = e.id + 7 WHERE e.id % 1000 = 0"
            if on_server
            else "UPDATE employee e SET no_ktp = o.no_ktp FROM employee o WHERE e.id % 1000 = 0 AND o.id = e.id + 7",
            "UPDATE employee SET no_ktp = CAST(9900000000000000 + id AS varchar(16)) WHERE id % 997 = 0",
            "DELETE FROM employee WHERE id % 13 = 0",
        ):
            source.sql(statement)
        counts.append(run_sync(source, target, mode=mode, verify=True).counts())
        with target.store() as store, source.store() as origin:
            people = digest_of(store.read("global_id", TARGET_COLUMNS))
            found.append((counts, people, digest_of(origin.read("employee", ["id", "g_id"]))))
    assert all(each == found[0] for each in found)
    assert all(found[0][0][1].values())
