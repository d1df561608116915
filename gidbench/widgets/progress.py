"""Progress in a notebook that a person runs: one bar in one place, gone when the work is done."""

from __future__ import annotations

import html
import time
from typing import Any

from gidbench.engine import Progress, ProgressCallback
from gidbench.widgets.presence import in_batch

_INTERVAL_S = 0.25


def bar() -> ProgressCallback | None:
    """A callback that moves a bar; None in a batch, whose progress goes to the one who waits for it."""
    if in_batch():
        return None
    from IPython.core.getipython import get_ipython
    from IPython.display import HTML, display

    shown = _Bar(display(HTML(_page("starting", 0, 0)), display_id=True))
    shell = get_ipython()
    if shell is not None:
        _end_with_the_cell(shown, shell.events)
    return shown


def _end_with_the_cell(shown: _Bar, events: Any) -> None:
    """Take the bar away when its cell has ended, also by an error, after which no last step comes."""

    def end(*_: object) -> None:
        events.unregister("post_run_cell", end)
        shown.show("")

    events.register("post_run_cell", end)


class _Bar:
    """Plain HTML that is replaced: a saved notebook keeps no widget whose kernel is gone."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._shown_at = 0.0

    def __call__(self, step: Progress) -> None:
        now = time.monotonic()
        if not step.last and now - self._shown_at < _INTERVAL_S:
            return
        self._shown_at = now
        self.show("" if step.last else _page(step.phase, step.done, step.total))

    def show(self, page: str) -> None:
        if self._handle is not None:  # outside IPython nothing is displayed
            from IPython.display import HTML

            self._handle.update(HTML(page))


def _page(phase: str, done: int, total: int) -> str:
    value = f' value="{min(1.0, done / total):.3f}"' if total > 1 else ""
    told = html.escape(phase)
    return (
        f'<div><progress max="1"{value} aria-label="{told}" style="width:18em;vertical-align:middle"></progress> '
        f"<span>{told}</span></div>"
    )
