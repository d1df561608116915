"""From the results of a run to its report on disk."""

from __future__ import annotations

from pathlib import Path

from gidbench.bench.request import Request
from gidbench.bench.results import RunResults, load_results, newest
from gidbench.bench.session import RESULTS_FILE, run_folder
from gidbench.files.atomic import write_text

REPORT_FILE = "report.html"


def tier_report(out: str | Path = "") -> Path:
    """Write the tier report of a run beside its results, and return its path.

    `out` is the folder of the run; empty: the newest one under reports/. Raises InputError where there are
    no results.
    """
    from gidbench.report.page import render

    folder = run_folder(out)
    results = load_results(folder / RESULTS_FILE)
    latest = RunResults(results.header, results.rounds, newest(results.results))
    path = folder / REPORT_FILE
    write_text(path, render(latest, command(latest)))
    return path


def command(results: RunResults) -> str:
    """The shell command that repeats a run; a database's password is not known here, so it is left out."""
    operations = list(dict.fromkeys(result.operation for result in results.results))
    return Request.of(results.header, operations).command()
