"""Measuring one operation from start to finish: what a notebook's one call does."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import gidbench
from gidbench import gid
from gidbench.bench import host
from gidbench.bench.progress_file import ProgressFile
from gidbench.bench.results import Result, RunHeader, append, load_results, newest
from gidbench.bench.runner import run_cases
from gidbench.bench.suite import Bench, cases_for
from gidbench.engine import Cancellation, Progress, ProgressCallback, silent
from gidbench.errors import InputError
from gidbench.kernels.warmup import compile_all
from gidbench.records import SCHEMAS
from gidbench.settings import EMBEDDED_DATABASE, Settings, load_settings
from gidbench.stores.opening import open_store, safe_name

RESULTS_FILE = "results.jsonl"
BUDGET_S = 12.0  # for the rounds of one operation, where the caller does not say how many


@dataclass(frozen=True)
class Measurement:
    """The results of one operation, and where they were written."""

    operation: str
    results: list[Result]
    path: Path


def measure(
    operation: str,
    *,
    records: int = 1_000_000,
    rounds: int = 0,
    seed: int = 7,
    database: str = "",
    out: str | Path = "",
    batch_size: int = 0,
    workers: int = 0,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> Measurement:
    """Measure `generate`, `process` or `sync`, and append the results to the result file of `out`.

    Parameters
    ----------
    records:
        Records per round, at least 1.
    rounds:
        Timed rounds per case after one warm-up; 0: five, or three if they take long.
    database:
        URL; empty: DATABASE_URL, else a file beside the results that is removed afterwards. Its tables
        must be empty; they are emptied again at the end.
    out:
        Folder of the run; empty: a new one under reports/.
    batch_size, workers:
        0: the settings.

    Raises
    ------
    InputError, StoreError, OperationCancelled; a case that fails is a failed result, not an error.
    """
    check_request(records, rounds)
    token = cancellation or Cancellation()
    relay = progress or ProgressFile.from_environment(token) or silent
    settings = load_settings(batch_size=batch_size or None, workers=workers or None)
    folder = Path(out) if out else new_folder(Path("reports"))
    folder.mkdir(parents=True, exist_ok=True)

    started = time.perf_counter()
    warmup = compile_all(lambda done, total, activity: relay(Progress(activity, done, total, "kernels")))
    with _scratch(folder) as scratch, _database(database, settings, folder) as target:
        path = folder / RESULTS_FILE
        if not path.exists():
            append(path, _header(records, rounds, seed, settings, target))
        bench = Bench(
            scratch,
            target.url,
            target.first_ordinal,
            records,
            seed,
            settings.batch_size,
            settings.workers,
        )
        relay(Progress(f"{operation}: setting up", 0, 1, "steps"))
        results = run_cases(
            cases_for(operation, bench),
            rounds=rounds or 5,
            budget_s=None if rounds else BUDGET_S,
            emit=lambda line: append(path, line),
            progress=relay,
            cancellation=token,
            warmup_s={"imports": gidbench.import_seconds(), "kernels": warmup.wall_s},
            kernels_compiled=warmup.compiled,
        )
    relay(Progress(f"{operation}: done in {time.perf_counter() - started:.0f} s", 1, 1, "steps", last=True))
    return Measurement(operation, results, path)


def check_request(records: int, rounds: int) -> None:
    """Raise InputError for numbers that cannot be measured."""
    if records < 1:
        raise InputError(f"{records} records cannot be measured", "Use 1 or more")
    if rounds < 0:
        raise InputError(f"{rounds} rounds cannot be run", "Use 1 or more, or 0 to let gidbench choose")


def new_folder(parent: Path) -> Path:
    """A new folder of this moment, UTC."""
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = parent / name
    while folder.exists():
        folder = parent / f"{name}-{secrets.token_hex(2)}"
    folder.mkdir(parents=True)
    return folder


def results_in(out: str | Path = "") -> list[Result]:
    """Latest result of each case of a run; empty `out`: the newest run under reports/."""
    return newest(load_results(run_folder(out)).results)


def run_folder(out: str | Path = "") -> Path:
    """The folder of a run, or the newest under reports/."""
    if out:
        return Path(out)
    runs = sorted(Path("reports").glob(f"2*/{RESULTS_FILE}"))
    if not runs:
        raise InputError("there is no run under reports/ yet", "Measure an operation first, or name a folder")
    return runs[-1].parent


@dataclass(frozen=True)
class _Target:
    """A database to measure: its URL, what to call it, and where its sequence of G_IDs stands."""

    url: str
    name: str
    first_ordinal: int


def _header(records: int, rounds: int, seed: int, settings: Settings, target: _Target) -> RunHeader:
    with open_store(target.url) as store:
        database = {"name": target.name, "version": store.version}
    return RunHeader(
        run_id=secrets.token_hex(8),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        parameters={
            "records": records,
            "rounds": rounds or "automatic",
            "seed": seed,
            "batch_size": settings.batch_size,
            "workers": settings.workers,
        },
        host=host.describe(),
        noise=host.noise(),
        database=database,
    )


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for the files of the cases, on the disk of the results; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=folder) as name:
        yield Path(name)


@contextlib.contextmanager
def _database(given: str, settings: Settings, folder: Path) -> Iterator[_Target]:
    """A caller's database, whose tables must be empty and are left so, or one that is made and removed."""
    secret = settings.database_url
    url = given or (secret.get_secret_value() if secret else "")
    if url:
        first = require_empty(url)
        try:
            yield _Target(url, safe_name(url), first)
        finally:
            with open_store(url) as store:
                for table in SCHEMAS:
                    store.clear(table)
                store.return_gids(first, store.reserve_gids(0))
        return
    path = folder / EMBEDDED_DATABASE
    try:
        url = f"duckdb:///{os.path.relpath(path)}"
        yield _Target(url, "embedded, made for this run and removed", gid.FIRST_ORDINAL)
    finally:
        remove_database(path)


def remove_database(path: Path) -> None:
    """Remove a DuckDB file and what DuckDB may have left beside it."""
    for beside in (path, path.with_name(path.name + ".wal")):
        beside.unlink(missing_ok=True)
    shutil.rmtree(path.with_name(path.name + ".tmp"), ignore_errors=True)


def require_empty(url: str) -> int:
    """The next ordinal of a database to measure; raises InputError where its tables can't be filled and emptied."""
    with open_store(url) as store:
        store.create_tables()
        held = {table: store.count(table) for table in SCHEMAS}
        first = store.reserve_gids(0)
    full = {table: count for table, count in held.items() if count}
    if full:
        found = ", ".join(f"{table} {count:,} rows" for table, count in full.items())
        raise InputError(
            f"the database to measure holds data ({found}), which measuring would delete",
            "Name an empty database, or empty these tables yourself",
        )
    return first
