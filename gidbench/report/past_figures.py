"""Figures of what was before: a run against the previous one, and the trend of a case over its runs."""

from __future__ import annotations

import itertools
import math
import statistics

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from gidbench.bench.comparison_texts import change
from gidbench.report import drawing
from gidbench.report.inline import SLIM
from gidbench.report.past import ComparedView, ComparisonView, TrendView
from gidbench.report.svg import BLUE, INK, MUTED, RULE, SURFACE, VERMILLION, new_figure
from gidbench.units import round_rate

_ROW, _ROW_SLIM, _TOP, _BOTTOM = 32, 50, 24, 54
_FAR = 1.4  # times beyond the outermost median
_TICKS = (1 / 8, 1 / 4, 1 / 2, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.25, 1.5, 2.0, 4.0, 8.0)
_LOOKS = {  # shape as well as colour
    "better": ("<", BLUE, BLUE),
    "worse": (">", VERMILLION, VERMILLION),
    "same": ("s", MUTED, MUTED),
    "inconclusive": ("o", MUTED, SURFACE),
}


def comparison_said(view: ComparisonView) -> str:
    """What the figure shows, for those who do not see it."""
    return "; ".join(
        f"{case.variant}: {case.verdict}, {case.change} time {case.interval}" for case in view.drawn
    )


def draw_comparison(view: ComparisonView, width: int) -> Figure:
    """Of each case the ratio of the times with its interval, and the verdict as a word."""
    slim = width < SLIM
    row = _ROW_SLIM if slim else _ROW
    left, right = (6, 8) if slim else (132, 172)
    height = row * len(view.drawn)
    figure = new_figure(width, _TOP + height + _BOTTOM)
    axes = drawing.bare_axes(figure, left, _TOP, width - left - right, height)
    axes.set_ylim(height, 0)
    _time_ratios(axes, view, slim=slim)
    for index, case in enumerate(view.drawn):
        middle = row * (index + 0.5) + (9 if slim else 0)
        words = f"{case.verdict}, {case.change}"
        weight = "bold" if case.verdict in ("better", "worse") else "normal"
        if slim:
            ground = {"facecolor": SURFACE, "edgecolor": "none", "pad": 2}
            y = _TOP + row * index + 10
            drawing.write(figure, left, y, drawing.shortened(case.variant, 20), bbox=ground)
            drawing.write(figure, width - right, y, words, ha="right", bbox=ground, fontweight=weight)
        else:
            drawing.write(figure, left - 12, _TOP + middle, drawing.shortened(case.variant, 17), ha="right")
            drawing.write(figure, width - 2, _TOP + middle, words, ha="right", fontweight=weight)
        _mark(axes, case, middle)
    drawing.write_small(figure, left, 9, "← less time")
    drawing.write_small(figure, width - right, 9, "more time →", ha="right")
    _comparison_key(figure, 12 if slim else left, _TOP + height + _BOTTOM - 12, slim=slim)
    return figure


def _time_ratios(axes: Axes, view: ComparisonView, *, slim: bool) -> None:
    """A logarithmic scale around 1, with the threshold as a band."""
    values = [value for case in view.drawn for value in (case.low, case.high)]
    least, most = min([*values, 1 / 1.12]) / 1.02, max([*values, 1.12]) * 1.02
    axes.set_xscale("log")
    axes.set_xlim(least, most)
    ticks = [tick for tick in _TICKS if least <= tick <= most]
    pixels = axes.bbox.width / math.log(most / least)
    kept = [1.0]
    for tick in sorted(ticks, key=lambda tick: abs(math.log(tick))):
        edge = min(math.log(tick / least), math.log(most / tick)) * pixels
        apart = all(abs(math.log(tick / other)) * pixels > (60 if other == 1 else 46) for other in kept)
        if apart and (edge > 22 or not slim):
            kept.append(tick)
    axes.set_xticks(sorted(kept), ["as before" if tick == 1 else _short(tick) for tick in sorted(kept)])
    axes.xaxis.set_minor_locator(NullLocator())
    for tick in kept:
        axes.axvline(tick, color=MUTED if tick == 1 else RULE, linewidth=1.4 if tick == 1 else 0.8, zorder=0)
    if view.threshold > 0:
        edge = 1 + view.threshold
        axes.axvspan(1 / edge, edge, color=RULE, alpha=0.5, linewidth=0, zorder=-1)


def _short(ratio: float) -> str:
    return change(ratio).replace(".0 %", " %")


def _mark(axes: Axes, case: ComparedView, y: float) -> None:
    marker, edge, fill = _LOOKS.get(case.verdict, _LOOKS["inconclusive"])
    axes.plot(
        [case.low, case.high], [y, y], color=INK, linewidth=1.6, marker="|", markersize=9, clip_on=False
    )
    axes.plot(
        [case.ratio], [y], color=edge, marker=marker, markersize=10, markerfacecolor=fill, markeredgecolor=edge,
        markeredgewidth=1.6, clip_on=False,
    )  # fmt: skip


