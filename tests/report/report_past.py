"""Histories, made by hand, for the report's comparison and trends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from report_runs import make_result, make_run

from gidbench.bench.comparing import compare_runs
from gidbench.bench.history import History, entries_of
from gidbench.bench.results import RunResults
from gidbench.bench.steps import trends
from gidbench.report.past import Past


def dated(run: RunResults, day: int, commit: str | None = None, **host: Any) -> RunResults:
    """The run as if it had been done on a day of March 2026, under an id of its own."""
    header = replace(
        run.header,
        run_id=f"run{day:02}",
        started_at=f"2026-03-{day:02}T05:06:07+00:00",
        host={**run.header.host, "commit": commit, **host},
    )
    return replace(run, header=header)


def around(seconds: float, scatter: float = 0.01) -> dict[str, Any]:
    """Walls of three processes of three rounds each."""
    each = [[seconds * (1 + scatter * (place - 1)) for place in range(3)] for _ in range(3)]
    return {"walls_s": [wall for walls in each for wall in walls], "replicates_s": each, "processes": 3}


def make_history(count: int = 12, step_at: int = 7, slower: float = 1.3) -> list[RunResults]:
    """So many runs of generate memory, of 2 s each; from one on it takes longer."""
    runs = []
    for index in range(count):
        seconds = 2.0 * (slower if index >= step_at else 1.0) * (1 + 0.002 * (index % 3))
        run = make_run(
            make_result("generate", "memory", headline=True, **around(seconds)),
            make_result("generate", "csv", **around(1.0)),
        )
        runs.append(dated(run, index + 1, f"{index:012x}"))
    return runs


def make_past(runs: list[RunResults]) -> Past:
    """The last of the runs against the one before, and its trends."""
    known = History(tuple(entry for run in runs for entry in entries_of(run)))
    compared = compare_runs(runs[-2], runs[-1])
    return Past(compared, "the previous run", tuple(trends(known, "generate memory")))
