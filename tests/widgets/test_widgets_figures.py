"""Figures for notebooks: each with its sentence, ids that never clash, words where there is nothing to draw."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from study_runs import make_scaling, make_tuning

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from report_past import around, dated, make_history
from report_runs import make_result, make_run

from gidbench.bench.comparing import compare_runs
from gidbench.bench.history import History, entries_of, remember
from gidbench.bench.results import RunResults, append
from gidbench.bench.session import Measurement
from gidbench.bench.steps import trends
from gidbench.errors import InputError
from gidbench.widgets import figures


def write(run: RunResults, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for line in (run.header, *run.results):
        append(folder / "results.jsonl", line)
    return folder


def test_a_surface_has_its_verdict() -> None:
    shown = figures.surface(make_tuning()).data
    assert "Better than the defaults: workers 2, batch size 10,000" in shown
    assert shown.count("<svg") == 1
    assert "<script" not in shown


def test_growth_and_workers_have_their_words() -> None:
    assert (
        "memory, 10,000 to 10,000,000 records: time grows in proportion"
        in figures.scaling(make_scaling()).data
    )
    shown = figures.efficiency(make_scaling()).data
    assert "2 workers are 1.80 times as fast as one" in shown
    assert "1.80×" in shown


def test_the_same_figure_twice_shares_no_id() -> None:
    both = figures.surface(make_tuning()).data + figures.surface(make_tuning()).data
    ids = re.findall(r'\sid="([^"]+)"', both)
    assert len(ids) == len(set(ids)) > 0


def test_a_comparison_of_files_of_results_and_of_one_that_was_made(tmp_path: Path) -> None:
    before = dated(make_run(make_result(headline=True, **around(2.0))), 1)
    after = dated(make_run(make_result(headline=True, **around(3.0))), 2)
    first, second = write(before, tmp_path / "20260301"), write(after, tmp_path / "20260302")
    for shown in (
        figures.comparison(first, second),
        figures.comparison(before, after),
        figures.comparison(compare_runs(before, after)),
        figures.comparison(after=second),  # finds the one before by itself
    ):
        assert "Memory (+50 % time) is slower." in shown.data
        assert "worse, +50 %" in shown.data
    alone = figures.comparison(after=first)
    assert "There is no earlier run" in alone.data


def test_a_history_of_a_file_and_of_a_trend(tmp_path: Path) -> None:
    runs = make_history()
    for run in runs:
        remember(run, tmp_path / "history.jsonl")
    shown = figures.history(path=tmp_path / "history.jsonl").data
    assert "generate memory: 12 runs from 1 March 2026" in shown
    assert "generate csv" not in shown  # no headline case
    assert "generate csv: 12 runs" in figures.history("generate csv", tmp_path / "history.jsonl").data
    known = History(tuple(entry for run in runs for entry in entries_of(run)))
    [trend] = trends(known, "generate csv")
    assert "generate csv: 12 runs" in figures.history(trend).data
    with pytest.raises(InputError, match="there is no history"):
        figures.history(path=tmp_path / "none.jsonl")
    folder = write(runs[3], tmp_path / "20260304")
    assert "generate memory: Four runs" in figures.history(path=tmp_path / "history.jsonl", out=folder).data


def test_one_run_is_no_history(tmp_path: Path) -> None:
    remember(make_history(1)[0], tmp_path / "history.jsonl")
    assert "No case was measured in two runs" in figures.history(path=tmp_path / "history.jsonl").data


def test_rounds_of_a_measurement(tmp_path: Path) -> None:
    run = make_run(make_result(headline=True))
    folder = write(run, tmp_path / "run")
    shown = figures.rounds(Measurement("generate", run.results, folder / "results.jsonl")).data
    assert "<svg" in shown
    assert "The rounds of memory lie between" in shown
