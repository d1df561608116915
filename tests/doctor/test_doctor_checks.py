"""What the doctor finds, and what it advises."""

from __future__ import annotations

import json
import os
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import live
import psutil
import pyodbc
import pytest
from sqlalchemy.engine import make_url

from gidbench import cli, doctor
from gidbench.doctor import Check, examine
from gidbench.stores import drivers
from gidbench.stores.drivers import Driver, odbc_drivers
from gidbench.stores.sqlserver import making
from gidbench.stores.sqlserver.address import Address

SERVER = "mssql+pyodbc://sa:Geheim1@db.example:1433/people"


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_a_sound_machine_has_nothing_bad() -> None:
    checks = by_name(examine())
    assert list(checks) == ["Python", "cores", "memory", "disk", "numba", "ODBC drivers", "database"]
    assert not [check for check in checks.values() if check.state == "bad"]
    assert "kernels" in checks["numba"].found


def test_everything_that_is_not_good_comes_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = namedtuple("memory", "total available")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(2 << 30, 1 << 30))
    monkeypatch.setattr(doctor, "usable_cores", lambda: 1)
    monkeypatch.setattr(doctor, "odbc_drivers", list)
    monkeypatch.setenv("ULTRA_PARALLEL_WORKERS", "32")
    checks = by_name(examine(production=True))
    for name in ("cores", "memory", "ODBC drivers"):
        assert checks[name].state == "note"
    for name in ("RAM", "CPU cores", "pool size", "last tier report"):
        assert checks[name].state == "bad"
    assert checks["pool size"].remedy == "Set ULTRA_CONNECTION_POOL_SIZE to at least 32"
    assert all(check.remedy for check in checks.values() if check.state != "good")


def test_a_setting_out_of_bounds_is_the_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ULTRA_BATCH_SIZE", "5")
    [check] = examine()
    assert (check.name, check.state) == ("settings", "bad")
    assert "from 1,000 to 1,000,000" in check.found


def test_a_duckdb_file_that_will_be_created_exists_or_is_broken(tmp_path: Path, database: str) -> None:
    assert "will be created" in by_name(examine(database))["database"].found
    assert not list(tmp_path.glob("people*"))
    (tmp_path / "people.duckdb").write_text("not a database " * 1000)
    broken = by_name(examine(database))["database"]
    assert (broken.state, bool(broken.remedy)) == ("bad", True)
    missing = by_name(examine("duckdb:////no/such/folder/x.duckdb"))["database"]
    assert missing.state == "bad"


def test_a_url_that_means_nothing_is_bad_without_being_repeated() -> None:
    check = by_name(examine("://sa:Geheim1@x"))["database"]
    assert check.state == "bad"
    assert "Geheim1" not in str(check)


@pytest.mark.parametrize(
    ("query", "state"),
    [
        ("", "good"),
        ("?Encrypt=no", "bad"),
        ("?encrypt=optional", "bad"),
        ("?TrustServerCertificate=yes", "note"),
        ("?Encrypt=strict", "good"),
        ("?Encrypt=Mandatory", "good"),
        ("?driver=FreeTDS", "bad"),
        ("?driver=FreeTDS&Encrypt=yes", "note"),
    ],
)
def test_encryption_is_judged_by_the_url(query: str, state: str) -> None:
    assert doctor._encryption(SERVER + query).state == state
    assert doctor._encryption("duckdb:///x").state == "good"


def test_encryption_is_judged_inside_of_a_connection_string() -> None:
    told = "mssql+pyodbc:///?odbc_connect=Server%3Ddb%3BUID%3Dsa%3BPWD%3DGeheim1%3BEncrypt%3Dno"
    check = doctor._encryption(told)
    assert check.state == "bad"
    assert "Geheim1" not in str(check)


