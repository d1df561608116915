"""What is asked for: as a line of the shell and back, from the header of a result file, without its password."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import URL

import gidbench
from gidbench import cli_run, reporting, running
from gidbench.bench.databases import check_strategy, completed, without_password
from gidbench.bench.request import Request
from gidbench.bench.results import RunHeader, load_results
from gidbench.bench.suite import OPERATIONS, VARIANTS, Bench, cases_for, chosen
from gidbench.errors import InputError
from gidbench.settings import load_settings

SECRET = "s3cr?t/+:@ ü"
SERVER = URL.create(
    "mssql+pyodbc", "tester", SECRET, "db.example", 1433, "people", {"Encrypt": "no"}
).render_as_string(hide_password=False)


def parsed(line: str) -> Request:
    """The request that the command line makes of a line of the shell."""
    words = shlex.split(line)
    assert words[:2] == ["gidbench", "run"]
    return cli_run.requested(cli_run.run.make_context("run", words[2:]).params)


operations = st.sets(st.sampled_from(OPERATIONS), min_size=1).map(
    lambda names: tuple(name for name in OPERATIONS if name in names)
)
counts = st.just(0) | st.integers(1, 10**12)
words = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8)
urls = (
    st.just("")
    | words.map(lambda name: URL.create("duckdb", database=f"{name}.duckdb").render_as_string())
    | st.builds(
        lambda user, password, database, query: URL.create(
            "mssql+pyodbc", user, password, "db.example", 1433, database, query
        ).render_as_string(hide_password=False),
        words,
        st.none() | words,
        words,
        st.dictionaries(st.sampled_from(["Encrypt", "driver", "TrustServerCertificate"]), words),
    )
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    wanted = draw(operations)
    source = draw(st.just("") | words.map(lambda name: f"{name}.csv")) if "process" in wanted else ""
    others = [name for name in wanted if name != "process" or not source]
    known = list(dict.fromkeys(case for name in others for case in VARIANTS[name]))
    some = draw(st.sets(st.sampled_from(known))) if known else set()
    return Request(
        operations=wanted,
        records=draw(st.integers(1, 10**12)),
        processes=draw(counts),
        rounds=draw(counts),
        cases=tuple(name for name in known if name in some),
        seed=draw(counts),
        batch_size=draw(counts),
        workers=draw(counts),
        pool_size=draw(counts),
        strategy=draw(st.sampled_from(["", "bulkcopy", "auto"]) | words.filter(lambda word: word[0] != "-")),
        peers=draw(st.booleans()),
        source=source,
        database=draw(urls),
    )


@given(requests())
def test_the_command_asks_for_the_same_but_for_the_password(request: Request) -> None:
    shown = without_password(request.database) if request.database else ""
    assert parsed(request.command()) == replace(request, database=shown)


@given(st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=6, max_size=9))
def test_no_password_is_in_the_command_or_the_repr(password: str) -> None:
    password = f"Zq{password}#9"
    for url in (
        URL.create("mssql+pyodbc", "sa", password, "h", 1433, "d").render_as_string(hide_password=False),
        URL.create("mssql+pyodbc", "sa", None, "h", 1433, "d", {"PWD": password}).render_as_string(),
        URL.create(
            "mssql+pyodbc", query={"odbc_connect": f"Server=h;UID=sa;PWD={password}"}
        ).render_as_string(),
    ):
        request = Request(database=url)
        assert password[:-2] not in request.command() + repr(request)
        assert "DATABASE_URL" in request.note


def test_only_what_is_not_usual_is_in_the_command() -> None:
    assert Request().command() == "gidbench run"
    request = Request.asked("sync,generate", "initial, memory", records=1000, peers=True, strategy=None)
    assert request.command() == (
        "gidbench run --records 1000 --operations generate,sync --cases memory,initial --peers"
    )
    assert (
        Request(database="duckdb:///a b.duckdb").command() == "gidbench run --database 'duckdb:///a b.duckdb'"
    )
    assert Request(database="duckdb:///x.duckdb").note == Request().note == ""


def test_a_database_without_its_password_gets_it_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = without_password(SERVER)
    assert shown == "mssql+pyodbc://tester@db.example:1433/people?Encrypt=no"
    assert completed(shown, load_settings()) == shown
    monkeypatch.setenv("DATABASE_URL", SERVER)
    assert completed(shown, load_settings()) == SERVER
    assert completed("", load_settings()) == SERVER
    for other in (
        shown.replace("people", "others"),
        shown.replace("tester", "sa"),
        shown.replace("tester@", "tester:own@"),
        "duckdb:///people.duckdb",
    ):
        assert completed(other, load_settings()) == other


def header(host: dict[str, Any] | None = None, **parameters: Any) -> RunHeader:
    usual = {"records": 1_000_000, "seed": 7, "rounds": "automatic", "processes": 3}
    return RunHeader("id", "2026-01-01", {**usual, **parameters}, {"usable_cores": 4, **(host or {})}, {}, {})


def test_a_header_says_what_was_asked_for() -> None:
    assert Request.of(header()) == Request()  # as written before it had the rest
    assert Request.of(header(batch_size=50_000, workers=4, pool_size=20, strategy="auto")) == Request()
    found = Request.of(
        header(
            records=5,
            rounds=2,
            processes=1,
            seed=3,
            batch_size=1_000,
            workers=2,
            pool_size=5,
            strategy="tvp",
            cases=["csv"],
            peers=True,
            database="duckdb:///x.duckdb",
        ),
        ["process"],
    )
    assert found == Request(
        ("process",), 5, 1, 2, ("csv",), 3, 1_000, 2, 5, "tvp", True, "", "duckdb:///x.duckdb"
    )


def test_a_measurement_can_be_repeated_by_its_header(tmp_path: Path, database: str) -> None:
    gidbench.measure(
        "generate",
        records=2_000,
        processes=1,
        rounds=1,
        cases="csv,memory",
        batch_size=1_000,
        workers=1,
        pool_size=7,
        database=database,
        out=tmp_path / "run",
    )
    results = load_results(tmp_path / "run")
    assert [result.variant for result in results.results] == ["memory", "csv"]
    line = reporting.command(results)
    assert parsed(line) == Request(
        ("generate",),
        2_000,
        1,
        1,
        ("memory", "csv"),
        batch_size=1_000,
        workers=parsed(line).workers,  # none on a machine of one core
        pool_size=7,
        database="duckdb:///people.duckdb",  # its name, and no path of this machine
    )
    assert str(tmp_path) not in line


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_known_cases_are_those_that_there_are(operation: str, tmp_path: Path, database: str) -> None:
    def variants(*cases: str) -> list[str]:
        bench = Bench(tmp_path, database, 0, 1_000, 7, 1_000, 1, cases=cases)
        return [case.variant for case in cases_for(operation, bench)]

    known = VARIANTS[operation]
    assert variants(*known) == list(known)
    assert variants() == [name for name in known if not name.endswith(" memory")]
    assert variants(known[1]) == [known[1]]


def test_unknown_cases_and_operations_are_refused_with_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"generate has no case 'tape'. Use any of memory, csv, parquet, database"
    ):
        gidbench.measure("generate", cases="memory,tape")
    with pytest.raises(InputError, match=r"sync has no case 'csv'. Use any of initial, unchanged"):
        gidbench.measure("sync", cases=["csv"])
    with pytest.raises(InputError, match=r"generate, sync have no case 'xlsx'. Use any of memory, csv"):
        Request.asked("sync,generate", "xlsx,csv")
    with pytest.raises(InputError, match=r"dance cannot be measured. Use any of generate, process, sync"):
        Request.asked("dance,sync")
    with pytest.raises(InputError, match="there is no operation 'dance'"):
        chosen("dance", "")


def test_an_operation_without_any_of_the_cases_is_left_out() -> None:
    request = Request.asked(cases="initial,csv")
    assert request.measured == OPERATIONS
    assert [request.cases_of(name) for name in OPERATIONS] == [("csv",), ("csv",), ("initial",)]
    assert Request.asked(cases="parquet").measured == ("generate",)


def test_a_run_hands_what_is_asked_for_to_its_notebooks(
    monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    ran: list[tuple[str, dict[str, Any], dict[str, str]]] = []

    def execute(source: Path, _: Path, parameters: dict[str, Any], variables: dict[str, str]) -> None:
        ran.append((source.stem, parameters, variables))

    monkeypatch.setattr(running.notebooks, "execute", execute)
    with pytest.raises(InputError):  # there are no results
        running.carry_out(
            Request.asked(
                cases="memory,xlsx", records=5, pool_size=9, peers=True, workers=2, database=database
            ),
            out="run",
        )
    assert [name for name, _, _ in ran] == ["01_generate", "02_process", "00_overview"]
    assert [parameters.get("cases") for _, parameters, _ in ran] == ["memory", "xlsx", None]
    assert ran[0][1]["records"] == 5
    assert ran[0][1]["peers"] is True
    assert ran[0][2]["ULTRA_CONNECTION_POOL_SIZE"] == "9"
    assert ran[0][2]["ULTRA_PARALLEL_WORKERS"] == "2"
    assert ran[0][2]["GIDBENCH_WRITE_STRATEGY"] == "auto"
    assert ran[0][2]["DATABASE_URL"] == database
    with pytest.raises(InputError, match="the write strategy 'tvp' is one of SQL Server"):
        gidbench.run(5, strategy="tvp", out="other")
    assert not Path("other").exists()


def test_strategies_are_for_sql_server() -> None:
    check_strategy("auto", "")
    check_strategy("", "duckdb:///x.duckdb")
    check_strategy("bulkcopy", SERVER)
    for url in ("", "duckdb:///x.duckdb"):
        with pytest.raises(InputError, match="the write strategy 'bulkcopy' is one of SQL Server"):
            check_strategy("bulkcopy", url)
    with pytest.raises(InputError, match="one of SQL Server"):
        gidbench.measure("generate", strategy="bulkcopy")
    with pytest.raises(InputError, match="pool_size is 501, but must be a whole number from 1 to 500"):
        gidbench.measure("generate", pool_size=501)


def test_peers_of_cases_that_are_not_chosen_are_left_out(tmp_path: Path, database: str) -> None:
    def against(operation: str, *cases: str) -> set[str | None]:
        bench = Bench(tmp_path, database, 0, 1_000, 7, 1_000, 1, peers=True, cases=cases)
        return {case.against for case in cases_for(operation, bench) if case.peer}

    assert against("process", "xlsx memory", "csv") <= {"xlsx memory", "csv"}
    assert against("generate", "csv", "database") == set()  # they make tables in memory
    assert against("sync", "unchanged") == set()
