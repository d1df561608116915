"""What several workers gain over one: bars of the speed-up, each with the mark that it would reach at best."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from gidbench.bench.scaling import Scaling
from gidbench.report import drawing
from gidbench.report.inline import SLIM
from gidbench.report.svg import BLUE, INK, RULE, VERMILLION, new_figure

_ROW, _TOP, _BOTTOM = 30, 8, 54


def efficiency_said(result: Scaling) -> str:
    """What the figure shows, for those who do not see it."""
    return "; ".join(
        f"{each.workers} workers: {each.speedup:.2f} times as fast as one, {each.share:.0%} of the best possible"
        for each in result.efficiencies
    )


def draw_efficiency(result: Scaling, width: int) -> Figure:
    """A row for each number of workers."""
    slim = width < SLIM
    left, right = (76, 108) if slim else (90, 130)
    rows = result.efficiencies
    height = _ROW * len(rows)
    figure = new_figure(width, _TOP + height + _BOTTOM)
    axes = drawing.bare_axes(figure, left, _TOP, width - left - right, height)
    most = max(*(max(each.speedup_high, each.speedup) for each in rows), *(each.workers for each in rows), 1)
    axes.set_xlim(0, most * 1.04)
    axes.set_ylim(height, 0)
    ticks = sorted({0, *_whole(most, 4 if slim else 8)})
    axes.set_xticks(ticks, [f"{tick}×" if tick else "0" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    for index, each in enumerate(rows):
        y = _ROW * (index + 0.5)
        axes.barh(y, each.speedup, 14, color=BLUE, linewidth=0)
        axes.plot([each.workers] * 2, [y - 10, y + 10], color=VERMILLION, linewidth=2.4, clip_on=False)
        if each.workers > 1 and each.passes > 1:
            drawing.interval(axes, each.speedup_low, each.speedup_high, y)
        name = f"{each.workers} worker{'s' if each.workers > 1 else ''}"
        drawing.write(figure, left - 10, _TOP + y, name, ha="right")
        share = f" ({each.share:.0%})".replace("%", " %") if each.workers > 1 else ""
        drawing.write(figure, width - 2, _TOP + y, f"{each.speedup:.2f}×{share}", ha="right")
    _key(figure, 8 if slim else left, _TOP + height + _BOTTOM - 12, slim=slim)
    return figure


def _whole(most: float, count: int) -> list[int]:
    step = max(1, round(most / count))
    return list(range(step, int(most) + 1, step))


def _key(figure: Figure, x: float, y: float, *, slim: bool) -> None:
    axes = drawing.pixel_axes(figure)
    second, third = (76, 176) if slim else (90, 210)
    axes.barh(y, 14, 10, x, color=BLUE)
    axes.plot([x + second, x + second + 16], [y, y], color=INK, linewidth=1.4, marker="|", markersize=8)
    axes.plot([x + third + 4] * 2, [y - 7, y + 7], color=VERMILLION, linewidth=2.4)
    best = "at best" if slim else "at best: as many times as there are workers"
    for offset, text in ((20, "speed-up"), (second + 24, "95 % interval"), (third + 12, best)):
        drawing.write_small(figure, x + offset, y, text)
