"""Result files as one table of pandas: a row a case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gidbench.bench.noise import worst
from gidbench.bench.results import Result, load_results, newest
from gidbench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

HISTORY_NAME = "history.jsonl"
_RESULTS_NAME = "results.jsonl"
_OF_RUN = ("run_id", "started_at", "commit", "cpu", "database", "noise")
_OF_RESULT = tuple(each.name for each in fields(Result) if each.name != "kind")
_MEASURED = [  # meaningless where a case failed
    *("median_s", "low_s", "high_s", "min_s", "mad_s", "cv", "cpu_s"),
    *("records_per_second", "records_per_second_low", "records_per_second_high"),
    *("cells_per_second", "bytes_per_second"),
]


def results(path: str | Path | Iterable[str | Path] = "reports") -> pd.DataFrame:
    """Results of runs as a table: a row for the last result of each case of each run, oldest run first.

    Parameters
    ----------
    path:
        A result file, a history (`history.jsonl`), a folder of a run, or a folder of such folders and a history;
        or several of them. What is in a run's own file and in a history is taken from the run's own.

    Returns
    -------
    Columns run_id, started_at (UTC), commit, cpu, database (its version), noise (the worst verdict during the
    operation; None before version 2), and then every field of `gidbench.bench.results.Result` under its name, which
    holds its unit: `median_s` in seconds, `peak_rss_bytes`, `records_per_second`. Lists and dicts (walls_s,
    replicates_s, phases_s, timeline, limits, …) are kept as objects. Numbers of a failed case are missing (NaN); of
    what a history leaves out, the field's default is told.

    Raises
    ------
    InputError where a file is missing or is neither results nor a history of a known version.
    """
    import pandas as pd

    given = [path] if isinstance(path, str | Path) else list(path)
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for place in [found for each in given for found in _files(Path(each))]:
        for row in _rows(place):
            key = (row["run_id"], row["operation"], row["variant"])
            if key not in rows or not place.name.startswith("history"):
                rows[key] = row
    table = pd.DataFrame(list(rows.values()), columns=[*_OF_RUN, *_OF_RESULT])
    table["started_at"] = pd.to_datetime(table["started_at"], utc=True, format="ISO8601")
    table.loc[table["status"] != "ok", _MEASURED] = float("nan")
    return table.sort_values("started_at", kind="stable", ignore_index=True)


def _files(place: Path) -> list[Path]:
    """The history first, so that runs' own files take its place."""
    if not place.is_dir():
        return [place]
    own = place / _RESULTS_NAME
    if own.is_file():
        return [own]
    found = [place / HISTORY_NAME] if (place / HISTORY_NAME).is_file() else []
    found += sorted(place.glob(f"*/{_RESULTS_NAME}"))
    if not found:
        raise InputError(
            f"there are no results in {place}", "Name a file or folder that `gidbench run` wrote"
        )
    return found


def _rows(place: Path) -> Iterator[dict[str, Any]]:
    if _is_history(place):
        yield from _of_history(place)
        return
    run = load_results(place)
    about = {
        "run_id": run.header.run_id,
        "started_at": run.header.started_at,
        "commit": run.header.host.get("commit"),
        "cpu": run.header.host.get("cpu"),
        "database": run.header.database.get("version"),
    }
    for result in newest(run.results):
        noise = worst([each for each in run.noise if each.operation == result.operation])
        yield {**about, "noise": noise.verdict if noise else None, **asdict(result)}


def _is_history(place: Path) -> bool:
    try:
        with place.open(encoding="utf-8") as file:
            first = json.loads(file.readline() or "{}")
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and first.get("kind") == "case"


def _of_history(place: Path) -> Iterator[dict[str, Any]]:
    """Lines of `kind` case; torn ones are passed over, as are other kinds."""
    known = set(_OF_RESULT)
    for text in place.read_text("utf-8", "replace").splitlines():
        try:
            line = json.loads(text)
            if line["kind"] != "case":
                continue
            told = {name: value for name, value in line["result"].items() if name in known}
            run = line.get("run", {})
            yield {
                "run_id": line["run_id"],
                "started_at": line["started_at"],
                "commit": line.get("commit"),
                "cpu": run.get("host", {}).get("cpu"),
                "database": run.get("database", {}).get("version"),
                "noise": line.get("noise"),
                **asdict(Result(**told)),
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
