"""Results as people read them: one table, one sentence; for the terminal, for notebooks, for reports."""

from __future__ import annotations

from collections.abc import Sequence

from gidbench.bench.noise import QUIET, UNUSABLE, worst
from gidbench.bench.results import Noise, Result
from gidbench.units import format_count, format_rate, format_seconds

COLUMNS = ("operation", "variant", "records", "median", "records/s", "95 % interval", "target", "tier")
_STOPPED = {"asked": "as asked", "precise": "interval narrow enough", "budget": "time budget over"}


def rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """A row of `COLUMNS` for each result."""
    return [_row(result) for result in results]


def _row(result: Result) -> tuple[str, ...]:
    name = (result.operation, result.variant, format_count(result.records))
    if result.status != "ok":
        return (*name, "–", "–", "–", "–", result.status)
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


def rounds_of(result: Result) -> str:
    """`3 × 5`: processes and rounds in each; `3 processes, 13 rounds` where they have not equally many."""
    if not result.rounds:
        return "–"
    each = {len(rounds) for rounds in result.replicates_s}
    if len(each) == 1:
        return f"{result.processes} × {each.pop()}"
    if not each:  # of a file of version 1
        return f"1 × {result.rounds}"
    return f"{result.processes} processes, {result.rounds} rounds"


def stopped(result: Result) -> str:
    """Why there were no more rounds, in words."""
    return _STOPPED.get(result.stopped_because, "")


def how(results: Sequence[Result]) -> list[str]:
    """How it was measured: `generate: 3 × 5 rounds, as asked`; cases that were measured alike stand together."""
    lines = []
    for operation in dict.fromkeys(result.operation for result in results):
        alike: dict[str, list[str]] = {}
        for result in results:
            if result.operation == operation and result.status == "ok":
                said = ", ".join(filter(None, [rounds_of(result), stopped(result)]))
                alike.setdefault(said, []).append(result.variant)
        told = [f"{', '.join(names)} {said}" for said, names in alike.items()]
        if len(alike) == 1:
            told = list(alike)
        if told:
            lines.append(f"{operation}: {'; '.join(told)}")
    return lines


def noise_of(noise: Sequence[Noise]) -> list[str]:
    """A sentence for each operation: the worst verdict, with its reasons and what to do."""
    lines = []
    for operation in dict.fromkeys(each.operation for each in noise):
        found = worst([each for each in noise if each.operation == operation])
        if found is not None:
            when = "" if found.verdict == QUIET else f" at the {found.moment}"
            why = f": {'; '.join(found.reasons)}" if found.reasons else ""
            lines.append(f"{operation}: the machine was {found.verdict}{when}{why}.")
    return lines


def answer(results: Sequence[Result], noise: Sequence[Noise] = ()) -> str:
    """A few sentences that say what the numbers mean, and how far to believe them."""
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
    found = worst(noise)
    if found is not None and found.verdict != QUIET:
        believe = (
            "do not rely on these numbers" if found.verdict == UNUSABLE else "small differences mean nothing"
        )
        words += f" The machine was {found.verdict} ({'; '.join(found.reasons)}): {believe}."
    return words
