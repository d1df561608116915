"""The last minute as a moving chart: SVG that is laid out by the page around it. Pure.

A strip is one `<svg>` that stretches to its place; its words are HTML beside it, so that they do not stretch.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence

from gidbench.bench.watching import Sample
from gidbench.tiers import TARGET_PER_SECOND, TIERS
from gidbench.units import format_bytes, format_rate, round_rate
from gidbench.widgets.live_history import SPAN_S, History, highest

_WIDE, _HIGH = 600, 100  # of the drawing's own coordinates
_MOST_LINES = 4  # cores drawn one by one; of more, the band from the least to the most
_DASHES = ("none", "5 3", "2 2", "8 3 2 3")  # so that lines differ by more than colour

_GRID = f'<path class="gb-grid" d="M0 1H{_WIDE}M0 50H{_WIDE}M0 {_HIGH - 1}H{_WIDE}"/>'
_TARGET = "target"
_MARKS = (*((name, rate) for name, rate in TIERS if rate), (_TARGET, TARGET_PER_SECOND))

Series = Sequence[tuple[float, float | None]]


def chart(history: History) -> str:
    """All strips: records per second, the cores, the memory."""
    memory = history.series(lambda sample: sample.rss_bytes or None)
    most = 1 << max(20, math.ceil(highest(memory)).bit_length())
    return (
        '<div class="gb-strips">'
        + _rate_strip(history.series(lambda sample: sample.records_per_s))
        + _strip("CPU, all cores", "100 %", _cores(history), _cores_spoken(history))
        + _strip(
            "Memory (RSS)",
            format_bytes(most) if highest(memory) else "",
            _area(memory, most),
            _spoken(memory, format_bytes),
        )
        + "</div>"
    )


def _rate_strip(series: Series) -> str:
    """On a logarithmic axis, since memory is a hundred times as fast as a database; with the tiers and the target."""
    known = [math.log10(value) for _, value in series if value]
    low, high = math.floor(min(known, default=4.0)), math.ceil(max(known, default=6.0) + 0.05)
    low, high = min(low, 4), max(high, 7)  # so that the tiers are always in it
    scaled = [(ago, (math.log10(value) - low) / (high - low) if value else None) for ago, value in series]
    lines, labels = "", ""
    for number, (name, rate) in enumerate(_MARKS):
        place = (math.log10(rate) - low) / (high - low)
        kind = "gb-target" if name == _TARGET else "gb-tier"
        lines += f'<path class="{kind}" d="M0 {_y(place):.1f}H{_WIDE}"/>'
        told = f"{name} {round_rate(rate)}"
        labels += f'<span class="{kind} gb-at{number}" style="bottom:{place * 100:.1f}%">{told}</span>'
    ends = f'<span class="gb-end" style="bottom:0">{round_rate(10**low)}</span>'
    return _strip(
        "Records per second",
        f"{round_rate(10**high)}, logarithmic",
        lines + _area(scaled, 1.0),
        _spoken(series, format_rate),
        kind="gb-wide",
        labels=labels + ends,
        grid="",
    )


def _strip(
    title: str, top: str, drawing: str, spoken: str, *, kind: str = "", labels: str = "", grid: str = _GRID
) -> str:
    label = html.escape(f"{title}, last {SPAN_S:.0f} seconds: {spoken}", quote=True)
    return (
        f'<figure class="gb-strip {kind}"><figcaption><span>{html.escape(title)}</span>'
        f'<span class="gb-muted">{html.escape(top)}</span></figcaption><div class="gb-plot">'
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none">'
        f'{grid}{drawing}</svg><div class="gb-marks-of" aria-hidden="true">{labels}</div></div>'
        '<div class="gb-axis gb-muted"><span>60 s ago</span><span>30 s</span><span>now</span></div></figure>'
    )


def _area(series: Series, top: float) -> str:
    lines = _runs(series, top)
    if not lines:
        return ""
    shapes = "".join(f"M{run[0][0]:.0f} {_HIGH}L{_points(run)}L{run[-1][0]:.0f} {_HIGH}Z" for run in lines)
    strokes = "".join(f"M{_points(run)}" for run in lines)
    return f'<path class="gb-area" d="{shapes}"/><path class="gb-line" d="{strokes}"/>'


def _y(share: float) -> float:
    return _HIGH - 1 - (_HIGH - 2) * min(max(share, 0.0), 1.0)


def _cores(history: History) -> str:
    count = history.cores
    if not count:
        return ""
    mean = history.series(_mean)
    area = _area(mean, 100.0)
    if count <= _MOST_LINES:
        drawn = [
            f'<path class="gb-core" stroke-dasharray="{_DASHES[core]}" d="{_line(history, core)}"/>'
            for core in range(count if count > 1 else 0)
        ]
        return area + "".join(drawn)
    low = _runs(history.series(lambda sample: min(sample.cpu_percent, default=None)), 100.0)
    high = _runs(history.series(lambda sample: max(sample.cpu_percent, default=None)), 100.0)
    band = "".join(
        f"M{_points(upper)}L{_points(lower[::-1])}Z" for upper, lower in zip(high, low, strict=True)
    )
    return f'<path class="gb-band" d="{band}"/>{area}'


def _line(history: History, core: int) -> str:
    series = history.series(
        lambda sample: sample.cpu_percent[core] if core < len(sample.cpu_percent) else None
    )
    return "".join(f"M{_points(run)}" for run in _runs(series, 100.0))


def _mean(sample: Sample) -> float | None:
    return sum(sample.cpu_percent) / len(sample.cpu_percent) if sample.cpu_percent else None


def _runs(series: Series, top: float) -> list[list[tuple[float, float]]]:
    """Pieces without gaps, in the drawing's coordinates; a lone point becomes a short dash."""
    pieces: list[list[tuple[float, float]]] = []
    piece: list[tuple[float, float]] = []
    for ago, value in [*series, (0.0, None)]:
        if value is None:
            if piece:
                pieces.append(piece if len(piece) > 1 else [(piece[0][0] - 2, piece[0][1]), piece[0]])
            piece = []
            continue
        x = _WIDE * (1 + ago / SPAN_S)
        piece.append((x, _y(value / top)))
    return pieces


def _points(piece: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.0f} {y:.1f}" for x, y in piece)


def _spoken(series: Series, told: Callable[[float], str]) -> str:
    known = [value for _, value in series if value is not None]
    if not known:
        return "nothing yet"
    return f"now {told(known[-1])}, between {told(min(known))} and {told(max(known))}"


def _cores_spoken(history: History) -> str:
    mean = [value for _, value in history.series(_mean) if value is not None]
    return f"{mean[-1]:.0f} % on average now, at most {max(mean):.0f} %" if mean else "nothing yet"
