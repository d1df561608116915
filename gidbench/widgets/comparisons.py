"""Two runs side by side and the history, in notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gidbench.bench.baseline import from_history, two_files
from gidbench.bench.comparing import compare_runs
from gidbench.bench.comparison_texts import COLUMNS, row
from gidbench.bench.history import HISTORY_FILE, History, catch_up, load_history
from gidbench.bench.session import run_folder
from gidbench.bench.steps import bars, trends
from gidbench.errors import InputError
from gidbench.report.past import Past, previous_view, trend_view
from gidbench.units import format_rate, format_seconds
from gidbench.widgets import figures
from gidbench.widgets.markup import said, shown, table_html

_NUMERIC = ("before", "after", "time", "95 % interval")
_TREND_NUMERIC = ("runs", "first", "last", "records/s")
_SIGNS = {"better": "▲ better", "worse": "▼ worse", "same": "= same"}
_MOST_BARS = 40


@dataclass(frozen=True)
class Comparing:
    """A comparison, and the history: what is known of them, and why there is not more.

    Attributes
    ----------
    past:
        As the report shows it.
    runs:
        How many runs the history holds, whose file is `history`.
    why_not:
        Why nothing is compared; empty where it is.
    """

    past: Past
    before_name: str = ""
    after_name: str = ""
    runs: int = 0
    why_not: str = ""
    history: Path = HISTORY_FILE


def two_runs(before: str = "", after: str = "", *, threshold: float = 3.0, history: str = "") -> Comparing:
    """Hold a run against an earlier one.

    Parameters
    ----------
    before, after:
        Folders or result files of runs; empty: the newest one, and what the history holds from before it.
    threshold:
        Per cent of time below which a difference is of no interest.
    history:
        Its file; empty: reports/history.jsonl.

    Raises
    ------
    InputError where what is named is no run. Where nothing is named and there are not two runs yet, `why_not` says so.
    """
    path = Path(history or HISTORY_FILE)
    known = _known(path)
    found = tuple(trends(known, threshold=threshold / 100))
    try:
        if before:
            pair = two_files(before, after or run_folder())
        else:
            pair = from_history(after, history=path)
    except InputError as error:
        if before or after:
            raise
        return Comparing(
            Past(None, "", found), runs=len(known.runs), why_not=_lacking(len(known.runs), error)
        )
    compared = compare_runs(pair.before, pair.after, threshold=threshold / 100)
    past = Past(compared, pair.before_name, found)
    return Comparing(past, pair.before_name, pair.after_name, len(known.runs), history=path)


def _known(path: Path) -> History:
    if path.parent.is_dir():
        catch_up(path)
    return load_history(path) if path.is_file() else History(())


def _lacking(runs: int, error: InputError) -> str:
    again = "say `gidbench run`, or run the notebooks 01 to 03"
    if runs == 0:
        return f"There is no run yet: {again}, twice, and open this again."
    if runs == 1:
        return f"There is one run so far, and nothing to hold it against: {again} once more."
    return str(error)


def table(found: Comparing) -> Any:
    """Display object: both runs side by side, a row a case."""
    compared = found.past.comparison
    if compared is None:
        return said(found.why_not)
    rows = []
    for case in compared.cases:
        *cells, verdict, why = row(case)
        rows.append((*cells, _SIGNS.get(verdict, verdict), why))
    caption = f"{found.after_name} against {found.before_name}; less time is better"
    return shown(table_html(COLUMNS, rows, caption=caption, numeric=_NUMERIC))


def figure(found: Comparing) -> Any:
    """Display object: the changes with their intervals; nothing where nothing is compared."""
    compared = found.past.comparison
    return None if compared is None else figures.comparison(compared)


def trend(found: Comparing) -> Any:
    """Display object: what became of each case from run to run."""
    rows = []
    for each in found.past.trends:
        medians = each.medians_s
        if medians:
            rows.append(
                (
                    each.case,
                    str(len(medians)),
                    format_seconds(medians[0]),
                    format_seconds(medians[-1]),
                    format_rate(each.entries[-1].result.records_per_second),
                    bars(medians[-_MOST_BARS:]),
                )
            )
    if not rows:
        return said("The history is empty: every run adds to it.")
    columns = ("case", "runs", "first", "last", "records/s", "time, oldest run first")
    return shown(table_html(columns, rows, caption="All runs like the newest one", numeric=_TREND_NUMERIC))


def trend_figure(found: Comparing) -> Any:
    """Display object: records per second from run to run; nothing before there are two."""
    return None if found.runs < 2 else figures.history(path=found.history)


def answer(found: Comparing) -> Any:
    """Display object: whether it got better or worse, in words."""
    return said(*answer_words(found))


def answer_words(found: Comparing) -> list[str]:
    view = previous_view(found.past)
    lines = [found.why_not] if view is None else [view.words]
    steps = []
    for each in found.past.trends:
        operation, _, variant = each.case.partition(" ")
        seen = trend_view(found.past, operation, variant)
        if seen is not None and seen.steps:
            steps.append(f"{seen.case}: {seen.words}")
    if steps:
        return [*lines, *steps]
    if found.runs > 1:
        lines.append(f"The history of {found.runs} runs shows no case that made a step.")
    return lines
