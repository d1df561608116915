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
from gidbench.report.standalone import save_svg
from gidbench.report.svg import BLUE, RULE, SURFACE, VERMILLION, new_figure
from gidbench.units import format_bytes, format_seconds

_WIDTH, _LEFT, _GAP, _TALL, _TOP, _HEAD, _FOOT, _KEY = 900, 84, 90, 220, 44, 44, 48, 20


def save_scaling(result: Scaling, path: Path) -> None:
    """Draw it as an SVG file. There must be a growth that was measured."""
    told = "; ".join(
        f"{growth.title}: {what} {_exponent(fit)}"
        for growth in result.growths
        for what, fit in (("time", growth.time), ("memory", growth.memory))
    )
    title = f"gidbench bench {result.operation}: time and memory against records"
    save_svg(path, "scaling", title, told, lambda: _draw(result))


def _draw(result: Scaling) -> Figure:
    growths = [growth for growth in result.growths if growth.measured]
    row = _HEAD + _TALL + _FOOT
    figure = new_figure(_WIDTH, _TOP + row * len(growths) + _KEY)
    title = f"gidbench bench {result.operation}, {result.database}, {result.workers} workers"
    drawing.write(figure, 16, 20, title, fontweight="bold")
    wide = (_WIDTH - _LEFT - _GAP - 24) // 2
    for index, growth in enumerate(growths):
        top = _TOP + row * index + _HEAD
        for place, (what, fit, values, show) in enumerate(_panels(growth)):
            left = _LEFT + place * (wide + _GAP)
            drawing.write(figure, left, top - 30, f"{growth.title}: {what}", fontsize=drawing.TEXT)
            drawing.write_small(figure, left, top - 12, _exponent(fit))
            axes = drawing.bare_axes(figure, left, top, wide, _TALL)
            _panel(axes, growth, fit, values, show)
    _key(figure, _LEFT, _TOP + row * len(growths) + 2)
    return figure


def _key(figure: Figure, x: float, y: float) -> None:
    """What the marks mean."""
    axes = drawing.pixel_axes(figure)
    _mark_processes(axes, [x], [y])
    axes.plot([x + 110], [y], marker="D", markersize=7, color=VERMILLION)
    axes.plot([x + 190, x + 214], [y, y], color=VERMILLION, linewidth=1.6)
    for offset, text in ((10, "a process"), (120, "median"), (222, "constant + factor · records ^ exponent")):
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


def _exponent(fit: Fit | None) -> str:
    if fit is None or fit.exponent is None or fit.low is None or fit.high is None:
        return "no exponent" + (f": {fit.note}" if fit and fit.note else "")
    return f"records ^ {fit.exponent:.2f}, 95 % interval {fit.low:.2f} – {fit.high:.2f}"


def _ticks(axis: Axis, base: int, show: Callable[[float], str]) -> None:
    """At powers of a base, with round numbers."""
    axis.set_major_locator(LogLocator(base, numticks=8))
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
    _ticks(axes.xaxis, 10, drawing.round_rate)
    _ticks(axes.yaxis, 10 if show is format_seconds else 4, show)
    axes.grid(color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    for size in sizes:
        _mark_processes(axes, [size.records] * len(values(size)), values(size))
    middles = [statistics.median(values(size)) for size in sizes]
    axes.plot(records, middles, linestyle="none", marker="D", markersize=7, color=VERMILLION, clip_on=False)
    if fit is not None and fit.exponent is not None:
        line = np.geomspace(min(records), max(records), 100)
        axes.plot(line, [fit.value(float(each)) for each in line], color=VERMILLION, linewidth=1.6)
        if fit.constant > axes.get_ylim()[0]:
            axes.axhline(fit.constant, color=VERMILLION, linewidth=1, dashes=(2, 3))
            axes.annotate(
                "constant", (1, fit.constant), (-2, 5), xycoords=axes.get_yaxis_transform(),
                textcoords="offset points", ha="right", fontsize=drawing.SMALL - 1, color=VERMILLION,
            )  # fmt: skip
