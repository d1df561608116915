"""What the doctor finds, and what it advises."""

from __future__ import annotations

import json
import os
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from gidbench import cli, doctor
from gidbench.doctor import Check, examine
from gidbench.errors import InputError, StoreError
from gidbench.stores import drivers, mssql_check
from gidbench.stores.drivers import Driver, odbc_drivers
from gidbench.stores.mssql_check import PERMISSIONS, examine_server

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
    ],
)
def test_encryption_is_judged_by_the_url(query: str, state: str) -> None:
    assert doctor._encryption(SERVER + query).state == state
    assert doctor._encryption("duckdb:///x").state == "good"


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


class FakeEngine:
    """A server that answers two questions, or fails to connect."""

    def __init__(self, permissions: list[int], error: Exception | None = None) -> None:
        self.permissions, self.error, self.disposed = permissions, error, False

    def connect(self) -> FakeEngine:
        if self.error:
            raise self.error
        return self

    def __enter__(self) -> FakeEngine:
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, statement: Any) -> FakeEngine:
        self.statement = str(statement)
        return self

    def scalar_one(self) -> str:
        return "Microsoft SQL Server 2022 (RTM) - 16.0\n\tCopyright"

    def one(self) -> list[int]:
        return self.permissions

    def dispose(self) -> None:
        self.disposed = True


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(engine: FakeEngine) -> list[Any]:
        asked: list[Any] = []
        monkeypatch.setattr(mssql_check, "create_engine", lambda url, **_: asked.append(url) or engine)
        return asked

    return install


def test_version_and_permissions_of_a_server(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine([1] * 6)
    asked = serve(engine)
    monkeypatch.setattr(doctor, "odbc_drivers", lambda: [Driver("D", "/lib/d.so", "/lib/d.so")])
    checks = by_name(examine(SERVER))
    assert (
        checks["database"].found
        == "mssql+pyodbc://sa:***@db.example:1433/people: Microsoft SQL Server 2022 (RTM) - 16.0"
    )
    assert checks["permissions"].state == "good"
    assert asked[0].query["driver"] == "/lib/d.so"
    assert engine.disposed


def test_a_permission_that_is_lacking_is_named_with_its_grant(serve: Any) -> None:
    serve(FakeEngine([1, 0, 1, 1, 1, 1]))
    check = by_name(examine(SERVER))["permissions"]
    assert (check.state, check.found) == ("bad", "lacking CREATE TABLE")
    assert "GRANT CREATE TABLE" in check.remedy


def test_a_driver_that_the_url_names_is_left_as_it_is(serve: Any) -> None:
    asked = serve(FakeEngine([1] * 6))
    examine_server(make_url(SERVER + "?driver=FreeTDS"), [Driver("D", "d", "d")])
    assert asked[0].query["driver"] == "FreeTDS"
    with pytest.raises(InputError, match="no ODBC driver"):
        examine_server(make_url(SERVER), [])
    assert len(PERMISSIONS) == 6


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("28000", "the login is refused"),
        ("08001", "cannot be reached"),
        ("HYT00", "does not answer"),
        ("XX", "refuses"),
    ],
)
def test_what_a_driver_says_becomes_a_sentence_without_the_password(
    serve: Any, state: str, says: str
) -> None:
    origin = Exception(state, f"[{state}] Login failed for 'sa' PWD=Geheim1")
    engine = FakeEngine([], DBAPIError("connect", {"pwd": "Geheim1"}, origin))
    serve(engine)
    with pytest.raises(StoreError) as caught:
        examine_server(make_url(SERVER), [Driver("D", "d", "d")])
    assert says in str(caught.value)
    assert state in str(caught.value)
    assert "Geheim1" not in str(caught.value)
    assert engine.disposed
