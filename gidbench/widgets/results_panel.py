"""What the workbench shows once a run has ended: cards, the session's runs, a comparison, the report."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets

from gidbench import reporting
from gidbench.errors import GidbenchError
from gidbench.widgets import presence, session_runs
from gidbench.widgets.cards import first_card, other_cards
from gidbench.widgets.live_numbers import escaped

_MOST_DOWNLOAD = 2_500_000  # a report is below two million bytes


class ResultsPanel:
    """Shows the latest run, its headline in `box`, and all of the session in `session`; hidden until there is one.

    Parameters
    ----------
    parent:
        Folder whose result files may be compared with.
    guarded:
        Runs what a button does, and shows what goes wrong in it as a sentence.
    """

    def __init__(self, parent: Path, guarded: Callable[[Callable[[], None]], None]) -> None:
        self._parent = parent
        self.runs: list[session_runs.SessionRun] = []
        self._title, self.card, self.others = (ipywidgets.HTML() for _ in range(3))
        self.table = ipywidgets.HTML()
        self.sort_by = ipywidgets.Dropdown(options=list(session_runs.SORTS), description="Sort by")
        self.ascending = ipywidgets.Checkbox(description="smallest first", indent=False)
        self.compare_with = ipywidgets.Dropdown(options=[("choose a run", "")], description="Compare with")
        self.comparison = ipywidgets.HTML()
        self.export = ipywidgets.Button(
            description="Export report", tooltip="Write the tier report of the latest run as one HTML file"
        ).add_class("gb-second")
        self.exported = ipywidgets.HTML()
        tools = ipywidgets.HBox([self.export, self.compare_with]).add_class("gb-tools")
        sorting = ipywidgets.HBox([self.sort_by, self.ascending]).add_class("gb-tools")
        self.box = ipywidgets.VBox([self._title, self.card]).add_class("gb-first")
        self.session = ipywidgets.VBox(
            [
                self.others,
                tools,
                self.exported,
                self.comparison,
                ipywidgets.HTML('<h3 class="gb-title">Runs of this session</h3>'),
                sorting,
                self.table,
            ]
        ).add_class("gb-results")
        self.box.layout.display = self.session.layout.display = "none"
        for control in (self.sort_by, self.ascending):
            control.observe(lambda _: self._fill_table(), "value")
        self.compare_with.observe(lambda _: guarded(self._compare), "value")
        self.export.on_click(lambda _: guarded(self._export))

    def add(self, run: session_runs.SessionRun) -> None:
        """Show a run that has ended; it is the one that is exported and compared from now on."""
        self.runs.append(run)
        self._title.value = f'<h3 class="gb-title">Results of run {run.number}</h3>'
        self.card.value = first_card(run.results, run.noise)
        others = other_cards(run.results)
        head = f'<h3 class="gb-title">The other cases of run {run.number}</h3>' if others else ""
        self.others.value = head + others
        self.exported.value = self.comparison.value = ""
        self._fill_table()
        self._offer()
        self.box.layout.display = self.session.layout.display = ""

    def _fill_table(self) -> None:
        self.table.value = session_runs.runs_table(
            self.runs, self.sort_by.value, ascending=bool(self.ascending.value)
        )

    def _offer(self) -> None:
        """Earlier runs of the session, then result files that are there."""
        earlier = [(run.title, str(run.folder)) for run in reversed(self.runs[:-1])]
        files = session_runs.result_files(self._parent, [run.folder for run in self.runs])
        options = [("choose a run", ""), *earlier, *((name, str(folder)) for name, folder in files)]
        self.compare_with.options = options
        self.compare_with.value = ""

    def _compare(self) -> None:
        chosen, now = self.compare_with.value, self.runs[-1]
        if not chosen:
            self.comparison.value = ""
            return
        name = next((run.title for run in self.runs if str(run.folder) == chosen), chosen)
        self.comparison.value = session_runs.compared(Path(chosen), now.folder, name, now.title)

    def _export(self) -> None:
        path = reporting.tier_report(self.runs[-1].folder)
        self.exported.value = exported_html(path)


def exported_html(path: Path) -> str:
    """Where a report was written, and what opens it: the server where it serves the file, and a download."""
    try:
        shown = path.resolve().relative_to(Path.cwd())
    except ValueError:
        shown = path
    link = presence.link_to(path)
    words = [f"Written to <code>{escaped(shown)}</code>"]
    if link:
        words.append(f'<a href="{escaped(link)}" target="_blank" rel="noopener">open it in a new tab</a>')
    content = path.read_bytes()
    if len(content) <= _MOST_DOWNLOAD:
        data = base64.b64encode(content).decode()
        words.append(
            f'<a href="data:text/html;base64,{data}" download="{escaped(path.name)}">download it</a>'
        )
    return f'<p class="gb-told" role="status">{" · ".join(words)}</p>'


def sentence_of(error: Exception) -> str:
    """What an error says to a person: the problem and the remedy, never a traceback."""
    if isinstance(error, GidbenchError):
        text = str(error)
        return text[:1].upper() + text[1:]
    return (
        f"Something went wrong that nobody foresaw ({type(error).__name__}). "
        "The details are in gid_system.log; please report them as a fault."
    )


def message(kind: str, words: str) -> Any:
    """A sentence to the reader as HTML; `kind` is problem, stopped or told."""
    sign = {"problem": "⚠", "stopped": "■"}.get(kind, "")
    mark = f'<span aria-hidden="true">{sign}</span> ' if sign else ""
    role = "alert" if kind == "problem" else "status"
    return f'<p class="gb-message gb-{kind}" role="{role}">{mark}{escaped(words)}</p>' if words else ""
