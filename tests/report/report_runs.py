"""Runs to report on: made by hand, so that every number is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gidbench.bench.results import Result, Round, RunHeader, RunResults
from gidbench.tiers import award

HOSTILE = "<script>alert(1)</script>"

Maker = Callable[..., Any]


def make_result(operation: str = "generate", variant: str = "memory", **given: Any) -> Result:
    """A verified result of three rounds around two seconds per million records."""
    walls = given.pop("walls_s", [1.9, 2.0, 2.1])
    records = given.pop("records", 1_000_000)
    median = sorted(walls)[len(walls) // 2]
    rate, low, high = records / median, records / max(walls), records / min(walls)
    given_tier = award(rate, low)
    values: dict[str, Any] = {
        "title": f"{operation} as {variant}",
        "headline": False,
        "records": records,
        "status": "ok",
        "rounds": len(walls),
        "walls_s": walls,
        "median_s": median,
        "low_s": min(walls),
        "high_s": max(walls),
        "min_s": min(walls),
        "cv": 0.05,
        "cells": records * 10,
        "bytes": records * 100,
        "records_per_second": rate,
        "records_per_second_low": low,
        "records_per_second_high": high,
        "cells_per_second": rate * 10,
        "bytes_per_second": rate * 100,
        "target_per_second": 200_000,
        "target_met": low > 200_000,
        "tier": given_tier.tier,
        "tier_reached": given_tier.reached,
        "borderline": given_tier.borderline,
        "value": f"{records}:00000000deadbeef",
        "phases_s": {"load": 1.5, "commit": 0.3},
        "cpu_s": 3.0,
        "peak_rss_bytes": 512 << 20,
        "read_bytes": 1 << 20,
        "written_bytes": 3 << 20,
        "timeline": {
            "t_s": [0.5, 1.0, 1.5, 2.0],
            "cpu_cores": [1.0, 2.0, 2.0, 1.0],
            "rss_bytes": [1e8, 2e8, 3e8, 2e8],
            "io_bytes_per_s": [0, 1e6, 5e6, 2e6],
        },
        "warmup_s": {"kernels": 0.25},
    }
    return Result(operation, variant, **{**values, **given})


def make_failed(
    operation: str = "sync", variant: str = "initial", error: str = "the law broke", **given: Any
) -> Result:
    values = {"title": "all are new", "headline": False, "records": 1_000_000, "target_per_second": 200_000}
    return Result(operation, variant, status="failed", error=error, **{**values, **given})


def make_run(*results: Result, **given: Any) -> RunResults:
    """A run on a quiet machine with these results; keyword arguments replace fields of the header."""
    values: dict[str, Any] = {
        "run_id": "0123456789abcdef",
        "started_at": "2026-03-04T05:06:07+00:00",
        "parameters": {"records": 1_000_000, "rounds": "automatic", "seed": 1234567},
        "host": {
            "cpu": "Test CPU",
            "usable_cores": 2,
            "memory_bytes": 8 << 30,
            "packages": {"numpy": "2.0", "numba": None},
            "gidbench": "0.1.0",
            "commit": None,
        },
        "noise": {"load_per_core": 0.1, "steal_share": 0.0, "memory_used_share": 0.2, "swap_used_bytes": 0},
        "database": {"name": "duckdb:///x.duckdb", "version": "DuckDB 2"},
    }
    rounds = [
        Round(result.operation, result.variant, index, False, wall, 1.0, 1 << 20, None, None, {})
        for result in results
        for index, wall in enumerate(result.walls_s, 1)
    ]
    return RunResults(RunHeader(**{**values, **given}), rounds, list(results))


def make_full_run() -> RunResults:
    """All three operations, with a borderline case and a failed headline."""
    return make_run(
        make_result("generate", "memory", headline=True, walls_s=[0.09, 0.1, 0.11]),
        make_result("generate", "csv", walls_s=[0.9, 0.95, 1.05]),
        make_result(
            "process",
            "csv",
            headline=True,
            facts={"accepted": 999_000, "duplicate": 600, "rejected": 400, "file_bytes": 2 << 20},
            busy_s={"parse": 1.1, "validate": 0.9},
        ),
        make_failed("sync", "initial", headline=True),
        make_result("sync", "unchanged", facts={"unchanged": 1_000_000}, noisy=True, cv=0.2),
    )


def make_hostile_run() -> RunResults:
    """Every string that data can bring is an attack."""
    cut = "</script><script>alert(2)</script><!--"
    return make_run(
        make_result(
            HOSTILE,
            '"onload="alert(3)',
            title=cut,
            headline=True,
            value=cut,
            facts={HOSTILE: cut, "destination": HOSTILE},
            phases_s={HOSTILE: 1.0, "$\\frac{1}{0}$": 0.5},
            busy_s={HOSTILE: 0.5},
            tier=HOSTILE,
            borderline=True,
            tier_reached=cut,
            noisy=True,
            warmup_s={HOSTILE: 1.0},
        ),
        make_failed("sync", HOSTILE, error=f"could not {cut}\x00\x1b[31m \u2028 \ud800"),
        database={"name": HOSTILE, "version": cut},
        host={"cpu": HOSTILE, HOSTILE: cut, "usable_cores": "many"},
        parameters={"records": HOSTILE, cut: {"deep": HOSTILE}},
        noise={"load_per_core": HOSTILE},
        page_cache=cut,
        run_id=cut,
        started_at=HOSTILE,
    )
