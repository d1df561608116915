"""Comparisons of runs, gates and trends as they are printed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from gidbench.bench import comparison_texts as texts
from gidbench.bench.comparing import RunComparison
from gidbench.bench.gates import GateReport
from gidbench.bench.live import LiveComparison
from gidbench.bench.steps import Trend, bars
from gidbench.terminal import wide_console
from gidbench.units import format_rate, format_seconds

_STYLES = {
    "better": "bold green",
    "same": "green",
    "worse": "bold red",
    "inconclusive": "yellow",
    "not measured": "red",
    "failed": "bold red",
    "unproven": "yellow",
    "passed": "green",
}
_MOST_BARS = 40
_WIDTH = 160  # of what nobody's screen limits
_FEW_ROUNDS = 20  # of a pair: below, 10 % is found in a third of the tries only


def _table(title: str) -> Table:
    return Table(
        box=None, pad_edge=False, header_style="bold", title=title, title_justify="left", title_style="bold"
    )


def print_runs(result: RunComparison, before: str, after: str) -> None:
    """All cases, then what holds for both runs."""
    console = wide_console(_WIDTH)
    table = _table(escape(f"{after} against {before}: {texts.summary(result)}"))
    for name in texts.COLUMNS:
        numeric = name in ("before", "after", "time", "95 % interval")
        table.add_column(
            name, justify="right" if numeric else "left", no_wrap=name in ("case", "time", "verdict")
        )
    for case in result.cases:
        *cells, verdict, why = texts.row(case)
        table.add_row(*map(escape, cells), f"[{_STYLES[verdict]}]{verdict}[/]", escape(why))
    console.print(table)
    for label, side in (("before", result.before), ("after", result.after)):
        told = [
            side["commit"] and f"commit {side['commit']}",
            f"gidbench {side['gidbench']}",
            side["started_at"],
        ]
        console.print(escape(f"{label}: {', '.join(each for each in told if each)}"), highlight=False)
    for mark in result.marks:
        console.print(f"[yellow]{escape(mark)}[/]", highlight=False)


def print_live(found: LiveComparison) -> None:
    """What was measured in turns: by the clock, and by CPU time."""
    console = wide_console(_WIDTH)
    table = _table(escape(f"{found.after} against {found.before}: {found.title}"))
    for name in ("of", "change", "95 % interval", "p", "verdict", "why"):
        table.add_column(name, justify="right" if name in ("change", "95 % interval", "p") else "left")
    for name, judged in (("wall time", found.judgement), ("CPU time", found.cpu)):
        verdict = "same" if judged.same else judged.verdict
        table.add_row(
            name,
            texts.change(judged.ratio),
            f"{texts.change(judged.low)} … {texts.change(judged.high)}",
            f"{judged.p:.3f}",
            f"[{_STYLES[verdict]}]{verdict}[/]",
            escape(judged.why),
        )
    console.print(table)
    rounds = sum(len(before) for before, _ in found.pairs)
    console.print(
        f"{len(found.pairs)} pairs of processes, {rounds:,} rounds of each, {format_seconds(found.wall_s)}; "
        "wall time is what counts",
        highlight=False,
    )
    if rounds < _FEW_ROUNDS * len(found.pairs):
        console.print("[yellow]most of the time went into starting processes: allow more --seconds[/]")
    if not found.same_output:
        console.print("[yellow]they do not give the same output: it is not the same work[/]")


def print_gates(report: GateReport, *, to_error: bool = False) -> None:
    """What did not pass, with its reason; where nothing is asked, nothing."""
    if not report.checks:
        return
    console = wide_console(_WIDTH, to_error=to_error)
    for state, words in texts.gate_lines(report):
        console.print(f"[{_STYLES[state]}]{escape(words)}[/]", highlight=False)


def print_trends(trends: Sequence[Trend], passed_over: int) -> None:
    """A line a case: bars of the median time, oldest run first; then the steps."""
    console = wide_console(_WIDTH)
    table = _table("history")
    for name in ("case", "runs", "first", "last", "records/s", "time, oldest run first"):
        table.add_column(name, justify="right" if name in ("runs", "first", "last", "records/s") else "left")
    for trend in trends:
        medians = trend.medians_s
        if not medians:
            table.add_row(escape(trend.case), "0", "–", "–", "–", f"[red]{trend.left_out} failed[/]")
            continue
        table.add_row(
            escape(trend.case),
            str(len(medians)),
            format_seconds(medians[0]),
            format_seconds(medians[-1]),
            format_rate(trend.entries[-1].result.records_per_second),
            bars(medians[-_MOST_BARS:]),
        )
    console.print(table)
    for trend in trends:
        for step in trend.steps:
            style = "bold red" if step.ratio > 1 else "bold green"
            console.print(
                f"[{style}]{escape(trend.case)}: {texts.change(step.ratio)} of time[/] from "
                f"{escape(step.started_at)} on: commit {escape(step.commit or 'unknown')}, "
                f"before it {escape(step.commit_before or 'unknown')} (p = {step.p:.2g})",
                highlight=False,
            )
        if trend.left_out and trend.entries:
            console.print(
                f"[dim]{escape(trend.case)}: {trend.left_out} runs that failed, or on other machines, data or "
                "databases, are not shown[/]",
                highlight=False,
            )
    if passed_over:
        console.print(f"[yellow]{passed_over} lines of the history could not be read[/]", highlight=False)


def print_runs_of(trend: Trend) -> None:
    """One case: a line a run."""
    console = wide_console(_WIDTH)
    table = _table(escape(trend.case))
    for name in ("started", "commit", "median", "95 % interval", "records/s", "processes", "noise", "time"):
        table.add_column(name, justify="right" if name in ("median", "records/s", "processes") else "left")
    steps = {step.at: step for step in trend.steps}
    most = max(trend.medians_s, default=0.0)
    for place, entry in enumerate(trend.entries):
        result = entry.result
        step = steps.get(place)
        bar = "█" * max(1, round(result.median_s / most * 24))
        told = f"  {texts.change(step.ratio)}" if step else ""
        style = "" if step is None else "red" if step.ratio > 1 else "green"
        table.add_row(
            escape(entry.started_at),
            escape(entry.commit or "–"),
            format_seconds(result.median_s),
            f"{format_seconds(result.low_s)} – {format_seconds(result.high_s)}",
            format_rate(result.records_per_second),
            str(result.processes),
            entry.noise or "–",
            f"[{style}]{bar}{told}[/]" if style else bar,
        )
    console.print(table)
