"""A figure as a file of its own: an SVG with a ground and a font, that follows no page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from gidbench.files.atomic import write_text
from gidbench.report.svg import inline_svg, own_style

_FONT = "font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def save_svg(path: Path, prefix: str, title: str, description: str, draw: Callable[[], Figure]) -> None:
    """Write what `draw` makes, with a text alternative. Raises InputError where the file can't be written."""
    with own_style(prefix):
        figure = draw()
        source = inline_svg(figure, prefix, title, description)
    width, height = figure.get_size_inches() * 72
    head, end, body = source.partition(">")
    head = head.replace("stroke-linejoin: round", f"stroke-linejoin: round; color: #1a1f24; {_FONT}")
    ground = f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>'
    size = f' width="{width:g}" height="{height:g}"'
    write_text(path, f"{head}{size}{end}{ground}{body}\n")
