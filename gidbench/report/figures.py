"""The figures of an operation's cases, each in two widths: for a page, and for a phone (see `inline`)."""

from __future__ import annotations

import math
from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from gidbench.report import drawing, ratio_figure
from gidbench.report.cases import OUTSIDE
from gidbench.report.inline import SLIM, Drawing, both
from gidbench.report.svg import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    RULE,
    SURFACE,
    VERMILLION,
    new_figure,
)
from gidbench.report.view import OperationView
from gidbench.tiers import TARGET_PER_SECOND, TIERS
from gidbench.units import format_bytes, format_seconds, round_rate

_MOST_POINTS = 200  # rounds drawn per case; more would only make the page heavy


def draw_rounds(operation: OperationView) -> Drawing:
    """Each round as a point, with the median and its 95 % interval, on a logarithmic scale with the tiers."""
    said = [
        f"{case.variant}: failed" if case.failed else f"{case.variant}: median {case.rate} {case.interval}"
        for case in operation.cases
    ]
    return _both(operation, "rounds", "rounds of each case, records per second", "; ".join(said), _rounds)


def draw_phases(operation: OperationView) -> Drawing | None:
    """Phases of the median round of each case, end to end; None where no case has any."""
    if not any(case.phases for case in operation.measured):
        return None
    said = [
        f"{case.variant}, {format_seconds(case.wall_s)}: "
        + ", ".join(f"{phase.name} {phase.time} ({phase.share})" for phase in case.phases)
        for case in operation.measured
    ]
    return _both(operation, "phases", "phases of the median round", "; ".join(said), _phases)


def draw_resources(operation: OperationView) -> Drawing | None:
    """Cores, memory and I/O of a case over its median round; None where nothing was sampled.

    The case is the headline one, or, where that failed, the first that was sampled.
    """
    case = operation.sampled
    if case is None:
        return None
    line = case.timeline
    said = (
        f"{case.variant}: at most {max(line.cpu_cores):.1f} cores in use, "
        f"memory between {format_bytes(min(line.rss_bytes))} and {format_bytes(max(line.rss_bytes))}, "
        f"at most {format_bytes(max(line.io_bytes_per_s))} per second read and written"
    )
    return _both(operation, "resources", "resources over the median round", said, _resources)


def draw_peers(operation: OperationView) -> Drawing | None:
    """How many times as fast ours is as each peer; None where none was measured."""
    if not any(peer.ratio for peer in operation.peers):
        return None

    def draw(operation: OperationView, width: int) -> Figure:
        return ratio_figure.draw_ratios(operation.peers, width)

    said = ratio_figure.said(operation.peers)
    return _both(operation, "peers", "ours against what people would otherwise use", said, draw)


def _both(
    operation: OperationView, kind: str, what: str, said: str, draw: Callable[[OperationView, int], Figure]
) -> Drawing:
    title = f"{operation.title}: {what}"
    return both(f"{operation.key}-{kind}", title, said, lambda width: draw(operation, width))


