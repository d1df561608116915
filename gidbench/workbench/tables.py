"""Tables and sentences for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gidbench.bench import summary
from gidbench.bench.results import Result
from gidbench.bench.session import Measurement, results_in


def results_html(results: Sequence[Result]) -> str:
    """The summary table as HTML."""
    head = "".join(
        f'<th scope="col" style="text-align:left">{html.escape(name)}</th>' for name in summary.COLUMNS
    )
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in row) + "</tr>"
        for row in summary.rows(results)
    )
    failures = "".join(
        f"<p><strong>{html.escape(result.operation)} {html.escape(result.variant)} failed:</strong> "
        f"{html.escape(result.error or '')}</p>"
        for result in results
        if result.status != "ok"
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{failures}"


def table(measured: Measurement | Sequence[Result]) -> Any:
    """Display object: what was measured, a row a case."""
    from IPython.display import HTML

    results = measured.results if isinstance(measured, Measurement) else measured
    return HTML(results_html(results))


def answer(measured: Measurement) -> Any:
    """Display object: the answer in words."""
    from IPython.display import Markdown

    return Markdown(summary.answer(measured.results))


def scoreboard(out: str | Path = "") -> Any:
    """Display object: the latest results of a run, and its answers in words."""
    from IPython.display import HTML

    results = results_in(out)
    words = "".join(
        f"<p>{html.escape(summary.answer(group))}</p>"
        for operation in dict.fromkeys(result.operation for result in results)
        if (group := [result for result in results if result.operation == operation])
    )
    return HTML(results_html(results) + words)
