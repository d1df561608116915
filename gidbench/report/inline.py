"""A figure in two widths, for a page and for a phone, each as inline SVG.

A figure that is only scaled down cannot be read on a phone, so the narrow one is laid out anew. All sizes
are in CSS pixels; see `svg` for how colours and fonts become the page's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from gidbench.report.svg import inline_svg, own_style

WIDTHS = (("wide", 700), ("narrow", 340))
SLIM = 500  # a figure that is not as wide is laid out for a phone


@dataclass(frozen=True)
class Drawing:
    """A figure: inline SVG for a wide and for a narrow page, with equal text alternatives."""

    wide: str
    narrow: str


def both(prefix: str, title: str, said: str, draw: Callable[[int], Figure]) -> Drawing:
    """What `draw` makes of each width; `prefix` is unique on the page, `title` and `said` tell who can't see it."""
    sources = {}
    for name, width in WIDTHS:
        own = f"{prefix}-{name}"
        with own_style(own):
            sources[name] = inline_svg(draw(width), own, title, said)
    return Drawing(sources["wide"], sources["narrow"])