def _comparison_key(figure: Figure, x: float, y: float, *, slim: bool) -> None:
    axes = drawing.pixel_axes(figure)
    step = 76 if slim else 100
    for index, (word, (marker, edge, fill)) in enumerate(_LOOKS.items()):
        place = x + step * index
        axes.plot(
            [place], [y], color=edge, marker=marker, markersize=8, markerfacecolor=fill, markeredgecolor=edge
        )
        drawing.write_small(figure, place + 10, y, word)


def history_said(view: TrendView) -> str:
    """What the figure shows, for those who do not see it."""
    return "; ".join(
        f"{run.when}: {run.rate}{' (' + run.step + ')' if run.step else ''}" for run in view.runs
    )


def draw_history(view: TrendView, width: int) -> Figure:
    """Records per second of each run with its interval; the level between steps, and the steps themselves."""
    slim = width < SLIM
    left, right, tall = (62, 12, 170) if slim else (74, 20, 190)
    top = 34 if view.steps else 12
    figure = new_figure(width, top + tall + 66)
    axes = drawing.bare_axes(figure, left, top, width - left - right, tall)
    runs = view.runs
    axes.set_xlim(-0.6, len(runs) - 0.4)
    _rates(axes, view)
    edges = [0, *(step.at for step in view.steps), len(runs)]
    for begin, end in itertools.pairwise(edges):
        level = statistics.median(run.value for run in runs[begin:end])
        axes.plot([begin - 0.4, end - 0.6], [level, level], color=VERMILLION, linewidth=2)
    for index, run in enumerate(runs):
        axes.plot([index] * 2, [run.low, run.high], color=BLUE, linewidth=1.6, alpha=0.75)
    axes.plot(
        range(len(runs)), [run.value for run in runs], linestyle="none", marker="o", markersize=7,
        markerfacecolor=SURFACE, markeredgecolor=BLUE, markeredgewidth=1.5, clip_on=False,
    )  # fmt: skip
    for step in view.steps:
        axes.axvline(step.at - 0.5, color=INK, linewidth=1, dashes=(4, 3))
        late = step.at > len(runs) * 0.6
        axes.annotate(
            step.words, (step.at - 0.5, 1), (-4 if late else 4, 6), xycoords=axes.get_xaxis_transform(),
            textcoords="offset points", fontsize=drawing.SMALL, color=INK, ha="right" if late else "left",
        )  # fmt: skip
    axes.set_xticks([])
    dates = [run.when.rpartition(",")[0] or run.when for run in (runs[0], runs[-1])]
    drawing.write_small(figure, left, top + tall + 14, drawing.shortened(dates[0], 22))
    drawing.write_small(figure, width - right, top + tall + 14, drawing.shortened(dates[1], 22), ha="right")
    _history_key(figure, 12 if slim else left, top + tall + 54, steps=bool(view.steps))
    return figure


def _rates(axes: Axes, view: TrendView) -> None:
    """Linear, or logarithmic where the rates lie far apart; round ticks."""
    values = [run.value for run in view.runs if run.value > 0]
    # the interval of a noisy run may reach far out, and would press all the others together
    least = max(min(run.low for run in view.runs if run.low > 0), min(values) / _FAR)
    most = min(max(run.high for run in view.runs), max(values) * _FAR)
    if most / least > 4:
        axes.set_yscale("log")
        axes.set_ylim(least / 1.2, most * 1.2)
        powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
        ticks = [step * 10.0**power for power in powers for step in (1, 2, 5)]
        ticks = [tick for tick in ticks if least / 1.2 <= tick <= most * 1.2]
        axes.set_yticks(ticks, [round_rate(tick) for tick in ticks])
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        room = max(most - least, 0.04 * most) * 0.15
        axes.set_ylim(least - room, most + room)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_formatter(lambda value, _: round_rate(value))
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)


def _history_key(figure: Figure, x: float, y: float, *, steps: bool) -> None:
    axes = drawing.pixel_axes(figure)
    axes.plot([x, x], [y - 7, y + 7], color=BLUE, linewidth=1.6, alpha=0.75)
    axes.plot(
        [x],
        [y],
        linestyle="none",
        marker="o",
        markersize=7,
        markerfacecolor=SURFACE,
        markeredgecolor=BLUE,
        markeredgewidth=1.5,
    )
    axes.plot([x + 150, x + 170], [y, y], color=VERMILLION, linewidth=2)
    drawing.write_small(figure, x + 10, y, "a run, 95 % interval")
    drawing.write_small(figure, x + 178, y, "median")
    if steps:
        axes.plot([x + 236] * 2, [y - 8, y + 8], color=INK, linewidth=1, dashes=(4, 3))
        drawing.write_small(figure, x + 244, y, "a step")
