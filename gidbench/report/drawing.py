"""What the figures are drawn with: places in pixels from the upper left, one style for all."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from gidbench.report.svg import INK, MUTED, SURFACE

TEXT = 12
SMALL = 11


def bare_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place in pixels from the upper left, without frame, tick marks and y ticks."""
    whole_width, whole_height = figure.get_size_inches() * 72
    axes = figure.add_axes(
        (left / whole_width, 1 - (top + height) / whole_height, width / whole_width, height / whole_height)
    )
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=MUTED, pad=6)
    axes.yaxis.set_major_locator(NullLocator())
    return axes


def pixel_axes(figure: Figure) -> Axes:
    """Axes over the whole figure whose coordinates are pixels from the upper left."""
    width, height = figure.get_size_inches() * 72
    axes = bare_axes(figure, 0, 0, width, height)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.xaxis.set_major_locator(NullLocator())
    return axes


def write(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Text with its middle line at a place in pixels from the upper left; `$` is a dollar sign."""
    width, height = figure.get_size_inches() * 72
    look = {"fontsize": TEXT, "color": INK, "va": "center_baseline", "parse_math": False, **style}
    figure.text(x / width, 1 - y / height, text, **look)


def write_small(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """As `write`, but what is read second."""
    write(figure, x, y, text, **{"fontsize": SMALL, "color": MUTED, **style})


def interval(axes: Axes, low: float, high: float, y: float) -> None:
    """A thin line with ends; a rim in the page's colour sets it off from the bar that it lies on, in any scheme."""
    axes.plot([low, high], [y, y], color=SURFACE, linewidth=4, solid_capstyle="butt")
    axes.plot([low, high], [y, y], color=INK, linewidth=1.4, marker="|", markersize=8, markeredgewidth=1.4)


def shortened(text: str, longest: int) -> str:
    """The text in one line of so many characters; the tables have it in full."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def time_axis(axes: Axes, longest: float, ticks: int) -> None:
    """Round times, all in the unit that fits the longest."""
    scale, unit = next((pair for pair in ((1.0, "s"), (1e-3, "ms")) if longest >= pair[0]), (1e-6, "µs"))
    axes.xaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / scale:g} {unit}" if value > 0 else "0")
