"""From the results of runs to their report on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gidbench.bench.comparing import compare_runs
from gidbench.bench.earlier import known_before, previous_run
from gidbench.bench.folders import RESULTS_FILE, run_folder
from gidbench.bench.merging import Merged, merge_runs
from gidbench.bench.request import Request
from gidbench.bench.results import RunResults, load_results
from gidbench.bench.steps import trends
from gidbench.bench.studies import newest_studies
from gidbench.errors import InputError
from gidbench.files.atomic import write_text
from gidbench.report.past import Past
from gidbench.report.wording import day, listed

REPORT_FILE = "report.html"
MARKDOWN_FILE = "report.md"


def tier_report(out: str | Path = "", *, history: str | Path | None = None) -> Path:
    """Write the tier report of a run beside its results, and return its path.

    Where a history or an earlier run is beside it, the report holds the run against the previous one, and shows the
    trend of each operation.

    Parameters
    ----------
    out:
        Folder of the run; empty: the newest one under reports/.
    history:
        File of the history; None: one that is beside the run, or in reports/.

    Returns
    -------
    The path of `report.html`.

    Raises
    ------
    InputError where there are no results.
    """
    folder = run_folder(out)
    path = folder / REPORT_FILE
    write_text(path, report_text([folder], history=history))
    return path


def write_report(
    sources: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    markdown: bool = False,
    history: str | Path | None = None,
) -> Path:
    """Make the report of result files or folders of runs anew, and return its path; it is either whole or not there.

    Parameters
    ----------
    sources:
        Several are merged where they are of one machine, the same data and one database: of each operation the newest
        run counts, of scalings and tunings the newest of each operation and database.
    out:
        The file; None: `report.html` or `report.md` beside the first of the results.
    markdown:
        A short form for a pull request or a job's summary, in place of the page.
    history:
        File of the history; None: one that is beside the runs, or in reports/.

    Raises
    ------
    InputError: there are no results, they can't be merged, or the file can't be written.
    """
    files = _files(sources)
    path = Path(out) if out is not None else files[0].parent / (MARKDOWN_FILE if markdown else REPORT_FILE)
    write_text(path, report_text(sources, markdown=markdown, history=history))
    return path


def report_text(
    sources: Sequence[str | Path], *, markdown: bool = False, history: str | Path | None = None
) -> str:
    """The report as text: one HTML page, or Markdown; see `write_report`."""
    files = _files(sources)
    merged = merge_runs([(str(path), load_results(path)) for path in files])
    past = _past(merged, files[0].parent, history)
    lines = "\n".join(dict.fromkeys(line for run in merged.runs for line in commands(run)))
    if markdown:
        from gidbench.report.markdown import markdown_report

        return markdown_report(merged.results, lines, past, _told(merged))
    from gidbench.report.page import render

    return render(merged.results, lines, past, _told(merged))


def _files(sources: Sequence[str | Path]) -> list[Path]:
    """Result files: those that are named, those of the folders, and those of folders one below; each once."""
    found: list[Path] = []
    for source in sources:
        place = Path(source)
        if place.is_dir() and not (place / RESULTS_FILE).is_file():
            below = sorted(place.glob(f"*/{RESULTS_FILE}"))
            if not below:
                raise InputError(
                    f"there are no results in {place}", f"Name a folder with {RESULTS_FILE}, or such a file"
                )
            found += below
        else:
            found.append(place / RESULTS_FILE if place.is_dir() else place)
    if not found:
        raise InputError("no results are named", "Name result files, or folders of runs")
    return list(dict.fromkeys(found))


def _past(merged: Merged, folder: Path, history: str | Path | None) -> Past:
    """The previous run, and the trend of each operation's headline case."""
    results = merged.results
    if not results.results:
        return Past()
    known = known_before(results, folder, history)
    own = [run.header.run_id for run in merged.runs]
    before = previous_run(known, results, own)
    heads = [result for result in results.results if result.headline and result.status == "ok"]
    found = [
        trend
        for head in heads
        for trend in trends(known, f"{head.operation} {head.variant}")
        if trend.case == f"{head.operation} {head.variant}"
    ]
    compared = compare_runs(before, results) if before is not None else None
    return Past(compared, "the previous run" if compared else "", tuple(found))


def _told(merged: Merged) -> str:
    """Of which runs a report was put together; empty: of one."""
    if len(merged.runs) < 2:
        return ""
    parts = []
    for run in merged.runs:
        names = list(dict.fromkeys(result.operation for result in run.results))
        names += [f"growth of {line.operation}" for line in newest_studies(run.scalings)]
        names += [f"settings of {line.operation}" for line in newest_studies(run.tunings)]
        parts.append(f"{listed(names)} of {day(run.header.started_at)} (run {run.header.run_id})")
    return f"Put together of {len(merged.runs)} runs of this machine: {'; '.join(parts)}."


def commands(results: RunResults) -> list[str]:
    """The lines of the shell that do again what a result file tells of."""
    lines = []
    if results.results:
        lines.append(command(results))
        if note := Request.of(results.header).note:
            lines.append(f"# {note}")
    lines += [line.command for line in newest_studies(results.scalings) if line.command]
    return lines + [line.command for line in newest_studies(results.tunings) if line.command]


def command(results: RunResults) -> str:
    """The shell command that repeats a run; a database's password is not known here, so it is left out."""
    operations = list(dict.fromkeys(result.operation for result in results.results))
    return Request.of(results.header, operations).command()
