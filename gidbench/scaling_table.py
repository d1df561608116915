"""How things grow, as people read it."""

from __future__ import annotations

import statistics

from rich.markup import escape
from rich.table import Table

from gidbench.bench.scaling import Growth, Scaling
from gidbench.bench.scaling_fit import Efficiency
from gidbench.bench.study_words import growth_words
from gidbench.terminal import wide_console
from gidbench.units import format_bytes, format_rate, format_seconds


def print_scaling(result: Scaling) -> None:
    """A table of each variant with its exponents, then the workers."""
    console = wide_console()
    title = f"{result.operation}, {result.database}, {result.workers} workers"
    console.print(f"[bold]{escape(title)}[/]", highlight=False)
    for growth in result.growths:
        console.print()
        console.print(_sizes(growth))
        for what, fit in (("time", growth.time), ("memory", growth.memory)):
            if fit is not None:
                console.print(escape(f"{what}: {growth_words(fit, what)}"), highlight=False)
    if result.efficiencies:
        console.print()
        console.print(_workers(result))
    if result.workers_note:
        console.print(f"[dim]workers: {escape(result.workers_note)}[/]", highlight=False)


def _sizes(growth: Growth) -> Table:
    table = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        title=escape(growth.title),
        title_justify="left",
        title_style="bold",
    )
    for title in (
        "records",
        "time",
        "rate",
        "time / fit",
        "own memory",
        "per record",
        "peak RSS",
        "processes",
    ):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for size in growth.sizes:
        if not size.seconds:
            table.add_row(f"{size.records:,}", *["–"] * 7, escape(size.note))
            continue
        seconds, own = statistics.median(size.seconds), statistics.median(size.own_bytes)
        fit = growth.time
        table.add_row(
            f"{size.records:,}",
            format_seconds(seconds),
            format_rate(size.records / seconds),
            f"{seconds / fit.value(size.records):.2f}" if fit and fit.exponent is not None else "–",
            format_bytes(own),
            format_bytes(own / size.records),
            format_bytes(statistics.median(size.peak_rss_bytes)),
            str(len(size.seconds)),
            escape(size.note),
        )
    return table


def _workers(result: Scaling) -> Table:
    table = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        title=f"workers, {result.workers_records:,} records",
        title_justify="left",
        title_style="bold",
    )
    for title in ("workers", "time", "speed-up", "95 % interval", "efficiency"):
        table.add_column(title, justify="right", no_wrap=True)
    for each in result.efficiencies:
        alone = each.workers == 1
        table.add_row(
            str(each.workers),
            format_seconds(each.seconds),
            "1" if alone else f"{each.speedup:.2f} x",
            "" if alone else _interval(each),
            "" if alone else f"{each.share:.0%}",
        )
    return table


def _interval(each: Efficiency) -> str:
    return "one pass only" if each.passes < 2 else f"{each.speedup_low:.2f} – {each.speedup_high:.2f}"
