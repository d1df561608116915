"""The figures of what goes beyond one run's cases: growth, workers, settings, the previous run, history."""

from __future__ import annotations

from gidbench.bench.scaling import Scaling
from gidbench.bench.tuning import Tuning
from gidbench.report.efficiency_figure import draw_efficiency, efficiency_said
from gidbench.report.inline import Drawing, both
from gidbench.report.past import ComparisonView, TrendView
from gidbench.report.past_figures import comparison_said, draw_comparison, draw_history, history_said
from gidbench.report.scaling_figure import draw_scaling, scaling_said
from gidbench.report.tuning_figure import draw_surface, surface_said


def scaling(key: str, title: str, result: Scaling) -> Drawing | None:
    """Time and memory against records; None where nothing was measured. `key` is unique on the page."""
    if not any(growth.measured for growth in result.growths):
        return None
    what = f"{title}: time and memory against records"
    return both(key, what, scaling_said(result), lambda width: draw_scaling(result, width))


def efficiency(key: str, title: str, result: Scaling) -> Drawing | None:
    """What workers gain; None where there are not several to compare."""
    if len(result.efficiencies) < 2:
        return None
    what = f"{title}: speed-up by several workers"
    return both(key, what, efficiency_said(result), lambda width: draw_efficiency(result, width))


def surface(key: str, title: str, result: Tuning) -> Drawing | None:
    """Speed against the defaults by settings; None where nothing was searched or measured."""
    if not result.space.searched or not any(cell.ratio for cell in result.cells):
        return None
    what = f"{title}: speed against the defaults, by settings"
    return both(key, what, surface_said(result), lambda width: draw_surface(result, width))


def comparison(key: str, title: str, view: ComparisonView | None) -> Drawing | None:
    """Times against those of the previous run; None where there is none."""
    if view is None or not view.drawn:
        return None
    what = f"{title}: time against the previous run"
    return both(key, what, comparison_said(view), lambda width: draw_comparison(view, width))


def history(key: str, title: str, view: TrendView | None) -> Drawing | None:
    """Records per second from run to run; None where there are not several."""
    if view is None:
        return None
    what = f"{title}: records per second from run to run"
    return both(key, what, history_said(view), lambda width: draw_history(view, width))
