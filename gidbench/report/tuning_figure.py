"""The surface of a tuning as heat maps: speed against the defaults by two settings, a panel for each of the others."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gidbench.bench.tuning import NOT_TRIED, Cell, Tuning
from gidbench.bench.tuning_space import TITLES, shown
from gidbench.report import drawing
from gidbench.report.inline import SLIM
from gidbench.report.standalone import save_svg
from gidbench.report.study import ACROSS, MOST_PANELS
from gidbench.report.svg import INK, MUTED, RULE, new_figure

# Orange (slower) over near white (the defaults) to blue (faster): told apart with any kind of colour vision, and the
# ratio stands in each field besides. They are the same on a dark page, as the ink on them is.
_COLOURS = LinearSegmentedColormap.from_list("ratio", ["#b35806", "#f7f4ef", "#0d5ea8"])
_FIELD_WIDTH, _FIELD_HEIGHT, _LEAST_FIELD, _GAP = 104, 44, 38, 40
_LEFT, _LEFT_SLIM, _PANEL_HEAD, _FOOT = 84, 62, 44, 60
_STANDALONE_WIDTH, _STANDALONE_HEAD = 900, 96
_LEAST_BESIDE = 44  # width of a field from which on two panels stand beside each other


def save_surface(result: Tuning, path: Path, said: str) -> None:
    """Draw it as an SVG file; `said` is what came out, in a sentence."""
    title = f"gidbench tune {result.operation}: speed against the defaults"
    heading = f"gidbench tune {result.operation}, {result.database}"

    def draw() -> Figure:
        figure = draw_surface(result, _STANDALONE_WIDTH, top=_STANDALONE_HEAD)
        drawing.write(figure, 16, 18, heading, fontweight="bold")
        for line, text in enumerate(textwrap.wrap(said, _STANDALONE_WIDTH // 6)[:3]):
            drawing.write_small(figure, 16, 40 + 16 * line, text)
        return figure

    save_svg(path, "tune", title, f"{said} {surface_said(result)}", draw)


def surface_said(result: Tuning) -> str:
    """What the figure shows, for those who do not see it."""
    names = result.space.searched
    return "; ".join(
        f"{cell.point.told(names)}: {cell.ratio:.2f}" for cell in result.cells if cell.ratio is not None
    )


@dataclass(frozen=True)
class _Grid:
    """What stands across, what below each other, and what has panels of its own."""

    across: tuple[str, ...]
    down: tuple[str, ...]
    others: tuple[str, ...]
    columns: tuple[Any, ...]
    rows: tuple[Any, ...]
    panels: tuple[tuple[Any, ...], ...]


def draw_surface(result: Tuning, width: int, *, top: int = 0) -> Figure:
    """The panels as they fit into a width, from `top` on."""
    slim = width < SLIM
    grid = _grid(result, slim=slim)
    left = _LEFT_SLIM if slim else _LEFT
    room = width - left - 4
    half = (room - left - _GAP) // 2
    beside = 2 if len(grid.panels) > 1 and half // len(grid.columns) >= _LEAST_BESIDE else 1
    field = max(_LEAST_FIELD, min(_FIELD_WIDTH, (half if beside > 1 else room) // len(grid.columns)))
    wide, tall = field * len(grid.columns), _FIELD_HEIGHT * len(grid.rows)
    below = math.ceil(len(grid.panels) / beside)
    pitch = _PANEL_HEAD + tall + _FOOT
    figure = new_figure(width, top + below * pitch)
    norm = _norm(result.cells)
    for index, panel in enumerate(grid.panels):
        x = left + (index % beside) * (wide + _GAP + left)
        y = top + _PANEL_HEAD + (index // beside) * pitch
        told = ", ".join(  # a strategy or mode is known by its name alone
            value if isinstance(value, str) else f"{TITLES[name]} {shown(value)}"
            for name, value in zip(grid.others, panel, strict=True)
        )
        heading = told or (
            "× the defaults' speed" if slim else "× the defaults' speed, on the most records tried"
        )
        drawing.write(
            figure, x, y - 16, drawing.shortened(heading, int((wide if beside > 1 else room) // 6.5))
        )
        axes = drawing.bare_axes(figure, x, y, wide, tall)
        axes.set_xlim(0, len(grid.columns))
        axes.set_ylim(len(grid.rows), 0)
        axes.set_xticks([])
        _fields(axes, grid, panel, result, norm, slim=slim)
        _label(figure, grid, x, y, field, tall)
    return figure


def _grid(result: Tuning, *, slim: bool) -> _Grid:
    """The settings on the axes; on a phone the one with fewer values goes across."""
    names = [name for name in ACROSS if name in result.space.searched]
    across, down, others = tuple(names[:1]), tuple(names[1:2]), tuple(names[2:])
    values = result.space.values
    if slim and across and (not down or len(values[across[0]]) > len(values[down[0]])):
        across, down = down, across
    panels = [
        panel
        for panel in itertools.product(*(values[name] for name in others))
        if any(_is_of(cell, others, panel) and _is_known(cell) for cell in result.cells)
    ]
    best = sorted(panels, key=lambda panel: -_best_of(result, others, panel))[:MOST_PANELS]
    return _Grid(
        across,
        down,
        others,
        tuple(values[across[0]]) if across else ("",),
        tuple(values[down[0]]) if down else ("",),
        tuple(panel for panel in panels if panel in best),
    )


def _is_known(cell: Cell) -> bool:
    return bool(cell.records or cell.note != NOT_TRIED)


def _best_of(result: Tuning, names: Sequence[str], panel: Sequence[Any]) -> float:
    """The chosen one's panel is always shown; else the faster ones first."""
    if _is_of(Cell(result.chosen), names, panel):
        return math.inf
    return max((cell.ratio or 0.0 for cell in result.cells if _is_of(cell, names, panel)), default=0.0)


