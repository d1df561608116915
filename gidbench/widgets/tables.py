"""Tables and sentences for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gidbench.bench import summary
from gidbench.bench.noise import QUIET, UNUSABLE, worst
from gidbench.bench.results import Noise, Result, load_results
from gidbench.bench.session import RESULTS_FILE, Measurement, results_in, run_folder
from gidbench.errors import InputError
from gidbench.findings import Check
from gidbench.reporting import tier_report
from gidbench.widgets.markup import escaped, link_from_here, paragraph, said, shown, table_html

_HOW = ("processes × rounds", "stopped")
_NUMERIC = ("records", "median", "records/s")
_STATES = {"good": "✓ good", "note": "• note", "bad": "✗ bad"}
NOTHING_YET = (
    "Nothing is measured yet: press Run above, or say `gidbench run` in a shell, and run this again."
)


def results_html(results: Sequence[Result], noise: Sequence[Noise] = ()) -> str:
    """The summary table as HTML, with how the rounds were measured, and a sentence on the noise."""
    table = table_html(("case", *summary.COLUMNS[2:], *_HOW), _rows(results), numeric=_NUMERIC)
    failures = "".join(
        f"<p><strong>{escaped(result.operation)} {escaped(result.variant)} {result.status}:</strong> "
        f"{escaped(result.error or '')}</p>"
        for result in results
        if result.status != "ok"
    )
    told = "".join(paragraph(f"Noise of {line}") for line in summary.noise_of(noise))
    return f"{table}{failures}{told}"


def _rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    return [
        (f"{row[0]} {row[1]}", *row[2:], summary.rounds_of(result), summary.stopped(result))
        for row, result in zip(summary.rows(results), results, strict=True)
    ]


def table(measured: Measurement | Sequence[Result]) -> Any:
    """Display object: what was measured, a row a case."""
    if isinstance(measured, Measurement):
        return shown(results_html(measured.results, measured.noise))
    return shown(results_html(measured))


def answer(measured: Measurement) -> Any:
    """Display object: the answer in words."""
    return said(summary.answer(measured.results), _belief(measured.noise))


def check_rows(found: Sequence[Check]) -> list[tuple[str, str, str, str]]:
    """A row a check."""
    # where Python is installed is this machine's business, and a notebook is handed on
    return [
        (check.name, _STATES[check.state], check.found.partition(" at /")[0], check.remedy) for check in found
    ]


def checks(found: Sequence[Check], *, short: bool = False) -> Any:
    """Display object: what `gidbench doctor` found, a row a check, and what to do where something is wrong.

    `short`: of what is good, only what a speed depends on.
    """
    wanted = [
        check
        for check in found
        if not short or check.state != "good" or check.name in ("cores", "memory", "disk", "database")
    ]
    rows = check_rows(wanted)
    wrong = [check for check in found if check.state == "bad"]
    words = (
        f"{len(wrong)} of {len(found)} checks found something that must be mended: "
        + ", ".join(check.name for check in wrong)
        + "."
        if wrong
        else f"All {len(found)} checks passed: this machine is ready."
        if all(check.state == "good" for check in found)
        else f"This machine is ready; {sum(check.state == 'note' for check in found)} of {len(found)} checks "
        "found what could be better."
    )
    return shown(table_html(("check", "state", "found", "what to do"), rows) + paragraph(words))


def _newest(out: str | Path) -> Path | None:
    """The folder of a run with results, or None where there is none yet."""
    try:
        folder = run_folder(out)
    except InputError:
        return None
    return folder if (folder / RESULTS_FILE).is_file() else None


def report(out: str | Path = "") -> Any:
    """Display object: the latest results of a run, and a link to its tier report, which is written anew."""
    folder = _newest(out)
    if folder is None:
        return said(NOTHING_YET)
    path = tier_report(folder)
    results, noise = results_in(folder), load_results(folder).noise
    place = html.escape(link_from_here(path))
    words = f'<p>The whole tier report: <a href="{place}">{escaped(path.name)}</a>, beside the results.</p>'
    return shown(results_html(results, noise) + words)


def answers(out: str | Path = "") -> Any:
    """Display object: what a run says, a paragraph an operation, and how far to believe it."""
    folder = _newest(out)
    if folder is None:
        return said(NOTHING_YET)
    results, noise = results_in(folder), load_results(folder).noise
    found = [
        summary.answer([result for result in results if result.operation == operation])
        for operation in dict.fromkeys(result.operation for result in results)
    ]
    return said(*found, _belief(noise))


def _belief(noise: Sequence[Noise]) -> str:
    """How far to believe all of it; the reasons stand with the table."""
    found = worst(noise)
    if found is None:
        return ""
    return f"The machine was {found.verdict} while it was measured" + {
        QUIET: ": the numbers can be relied on.",
        UNUSABLE: ": do not rely on these numbers; measure again when it rests.",
    }.get(found.verdict, ": small differences mean nothing.")
