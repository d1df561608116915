"""What every store must do, run against each of them."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import live
import pyarrow as pa
import pytest

from gidbench import gid
from gidbench.errors import CapacityError, InputError, StoreBusyError, StoreError
from gidbench.generation.plan import employees
from gidbench.records import EMPLOYEE, SCHEMAS
from gidbench.stores.base import AuditEntry, Store
from gidbench.stores.gid_supply import GidSupply
from gidbench.stores.opening import is_same_store, open_store, safe_name

PEOPLE = employees(1).batch(0, 500)


@pytest.fixture(params=["file", "memory", *(["sql server"] if live.LIVE else [])])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    urls = {"memory": "duckdb:///:memory:", "file": f"duckdb:///{tmp_path / 'people.duckdb'}"}
    url = urls.get(request.param) or request.getfixturevalue("sql_server")
    with open_store(url) as opened:
        opened.create_tables()
        yield opened


@pytest.mark.skipif(not live.LIVE, reason=live.WHY_NOT)
def test_sql_server_takes_part() -> None:
    """Skipped where every test of this folder and of tests/sync runs without SQL Server."""
    assert live.query(live.LIVE, "SELECT 1") == [(1,)]


def table(store: Store) -> pa.Table:
    return pa.Table.from_batches(store.read("employee", EMPLOYEE.names), EMPLOYEE).sort_by("id")


def test_rows_come_back_as_they_went_in(store: Store) -> None:
    assert store.append("employee", [PEOPLE.slice(0, 200), PEOPLE.slice(200)]) == 500
    assert store.count("employee") == 500
    assert table(store).equals(pa.Table.from_batches([PEOPLE]))


@pytest.mark.parametrize("rows", [3, 500])  # a few may be written in another way
def test_a_number_shorter_than_its_column_comes_back_as_it_was(store: Store, rows: int) -> None:
    texts = pa.array(["", "odd", "7"] + [f"{number:016d}" for number in range(rows - 3)])
    place = EMPLOYEE.get_field_index("no_ktp")
    people = PEOPLE.slice(0, rows).set_column(place, EMPLOYEE.field(place), texts)
    assert store.append("employee", [people]) == rows
    assert table(store).equals(pa.Table.from_batches([people]))
    [found] = store.matching("employee", ["no_ktp"], "no_ktp", pa.array(["odd", "", "none"]))
    assert sorted(found["no_ktp"].to_pylist()) == ["", "odd"]


def test_keys_are_the_national_ids_as_numbers(store: Store) -> None:
    store.append("employee", [PEOPLE])
    assert sorted(store.keys("employee").tolist()) == sorted(
        int(text) for text in PEOPLE["no_ktp"].to_pylist()
    )


def test_no_batches_are_no_rows(store: Store) -> None:
    assert store.append("employee", []) == 0
    assert store.keys("employee").size == 0


def test_creating_tables_again_keeps_what_is_in_them(store: Store) -> None:
    store.append("employee", [PEOPLE])
    store.reserve_gids(7)
    store.create_tables()
    assert store.count("employee") == 500
    assert store.reserve_gids(1) == gid.FIRST_ORDINAL + 7


def test_clearing_a_table_leaves_the_others(store: Store) -> None:
    store.append("employee", [PEOPLE])
    store.clear("global_id")
    assert store.count("employee") == 500
    store.clear("employee")
    assert store.count("employee") == 0


ODD = pa.schema(
    [
        pa.field("order", pa.int64(), nullable=False),
        ('a "quoted" name', pa.string()),
        ("paid", pa.bool_()),
        ("amount", pa.decimal128(12, 3)),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us")),
    ]
)
ODD_ROW = {
    "order": 1,
    'a "quoted" name': "x",
    "paid": True,
    "amount": Decimal("-1.250"),
    "day": date(2024, 2, 29),
}


def test_a_table_of_ones_own_takes_rows_and_tells_its_columns(store: Store) -> None:
    batch = pa.RecordBatch.from_pylist([ODD_ROW, {"order": 2, "moment": datetime(1999, 1, 1)}], schema=ODD)
    with store.transaction():
        store.create_table("odd table", ODD)
        assert store.append("odd table", [batch]) == 2
    assert store.schema_of("odd table").names == ODD.names
    assert store.schema_of("odd table").types == ODD.types
    found = pa.Table.from_batches(store.read("odd table", ODD.names)).sort_by("order")
    assert found.to_pylist() == batch.to_pylist()
    store.create_table("odd table", ODD)
    assert store.count("odd table") == 2
    store.clear("odd table")
    assert store.count("odd table") == 0


def test_a_table_with_other_columns_and_one_that_is_not_there_are_refused(store: Store) -> None:
    store.create_table("odd", ODD)
    with pytest.raises(InputError, match=r"odd of .* has other columns \(order, a"):
        store.create_table("odd", pa.schema([("order", pa.string())]))
    for table_of_nobody in ("nobody", "nobody.nothing", 'x"; DROP TABLE odd; --'):
        with pytest.raises(InputError, match="there is no table"):
            store.schema_of(table_of_nobody)
    assert store.count("odd") == 0


def test_an_error_of_the_source_is_raised_as_it_is_and_takes_everything_back(store: Store) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield PEOPLE
        raise LookupError("the source broke")

    with pytest.raises(LookupError, match="the source broke"), store.transaction():
        store.append("employee", broken())
    assert store.count("employee") == 0
    with store.transaction():  # and the store goes on working
        store.append("employee", [PEOPLE])
    assert store.count("employee") == 500


def test_a_key_that_is_there_already_is_refused_without_naming_a_person(store: Store) -> None:
    store.append("employee", [PEOPLE])
    with pytest.raises(StoreError) as caught, store.transaction():
        store.append("employee", [PEOPLE])
    assert store.count("employee") == 500
    assert PEOPLE["name"][0].as_py() not in str(caught.value)


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), store.transaction():
        store.append("employee", [PEOPLE])
        raise KeyboardInterrupt
    assert store.count("employee") == 0


def test_reserved_ranges_never_overlap_between_threads(store: Store) -> None:
    def reserve(count: int) -> range:
        first = store.reserve_gids(count)
        return range(first, first + count)

    with ThreadPoolExecutor(8) as pool:
        ranges = list(pool.map(reserve, [1, 5, 2, 9] * 25))
    taken = [ordinal for part in ranges for ordinal in part]
    assert len(taken) == len(set(taken)) == 17 * 25
    assert store.reserve_gids(1) == gid.FIRST_ORDINAL + len(taken)


def test_a_reservation_stands_though_the_transaction_around_it_fails(store: Store) -> None:
    with pytest.raises(KeyError), store.transaction():
        assert store.reserve_gids(3) == gid.FIRST_ORDINAL
        raise KeyError
    assert store.reserve_gids(1) == gid.FIRST_ORDINAL + 3


def test_a_reservation_beyond_the_last_g_id_changes_nothing(store: Store) -> None:
    left = store.gids_left()
    with pytest.raises(CapacityError):
        store.reserve_gids(left + 1)
    assert store.gids_left() == left
    store.reserve_gids(left)
    assert store.gids_left() == 0


def test_unused_g_ids_are_taken_back_only_while_they_are_the_last(store: Store) -> None:
    first = store.reserve_gids(10)
    assert store.return_gids(first + 4, first + 10)
    second = store.reserve_gids(2)
    assert second == first + 4
    assert not store.return_gids(first, first + 4)
    assert store.reserve_gids(1) == second + 2


def test_a_supply_hands_out_every_ordinal_once_and_leaves_no_gap(store: Store) -> None:
    supply = GidSupply(store)
    taken = [*supply.take(3, 100), *supply.take(50), *supply.take(60, 5)]
    supply.close()
    assert [int(ordinal) for ordinal in taken] == list(range(gid.FIRST_ORDINAL, gid.FIRST_ORDINAL + 113))
    assert store.reserve_gids(1) == gid.FIRST_ORDINAL + 113


def test_a_supply_near_the_end_takes_no_more_than_there_is(store: Store) -> None:
    store.reserve_gids(store.gids_left() - 10)
    supply = GidSupply(store)
    assert supply.take(4, 1_000_000).size == 4
    assert supply.take(6).size == 6
    with pytest.raises(CapacityError):
        supply.take(1)


def test_a_lock_is_held_by_one_at_a_time(store: Store) -> None:
    entered = threading.Event()
    release = threading.Event()

    def hold() -> None:
        with store.lock("work", 1.0):
            entered.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(10)
    with pytest.raises(StoreBusyError, match="another run holds work"), store.lock("work", 0.01):
        pytest.fail("two hold the lock")
    with store.lock("other work", 0.01):
        pass
    release.set()
    holder.join()
    with store.lock("work", 1.0):
        pass


def test_write_back_changes_the_named_rows_only(store: Store) -> None:
    store.append("employee", [PEOPLE])
    assignments = pa.record_batch({"id": [2, 4], "g_id": ["G025AA00", "G025AA01"]})
    assert store.write_back([assignments]) == 2
    assert store.write_back([assignments]) == 0
    found = dict(zip(table(store)["id"].to_pylist(), table(store)["g_id"].to_pylist(), strict=True))
    assert {number: text for number, text in found.items() if text} == {2: "G025AA00", 4: "G025AA01"}


def test_an_unknown_table_is_an_input_error(store: Store) -> None:
    with pytest.raises(InputError, match="no table 'employees'"):
        store.count("employees")


def test_audit_lines_are_kept(store: Store) -> None:
    store.record(AuditEntry("sync", datetime(2026, 1, 1), "done", {"inserted": 3}, {"source": "x"}))


def test_all_tables_of_the_domain_exist(store: Store) -> None:
    assert {name: store.count(name) for name in SCHEMAS} == dict.fromkeys(SCHEMAS, 0)


def test_a_file_that_another_process_has_open_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "people.duckdb"
    script = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreBusyError, match="open in another process"), open_store(f"duckdb:///{path}"):
            pass
        other.communicate("\n", timeout=30)
    with open_store(f"duckdb:///{path}"):
        pass


def test_a_file_that_is_no_database_is_an_input_error_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "people.duckdb"
    path.write_text("name,no_ktp\n" * 1000)
    with pytest.raises(InputError, match="cannot be opened"), open_store(f"duckdb:///{path}"):
        pass
    assert path.read_text() == "name,no_ktp\n" * 1000


def test_a_folder_that_does_not_exist_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"), open_store(f"duckdb:///{tmp_path}/no/x.duckdb"):
        pass


@pytest.mark.parametrize(
    "url", ["not a url", "postgresql://user:Geheim1@host/db", "mssql+pymssql://sa:Geheim1@host/db", "://"]
)
def test_a_url_that_no_store_is_for_is_an_input_error_without_the_password(url: str) -> None:
    with pytest.raises(InputError) as caught, open_store(url):
        pass
    assert "Geheim1" not in str(caught.value)


def test_names_of_stores_hide_credentials() -> None:
    name = safe_name("mssql+pyodbc://sa:Geheim1@host:1433/people?Encrypt=no&UID=x&PWD=Geheim2")
    assert name == "mssql+pyodbc://sa:***@host:1433/people"


def test_two_spellings_of_one_file_are_one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_same_store("duckdb:///a.duckdb", f"duckdb:///{tmp_path}/a.duckdb")
    assert not is_same_store("duckdb:///a.duckdb", "duckdb:///b.duckdb")
    assert not is_same_store("duckdb:///:memory:", "duckdb:///:memory:")
