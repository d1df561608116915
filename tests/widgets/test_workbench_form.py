"""Values of controls to a request; passwords that are never shown; which cases there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from gidbench.bench.suite import VARIANTS, Bench, cases_for
from gidbench.errors import InputError
from gidbench.settings import load_settings
from gidbench.widgets import form
from gidbench.widgets.connection import Connection

SERVER = "mssql+pyodbc://sa@db.example:1433/people"


def entered(**given: object) -> form.Entered:
    values: dict[str, object] = {
        "operation": "generate",
        "cases": ("memory", "csv", "parquet", "database"),
        "records": "1,000,000",
        "batch_size": "50,000",
        "workers": "2",
        "pool_size": "20",
        "strategy": "auto",
        "rounds": "automatic",
        "processes": "automatic",
        "peers": False,
        "database": "",
    }
    return form.Entered(**{**values, **given})  # type: ignore[arg-type]


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> dict[str, form.Number]:
    monkeypatch.setenv("ULTRA_PARALLEL_WORKERS", "2")
    return form.numbers(load_settings())


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e6", 10**6), ("1M", 10**6), ("1_000_000", 10**6), ("1,000", 1000), (" 50k ", 50_000)],
)
def test_records_are_taken_as_people_write_them(text: str, value: int, rules: dict[str, form.Number]) -> None:
    assert form.request_of(entered(records=text), rules).records == value


def test_what_is_left_alone_is_left_to_the_settings(rules: dict[str, form.Number]) -> None:
    request = form.request_of(entered(), rules)
    assert (request.batch_size, request.workers, request.pool_size) == (0, 0, 0)
    assert (request.rounds, request.processes, request.cases, request.strategy) == (0, 0, (), "")
    changed = form.request_of(
        entered(batch_size="10k", workers="1", rounds="3", cases=("csv", "memory")), rules
    )
    assert (changed.batch_size, changed.workers, changed.rounds) == (10_000, 1, 3)
    assert changed.cases == ("memory", "csv")


def test_pool_and_strategy_count_on_a_sql_server_only(rules: dict[str, form.Number]) -> None:
    here = form.request_of(entered(pool_size="3", strategy="values"), rules)
    assert (here.pool_size, here.strategy) == (0, "")
    there = form.request_of(entered(pool_size="3", strategy="values", database=SERVER), rules)
    assert (there.pool_size, there.strategy) == (3, "values")


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("records", "many", "Records: 'many' is not a whole number. Write it like 50000, 50k or 1e6."),
        ("records", "0", "Records: 0 cannot be used. Use 1 to 1,000,000,000."),
        ("batch_size", "10", "Batch size: 10 cannot be used. Use 1,000 to 1,000,000."),
        ("workers", "257", "Workers: 257 cannot be used. Use 1 to 256."),
        ("rounds", "x", "Rounds: 'x' is not a whole number. Write it like 50000, 50k or 1e6, or automatic."),
        ("processes", "1001", "Processes: 1,001 cannot be used. Use 1 to 1,000, or automatic."),
    ],
)
def test_what_cannot_be_used_is_told_with_the_remedy(
    field: str, text: str, said: str, rules: dict[str, form.Number]
) -> None:
    assert form.problems(entered(**{field: text}), rules) == {field: said}
    with pytest.raises(InputError):
        form.request_of(entered(**{field: text}), rules)


def test_nothing_chosen_is_a_problem(rules: dict[str, form.Number]) -> None:
    assert form.problems(entered(cases=()), rules) == {"cases": "Nothing is chosen. Tick at least one."}


def test_the_slider_and_the_entry_agree() -> None:
    assert form.power_of("1M") == pytest.approx(6)
    assert form.power_of("5") == form.SLIDER[0]
    assert form.power_of("1e9") == form.SLIDER[1]
    assert form.power_of("many") is None
    assert form.records_at(1_023_293.0) == "1,000,000"
    assert form.records_at(1_258_925.0) == "1,300,000"
    assert form.records_at(100.0) == "100"


@pytest.mark.parametrize("operation", list(form.OPERATIONS))
def test_the_sources_are_the_cases_of_the_suite(operation: str, tmp_path: Path) -> None:
    bench = Bench(tmp_path, f"duckdb:///{tmp_path / 'x.duckdb'}", 0, 10, 7, 1_000, 1, False)
    assert tuple(form.SOURCES[operation]) == VARIANTS[operation]
    assert form.usual(operation, peers=False) == tuple(case.variant for case in cases_for(operation, bench))


def test_what_is_usual_with_other_tools_is_not_asked_for_one_by_one(rules: dict[str, form.Number]) -> None:
    every = tuple(form.SOURCES["process"])
    asked = entered(operation="process", cases=every, peers=True)
    assert form.request_of(asked, rules).cases == ()
    assert form.request_of(entered(operation="process", cases=every), rules).cases == every
    assert form.request_of(entered(operation="process", cases=("csv", "xlsx")), rules).cases == ()


def test_a_password_in_a_url_is_held_and_not_shown() -> None:
    connection = Connection("mssql+pyodbc://sa:s3cret@db.example:1433/people?Encrypt=yes")
    assert "s3cret" not in connection.shown + repr(connection) + str(vars(connection))
    assert connection.shown == "mssql+pyodbc://sa@db.example:1433/people?Encrypt=yes"
    assert connection.url() == "mssql+pyodbc://sa:s3cret@db.example:1433/people?Encrypt=yes"
    connection.type(connection.shown)  # the field gives back what it shows
    assert "s3cret" in connection.url()
    connection.forget()
    assert "s3cret" not in connection.url()


def test_a_password_in_a_query_is_held_and_not_shown() -> None:
    whole = "mssql+pyodbc:///?odbc_connect=Driver%3Dx%3BServer%3Dy%3BUID%3Dsa%3BPWD%3Ds3cret"
    connection = Connection(whole)
    assert "s3cret" not in connection.shown + str(vars(connection))
    assert connection.url() == whole


def test_a_password_that_was_typed_joins_the_url_where_it_is_opened() -> None:
    connection = Connection(SERVER)
    connection.keep("p@ss/w:rd")
    assert "p@ss" not in connection.shown
    assert connection.url() == "mssql+pyodbc://sa:p%40ss%2Fw%3Ard@db.example:1433/people"


def test_another_host_does_not_get_the_password_of_the_first() -> None:
    connection = Connection("mssql+pyodbc://sa:s3cret@db.example/people")
    connection.type("mssql+pyodbc://sa@other.example/people")
    assert "s3cret" not in connection.url()


@pytest.mark.parametrize(
    "text", ["postgresql://u:s3cret@h/d", "no url at all", "x:s3cret@y", "mssql+pyodbc//sa:s3cret@h"]
)
def test_what_is_no_url_of_ours_is_a_sentence_without_its_password(text: str) -> None:
    connection = Connection(text)
    assert connection.problem.endswith(".")
    assert "s3cret" not in connection.problem + connection.shown