def _rounds(operation: OperationView, width: int) -> Figure:
    slim = width < SLIM
    row, top, bottom = (58, 40, 58) if slim else (42, 40, 58)
    left, right = (6, 10) if slim else (132, 84)
    cases = operation.cases
    figure = new_figure(width, top + row * len(cases) + bottom)
    axes = drawing.bare_axes(figure, left, top, width - left - right, row * len(cases))
    axes.set_ylim(row * len(cases), 0)
    _rate_axis(
        axes, [rate for case in operation.measured for rate in (*case.rates, case.rate_low, case.rate_high)]
    )
    for index, case in enumerate(cases):
        middle = row * (index + 0.5) + (8 if slim else 0)
        look = {"fontweight": "bold" if case.headline else "normal"}
        value = "failed" if case.failed else case.rate
        if slim:
            # the lines of the tiers run behind the labels, so these bring a ground of their own
            ground = {"facecolor": SURFACE, "edgecolor": "none", "pad": 2}
            y = top + row * index + 14
            drawing.write(figure, left, y, drawing.shortened(case.variant, 24), bbox=ground, **look)
            drawing.write(figure, width - right, y, value, ha="right", bbox=ground, **look)
        else:
            name = drawing.shortened(case.variant, 18)
            drawing.write(figure, left - 14, top + middle, name, ha="right", **look)
            drawing.write(figure, width - 2, top + middle, value, ha="right", **look)
        if not case.failed:
            step = max(1, -(-len(case.rates) // _MOST_POINTS))
            _mark_interval(axes, case.rate_low, case.rate_high, middle)
            _mark_rounds(axes, sorted(case.rates)[::step], middle)
            _mark_median(axes, case.rate_value, middle)
    _key(figure, 12 if slim else left, top + row * len(cases) + bottom - 12)
    return figure


def _mark_interval(axes: Axes, low: float, high: float, y: float) -> None:
    axes.plot([low, high], [y, y], color=BLUE, linewidth=2, marker="|", markersize=11, markeredgewidth=2)


def _mark_rounds(axes: Axes, values: list[float], y: float) -> None:
    axes.plot(
        values, [y] * len(values), linestyle="none", clip_on=False, marker="o", markersize=7,
        markerfacecolor=SURFACE, markeredgecolor=BLUE, markeredgewidth=1.5,
    )  # fmt: skip


def _mark_median(axes: Axes, value: float, y: float) -> None:
    axes.plot([value], [y], marker="D", markersize=8, color=VERMILLION, markeredgecolor=SURFACE)


def _rate_axis(axes: Axes, rates: list[float]) -> None:
    """A logarithmic scale; lines at the bounds say which tier begins there, a dashed one is the target."""
    bounds = [bound for _, bound in TIERS if bound]
    rates = [rate for rate in rates if rate > 0]
    least, most = min([*rates, min(bounds) / 1.25]) / 1.25, max([*rates, max(bounds) * 1.6]) * 1.25
    axes.set_xscale("log")
    axes.set_xlim(least, most)
    decades = [10.0**power for power in range(math.ceil(math.log10(least)), math.floor(math.log10(most)) + 1)]
    ticks = sorted({*bounds, *(each for each in decades if all(max(each / b, b / each) > 3 for b in bounds))})
    axes.set_xticks(ticks, [round_rate(tick) for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    pixels_per_e = axes.bbox.width / math.log(most / least)
    for index, (name, bound) in enumerate(TIERS):
        begin, end = max(bound, least), TIERS[index - 1][1] if index else most
        room = pixels_per_e * math.log(end / begin)
        if bound:
            axes.axvline(bound, color=RULE, linewidth=1, zorder=0)
        elif room < 70:  # below the lowest bound there may be no room for a word
            continue
        lines = name.split() if room < 76 else [name]
        for line, text in enumerate(reversed(lines)):
            axes.annotate(
                text, (begin, 1), (4 if bound else 0, 8 + 12 * line), xycoords=axes.get_xaxis_transform(),
                textcoords="offset points", fontsize=10, color=MUTED, fontweight="bold",
            )  # fmt: skip
    axes.axvline(TARGET_PER_SECOND, color=VERMILLION, linewidth=1.2, dashes=(4, 3), zorder=0)


def _key(figure: Figure, x: float, y: float) -> None:
    """What the marks mean, in a line of its own."""
    axes = drawing.pixel_axes(figure)
    _mark_rounds(axes, [x], y)
    _mark_median(axes, x + 82, y)
    _mark_interval(axes, x + 144, x + 156, y)
    axes.plot([x + 254] * 2, [y - 7, y + 7], color=VERMILLION, linewidth=1.2, dashes=(4, 3))
    for offset, text in ((10, "one round"), (92, "median"), (163, "95 % interval"), (260, "target")):
        drawing.write_small(figure, x + offset, y, text)


def _phases(operation: OperationView, width: int) -> Figure:
    slim = width < SLIM
    row, gap, head, bottom = 20, 12, 24, 22
    left, right = (130, 90) if slim else (150, 116)
    cases = [case for case in operation.measured if case.phases]
    height = sum(head + row * len(case.phases) + gap for case in cases)
    figure = new_figure(width, height + bottom)
    axes = drawing.bare_axes(figure, left, 0, width - left - right, height)
    axes.set_ylim(height, 0)
    longest = max(case.wall_s for case in cases)
    axes.set_xlim(0, longest)
    drawing.time_axis(axes, longest, 3 if slim else 6)
    axes.grid(axis="x", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    y = 0.0
    for case in cases:
        look = {"fontweight": "bold" if case.headline else "normal"}
        drawing.write(figure, 2, y + head / 2, drawing.shortened(case.variant, 17 if slim else 24), **look)
        drawing.write(figure, width - 2, y + head / 2, format_seconds(case.wall_s), ha="right", **look)
        axes.plot([0, case.wall_s], [y + head / 2] * 2, color=INK, linewidth=2, solid_capstyle="butt")
        y += head
        for phase in case.phases:
            middle, outside = y + row / 2, phase.name == OUTSIDE
            axes.barh(
                middle, max(phase.seconds, longest / 400), 12, phase.start_s, linewidth=1,
                color=SURFACE if outside else BLUE, edgecolor=MUTED if outside else BLUE,
            )  # fmt: skip
            drawing.write_small(figure, 10, middle, drawing.shortened(phase.name, 19 if slim else 22))
            drawing.write_small(figure, width - 42, middle, phase.time, ha="right")
            drawing.write_small(figure, width - 2, middle, phase.share, ha="right")
            y += row
        y += gap
    return figure


def _resources(operation: OperationView, width: int) -> Figure:
    case = operation.sampled
    assert case is not None
    line, usable, edges = case.timeline, operation.usable_cores, [0.0, *case.timeline.t_s]
    left, right, tall, pitch = 72, 24, 58, 92
    figure = new_figure(width, pitch * 3 + 20)
    panels = (
        ("CPU cores in use", line.cpu_cores, BLUE, usable or max(*line.cpu_cores, 1), "{:.2g}".format),
        ("memory, resident", line.rss_bytes, GREEN, max(line.rss_bytes), format_bytes),
        (
            "read and written per second",
            line.io_bytes_per_s,
            VERMILLION,
            max(line.io_bytes_per_s),
            format_bytes,
        ),
    )
    for index, (name, values, colour, most, label) in enumerate(panels):
        axes = drawing.bare_axes(figure, left, pitch * index + 26, width - left - right, tall)
        axes.set_xlim(0, edges[-1])
        axes.set_ylim(0, max(most, *values, 1) * 1.08)
        axes.axhline(0, color=RULE, linewidth=1, clip_on=False)
        axes.axhline(most, color=RULE, linewidth=0.8, dashes=(2, 3))
        axes.set_yticks([0, most] if most else [0], ["0", label(most)] if most else ["0"])
        axes.stairs(values, edges, color=colour, fill=True, alpha=0.22, linewidth=0)
        axes.stairs(values, edges, color=colour, baseline=None, linewidth=1.8)
        drawing.write(figure, left, pitch * index + 12, name, fontweight="bold")
        drawing.time_axis(axes, edges[-1], 4 if width < SLIM else 8)
        axes.tick_params(labelbottom=index == len(panels) - 1)
    if usable:
        drawing.write_small(figure, width - right, 12, f"{usable} usable", ha="right")
    return figure
