"""A SQL Server in notebooks: what makes loads minimally logged, and which way of writing is fastest."""

from __future__ import annotations

from typing import Any

from gidbench import administration
from gidbench.bench.strategies import Strategies, WayFound, server_url
from gidbench.errors import InputError
from gidbench.units import format_rate
from gidbench.widgets.markup import paragraph, said, shown, table_html
from gidbench.widgets.tables import check_rows

_LATER = "Without a SQL Server there is nothing to look at here; the answer below says what is missing."
_NUMERIC = ("records/s", "95 % interval", "of the fastest")


def advice(database: str = "", table: str = "employee") -> Any:
    """Display object: what decides whether loads into a table can be minimally logged."""
    url = server_url(database)
    if not url:
        return said(_LATER)
    try:
        found = administration.advise(url, table=table)
    except InputError as error:  # a new database has no tables yet, and what follows needs none
        return said(f"{error} Those of gidbench are made by: gidbench schema create.")
    words = (
        f"A load into {found.table} can be minimally logged."
        if found.minimal
        else f"A load into {found.table} logs every row in full: the table says what hinders it."
    )
    return shown(
        table_html(("what", "state", "found", "what to do"), check_rows(found.findings)) + paragraph(words)
    )


def strategies(found: Strategies) -> Any:
    """Display object: every way of writing, the fastest first, and why some can't be gone here."""
    if found.missing:
        return said(_LATER)
    best = found.measured[0].per_second if found.measured else 0.0
    rows = [_row(way, best) for way in found.ways]
    caption = f"Loading {found.records:,} employees, {found.rounds} rounds in turns; slow ways load fewer"
    columns = ("way of writing", "records/s", "95 % interval", "of the fastest", "")
    return shown(table_html(columns, rows, caption=caption, numeric=_NUMERIC))


def _row(way: WayFound, best: float) -> tuple[str, ...]:
    if not way.is_measured:
        return (way.title, "–", "–", "–", way.why_not)
    interval = f"{format_rate(way.low)} – {format_rate(way.high)}"
    return (
        way.title,
        format_rate(way.per_second),
        interval,
        f"{way.per_second / best:.0%}".replace("%", " %"),
        "",
    )


def answer(found: Strategies) -> Any:
    """Display object: which way to take, in words."""
    return said(answer_words(found))


def answer_words(found: Strategies) -> str:
    if found.missing:
        return found.missing
    measured = found.measured
    if not measured:
        return "No way of writing could be measured; the table says why."
    auto, own = found.of("auto"), [way for way in measured if way.name not in ("auto", "bare")]
    best = own[0] if own else measured[0]
    words = f"The fastest single way of writing here is {best.name}: {format_rate(best.per_second)}"
    if len(own) > 1:
        last = own[-1]
        words += f", {best.per_second / last.per_second:.3g} times {last.name}, the slowest"
    words += "."
    if auto is not None:
        share = auto.per_second / best.per_second
        words += f" What gidbench does by itself (auto) reaches {format_rate(auto.per_second)}"
        words += (
            f", {share:.2f} times that: leave it as it is."
            if share >= 0.95
            else f", {share:.0%} of that: try GIDBENCH_WRITE_STRATEGY={best.name}.".replace("%", " %")
        )
    return words