def test_a_recent_report_is_good_and_an_old_one_bad() -> None:
    folder = Path("reports/20260102T030405Z")
    folder.mkdir(parents=True)
    report = folder / "report.html"
    report.write_text("x")
    assert doctor._last_report().state == "good"
    old = time.time() - 40 * 86_400
    os.utime(report, (old, old))
    assert doctor._last_report().state == "bad"
    assert "40 days old" in doctor._last_report().found


def test_json_and_exit_code(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cli.main(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert {"name", "state", "found", "remedy"} == set(told[0])
    monkeypatch.setattr(doctor, "examine", lambda *_, **__: [Check("x", "bad", "broken", "Mend it")])
    with pytest.raises(SystemExit) as stopped:
        cli.main(["doctor"])
    assert stopped.value.code == 4
    assert "Mend it" in capsys.readouterr().out


def test_the_driver_in_the_wheel_is_found_and_its_file_exists() -> None:
    pytest.importorskip("mssql_python")
    bundled = [driver for driver in odbc_drivers() if "mssql-python" in driver.name]
    assert bundled
    assert all(Path(driver.path).is_file() for driver in bundled)


def test_microsofts_drivers_come_before_freetds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "_installed", lambda: [Driver("FreeTDS", "a", "FreeTDS")])
    monkeypatch.setattr(drivers, "_bundled", lambda: [Driver("ODBC Driver 18", "b", "b")])
    assert [driver.name for driver in odbc_drivers()] == ["ODBC Driver 18", "FreeTDS"]


class FakeServer:
    """A SQL Server 2022 that answers what is asked of it, or fails to connect; DB-API on one object."""

    autocommit = True

    def __init__(
        self,
        permissions: list[int] | None = None,
        error: Exception | None = None,
        state: tuple[int, int, int] = (1, 1, 1),
    ) -> None:
        self.permissions, self.error, self.state = permissions or [1] * 6, error, state
        self.closed, self.asked = False, ""

    def connect(self) -> FakeServer:
        if self.error:
            raise self.error
        return self

    def cursor(self) -> FakeServer:
        return self

    def execute(self, statement: str) -> FakeServer:
        self.asked = statement
        return self

    def fetchall(self) -> list[tuple[int]]:
        return [(1,)]

    def fetchone(self) -> tuple[Any, ...]:
        if "@@VERSION" in self.asked:
            version = "Microsoft SQL Server 2022 (RTM) - 16.0\n\tCopyright"
            return version, "16.0.1000.6", 3, None, "people", "Latin1_General_CI_AS"
        if "sys.databases" in self.asked:
            return "SIMPLE", 1
        return *self.permissions, 0, *self.state

    def nextset(self) -> bool:
        return False

    def rollback(self) -> None: ...

    def close(self) -> None:
        self.closed = True


WHEEL = Driver("ODBC Driver 18 for SQL Server (from mssql-python)", "/lib/d.so", "/lib/d.so")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the doctor meet a server of one's own; the addresses that it went to are noted."""
    monkeypatch.setattr(doctor, "odbc_drivers", lambda: [WHEEL])

    def install(server: FakeServer) -> list[Address]:
        asked: list[Address] = []

        def connect(address: Address) -> FakeServer:
            asked.append(address)
            return server.connect()

        for library in ("by_pyodbc", "by_mssql_python"):
            monkeypatch.setattr(making, library, connect)
        return asked

    return install


def test_version_driver_and_permissions_of_a_server(serve: Any) -> None:
    server = FakeServer()
    asked = serve(server)
    checks = by_name(examine(SERVER))
    assert (
        checks["database"].found
        == "mssql+pyodbc://sa:***@db.example:1433/people: Microsoft SQL Server 2022 (RTM) - 16.0"
    )
    assert checks["permissions"].state == "good"
    assert asked[0].driver == WHEEL
    assert "so the one in mssql-python's wheel is taken" in checks["driver"].found
    assert server.closed
    assert not [check for check in checks.values() if "Geheim1" in str(check)]


def test_the_write_strategy_that_auto_takes_is_told_with_the_reason(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(FakeServer())
    checks = by_name(examine(SERVER))
    assert (checks["Arrow and bulk copy"].state, checks["write strategy"].state) == ("good", "good")
    assert checks["write strategy"].found == "bulkcopy_arrow: the fastest there is"
    monkeypatch.setattr(Address, "no_arrow", "mssql-python is not installed")
    checks = by_name(examine(SERVER))
    assert (checks["Arrow and bulk copy"].state, checks["write strategy"].state) == ("note", "note")
    assert checks["write strategy"].found.startswith("openjson: not bulkcopy_arrow (mssql-python can")


@pytest.mark.parametrize(
    ("state", "found"),
    [((1, 0, 0), "good"), ((0, 1, 0), "good"), ((0, 0, 1), "note"), ((0, None, None), "note")],
)
def test_whether_log_and_waits_can_be_seen(serve: Any, state: Any, found: str) -> None:
    serve(FakeServer(state=state))
    check = by_name(examine(SERVER))["log and waits"]
    assert check.state == found
    if found == "note":
        assert check.found == "the login lacks VIEW SERVER PERFORMANCE STATE"
        assert check.remedy


def test_a_permission_that_is_lacking_is_named_with_its_grant(serve: Any) -> None:
    serve(FakeServer([1, 0, 1, 1, 1, 1]))
    check = by_name(examine(SERVER))["permissions"]
    assert (check.state, check.found) == ("bad", "lacking CREATE TABLE")
    assert "GRANT CREATE TABLE" in check.remedy


def test_which_driver_is_taken_and_why(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(FakeServer())
    assert by_name(examine(SERVER + "?driver=FreeTDS"))["driver"].found == "FreeTDS: the URL asks for it"
    assert asked[0].is_freetds
    installed = Driver("ODBC Driver 18 for SQL Server", "/opt/d.so", "ODBC Driver 18 for SQL Server")
    monkeypatch.setattr(doctor, "odbc_drivers", lambda: [installed, WHEEL])
    assert by_name(examine(SERVER))["driver"].found == "ODBC Driver 18 for SQL Server: it is installed"
    monkeypatch.setattr(doctor, "odbc_drivers", lambda: [Driver("FreeTDS", "f", "FreeTDS")])
    assert "FreeTDS: Microsoft's is neither installed nor" in by_name(examine(SERVER))["driver"].found
    by_mssql_python = SERVER.replace("pyodbc", "mssqlpython")
    assert "mssql-python: mssql-python brings its own" in by_name(examine(by_mssql_python))["driver"].found
    monkeypatch.setattr(doctor, "odbc_drivers", list)
    lacking = by_name(examine(SERVER))["database"]
    assert (lacking.state, lacking.found) == ("bad", "no ODBC driver for SQL Server is installed")


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("28000", "the login is refused"),
        ("08001", "cannot be reached"),
        ("HYT00", "does not answer"),
        ("XX000", "XX000"),
    ],
)
def test_what_a_driver_says_becomes_a_sentence_without_the_password(
    serve: Any, state: str, says: str
) -> None:
    serve(FakeServer(error=pyodbc.Error(state, f"[{state}] nobody knows this PWD=Geheim1")))
    check = by_name(examine(SERVER))["database"]
    assert check.state == "bad"
    assert says in check.found
    assert check.remedy
    assert "Geheim1" not in str(check)


def test_a_live_server_is_found_fit(sql_server: str) -> None:
    checks = by_name(examine(sql_server))
    names = ["database", "driver", "Arrow and bulk copy", "write strategy", "permissions", "log and waits"]
    assert [name for name in checks if name in names] == names
    assert not [check for check in checks.values() if check.state == "bad"]


def test_a_live_server_that_lacks_the_database_says_so(sql_server: str) -> None:
    url = live.url_of("no_such_database_here")
    check = by_name(examine(url))["database"]
    assert check.state == "bad"
    assert check.remedy
    assert str(make_url(url).password) not in str(check)
