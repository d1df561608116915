"""What came out of a scaling or a tuning, in sentences; for terminals, notebooks and reports alike."""

from __future__ import annotations

import html
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gidbench.bench.tuning_gain import LEAST_PAIRS, Gain
from gidbench.bench.tuning_space import TITLES, shown
from gidbench.units import format_bytes, format_rate, format_seconds

if TYPE_CHECKING:  # both show themselves in notebooks by what stands here
    from gidbench.bench.scaling import Growth, Scaling
    from gidbench.bench.scaling_fit import Efficiency, Fit
    from gidbench.bench.tuning import Tuning

_WIDE = 0.5  # of an exponent's interval: linear and quadratic growth are but 1 apart
_MOST_ROWS = 12  # of a surface in a notebook: the better choices


def growth_words(fit: Fit, what: str) -> str:
    """An exponent in words; `what` is "time" or "memory"."""
    show = format_seconds if what == "time" else format_bytes
    if fit.exponent is None or fit.low is None or fit.high is None:
        return f"no exponent: {fit.note} ({fit.growth:.2f} x from the least to the most)"
    told = f"grows as records ^ {fit.exponent:.2f}, 95 % interval {fit.low:.2f} – {fit.high:.2f}"
    if fit.constant > 0:
        told += f", beside a constant of {show(fit.constant)}"
    if fit.dominated:
        told += f", which is more than half up to {max(fit.dominated):,} records"
    if fit.flat_from:
        told += f"; but hardly at all from {fit.flat_from:,} records on"
    return f"{told}; {fit.note}" if fit.note else told


def scaling_words(growth: Growth) -> str:
    """What a variant's growth means: sentences for those who do not read exponents."""
    sizes = growth.measured
    if not sizes:
        why = next((size.note for size in growth.sizes if size.note), "nothing was measured")
        return f"{growth.variant}: no size could be measured ({why})."
    fits = [
        (what, fit) for what, fit in (("time", growth.time), ("memory", growth.memory)) if fit is not None
    ]
    told = "; ".join(_meaning(what, fit) for what, fit in fits)
    return f"{growth.variant}, {sizes[0].records:,} to {sizes[-1].records:,} records: {told}."


def _meaning(what: str, fit: Fit) -> str:
    """An exponent for those who do not read exponents; of a wide interval it is said that it is wide."""
    if fit.exponent is None or fit.low is None or fit.high is None:
        return (
            f"{what} does not grow" if fit.note == "does not grow" else f"{what}: {growth_words(fit, what)}"
        )
    exponent = f"exponent {fit.exponent:.2f}, 95 % interval {fit.low:.2f} – {fit.high:.2f}"
    if fit.high - fit.low > _WIDE:
        return f"how {what} grows can't be told for sure ({exponent})"
    if fit.flat_from:
        return f"{what} hardly grows from {fit.flat_from:,} records on ({exponent})"
    how = (
        "in proportion to"
        if fit.low <= 1 <= fit.high
        else "faster than"
        if fit.exponent > 1
        else "more slowly than"
    )
    show = format_seconds if what == "time" else format_bytes
    beside = f", beside a constant of {show(fit.constant)}" if fit.constant > 0 else ""
    return f"{what} grows {how} the records ({exponent}){beside}"


def workers_words(result: Scaling) -> str:
    """What several workers gain; or why nothing is known of it."""
    many = [each for each in result.efficiencies if each.workers > 1]
    if not many:
        return f"Workers: {result.workers_note}." if result.workers_note else ""
    most = max(many, key=lambda each: each.workers)
    told = (
        f"{most.workers} workers are {most.speedup:.2f} times as fast as one on {result.workers_records:,} records"
        f" ({speedup_interval(most)}): each does {most.share:.0%} of what one does alone.".replace("%", " %")
    )
    best = max(many, key=lambda each: each.speedup)
    if best is not most and best.speedup > most.speedup * 1.03:
        told += f" Fastest are {best.workers}, at {best.speedup:.2f} times."
    if most.speedup_high < 1:
        told += " More workers are a loss here."
    return told


def speedup_interval(each: Efficiency) -> str:
    """`95 % interval 1.71 – 1.90`."""
    if each.passes < 2:
        return "one pass only"
    return f"95 % interval {each.speedup_low:.2f} – {each.speedup_high:.2f}"


def verdict(result: Tuning) -> str:
    """What came out of a tuning, in a sentence."""
    gain, names = result.gain, result.space.searched
    if not names:
        return "There is nothing to choose: the defaults are what there is."
    if result.best is None or gain is None:
        return "There was no time to hold anything against the defaults: give it more (--budget)."
    best = result.best.told(names)
    told = f"{gain.ratio:.2f} x the defaults' speed, {_interval(gain)}, by {gain.pairs} pairs of {gain.records:,}"
    if gain.verdict == "better":
        return f"Better than the defaults: {best} has {told} records."
    if gain.verdict == "unproven":
        return f"Not proven: {best} has {told} records; {LEAST_PAIRS} pairs are needed (--budget)."
    why = "are faster than" if gain.verdict == "worse" else "are as good as"
    return f"The defaults {why} anything found: {best} has {told} records."


def _interval(gain: Gain) -> str:
    return f"95 % interval {gain.low:.2f} – {gain.high:.2f}"


def scaling_html(result: Scaling) -> str:
    """A table of each variant's sizes and one of the workers, each with its sentence; for a notebook."""
    parts = []
    for growth in result.growths:
        rows = [
            (
                f"{size.records:,}",
                format_seconds(statistics.median(size.seconds)),
                format_rate(size.records / statistics.median(size.seconds)),
                format_bytes(statistics.median(size.own_bytes)),
            )
            for size in growth.measured
        ]
        parts.append(_table(("records", "time", "rate", "own memory"), rows, growth.title))
        parts.append(f"<p>{html.escape(scaling_words(growth))}</p>")
    rows = [
        (f"{each.workers}", format_seconds(each.seconds), f"{each.speedup:.2f} x", f"{each.share:.0%}")
        for each in result.efficiencies
    ]
    parts.append(_table(("workers", "time", "speed-up", "efficiency"), rows, "Workers") if rows else "")
    parts.append(f"<p>{html.escape(workers_words(result))}</p>")
    return "".join(parts)


def tuning_html(result: Tuning) -> str:
    """The verdict and the better choices; for a notebook."""
    names = result.space.searched
    known = sorted((cell for cell in result.cells if cell.records), key=lambda cell: -(cell.ratio or 0))
    rows = [
        (
            *(shown(getattr(cell.point, name)) for name in names),
            f"{cell.records:,}",
            format_rate(cell.rate or 0.0),
            f"{cell.ratio:.2f} x" if cell.ratio else "–",
            "chosen"
            if cell.point == result.chosen
            else "the defaults"
            if cell.point == result.space.default
            else "",
        )
        for cell in known[:_MOST_ROWS]
    ]
    heads = (*(TITLES[name] for name in names), "records", "rate", "to the defaults", "")
    more = len(known) - len(rows)
    left = f"<p>{more} slower choices are left out.</p>" if more > 0 else ""
    return f"<p>{html.escape(verdict(result))}</p>{_table(heads, rows, 'Choices, the fastest first')}{left}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    head = "".join(f'<th scope="col" style="text-align:left">{html.escape(name)}</th>' for name in heads)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<table><caption style="text-align:left">{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
