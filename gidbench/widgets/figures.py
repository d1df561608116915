"""Figures for notebooks: those of the report, one at a time."""

from __future__ import annotations

from typing import Any

from gidbench.bench.results import RunResults, load_results
from gidbench.bench.session import Measurement
from gidbench.report.figures import draw_rounds
from gidbench.report.view import build_view


def rounds(measurement: Measurement) -> Any:
    """Display object: every round of a measurement as a point, with medians and intervals."""
    from IPython.display import HTML

    header = load_results(measurement.path).header
    measured = RunResults(header, [], measurement.results)
    figure = draw_rounds(build_view(measured, "").operations[0]).wide
    return HTML(f'<div style="max-width: 700px">{figure}</div>')
