"""Progress in a notebook that a person runs: one bar, gone when the work is done."""

from __future__ import annotations

import os
from typing import Any

from gidbench.bench.progress_file import VARIABLE
from gidbench.engine import Progress, ProgressCallback


def bar() -> ProgressCallback | None:
    """A callback that moves a widget; None in a batch, whose progress goes to the one who waits for it."""
    if os.environ.get(VARIABLE):
        return None
    import ipywidgets
    from IPython.display import display

    gauge = ipywidgets.FloatProgress(min=0.0, max=1.0, layout={"width": "24em"})
    label = ipywidgets.Label("starting")
    box = ipywidgets.HBox([gauge, label])
    display(box)
    return _Bar(box, gauge, label)


class _Bar:
    def __init__(self, box: Any, gauge: Any, label: Any) -> None:
        self._box, self._gauge, self._label = box, gauge, label

    def __call__(self, step: Progress) -> None:
        if step.last:
            self._box.close()  # an executed notebook keeps no dead widget
            return
        self._gauge.value = step.done / max(1, step.total)
        self._label.value = step.phase
