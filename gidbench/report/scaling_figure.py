"""Time and memory against records, both on logarithmic scales, with the curves that were fitted."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from gidbench.bench.scaling import Growth, Scaling, Size
from gidbench.bench.scaling_fit import Fit
from gidbench.report import drawing
from gidbench.report.inline import SLIM
from gidbench.report.standalone import save_svg
from gidbench.report.svg import BLUE, RULE, SURFACE, VERMILLION, new_figure
from gidbench.units import format_bytes, format_seconds, round_rate

_STANDALONE_WIDTH, _TITLE, _LEFT, _RIGHT, _GAP = 900, 34, 68, 14, 78
_HEAD, _FOOT, _KEY = 44, 40, 22


def save_scaling(result: Scaling, path: Path) -> None:
    """Draw it as an SVG file. There must be a growth that was measured."""
    title = f"gidbench bench {result.operation}: time and memory against records"
    heading = f"gidbench bench {result.operation}, {result.database}, {result.workers} workers"
    save_svg(
        path, "scaling", title, scaling_said(result), lambda: draw_scaling(result, _STANDALONE_WIDTH, heading)
    )


def scaling_said(result: Scaling) -> str:
    """What the figure shows, for those who do not see it."""
    return "; ".join(
        f"{growth.title}: {what} {_exponent(fit)}"
        for growth in result.growths
        for what, fit in (("time", growth.time), ("memory", growth.memory))
    )


def draw_scaling(result: Scaling, width: int, heading: str = "") -> Figure:
    """Of each growth that was measured time and memory, beside or (on a phone) below each other."""
    growths = [growth for growth in result.growths if growth.measured]
    slim = width < SLIM
    tall = 150 if slim else 200
    row = _HEAD + tall + _FOOT
    panels = [(growth, panel) for growth in growths for panel in _panels(growth)]
    beside = 1 if slim else 2
    top = _TITLE if heading else 0
    height = top + row * (len(panels) // beside) + _KEY
    figure = new_figure(width, height)
    if heading:
        drawing.write(figure, 4, 14, heading, fontweight="bold")
    wide = (width - _LEFT - _RIGHT - _GAP * (beside - 1)) // beside
    for index, (growth, (what, fit, values, show)) in enumerate(panels):
        left, y = _LEFT + (index % beside) * (wide + _GAP), top + row * (index // beside) + _HEAD
        name = drawing.shortened(f"{growth.variant}: {what}", wide // 7)
        drawing.write(figure, left, y - 32, name, fontweight="bold")
        drawing.write_small(figure, left, y - 14, _exponent(fit, short=True))
        axes = drawing.bare_axes(figure, left, y, wide, tall)
        _panel(axes, growth, fit, values, show)
    _key(figure, 8 if slim else _LEFT, height - 10, slim=slim)
    return figure


def _key(figure: Figure, x: float, y: float, *, slim: bool) -> None:
    """What the marks mean."""
    axes = drawing.pixel_axes(figure)
    _mark_processes(axes, [x], [y])
    second, third = (88, 160) if slim else (110, 190)
    axes.plot([x + second], [y], marker="D", markersize=7, color=VERMILLION)
    axes.plot([x + third, x + third + 24], [y, y], color=VERMILLION, linewidth=1.6)
    fitted = "what was fitted" if slim else "constant + factor · records ^ exponent"
    for offset, text in ((10, "a process"), (second + 10, "median"), (third + 32, fitted)):
        drawing.write_small(figure, x + offset, y, text)


def _mark_processes(axes: Axes, x: Sequence[float], y: Sequence[float]) -> None:
    axes.plot(
        x, y, linestyle="none", marker="o", markersize=6, markerfacecolor=SURFACE, markeredgecolor=BLUE,
        markeredgewidth=1.4, clip_on=False,
    )  # fmt: skip


def _panels(
    growth: Growth,
) -> list[tuple[str, Fit | None, Callable[[Size], list[float]], Callable[[float], str]]]:
    return [
        ("time", growth.time, lambda size: size.seconds, format_seconds),
        ("own memory", growth.memory, lambda size: [float(own) for own in size.own_bytes], format_bytes),
    ]


def _exponent(fit: Fit | None, *, short: bool = False) -> str:
    if fit is None or fit.exponent is None or fit.low is None or fit.high is None:
        return "no exponent" + (f": {fit.note}" if fit and fit.note else "")
    interval = (
        f"[{fit.low:.2f}, {fit.high:.2f}]" if short else f"95 % interval {fit.low:.2f} – {fit.high:.2f}"
    )
    return f"records ^ {fit.exponent:.2f}{' ' if short else ', '}{interval}"


def _ticks(axis: Axis, base: int, show: Callable[[float], str]) -> None:
    """At powers of a base, with round numbers."""
    axis.set_major_locator(LogLocator(base, numticks=6))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: re.sub(r"\.0+ ", " ", show(value)))


def _panel(
    axes: Axes,
    growth: Growth,
    fit: Fit | None,
    values: Callable[[Size], list[float]],
    show: Callable[[float], str],
) -> None:
    sizes = growth.measured
    axes.set_xscale("log")
    axes.set_yscale("log")
    records = [size.records for size in sizes]
    axes.set_xlim(min(records) / 1.4, max(records) * 1.4)
    every = [value for size in sizes for value in values(size)]
    axes.set_ylim(min(every) / 1.6, max(every) * 1.6)
    _ticks(axes.xaxis, 10, round_rate)
    _ticks(axes.yaxis, 10 if show is format_seconds else 4, show)
    axes.grid(color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    for size in sizes:
        _mark_processes(axes, [size.records] * len(values(size)), values(size))
    middles = [statistics.median(values(size)) for size in sizes]
    axes.plot(records, middles, linestyle="none", marker="D", markersize=7, color=VERMILLION, clip_on=False)
    if fit is not None and fit.exponent is not None:
        line = np.geomspace(min(records), max(records), 60)
        axes.plot(line, [fit.value(float(each)) for each in line], color=VERMILLION, linewidth=1.6)
        if axes.get_ylim()[0] < fit.constant < axes.get_ylim()[1]:
            axes.axhline(fit.constant, color=VERMILLION, linewidth=1, dashes=(2, 3))
            axes.annotate(
                "constant", (1, fit.constant), (-2, 5), xycoords=axes.get_yaxis_transform(),
                textcoords="offset points", ha="right", fontsize=drawing.SMALL - 1, color=VERMILLION,
            )  # fmt: skip
