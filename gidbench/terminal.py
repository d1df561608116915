"""What commands print: progress on standard error, results on standard output."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from gidbench.engine import Progress as Step
from gidbench.engine import ProgressCallback
from gidbench.outcome import Outcome
from gidbench.units import format_bytes, format_count, format_rate

if TYPE_CHECKING:
    from gidbench.files.text import Decision
    from gidbench.findings import Check
    from gidbench.running import RunOutcome

_TIER_STYLES = {
    "ULTRA": "bold green",
    "VERY HIGH": "green",
    "HIGH": "cyan",
    "STANDARD": "yellow",
    "failed": "bold red",
}
_STATES = {"good": ("green", "ok"), "note": ("yellow", "note"), "bad": ("red", "bad")}


def wide_console(least: int = 100, *, to_error: bool = False) -> Console:
    """A console of `least` columns at least where nobody's screen limits it: a log or a file wraps by itself."""
    console = Console(stderr=to_error)
    if not console.is_terminal:
        console.width = max(console.width, least)
    return console


@contextlib.contextmanager
def progress_bar(*, lines: bool) -> Iterator[ProgressCallback | None]:
    """A bar per phase on a terminal; elsewhere nothing, or with `lines` one as a phase begins."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain(console) if lines else None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=10),  # what follows must fit into 80 columns
        TextColumn("{task.fields[amount]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task: TaskID | None = None
        shown = ""
        began = time.perf_counter()

        def callback(step: Step) -> None:
            nonlocal task, shown, began
            title = step.phase.partition(":")[0] if step.unit == "rounds" else step.phase
            if task is None or title != shown:
                if task is not None:
                    bars.remove_task(task)
                task, shown = bars.add_task(step.phase, total=step.total or 1, amount=""), title
                began = time.perf_counter()
            bars.update(
                task,
                description=step.phase,
                completed=step.done,
                total=step.total or 1,
                amount=_amount(step) + _speed(step, time.perf_counter() - began),
            )

        yield callback


def _plain(console: Console) -> ProgressCallback:
    last = ""

    def callback(step: Step) -> None:
        nonlocal last
        if step.phase != last:
            last = step.phase
            console.print(step.phase, highlight=False, markup=False)

    return callback


def _amount(step: Step) -> str:
    if step.unit == "bytes":
        return f"{format_bytes(step.done)} of {format_bytes(step.total)}"
    unit = "" if step.unit == "records" else f" {step.unit}"
    return f"{format_count(step.done)} of {format_count(step.total)}{unit}"


def _speed(step: Step, seconds: float) -> str:
    """Records and bytes per second so far, where the step counts them."""
    if seconds <= 0 or step.unit not in ("records", "bytes", "rows"):
        return ""
    if step.unit == "bytes":
        return f"  {format_bytes(int(step.done / seconds))}/s"
    told = f"  {format_rate(step.done / seconds)}"
    return told + (f"  {format_bytes(int(step.bytes_done / seconds))}/s" if step.bytes_done else "")


def print_run(outcome: RunOutcome) -> None:
    """The table of results, what failed, and where the report is."""
    from gidbench.bench import summary  # with all that it takes; other commands need none of it

    console = Console()
    if console.width < 100 and not console.is_terminal:
        console.width = 120  # a log or a file wraps by itself
    table = Table(
        title="gidbench",
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=None,
        pad_edge=False,
        collapse_padding=console.width < 100,  # on 80 columns every one counts
    )
    numeric, wrapping = {"records", "median", "records/s"}, {"variant", "95 % interval", "tier"}
    for name in summary.COLUMNS:
        table.add_column(
            name,
            justify="right" if name in numeric else "left",
            no_wrap=name not in wrapping,
            min_width=10 if name in wrapping else None,
        )
    for result, row in zip(outcome.results, summary.rows(outcome.results), strict=True):
        style = _TIER_STYLES.get(result.tier or "failed", "")
        table.add_row(*(escape(cell) for cell in row[:-1]), f"[{style}]{escape(row[-1])}[/]")
    console.print(table)
    for result in outcome.failed:
        name = f"{result.operation} {result.variant}"
        console.print(f"[red]{escape(name)} failed:[/] {escape(result.error or '')}")
    for title, lines in (
        ("rounds", summary.how(outcome.results)),
        ("noise", summary.noise_of(outcome.noise)),
    ):
        if lines:
            console.print()
        for line in lines:
            console.print(f"[bold]{title}[/] {escape(line)}", highlight=False)
    console.print(f"\nreport: {escape(near(outcome.report))}", soft_wrap=True, highlight=False)


def near(path: Path) -> str:
    """The path as seen from here, where that is shorter."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)


def print_outcome(result: Outcome, *, to_error: bool = False) -> None:
    """Label and value, a line each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in result.rows():
        table.add_row(label, escape(value))
    Console(stderr=to_error).print(table, highlight=False)


def print_decisions(decisions: Sequence[Decision], source: Path) -> None:
    """What was found out about a file, and how sure that is, on standard error."""
    if not decisions:
        return
    console = Console(stderr=True)
    table = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        title=escape(source.name),
        title_justify="left",
        title_style="bold",
    )
    table.add_column("what", no_wrap=True)
    table.add_column("found", overflow="fold", max_width=40)
    table.add_column("sure", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for each in decisions:
        style = "green" if each.sure >= 0.9 else "yellow" if each.sure >= 0.5 else "red"
        sure = f"[{style}]{each.sure:.0%}[/]"
        table.add_row(escape(each.what), escape(each.value), sure, escape(each.why))
    console.print(table, highlight=False)


def print_checks(checks: Sequence[Check]) -> None:
    """One line a check; what is wrong comes with its remedy."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        style, word = _STATES[check.state]
        told = escape(check.found) + (f"\n[{style}]→ {escape(check.remedy)}[/]" if check.remedy else "")
        table.add_row(f"[{style}]{word}[/]", escape(check.name), told)
    Console().print(table, highlight=False)
