"""Results as people read them: one table, one sentence; for the terminal, for notebooks, for reports."""

from __future__ import annotations

from collections.abc import Sequence

from gidbench.bench.results import Result
from gidbench.units import format_count, format_rate, format_seconds

COLUMNS = ("operation", "variant", "records", "median", "records/s", "95 % interval", "target", "tier")


def rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """A row of `COLUMNS` for each result."""
    return [_row(result) for result in results]


def _row(result: Result) -> tuple[str, ...]:
    name = (result.operation, result.variant, format_count(result.records))
    if result.status != "ok":
        return (*name, "–", "–", "–", "–", "failed")
    tier = result.tier or ""
    if result.borderline:
        tier += f" (borderline {result.tier_reached})"
    return (
        *name,
        format_seconds(result.median_s),
        format_rate(result.records_per_second),
        f"{format_rate(result.records_per_second_low)} – {format_rate(result.records_per_second_high)}"
        if result.rounds > 1
        else "one round only",
        "met" if result.target_met else "missed",
        tier + (", noisy" if result.noisy else ""),
    )


def answer(results: Sequence[Result]) -> str:
    """One or two sentences that say what the numbers mean."""
    good = [result for result in results if result.status == "ok"]
    if not good:
        return "Nothing could be measured; the table says why."
    head = next((result for result in good if result.headline), good[0])
    words = (
        f"{head.operation.capitalize()} ({head.title}) takes {format_seconds(head.median_s)} for "
        f"{format_count(head.records)} records: {format_rate(head.records_per_second)}, tier {head.tier}."
    )
    if head.borderline:
        words += f" The median lies in {head.tier_reached}, but the interval does not clear its bound."
    words += (
        " The promise of a million records in five seconds is kept."
        if head.target_met
        else " The promise of a million records in five seconds is not kept."
    )
    if any(result.noisy for result in good):
        words += (
            " The rounds scatter by more than 10 %: the machine was busy, so take the interval seriously."
        )
    return words
