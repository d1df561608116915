"""Runs as a harness would have written them, without measuring anything."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gidbench.bench.results import Noise, Result, RunHeader, RunResults, append
from gidbench.tiers import TARGET_PER_SECOND, tier_of

HOST = {
    "cpu": "AMD EPYC",
    "cores": 2,
    "usable_cores": 2,
    "memory_bytes": 25_000_000_000,
    "machine": "x86_64",
    "os": "Linux 6.18",
    "python": "CPython 3.11.7",
    "packages": {"numpy": "2.4.6"},
    "gidbench": "0.5.0",
    "commit": "aaaaaaaaaaaa",
}
STEADY = [[1.0, 1.01, 0.99], [1.005, 1.0, 1.02], [0.995, 1.01, 1.0]]


def times(factor: float, replicates: Sequence[Sequence[float]] = STEADY) -> list[list[float]]:
    """Seconds of processes, all by a factor."""
    return [[factor * value for value in each] for each in replicates]


def result(
    replicates: Sequence[Sequence[float]] | None = STEADY,
    *,
    operation: str = "generate",
    variant: str = "memory",
    records: int = 1_000_000,
    value: str = "digest",
) -> Result:
    """A case of these seconds; None: it failed."""
    if replicates is None:
        return Result(operation, variant, "made", True, records, "failed", "it broke")
    walls = [wall for each in replicates for wall in each]
    middle = statistics.median(walls)
    rate = records / middle
    return Result(
        operation,
        variant,
        "made",
        True,
        records,
        "ok",
        rounds=len(walls),
        walls_s=walls,
        median_s=middle,
        low_s=min(walls),
        high_s=max(walls),
        min_s=min(walls),
        records_per_second=rate,
        target_per_second=TARGET_PER_SECOND,
        tier=tier_of(rate),
        value=value,
        processes=len(replicates),
        replicates_s=[list(each) for each in replicates],
    )


def run(
    *results: Result,
    run_id: str = "a",
    started_at: str = "2026-01-01T00:00:00+00:00",
    host: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    database: str = "embedded, made for this run and removed",
    calibration_s: float | None = None,
    noise: str = "quiet",
    commit: str = "aaaaaaaaaaaa",
) -> RunResults:
    """A run of these cases (default: one steady case)."""
    header = RunHeader(
        run_id,
        started_at,
        {"records": 1_000_000, "seed": 7, "batch_size": 50_000, "workers": 2, **(parameters or {})},
        {**HOST, "commit": commit, **(host or {})},
        {},
        {"name": database, "version": "DuckDB 2.0.0"},
    )
    cases = list(results) or [result()]
    lines = []
    if calibration_s is not None:
        lines = [
            Noise(operation, moment, noise, [], calibration_s, {})
            for operation in dict.fromkeys(each.operation for each in cases)
            for moment in ("start", "middle", "end")
        ]
    return RunResults(header, [], cases, lines)


def write(folder: Path, made: RunResults) -> Path:
    """A run's folder with its result file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.jsonl"
    for line in (made.header, *made.noise, *made.results):
        append(path, line)
    return folder
