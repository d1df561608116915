"""compare, history, and the gates of a run: what is printed, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_runs import result, run, times, write

from gidbench.bench.history import load_history, remember

SLOW = {"run_id": "b", "started_at": "2026-01-02T00:00:00+00:00", "commit": "bbbbbbbbbbbb"}


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    before = write(tmp_path / "before", run(result(), result(variant="csv")))
    after = write(tmp_path / "after", run(result(times(1.3)), result(None, variant="csv"), **SLOW))
    return before, after


def test_two_runs_are_compared(gidbench, runs) -> None:
    done = gidbench("compare", *runs)
    assert done.code == 0
    assert "1 worse, 1 not measured" in done.out
    assert "+30 %" in done.out
    assert "failed in B: it broke" in done.out
    assert "commit bbbbbbbbbbbb" in done.out


def test_comparisons_come_as_json_and_markdown(gidbench, runs) -> None:
    values = json.loads(gidbench("compare", *runs, "--json").out)
    assert [case["verdict"] for case in values["cases"]] == ["worse", "not measured"]
    assert values["cases"][0]["judgement"]["ratio"] == pytest.approx(1.3)
    text = gidbench("compare", *runs, "--markdown").out
    assert text.startswith("### gidbench: ")
    assert "**worse**" in text


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--fail-if-worse", 10), 1),
        (("--fail-if-worse", 40), 0),
        (("--fail-if-worse", 40, "--strict"), 1),  # csv was not measured
        (("--fail-below", "high"), 0),
        (("--require-target",), 0),
        (("--fail-if-worse", 10, "--threshold", 50), 0),
    ],
)
def test_gates_decide_how_a_comparison_ends(gidbench, runs, words, code: int) -> None:
    done = gidbench("compare", *runs, *words)
    assert done.code == code, done.out
    assert "gates passed" in done.out


def test_nothing_that_was_measured_in_both_is_three(gidbench, tmp_path: Path) -> None:
    a = write(tmp_path / "a", run(result(None)))
    b = write(tmp_path / "b", run(result(None), run_id="b"))
    assert gidbench("compare", a, b).code == 3
    assert gidbench("compare", a, b, "--require-target").code == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("a",), "1 run is named"),
        (("a", "b", "c"), "3 runs are named"),
        (("a", "b", "--last", 3), "2 runs are named besides"),
        (("nowhere", "nowhere"), "there is no result file"),
        (("--last", 3), "there is no history"),
        (("a", "b", "--threshold", 200), "the threshold is 200 %"),
        (("a", "b", "--fail-below", "QUICK"), "fail-below in the options is 'QUICK'"),
        (("--live", "sync"), "'sync' is no case"),
        (("--live", "sync initial", "--last", "2"), "compares trees, not runs"),
        (("--live", "sync initial", "--against", "nowhere"), "there is no commit 'nowhere'"),
    ],
)
def test_what_cannot_be_compared_is_told(gidbench, tmp_path: Path, words, says: str) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, run(run_id=name))
    done = gidbench("compare", *words)
    assert done.code == 2
    assert says in done.err


def test_the_history_is_looked_into(gidbench, tmp_path: Path) -> None:
    for number in range(12):
        made = run(
            result(times(1.0 + 0.001 * number + (0.5 if number >= 6 else 0))),
            run_id=f"r{number}",
            started_at=f"2026-01-{number + 1:02d}T00:00:00+00:00",
            commit=f"{number:012x}",
        )
        remember(made, Path("reports/history.jsonl"))
    write(
        Path("reports/20260120T000000Z"),
        run(result(times(1.5)), run_id="killed", started_at="2026-01-20T00:00:00+00:00"),
    )
    compared = json.loads(gidbench("compare", "--against", f"{2:012x}", "--json").out)
    assert compared["after"]["run_id"] == "killed"
    assert compared["cases"][0]["verdict"] == "worse"
    assert "same within" in gidbench("compare", "--last", 4).out
    shown = gidbench("history", "generate", "memory")
    assert "▁" in shown.out
    assert f"commit {6:012x}, before it {5:012x}" in shown.out
    assert "2026-01-12" in shown.out
    values = json.loads(gidbench("history", "--json").out)
    assert (len(values[0]["runs"]), values[0]["steps"][0]["at"]) == (13, 6)
    assert gidbench("history", "sync").code == 2


def test_help_names_compare_and_history(gidbench) -> None:
    assert "  compare " in gidbench("--help").out
    assert "  history " in gidbench("--help").out


@pytest.mark.slow
def test_a_run_is_remembered_and_its_gates_decide(gidbench, tmp_path: Path) -> None:
    words = ("run", "--records", 500, "--rounds", 1, "--operations", "generate")
    Path("pyproject.toml").write_text("[tool.gidbench]\nfail-bellow = 'HIGH'\n")
    done = gidbench(*words)
    assert (done.code, "unknown key 'fail-bellow'" in done.err) == (2, True)
    assert not Path("reports").exists()  # told before anything is measured
    Path("pyproject.toml").write_text(
        "[tool.gidbench]\nfail-if-worse = 1e6\n[tool.gidbench.cases.'generate memory']\nfail-below = 'HIGH'\n"
    )
    done = gidbench(*words, "--out", "first")
    assert done.code == 0, done.out
    assert "holds no run before this one" in done.out
    history = load_history("reports/history.jsonl")
    assert {entry.case for entry in history.entries} >= {
        "generate memory",
        "generate csv",
        "generate database",
    }
    assert len(history.runs) == 1
    done = gidbench(*words, "--out", "second", "--fail-below", "ULTRA")
    assert done.code == 1, done.out  # 500 rows into a database: far below
    assert "generate database: at least ULTRA: failed" in done.out
    assert len(load_history("reports/history.jsonl").runs) == 2
