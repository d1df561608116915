"""Tables and sentences for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gidbench.bench import summary
from gidbench.bench.results import Noise, Result, load_results
from gidbench.bench.session import Measurement, results_in, run_folder

_HOW = ("processes × rounds", "stopped")


def results_html(results: Sequence[Result], noise: Sequence[Noise] = ()) -> str:
    """The summary table as HTML, with how the rounds were measured, and a sentence on the noise."""
    head = "".join(
        f'<th scope="col" style="text-align:left">{html.escape(name)}</th>'
        for name in (*summary.COLUMNS, *_HOW)
    )
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in row) + "</tr>"
        for row in _rows(results)
    )
    failures = "".join(
        f"<p><strong>{html.escape(result.operation)} {html.escape(result.variant)} {result.status}:</strong> "
        f"{html.escape(result.error or '')}</p>"
        for result in results
        if result.status != "ok"
    )
    told = "".join(f"<p>Noise of {html.escape(line)}</p>" for line in summary.noise_of(noise))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{failures}{told}"


def _rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    return [
        (*row, summary.rounds_of(result), summary.stopped(result))
        for row, result in zip(summary.rows(results), results, strict=True)
    ]


def table(measured: Measurement | Sequence[Result]) -> Any:
    """Display object: what was measured, a row a case."""
    from IPython.display import HTML

    if isinstance(measured, Measurement):
        return HTML(results_html(measured.results, measured.noise))
    return HTML(results_html(measured))


def answer(measured: Measurement) -> Any:
    """Display object: the answer in words."""
    from IPython.display import Markdown

    return Markdown(summary.answer(measured.results, measured.noise))


def scoreboard(out: str | Path = "") -> Any:
    """Display object: the latest results of a run, and its answers in words."""
    from IPython.display import HTML

    results, noise = results_in(out), load_results(run_folder(out)).noise
    words = "".join(
        f"<p>{html.escape(summary.answer(group))}</p>"
        for operation in dict.fromkeys(result.operation for result in results)
        if (group := [result for result in results if result.operation == operation])
    )
    return HTML(results_html(results, noise) + words)
