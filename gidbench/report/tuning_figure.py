"""The surface of a tuning as heat maps: speed against the defaults by two settings, a panel for each of the others."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gidbench.bench.tuning import NOT_TRIED, Cell, Tuning
from gidbench.bench.tuning_space import TITLES, shown
from gidbench.report import drawing
from gidbench.report.standalone import save_svg
from gidbench.report.svg import INK, MUTED, RULE, new_figure

# Orange (slower) over near white (the defaults) to blue (faster): told apart with any kind of colour vision, and the
# ratio stands in each field besides.
_COLOURS = LinearSegmentedColormap.from_list("ratio", ["#b35806", "#f7f4ef", "#0d5ea8"])
_FIELD_WIDTH, _FIELD_HEIGHT, _GAP = 76, 40, 40
_LEFT, _TOP, _PANEL_HEAD, _FOOT = 84, 76, 44, 60
_ACROSS = ("batch_size", "workers", "pool_size", "strategy", "mode")  # what stands on the axes, in this order
_MOST_WIDTH = 1_000


def save_surface(result: Tuning, path: Path, said: str) -> None:
    """Draw it as an SVG file; `said` is what came out, in a sentence."""
    title = f"gidbench tune {result.operation}: speed against the defaults"
    save_svg(path, "tune", title, f"{said} {_description(result)}", lambda: _draw(result, said))


def _description(result: Tuning) -> str:
    names = result.space.searched
    return "; ".join(
        f"{cell.point.told(names)}: {cell.ratio:.2f}" for cell in result.cells if cell.ratio is not None
    )


def _draw(result: Tuning, said: str) -> Figure:
    names = [name for name in _ACROSS if name in result.space.searched]
    across, down, others = names[:1], names[1:2], names[2:]
    columns: Sequence[Any] = result.space.values[across[0]] if across else ("",)
    rows: Sequence[Any] = result.space.values[down[0]] if down else ("",)
    panels = [
        panel
        for panel in itertools.product(*(result.space.values[name] for name in others))
        if any(
            _is_of(cell, others, panel) and (cell.records or cell.note != NOT_TRIED) for cell in result.cells
        )
    ]
    width, height = _FIELD_WIDTH * len(columns), _FIELD_HEIGHT * len(rows)
    beside = max(1, min(len(panels), (_MOST_WIDTH - _LEFT) // (width + _GAP)))
    below = math.ceil(len(panels) / beside)
    whole = max(_LEFT + beside * (width + _GAP), 620)
    figure = new_figure(whole, _TOP + below * (_PANEL_HEAD + height + _FOOT))
    drawing.write(figure, 16, 18, f"gidbench tune {result.operation}, {result.database}", fontweight="bold")
    for line, text in enumerate(textwrap.wrap(said, whole // 6)[:3]):
        drawing.write_small(figure, 16, 40 + 16 * line, text)
    norm = _norm(result.cells)
    for index, panel in enumerate(panels):
        left = _LEFT + (index % beside) * (width + _GAP)
        top = _TOP + _PANEL_HEAD + (index // beside) * (_PANEL_HEAD + height + _FOOT)
        told = ", ".join(f"{TITLES[name]} {shown(value)}" for name, value in zip(others, panel, strict=True))
        drawing.write(figure, left, top - 16, told or "x the defaults' speed, on the most records tried")
        axes = drawing.bare_axes(figure, left, top, width, height)
        axes.set_xlim(0, len(columns))
        axes.set_ylim(len(rows), 0)
        cells = [cell for cell in result.cells if _is_of(cell, others, panel)]
        for (x, column), (y, row) in itertools.product(enumerate(columns), enumerate(rows)):
            wanted = [*zip(across, (column,), strict=False), *zip(down, (row,), strict=False)]
            found = [
                cell for cell in cells if all(getattr(cell.point, name) == value for name, value in wanted)
            ]
            _field(axes, x, y, found[0] if found else None, result, norm)
        _label(axes, across, columns, down, rows)
    return figure


def _is_of(cell: Cell, names: Sequence[str], values: Sequence[Any]) -> bool:
    return all(getattr(cell.point, name) == value for name, value in zip(names, values, strict=True))


def _norm(cells: Sequence[Cell]) -> TwoSlopeNorm:
    """1, the defaults, in the middle; as far to either side as the surface goes, but no less than 20 %."""
    ratios = [math.log2(cell.ratio) for cell in cells if cell.ratio]
    far = max([math.log2(1.2), *(abs(ratio) for ratio in ratios)])
    return TwoSlopeNorm(0, -min(far, 2), min(far, 2))


def _field(axes: Axes, x: int, y: int, cell: Cell | None, result: Tuning, norm: TwoSlopeNorm) -> None:
    middle: dict[str, Any] = {"ha": "center", "va": "center", "parse_math": False}
    if cell is None or cell.ratio is None:
        axes.add_patch(
            Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, facecolor="none", edgecolor=RULE, hatch="///")
        )
        why = "" if cell is None else "stopped" if cell.note.startswith("stopped") else "not tried"
        axes.text(x + 0.5, y + 0.5, why, fontsize=drawing.SMALL - 1, color=MUTED, **middle)
        return
    level = min(max(float(norm(math.log2(cell.ratio))), 0.0), 1.0)
    axes.add_patch(Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, facecolor=_COLOURS(level), linewidth=0))
    ink = "#ffffff" if abs(level - 0.5) > 0.3 else "#1a1f24"
    chosen, default = cell.point == result.chosen, cell.point == result.space.default
    weight = "bold" if chosen else "normal"
    axes.text(
        x + 0.5, y + 0.36, f"{cell.ratio:.2f}", fontsize=drawing.TEXT, color=ink, fontweight=weight, **middle
    )
    below = "defaults" if default else _short(cell.records or 0)
    axes.text(x + 0.5, y + 0.72, below, fontsize=drawing.SMALL - 1, color=ink, **middle)
    if chosen:
        frame = Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, facecolor="none", edgecolor=INK, linewidth=2.2)
        axes.add_patch(frame)


def _short(records: int) -> str:
    return f"of {records / 1e6:g}M" if records >= 1_000_000 else f"of {records / 1e3:.3g}K"


def _label(
    axes: Axes, across: Sequence[str], columns: Sequence[Any], down: Sequence[str], rows: Sequence[Any]
) -> None:
    axes.set_xticks([x + 0.5 for x in range(len(columns))], [shown(value) for value in columns])
    axes.set_yticks([y + 0.5 for y in range(len(rows))], [shown(value) for value in rows])
    look: dict[str, Any] = {"fontsize": drawing.SMALL, "color": MUTED}
    if across:
        axes.set_xlabel(TITLES[across[0]], **look)
    if down:
        axes.set_ylabel(TITLES[down[0]], **look)
