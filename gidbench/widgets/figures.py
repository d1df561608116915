"""Figures for notebooks: those of the report, one at a time, each with its sentence."""

from __future__ import annotations

import html
import itertools
from pathlib import Path
from typing import Any

from gidbench.bench.comparing import RunComparison, compare_runs
from gidbench.bench.earlier import known_before, previous_run
from gidbench.bench.folders import run_folder
from gidbench.bench.history import HISTORY_FILE, load_history
from gidbench.bench.results import RunResults, load_results
from gidbench.bench.scaling import Scaling
from gidbench.bench.session import Measurement
from gidbench.bench.steps import Trend, trends
from gidbench.bench.study_words import scaling_words, verdict, workers_words
from gidbench.bench.tuning import Tuning
from gidbench.report import more_figures
from gidbench.report.figures import draw_rounds
from gidbench.report.inline import Drawing
from gidbench.report.past import ComparisonView, Past, comparison_view, previous_view, trend_view
from gidbench.report.view import build_view
from gidbench.report.wording import operation_title

# The figures' colours follow the page; in a notebook that is JupyterLab's theme or VS Code's, else what is given last.
_THEME = (
    "max-width: 700px; margin: 0 0 1em;"
    " --muted: var(--jp-ui-font-color1, var(--vscode-descriptionForeground, #5b6570));"
    " --surface: var(--jp-layout-color0, var(--vscode-editor-background, #ffffff));"
    " --rule: var(--jp-border-color2, var(--vscode-widget-border, #c9d0d6));"
    " color: var(--jp-content-font-color1, var(--vscode-foreground, #16191d))"
)
_NUMBERS = itertools.count(1)  # ids must differ on a page, and a notebook may show a figure twice


def rounds(measurement: Measurement) -> Any:
    """Display object: every round of a measurement as a point, with medians and intervals."""
    header = load_results(measurement.path).header
    measured = RunResults(header, [], measurement.results)
    operation = build_view(measured, "").operations[0]
    return _shown(draw_rounds(operation), operation.rounds_words)


def surface(tuning: Tuning) -> Any:
    """Display object: speed against the defaults by settings."""
    drawing = more_figures.surface(_key(), operation_title(tuning.operation), tuning)
    return _shown(drawing, verdict(tuning))


def scaling(result: Scaling) -> Any:
    """Display object: time and memory against records, both logarithmic, with the fitted exponents."""
    drawing = more_figures.scaling(_key(), operation_title(result.operation), result)
    return _shown(drawing, *(scaling_words(growth) for growth in result.growths))


def efficiency(result: Scaling) -> Any:
    """Display object: what several workers gain over one."""
    drawing = more_figures.efficiency(_key(), operation_title(result.operation), result)
    return _shown(drawing, workers_words(result))


def comparison(
    before: str | Path | RunResults | RunComparison | None = None,
    after: str | Path | RunResults = "",
    *,
    history: str | Path | None = None,
) -> Any:
    """Display object: a run against an earlier one, case by case, with verdicts in words.

    Parameters
    ----------
    before:
        Result file, folder or results of the earlier run, or a comparison that was made; None: the run before
        `after`, found in the history or beside it.
    after:
        The later run; empty: the newest under reports/.
    """
    peers: set[tuple[str, str]] = set()
    if isinstance(before, RunComparison):
        found = before
    else:
        place = Path() if isinstance(after, RunResults) else Path(after) if after else run_folder()
        later = after if isinstance(after, RunResults) else load_results(place)
        if before is None:
            folder = place if place.is_dir() else place.parent
            earlier = previous_run(known_before(later, folder, history), later)
            if earlier is None:
                return _shown(None, "There is no earlier run to hold this one against: measure once more.")
        else:
            earlier = before if isinstance(before, RunResults) else load_results(before)
        found = compare_runs(earlier, later)
        peers = {(each.operation, each.variant) for each in later.results if each.peer}
    past = Past(found, "before")
    whole = previous_view(past, peers)
    assert whole is not None  # there is a comparison
    views = [
        comparison_view(past, name, peers) for name in dict.fromkeys(case.operation for case in found.cases)
    ]
    parts = [
        _part(f"{operation_title(view.cases[0].operation)}: {view.words}", view) for view in views if view
    ]
    marks = "".join(f"<li>{html.escape(mark)}</li>" for mark in whole.marks)
    return _html(
        f"<p>{html.escape(whole.words)} {html.escape(whole.against)}</p>{f'<ul>{marks}</ul>' if marks else ''}"
        + "".join(parts)
    )


def history(case: str | Trend = "", path: str | Path = HISTORY_FILE, *, out: str | Path = "") -> Any:
    """Display object: records per second of a case from run to run, and where it made a step.

    Parameters
    ----------
    case:
        Like "generate memory", the beginning of such names, or a trend that was made; empty: every headline case.
    path:
        The history's file.
    out:
        Folder of a run: what lies beside it counts as well, up to that run.
    """
    if isinstance(case, Trend):
        found, heads = [case], {case.case}
    else:
        place = Path(path)
        known = (
            known_before(load_results(out), Path(out), place if place.is_file() else None)
            if out
            else load_history(place)
        )
        found = trends(known, case)
        heads = {entry.case for entry in known.entries if entry.result.headline or case}
    parts = []
    for trend in found:
        operation, _, variant = trend.case.partition(" ")
        view = trend_view(Past(trends=(trend,)), operation, variant) if trend.case in heads else None
        drawing = more_figures.history(_key(), operation_title(operation), view)
        if view is not None and drawing is not None:
            parts.append(_figure(drawing, f"{view.case}: {view.words}"))
    if not parts:
        parts = ["<p>No case was measured in two runs that can be held against each other yet.</p>"]
    return _html("".join(parts))


def _part(sentence: str, view: ComparisonView) -> str:
    return _figure(more_figures.comparison(_key(), "Against an earlier run", view), sentence)


def _key() -> str:
    return f"nb{next(_NUMBERS)}"


def _figure(drawing: Drawing | None, *sentences: str) -> str:
    said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences if sentence)
    if drawing is None:
        return said
    return f'<figure style="{_THEME}"><figcaption>{said}</figcaption>{drawing.wide}</figure>'


def _shown(drawing: Drawing | None, *sentences: str) -> Any:
    return _html(_figure(drawing, *sentences))


def _html(text: str) -> Any:
    from IPython.display import HTML

    return HTML(text)
