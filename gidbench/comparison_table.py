"""Comparisons as people read them."""

from __future__ import annotations

import statistics

from rich.markup import escape
from rich.table import Table

from gidbench.bench.comparison import Comparison, Finding
from gidbench.terminal import wide_console
from gidbench.units import format_bytes, format_rate


def print_comparison(result: Comparison) -> None:
    """The bars with what came out, then the rates of everyone who took part."""
    console = wide_console()
    table = Table(
        box=None, pad_edge=False, header_style="bold", title="bars", title_justify="left", title_style="bold"
    )
    table.add_column("what", overflow="fold")
    for title in ("found", "95 % interval", "bar"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    for finding in result.findings:
        table.add_row(*_row(finding))
    console.print(table)
    rates = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        title="\nmedians",
        title_justify="left",
        title_style="bold",
    )
    rates.add_column("who", overflow="fold")
    rates.add_column("rate", justify="right", overflow="fold")
    for name, title in result.titles.items():
        found = result.rates.get(name)
        if found:
            shown = _rate(result.units[name], statistics.median(found))
        else:
            shown = f"[red]{escape(result.failures.get(name, 'not measured'))}[/]"
        rates.add_row(escape(title), shown)
    for title, reason in result.left_out.items():
        rates.add_row(escape(title), f"[dim]takes no part: {escape(reason)}[/]")
    console.print(rates)


def _rate(unit: str, value: float) -> str:
    """A rate with its unit."""
    if unit == "records/s":
        return format_rate(value)
    if unit == "ratio":
        return f"{value:.2f}"
    return f"{format_bytes(int(value))}/s" + (" of CPU" if "CPU" in unit else "")


def _row(finding: Finding) -> tuple[str, str, str, str, str]:
    title = escape(finding.title)
    if finding.value is None or finding.low is None or finding.high is None:
        return (
            title,
            "–",
            "",
            "" if finding.least is None else _number(finding, finding.least),
            f"[yellow]not measured[/]: {escape(finding.note)}",
        )
    interval = f"{_number(finding, finding.low)} – {_number(finding, finding.high)}"
    if finding.least is None:
        return title, _number(finding, finding.value), interval, "", "[dim]told[/]"
    if finding.met is None:
        verdict = "[yellow]inconclusive[/]"
    else:
        verdict = "[green]reached[/]" if finding.met else "[bold red]missed[/]"
    return title, _number(finding, finding.value), interval, f"≥ {_number(finding, finding.least)}", verdict


def _number(finding: Finding, value: float) -> str:
    if finding.is_ratio or finding.unit == "ratio":
        is_share = finding.least < 1 if finding.least is not None else (finding.value or 0) < 1
        return f"{value:.0%}" if is_share else f"{value:.1f} x"
    return _rate(finding.unit, value)