def _is_of(cell: Cell, names: Sequence[str], values: Sequence[Any]) -> bool:
    return all(getattr(cell.point, name) == value for name, value in zip(names, values, strict=True))


def _norm(cells: Sequence[Cell]) -> TwoSlopeNorm:
    """1, the defaults, in the middle; as far to either side as the surface goes, but no less than 20 %."""
    ratios = [math.log2(cell.ratio) for cell in cells if cell.ratio]
    far = max([math.log2(1.2), *(abs(ratio) for ratio in ratios)])
    return TwoSlopeNorm(0, -min(far, 2), min(far, 2))


def _fields(
    axes: Axes, grid: _Grid, panel: Sequence[Any], result: Tuning, norm: TwoSlopeNorm, *, slim: bool
) -> None:
    cells = [cell for cell in result.cells if _is_of(cell, grid.others, panel)]
    for (x, column), (y, row) in itertools.product(enumerate(grid.columns), enumerate(grid.rows)):
        wanted = [*zip(grid.across, (column,), strict=False), *zip(grid.down, (row,), strict=False)]
        found = [cell for cell in cells if all(getattr(cell.point, name) == value for name, value in wanted)]
        _field(axes, x, y, found[0] if found else None, result, norm, slim=slim)


def _field(
    axes: Axes, x: int, y: int, cell: Cell | None, result: Tuning, norm: TwoSlopeNorm, *, slim: bool
) -> None:
    middle: dict[str, Any] = {"ha": "center", "va": "center", "parse_math": False}
    if cell is None or cell.ratio is None:
        axes.add_patch(
            Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, facecolor="none", edgecolor=RULE, hatch="///")
        )
        why = "" if cell is None else "stopped" if cell.note.startswith("stopped") else "not tried"
        axes.text(x + 0.5, y + 0.5, why, fontsize=drawing.SMALL - 1, color=MUTED, **middle)
        return
    level = min(max(float(norm(math.log2(cell.ratio))), 0.0), 1.0)
    ground = _COLOURS(level)
    axes.add_patch(Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, facecolor=ground, linewidth=0))
    ink = ink_on(ground[:3])
    chosen, default = cell.point == result.chosen, cell.point == result.space.default
    weight = "bold" if chosen else "normal"
    axes.text(
        x + 0.5, y + 0.36, f"{cell.ratio:.2f}", fontsize=drawing.TEXT, color=ink, fontweight=weight, **middle
    )
    below = ("default" if slim else "defaults") if default else _short(cell.records or 0)
    axes.text(x + 0.5, y + 0.72, below, fontsize=drawing.SMALL - 1, color=ink, **middle)
    if chosen:
        frame = Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, facecolor="none", edgecolor=INK, linewidth=2.2)
        axes.add_patch(frame)


def ink_on(ground: Sequence[float]) -> str:
    """Black or white, whichever can be read better on a colour: 4.5 to 1 at least, as one of them always is."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in ground)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "#000000"


def _short(records: int) -> str:
    return f"of {records / 1e6:g}M" if records >= 1_000_000 else f"of {records / 1e3:.3g}K"


def _label(figure: Figure, grid: _Grid, left: float, top: float, field: int, tall: float) -> None:
    """The values along both axes, and which settings they are of."""
    small: dict[str, Any] = {"ha": "center"}
    for x, value in enumerate(grid.columns):
        drawing.write_small(figure, left + field * (x + 0.5), top + tall + 12, _value(value, field), **small)
    for y, value in enumerate(grid.rows):
        drawing.write_small(figure, left - 6, top + _FIELD_HEIGHT * (y + 0.5), _value(value, 52), ha="right")
    if grid.across:
        middle = left + field * len(grid.columns) / 2
        drawing.write_small(figure, middle, top + tall + 30, TITLES[grid.across[0]], **small)
    if grid.down:
        drawing.write_small(figure, left - 6, top - 14, TITLES[grid.down[0]], ha="right")


def _value(value: Any, room: float) -> str:
    """Numbers in full where there is room for them, else like 50K."""
    text = shown(value)
    if isinstance(value, int) and len(text) * 6.5 > room:
        text = f"{value / 1e6:g}M" if value >= 1_000_000 else f"{value / 1e3:g}K"
    return drawing.shortened(text, max(4, int(room // 6)))
