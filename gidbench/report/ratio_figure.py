"""The figure of the peers: bars of how many times as fast ours is, from 1 on a logarithmic scale."""

from __future__ import annotations

import math
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from gidbench.report import drawing
from gidbench.report.inline import SLIM
from gidbench.report.standing import PeerView, times
from gidbench.report.svg import BLUE, MUTED, RULE, SURFACE, VERMILLION, new_figure

_ROW, _HEAD, _TOP, _BOTTOM = 26, 30, 6, 50


def said(peers: tuple[PeerView, ...]) -> str:
    """The same in words, for those who do not see it."""
    return "; ".join(
        f"{peer.against} against {peer.name}: {peer.times} as fast {peer.interval}"
        for peer in peers
        if peer.ratio
    )


def draw_ratios(peers: tuple[PeerView, ...], width: int) -> Figure:
    """A bar for each peer that was measured, under the variant of ours that it is held against."""
    slim = width < SLIM
    left, right = (112, 68) if slim else (150, 84)
    groups = [(name, list(group)) for name, group in groupby(_held(peers), key=lambda peer: peer.against)]
    rows = sum(len(group) for _, group in groups)
    height = _TOP + _HEAD * len(groups) + _ROW * rows
    figure = new_figure(width, height + _BOTTOM)
    axes = drawing.bare_axes(figure, left, _TOP, width - left - right, height - _TOP)
    axes.set_ylim(height - _TOP, 0)
    _scale(axes, [value for peer in _held(peers) for value in (peer.ratio, peer.low, peer.high)])
    y = 0.0
    for name, group in groups:
        drawing.write(figure, 2, _TOP + y + _HEAD / 2, drawing.shortened(name, 28), fontweight="bold")
        y += _HEAD
        for peer in group:
            _bar(axes, peer, y + _ROW / 2)
            middle = _TOP + y + _ROW / 2
            drawing.write(
                figure, left - 10, middle, drawing.shortened(peer.name, 13 if slim else 18), ha="right"
            )
            drawing.write(figure, width - 2, middle, peer.times, ha="right")
            y += _ROW
    _key(figure, 8 if slim else left, height + _BOTTOM - 12, slim=slim)
    return figure


def _held(peers: tuple[PeerView, ...]) -> list[PeerView]:
    return [peer for peer in peers if peer.ratio]


def _bar(axes: Axes, peer: PeerView, y: float) -> None:
    """From 1 to the ratio; hollow where the interval does not say which is the faster one."""
    colour = BLUE if peer.ratio >= 1 else VERMILLION
    unsure = peer.low <= 1 <= peer.high
    begin, end = min(1.0, peer.ratio), max(1.0, peer.ratio)
    axes.barh(y, end - begin, 13, begin, linewidth=1.2, edgecolor=colour, color=SURFACE if unsure else colour)
    drawing.interval(axes, peer.low, peer.high, y)


def _scale(axes: Axes, values: list[float]) -> None:
    """Powers of ten, or of two where these are too few; always with 1, where both are equally fast."""
    known = [value for value in values if value > 0]
    least, most = min([*known, 1.0]) / 1.15, max([*known, 2.0]) * 1.15
    axes.set_xscale("log")
    axes.set_xlim(least, most)
    base = 10 if most / least > 60 else 2
    powers = range(math.ceil(math.log(least, base)), math.floor(math.log(most, base)) + 1)
    ticks = [float(base) ** power for power in powers]
    axes.set_xticks(ticks, [times(tick) for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    for tick in ticks:
        axes.axvline(tick, color=MUTED if tick == 1 else RULE, linewidth=1.4 if tick == 1 else 0.8, zorder=0)


def _key(figure: Figure, x: float, y: float, *, slim: bool) -> None:
    axes = drawing.pixel_axes(figure)
    step = (92, 88) if slim else (130, 130)
    for offset, colour, fill, text in (
        (0, BLUE, BLUE, "faster" if slim else "ours is faster"),
        (step[0], VERMILLION, VERMILLION, "slower" if slim else "ours is slower"),
        (sum(step), BLUE, SURFACE, "not sure" if slim else "not sure which"),
    ):
        axes.barh(y, 14, 10, x + offset, color=fill, edgecolor=colour, linewidth=1.2)
        drawing.write_small(figure, x + offset + 20, y, text)
