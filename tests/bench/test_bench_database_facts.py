"""What a header tells of a database: by name, as texts, and nothing secret."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gidbench.bench.database_facts import describe_database, facts_of
from gidbench.errors import StoreError
from gidbench.findings import Check
from gidbench.stores.opening import open_store
from gidbench.stores.sqlserver.advisor import Advice

INDEXES = "an empty clustered index; nonclustered: ux_no_ktp: empty, so built by pages with the load"
URL = "mssql+pyodbc://sa:hunter2@db/people"


def test_of_a_database_of_ours(database: str) -> None:
    with open_store(database) as store:
        store.create_tables()
    found = describe_database(database)
    assert {"name", "version"} < set(found)
    assert all(isinstance(value, str) and value for value in found.values())
    if database.startswith("duckdb"):
        assert "employee: primary key (id)" in found["indexes"]
        assert found["storage"] == "a file, write-ahead log"
    else:
        assert found["recovery_model"]
        assert found["employee_logging"].startswith("a load")


def test_of_a_database_in_memory(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'x.duckdb'}"
    with open_store(url) as store:
        assert facts_of(store, "duckdb:///:memory:")["storage"] == "in memory"
        assert "indexes" not in facts_of(store, url)  # there are no tables yet


class Server:
    """A SQL Server that is only told of."""

    server = SimpleNamespace(
        recovery="FULL", snapshot=True, collation="Latin1_General_CI_AS", hides_state="the login lacks it"
    )
    choice = SimpleNamespace(strategy=SimpleNamespace(name="bulkcopy"), why="the fastest")

    def advise(self, table: str) -> Advice:
        if table == "global_id_file":
            raise StoreError("there is no table", "make it")
        checks = (
            Check("recovery model", "note" if table == "employee" else "good", "FULL"),
            Check("structure", "good", "an empty clustered index"),
            Check("nonclustered indexes", "good", "ux_no_ktp: empty, so built by pages with the load"),
        )
        return Advice(table, all(check.state == "good" for check in checks), checks)


def test_of_a_sql_server() -> None:
    found = facts_of(Server(), URL)
    assert found == {
        "recovery_model": "FULL",
        "isolation": "read committed snapshot",
        "collation": "Latin1_General_CI_AS",
        "write_strategy": "bulkcopy: the fastest",
        "log_views": "not read: the login lacks it",
        "employee_indexes": INDEXES,
        "employee_logging": "a load logs every row (recovery model)",
        "global_id_indexes": INDEXES,
        "global_id_logging": "a load can be minimally logged",
    }
    assert "hunter2" not in str(found)


def test_a_login_that_may_see_little(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = SimpleNamespace(recovery="", snapshot=False, collation="C", hides_state="")
    monkeypatch.setattr(Server, "server", hidden)
    found = facts_of(Server(), URL)
    assert found["recovery_model"] == "the login may not see it"
    assert found["isolation"] == "read committed, by locks"
    assert "log_views" not in found
