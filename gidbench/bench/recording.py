"""Scaling and tuning as people call them: measured, and kept as a line of a result file where `out` names one."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gidbench.bench import host, scaling, tuning
from gidbench.bench.database_facts import describe_database
from gidbench.bench.databases import without_password
from gidbench.bench.folders import RESULTS_FILE
from gidbench.bench.progress_file import ProgressFile
from gidbench.bench.results import RunHeader, ScalingLine, TuningLine, append, load_results
from gidbench.bench.scaling import Scaling, parse_scale
from gidbench.bench.studies import scaling_line, tuning_line
from gidbench.bench.tuning import Tuning
from gidbench.engine import Cancellation, ProgressCallback
from gidbench.errors import InputError
from gidbench.settings import load_settings
from gidbench.units import utc_text

_OPTIONS = {
    "batch_size": "--batch-size",
    "workers": "--workers",
    "pool_size": "--pool-size",
    "strategy": "--strategy",
}


def scale(
    operation: str,
    sizes: str | Sequence[int] = "1e4..1e6",
    *,
    rounds: int = 5,
    seed: int = 7,
    workers: int | None = None,
    by_workers: bool = True,
    database: str | None = None,
    out: str | Path | None = None,
    scratch: Path | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> Scaling:
    """Measure how time and memory of generate, process or sync grow, and what several workers gain over one.

    Parameters
    ----------
    operation:
        `generate`, `process` or `sync`.
    sizes:
        `"1e4..1e7"` or `"10k..10M"`, or the numbers of records, ascending; empty: only the workers are looked at.
    rounds:
        Fresh processes of each size.
    seed:
        Of the people.
    workers:
        Threads, and the most that are looked at; default: the settings.
    by_workers:
        Whether the gain of several workers is measured, too.
    database:
        For sync: URL of a database whose tables are empty, which they are again at the end; default: DuckDB files.
    out:
        Folder whose `results.jsonl` gets the result as a line, made if need be; the tier report then shows it.
        None or empty: it is not kept.
    scratch:
        Folder for the files; default: the system's.
    progress:
        Called with each `gidbench.Progress`.
    cancellation:
        A `gidbench.Cancellation` that ends it.

    Returns
    -------
    Scaling: exponents of wall seconds and of peak bytes by records, each with its interval; efficiency by workers.

    Raises
    ------
    InputError, StoreError, OperationCancelled. A size that fails is told in its note.
    """
    records = parse_scale(sizes) if isinstance(sizes, str) and sizes else [int(size) for size in sizes]
    _check_sizes(records)
    place = _checked(out)
    token = cancellation or Cancellation()
    result = scaling.scale(
        operation, records, rounds=rounds, seed=seed, workers=workers, by_workers=by_workers,
        database=database or None, scratch=scratch, progress=_relay(progress, token), cancellation=token,
    )  # fmt: skip
    if place is not None:
        words = ["bench", operation]
        words += ["--scale", sizes if isinstance(sizes, str) else _range(records)] if records else []
        words += [] if records else ["--workers-scale"]
        words += ["--rounds", str(rounds)] if rounds != 5 else []
        words += ["--workers", str(workers)] if workers else []
        words += _common(seed, database)
        asked = {"records": max(records, default=scaling.WORKERS_RECORDS), "rounds": rounds}
        asked["workers"] = result.workers
        record(place, scaling_line(result, _line(words)), database or "", asked)
    return result


def tune(
    operation: str,
    *,
    records: int = 1_000_000,
    budget_s: float = 60.0,
    fixed: Mapping[str, Sequence[Any]] | None = None,
    mode: str = "auto",
    seed: int = 7,
    database: str | None = None,
    out: str | Path | None = None,
    apply: Path | None = None,
    scratch: Path | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> Tuning:
    """Search the settings of generate, process or sync, and hold the best against the defaults.

    Parameters
    ----------
    operation:
        `generate`, `process` or `sync`.
    records:
        Of a trial of the confirmation, where there is time for them.
    budget_s:
        Seconds for all of it; kernels are compiled before, and tables emptied after.
    fixed:
        Values to search by setting (batch_size, workers, pool_size, strategy); one value fixes it.
    mode:
        Of a synchronisation; auto: both are tried.
    seed:
        Of the people.
    database:
        URL of a database whose tables are empty; they are filled, and left empty. Default: DATABASE_URL, else memory
        for generate and a DuckDB file for the others.
    out:
        Folder whose `results.jsonl` gets the result as a line, made if need be; the tier report then shows it.
        None or empty: it is not kept.
    apply:
        `.env` or a TOML file that gets the best settings, where they are better.
    scratch:
        Folder for the files; default: the system's.
    progress:
        Called with each `gidbench.Progress`.
    cancellation:
        A `gidbench.Cancellation` that ends it.

    Returns
    -------
    Tuning: every choice tried, the best, its gain over the defaults with its interval, and what to use (`chosen`).

    Raises
    ------
    InputError, StoreError, VerificationError (a trial made something wrong), OperationCancelled
    """
    place = _checked(out)
    token = cancellation or Cancellation()
    result = tuning.tune(
        operation, database=database or None, records=records, budget_s=budget_s, fixed=fixed, mode=mode,
        seed=seed, scratch=scratch, apply=apply, progress=_relay(progress, token), cancellation=token,
    )  # fmt: skip
    if place is not None:
        words = ["tune", operation]
        words += ["--records", str(records)] if records != 1_000_000 else []
        words += ["--budget", f"{budget_s:g}"] if budget_s != 60 else []
        for name, values in (fixed or {}).items():
            words += [_OPTIONS[name], ",".join(map(str, values))] if values else []
        words += ["--mode", mode] if mode != "auto" else []
        words += _common(seed, database)
        url = database or load_settings().url
        record(place, tuning_line(result, _line(words)), url, {"records": records, "budget_s": budget_s})
    return result


def record(folder: Path, line: ScalingLine | TuningLine, url: str, parameters: Mapping[str, Any]) -> Path:
    """Append a study to the result file of a folder, both made if they are not there; returns the file.

    `url` is that of the database; empty: none, or one that was made for it. What else is asked for goes into the first
    line of a new file as `parameters`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RESULTS_FILE
    if path.exists():
        load_results(path)  # nothing is added to what is no result file
    else:
        database = describe_database(url) if url else {"name": line.database}
        append(
            path,
            RunHeader(
                run_id=secrets.token_hex(8),
                started_at=utc_text(),
                parameters={**parameters, "seed": line.seed},
                host=host.describe(),
                noise=host.noise(),
                database=database,
            ),
        )
    append(path, line)
    return path


def _checked(out: str | Path | None) -> Path | None:
    """The folder to write to, told now rather than after a minute of measuring that it can't be one."""
    if out is None or out == "":
        return None
    place = Path(out)
    if place.exists() and not place.is_dir():
        raise InputError(f"{place} is no folder", "Name a new folder, or that of a run")
    if (place / RESULTS_FILE).exists():
        load_results(place)
    return place


def _check_sizes(records: Sequence[int]) -> None:
    if any(size < 1 for size in records) or sorted(set(records)) != list(records):
        told = ", ".join(f"{size:,}" for size in records[:6])
        raise InputError(f"the sizes are {told}", "Name numbers of records above 0, ascending, each once")


def _relay(progress: ProgressCallback | None, token: Cancellation) -> ProgressCallback | None:
    return progress or ProgressFile.from_environment(token)


def _range(records: Sequence[int]) -> str:
    return f"{records[0]}..{records[-1]}"


def _common(seed: int, database: str | None) -> list[str]:
    words = ["--seed", str(seed)] if seed != 7 else []
    return words + (["--database", without_password(database)] if database else [])


def _line(words: list[str]) -> str:
    return shlex.join(["gidbench", *words])
