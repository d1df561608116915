"""Batches of notebooks: each with every combination of parameters, one after the other, and a page of them all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gidbench import notebooks
from gidbench.batch_outcome import INDEX_FILE, JSON_FILE, SUMMARY_FILE, BatchOutcome, Ran, below
from gidbench.batch_page import render
from gidbench.batch_plan import Given, Step, plan
from gidbench.batch_summary import as_json, as_markdown
from gidbench.batch_texts import answer_in, headline_of
from gidbench.bench.databases import require_empty
from gidbench.bench.folders import make_folder
from gidbench.bench.history import remembered
from gidbench.bench.results import load_results, newest
from gidbench.bench.session import RESULTS_FILE, new_folder
from gidbench.engine import Cancellation, Progress, ProgressCallback, silent
from gidbench.errors import GidbenchError, InputError, OperationCancelled
from gidbench.files.atomic import write_text
from gidbench.kernels.warmup import compile_all
from gidbench.log import redact
from gidbench.reporting import tier_report
from gidbench.running import watching
from gidbench.settings import load_settings
from gidbench.units import utc_text


def run_batch(
    names: Sequence[str],
    given: Given,
    *,
    out: Path | None = None,
    html: bool = False,
    fail_fast: bool = False,
    command: str = "",
    told: Callable[[int, int, Ran], None] = lambda _number, _of, _ran: None,
    progress: ProgressCallback | None = None,
) -> BatchOutcome:
    """Execute notebooks, one after the other: beside each other they would measure each other.

    Parameters
    ----------
    names:
        Notebooks of the package by name, or paths of others.
    given:
        Parameters, and what is swept.
    out:
        New or empty folder; default: reports/<UTC time>.
    html:
        Whether each notebook is exported as a page, too.
    fail_fast:
        Whether the first notebook that fails ends the batch; else the others go on.
    told:
        Called after each step with its number, how many there are, and what became of it.

    Raises
    ------
    InputError before anything runs; KeyboardInterrupt, having ended the kernel and written what is done.
    """
    report = progress or silent
    steps = plan(names, given)
    settings = load_settings()
    if settings.url and any(step.is_ours and not step.database for step in steps):
        require_empty(settings.url)
    if any(step.is_ours for step in steps):
        compile_all(lambda done, total, activity: report(Progress(activity, done, total, "kernels")))
    folder = _folder(out)
    variables = {"MPLBACKEND": "agg", **settings.environment()}
    started = time.perf_counter()
    outcome = BatchOutcome(folder, command, utc_text(), swept=tuple(given.sweep))
    ran: list[Ran] = []
    try:
        for number, step in enumerate(steps, 1):
            ran.append(Ran(step, "interrupted", utc_text()))
            ran[-1] = _execute(step, folder, variables, html, report)
            told(number, len(steps), ran[-1])
            if ran[-1].state != "ok" and fail_fast:
                break
    finally:
        ran += [Ran(step, "not run") for step in steps[len(ran) :]]
        outcome = replace(outcome, ran=tuple(ran), wall_s=time.perf_counter() - started)
        _finish(outcome)
    return outcome


def _folder(out: Path | None) -> Path:
    if out is None:
        return new_folder(Path("reports")).resolve()
    make_folder(out)
    if any(not path.name.startswith("gid_system.log") for path in out.iterdir()):
        raise InputError(f"the folder {out} is not empty", "Name a new one by --out")
    return out.resolve()


def _execute(
    step: Step, folder: Path, variables: Mapping[str, str], html: bool, report: ProgressCallback
) -> Ran:
    place = folder / step.folder
    place.mkdir(parents=True, exist_ok=True)
    output, before = place / f"{step.name}.ipynb", _lines(place)
    # a notebook of the user's runs where it lies, since it may read what lies beside it; ours, as the lab does, where
    # the reports and the history are
    work = Path.cwd() if step.is_ours else step.source.parent
    values: dict[str, Any] = dict(step.parameters)
    if step.takes_out:
        values["out"] = _relative(place, work)
    started_at, began, error = utc_text(), time.perf_counter(), ""
    with watching(place, report, Cancellation()) as watched:
        try:
            given = {"DATABASE_URL": step.database} if step.database else {}
            notebooks.execute(step.source, output, values, {**variables, **given, **watched}, work)
        except OperationCancelled:
            raise KeyboardInterrupt from None
        except GidbenchError as failure:
            error = redact(str(failure))
        finally:
            remembered(place)
    spent = time.perf_counter() - began
    results = tuple(newest(load_results(place).results[before:])) if _lines(place) else ()
    said = answer_in(output) if output.is_file() else ""
    page = ""
    if html and output.is_file():
        page = _export(output, folder)
    return Ran(
        step,
        "failed" if error else "ok",
        started_at,
        spent,
        error,
        headline_of(results),
        "" if error else said,
        results,
        below(step.folder, output.name) if output.is_file() else "",
        page,
    )


def _export(output: Path, folder: Path) -> str:
    from gidbench.notebook_page import export

    page = output.with_suffix(".html")
    export(output, page, index=_relative(folder / INDEX_FILE, output.parent))
    return page.relative_to(folder).as_posix()


def _finish(outcome: BatchOutcome) -> None:
    """Reports of what was measured, the index and the summary; each is there whole, or not at all."""
    for name in dict.fromkeys(each.step.folder for each in outcome.ran):
        if (outcome.folder / name / RESULTS_FILE).is_file():
            tier_report(outcome.folder / name)
    write_text(outcome.folder / JSON_FILE, as_json(outcome))
    write_text(outcome.folder / SUMMARY_FILE, as_markdown(outcome))
    write_text(outcome.index, render(outcome))


def _lines(place: Path) -> int:
    """How many results the folder holds."""
    return len(load_results(place).results) if (place / RESULTS_FILE).is_file() else 0


def _relative(path: Path, start: Path) -> str:
    """As seen from a folder; in full where Windows has no way from one drive to the other."""
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:
        return path.as_posix()
