"""The panel of the workbench: controls, buttons, what is measured at this moment, results."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import ipywidgets

from gidbench.bench.request import Request
from gidbench.bench.session import RESULTS_FILE, Measurement, measure, new_folder
from gidbench.bench.watching import Watch
from gidbench.engine import Progress
from gidbench.errors import GidbenchError, InputError
from gidbench.log import log_to_file
from gidbench.settings import load_settings
from gidbench.units import format_seconds
from gidbench.widgets import form, live_chart, live_numbers, presence
from gidbench.widgets.controls import Controls
from gidbench.widgets.live_history import History
from gidbench.widgets.live_run import Ending, LiveRun
from gidbench.widgets.results_panel import ResultsPanel, message, sentence_of
from gidbench.widgets.session_runs import SessionRun, kept

_LOGGER = logging.getLogger("gidbench.workbench")
_VIEW = "application/vnd.jupyter.widget-view+json"
_GONE_S = 3.0  # without any view: the cell was deleted; moving one takes less
_IDLE = (
    '<div class="gb-idle"><p><strong>Nothing is measured yet.</strong></p><p>Press Run: here you see how far it is and '
    "what the machine does meanwhile, then the tier, how sure it is, and what holds it back.</p></div>"
)
STATIC = (
    "<p><strong>gidbench workbench</strong>: choose an operation, press Run, watch, compare, export. It is alive in "
    "JupyterLab, Notebook 7, VS Code and Voila only; to open it there, start <code>gidbench lab</code> and run this "
    "cell.</p>"
)


class Workbench:
    """The panel. `box` is its widget; `run`, `stop` and `finished` do what its buttons do, for programs.

    Parameters
    ----------
    out, seed:
        As for `workbench`.
    measure, make_watch:
        What measures, and what is looked at meanwhile.
    """

    def __init__(
        self,
        *,
        out: str | Path = "",
        seed: int = 7,
        measure: Callable[..., Measurement] = measure,
        make_watch: Callable[[], Watch] = Watch,
    ) -> None:
        self._measure, self._make_watch = measure, make_watch
        self._parent = Path(out) if out else Path("reports")
        self._live: LiveRun | None = None
        self._folder, self._request = Path(), Request()
        self._watch, self._history = make_watch(), History()
        self._announcer, self._began, self._number = live_numbers.Announcer(), 0.0, 0
        self._gone: asyncio.TimerHandle | None = None
        style = resources.files(__package__).joinpath("workbench.css").read_text("utf-8")

        self.run_button = ipywidgets.Button(description="Run", tooltip="Measure what is chosen").add_class(
            "gb-run"
        )
        self.stop_button = ipywidgets.Button(
            description="Stop", tooltip="Stop the run; what was measured so far is kept", disabled=True
        ).add_class("gb-stop")
        self.command = ipywidgets.Textarea(description="Copy as command", rows=3)
        self.summary, self.live, self.message, self.note = (ipywidgets.HTML() for _ in range(4))
        self.controls = Controls(load_settings(), seed, self._changed)
        self.results = ResultsPanel(self._parent, self._guarded)
        head = (
            f"<style>{style}</style>"
            '<h2 class="gb-head">Workbench</h2><p class="gb-muted">How fast can this machine and its database do it, '
            "and what holds them back?</p>"
        )
        actions = ipywidgets.HBox([self.run_button, self.stop_button, self.summary]).add_class("gb-actions")
        stage = ipywidgets.VBox([actions, self.message, self.live.add_class("gb-live"), self.results.box])
        command = ipywidgets.VBox([self.command, self.note]).add_class("gb-command")
        settings = ipywidgets.VBox([self.controls.box, command])
        main = ipywidgets.HBox([settings.add_class("gb-settings"), stage.add_class("gb-stage")])
        self.box = ipywidgets.VBox(
            [ipywidgets.HTML(head), main.add_class("gb-main"), self.results.session],
            _view_count=0 if presence.tells_of_views() else None,
        ).add_class("gb")
        self.live.value = _IDLE
        self.run_button.on_click(lambda _: self._guarded(self.run))
        self.stop_button.on_click(lambda _: self.stop())
        self.command.observe(lambda _: self._show_command(), "value")
        self.box.observe(self._seen, "_view_count")
        self._changed()

    def __repr__(self) -> str:
        return f"gidbench workbench ({self.controls.operation.value})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The widget, and for whatever shows none (an exported page) a sentence that says how to open it."""
        return {"text/plain": repr(self), "text/html": STATIC, _VIEW: self.box.get_view_spec()}

    def begin_with(
        self,
        operation: str,
        records: str,
        cases: Sequence[str],
        database: str,
        numbers: dict[str, str],
        strategy: str = "",
        peers: bool = False,
    ) -> None:
        """Set the controls."""
        controls = self.controls
        controls.set_url(database or load_settings().url)
        controls.operation.value, controls.records.value = operation, records
        controls.peers.value = peers and not controls.peers.disabled
        controls.choose(cases)
        for name, text in numbers.items():
            getattr(controls, name).value = text
        if strategy:
            if strategy not in [value for _, value in controls.strategy.options]:
                raise InputError(
                    f"there is no write strategy {strategy!r} for this database", "Leave it empty"
                )
            controls.strategy.value = strategy
        self._changed()

    @property
    def running(self) -> bool:
        return self._live is not None

    # What the controls say.

    def _changed(self) -> None:
        if self.running:
            return
        self.run_button.disabled = bool(self.controls.check())
        self._show_command()

    def _show_command(self) -> None:
        """The line of the shell; whatever somebody types into the field, it comes back."""
        try:
            request = self.request()
            line, note = request.command(), request.note
        except GidbenchError:
            note = ""
            line = "The settings above cannot be run as they are."
        if self.command.value != line:
            self.command.value = line
        self.note.value = f'<p class="gb-hint">{live_numbers.escaped(note)}.</p>' if note else ""

    def request(self) -> Request:
        """What is asked for now. Raises InputError where a control has no usable value."""
        return form.request_of(self.controls.entered(), self.controls.rules)

    def _guarded(self, action: Callable[[], None]) -> None:
        """What goes wrong in a button's action is a sentence."""
        try:
            action()
        except Exception as error:
            self._fail(error)

    # Running.

    def run(self) -> None:
        """Begin to measure. Raises GidbenchError where that cannot be; returns at once."""
        if self.running:
            return
        problems = self.controls.check()
        if problems:
            raise InputError(next(iter(problems.values())).rstrip("."), "Mend it, then press Run")
        self._request = request = self.request()
        self._folder = new_folder(self._parent)
        self._watch, self._history = self._make_watch(), History()
        self._announcer, self._began = live_numbers.Announcer(), time.monotonic()
        options = {
            **vars(request),
            "database": self.controls.connection.url(),
            "out": self._folder,
            "watch": self._watch,
        }
        [operation] = options.pop("operations")
        live = LiveRun(self._measure, operation, options, on_tick=self._tick, on_end=self._end)
        self._live = live
        self._show_running(True)
        if not live.start():
            self._live = None
            self._folder.rmdir()
            self._show_running(False)
            raise InputError(
                "another measurement is under way in this kernel", "Stop it, or wait until it ends"
            )

    def stop(self) -> None:
        """Ask the run to end; it is over within half a second."""
        if self._live is not None:
            self.stop_button.disabled = True
            self.summary.value = _aloud("Stopping.")
            self._live.stop()

    async def finished(self) -> None:
        """Wait until the run is over and its results are shown."""
        if self._live is not None:
            await asyncio.wrap_future(self._live.ended)

    def close(self) -> None:
        """Stop the run, and take the panel off the page."""
        self.stop()
        _close(self.box)

    def _show_running(self, running: bool) -> None:
        self.controls.lock(running)
        self.run_button.disabled, self.stop_button.disabled = running, not running
        if running:
            self.message.value = ""
            self.summary.value = _aloud("Starting.")
            self._tick(None)

    def _tick(self, progress: Progress | None) -> None:
        """A frame: one message to the browser, so that nothing is seen half-drawn."""
        try:
            sample = self._watch.sample()
            self._history.add(sample)
            words = self._announcer.words(sample)
            self.live.value = (
                live_numbers.bar(sample, progress)
                + live_numbers.tiles(sample, self._watch.why)
                + live_chart.chart(self._history)
            )
            if words and not self.stop_button.disabled:
                self.summary.value = _aloud(words)
        except Exception:  # a frame that can't be drawn must not end a measurement
            _LOGGER.exception("a frame of the workbench could not be drawn")

    def _end(self, ending: Ending) -> None:
        self.live.value = "" if self.results.runs or ending.measurement else _IDLE
        try:
            if ending.measurement is not None:
                self._show_results(ending.measurement)
            elif ending.error is not None:
                self._fail(ending.error, kept(self._folder))
            else:
                what = kept(self._folder) or "No round was over yet, so nothing is kept"
                self._clear_away()
                self.message.value = message("stopped", f"Stopped. {what}.")
                self.summary.value = ""
        except Exception as error:
            self._fail(error)
        finally:
            self._live = None
            self._show_running(False)
            self._changed()

    def _show_results(self, measured: Measurement) -> None:
        self._number += 1
        run = SessionRun(
            self._number,
            time.strftime("%H:%M:%S"),
            self._request,
            tuple(measured.results),
            tuple(measured.noise),
            self._folder,
            self._request.batch_size or self.controls.rules["batch_size"].usual,
            self._request.workers or self.controls.rules["workers"].usual,
        )
        self.results.add(run)
        spent = format_seconds(time.monotonic() - self._began)
        good = sum(result.status == "ok" for result in measured.results)
        failed = sum(result.status == "failed" for result in measured.results)
        words = f"Done in {spent}: {good} case{'' if good == 1 else 's'} measured"
        self.summary.value = _aloud(f"{words}, {failed} failed." if failed else f"{words}.")

    def _fail(self, error: Exception, what: str = "") -> None:
        """Show an error as a sentence; what nobody foresaw goes to the log with all its details."""
        self.summary.value = ""
        self._clear_away()
        words = sentence_of(error)
        self.message.value = message("problem", f"{words} {what}." if what else words)
        if not isinstance(error, GidbenchError):
            handler = log_to_file(Path.cwd())
            _LOGGER.error("the workbench met an error that nobody foresaw", exc_info=error)
            if handler is not None:
                logging.getLogger("gidbench").removeHandler(handler)
                handler.close()

    def _clear_away(self) -> None:
        """The folder of a run that has left no round in it."""
        if self._folder != Path() and not kept(self._folder):
            with contextlib.suppress(OSError):
                (self._folder / RESULTS_FILE).unlink(missing_ok=True)
                self._folder.rmdir()

    def _seen(self, change: Any) -> None:
        """Without any view for a while, the cell was deleted: its run ends."""
        if self._gone is not None:
            self._gone.cancel()
            self._gone = None
        if change["new"] == 0 and change["old"]:
            with contextlib.suppress(RuntimeError):  # no loop: nobody deletes cells
                self._gone = asyncio.get_running_loop().call_later(_GONE_S, self.stop)


def _close(widget: Any) -> None:
    """A widget and all inside it; each is known to the kernel until then."""
    for child in getattr(widget, "children", ()):
        _close(child)
    widget.close()


def _aloud(words: str) -> str:
    """What is shown beside the buttons, and read out by a screen reader when it has time."""
    return f'<span role="status" aria-live="polite">{live_numbers.escaped(words)}</span>'
