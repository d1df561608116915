"""Two runs side by side, the history, and the ways of writing to a server, as notebooks show them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import made_runs
import pytest

from gidbench.bench.comparison import Comparison, Contender
from gidbench.bench.history import remember
from gidbench.bench.strategies import Strategies, compare_strategies, ways_in
from gidbench.errors import InputError
from gidbench.widgets import comparisons, servers


def measured(number: int, factor: float = 1.0) -> Path:
    """A run that the history knows."""
    made = made_runs.run(
        made_runs.result(made_runs.times(factor)),
        run_id=f"run{number}",
        started_at=f"2026-01-{number:02d}T00:00:00+00:00",
    )
    folder = made_runs.write(Path("reports") / f"202601{number:02d}T000000Z", made)
    remember(folder)
    return folder


def test_without_a_run_and_with_one_it_is_said_what_is_missing() -> None:
    none = comparisons.two_runs()
    assert comparisons.answer_words(none) == [
        "There is no run yet: say `gidbench run`, or run the notebooks 01 to 03, twice, and open this again."
    ]
    assert "There is no run yet" in comparisons.table(none).data
    assert "The history is empty" in comparisons.trend(none).data
    assert comparisons.figure(none) is comparisons.trend_figure(none) is None
    measured(1)
    one = comparisons.two_runs()
    assert comparisons.answer_words(one)[0].startswith("There is one run so far")
    assert "generate memory" in comparisons.trend(one).data


def test_two_runs_are_held_against_each_other_and_the_history_tells_a_step() -> None:
    folders = [measured(number, 1.0 if number < 8 else 2.0) for number in range(1, 15)]
    found = comparisons.two_runs(str(folders[0]), str(folders[-1]))
    first, *others = comparisons.answer_words(found)
    assert "slower" in first
    assert any(line.startswith("generate memory: 14 runs") and "slower" in line for line in others)
    page = comparisons.table(found).data
    assert "▼\N{NO-BREAK SPACE}worse" in page
    assert "<svg" in comparisons.figure(found).data
    assert "<svg" in comparisons.trend_figure(found).data
    newest = comparisons.two_runs()
    assert newest.before_name == "the runs before (5 runs)"


def test_a_run_that_is_named_and_not_there_is_an_error() -> None:
    measured(1)
    with pytest.raises(InputError, match="there is no result file"):
        comparisons.two_runs("reports/none")


FOUND = Comparison(
    rates={"auto": [95.0, 105.0, 100.0], "bulk": [110.0, 90.0, 100.0], "row": [1.0, 1.0, 1.0]},
    titles={"row": "a statement a row", "auto": "what it does", "bulk": "bulk copy", "bad": "one that fails"},
    units=dict.fromkeys(("row", "auto", "bulk", "bad"), "records/s"),
    failures={"bad": "it broke <here>"},
)


def test_ways_of_writing_are_shown_the_fastest_first_and_why_others_are_not() -> None:
    found = Strategies("mssql://x", 20_000, 3, ways_in(FOUND, {"tvp: by a parameter": "no type for it"}))
    assert [way.name for way in found.ways] == ["auto", "bulk", "row", "bad", "tvp"]
    page = servers.strategies(found).data
    assert "it broke &lt;here&gt;" in page
    assert "no type for it" in page
    words = servers.answer_words(found)
    assert words.startswith(
        "The fastest single way of writing here is bulk: 100 /s, 100 times row, the slowest."
    )
    assert words.endswith("(auto) reaches 100 /s, 1.00 times that: leave it as it is.")
    slow = Comparison(rates={"auto": [50.0], "bulk": [100.0]}, titles={"auto": "a", "bulk": "b"}, units={})
    told = servers.answer_words(Strategies("x", 20_000, 1, ways_in(slow, {})))
    assert told.endswith("50 % of that: try GIDBENCH_WRITE_STRATEGY=bulk.")


def test_without_a_server_it_is_said_what_is_missing_and_too_few_records_are_refused() -> None:
    found = compare_strategies("duckdb:///x.duckdb")
    assert servers.answer_words(found).startswith("No SQL Server is named")
    assert "nothing to look at here" in servers.strategies(found).data
    assert "nothing to look at here" in servers.advice().data
    with pytest.raises(InputError, match="say nothing"):
        compare_strategies(records=10)


def test_the_ways_of_a_server_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    from gidbench.bench import load_bars, server_subject

    turns: list[str] = []
    opened: list[tuple[object, ...]] = []

    @contextlib.contextmanager
    def subject(*given: object) -> Iterator[str]:
        opened.append(given)
        yield "subject"

    def contender(name: str, rate: float) -> Contender:
        def measure() -> float:
            turns.append(name)
            return rate

        return Contender(name, f"{name} it is", "records/s", measure)

    def bars(found: str, *, peers: bool) -> tuple[list[Contender], list[object], dict[str, str]]:
        assert (found, peers) == ("subject", True)
        return [contender("auto", 4.0), contender("values", 2.0)], [], {"tvp: by a parameter": "no type"}

    monkeypatch.setattr(server_subject, "opened", subject)
    monkeypatch.setattr(load_bars, "load_bars", bars)
    url = "mssql+pyodbc://sa:secret@db.example:1433/people"
    monkeypatch.setenv("DATABASE_URL", url)
    found = compare_strategies(records=5_000, rounds=2, workers=3, peers=True)
    assert opened == [(url, 5_000, 7, 3)]
    assert turns == ["auto", "values", "values", "auto", "auto", "values"]
    assert [(way.name, way.per_second, way.why_not) for way in found.ways] == [
        ("auto", 4.0, ""),
        ("values", 2.0, ""),
        ("tvp", 0.0, "no type"),
    ]
    assert "secret" not in found.database


def test_a_new_server_without_tables_is_advised_to_make_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise InputError("there is no table 'employee'", "Check its name, or create it")

    monkeypatch.setattr(servers.administration, "advise", missing)
    page = servers.advice("mssql+pyodbc://sa@db.example/people").data
    assert "there is no table" in page
    assert "gidbench schema create" in page
