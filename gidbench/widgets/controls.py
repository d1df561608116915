"""The workbench's controls: what a person sets, each with its label and, where it cannot be used, a sentence."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from gidbench.settings import Settings
from gidbench.units import format_count
from gidbench.widgets import form
from gidbench.widgets.connection import Connection
from gidbench.widgets.fields import SCALE, Notes, QuietPassword, QuietText, group, text

PEER_MODULES = ("faker", "fastexcel", "mimesis", "openpyxl", "polars", "xlsxwriter")
_STEP = 0.05  # of the slider, in powers of ten
_NO_SERVER = "Password, pool and write strategy are for SQL Server, and this database is none."
_OWN_FILE = {
    "cases": "The file is measured in the place of these.",
    "records": "The file has its own records.",
}
_NO_PEERS = "Other tools take no part: they are measured on files that are made for all."
_SOURCE_LABELS = {"generate": "Destination", "process": "Source", "sync": "Starting point"}


class Controls:
    """All controls; `box` shows them, `entered` says what stands in them.

    Parameters
    ----------
    settings:
        What a number that is left alone means.
    on_change:
        Called after whatever changed.
    """

    def __init__(self, settings: Settings, seed: int, on_change: Callable[[], None]) -> None:
        self._seed, self._on_change = seed, on_change
        self.rules = form.numbers(settings)
        self.connection = Connection()
        self._following = False  # the slider and the entry follow each other, not themselves
        self._notes = Notes()

        self.operation = ipywidgets.Dropdown(
            options=[(title, name) for name, title in form.OPERATIONS.items()], description="Operation"
        )
        self.sources: dict[str, ipywidgets.Checkbox] = {}
        self.source_box = ipywidgets.HBox().add_class("gb-checks")
        self.source_label = ipywidgets.HTML()
        self.slider = ipywidgets.FloatLogSlider(
            value=1e6, base=10, min=form.SLIDER[0], max=form.SLIDER[1], step=_STEP, readout=False
        )
        self.records = text("Records", format_count(1_000_000))
        self.source = ipywidgets.Text(
            description=form.OWN_FILE,
            placeholder="empty: files that are made for the run",
            continuous_update=False,  # what is half a path is no problem yet
        )
        self.batch_size = text("Batch size", format_count(settings.batch_size))
        self.workers = text("Workers", format_count(settings.workers))
        self.pool_size = text("Pool size", format_count(settings.pool_size))
        self.strategy = ipywidgets.Dropdown(options=[("automatic", "auto")], description="Write strategy")
        self.rounds = text("Rounds per process", form.AUTOMATIC)
        self.processes = text("Processes", form.AUTOMATIC)
        self.peers = ipywidgets.Checkbox(description="Other tools take part (peers)", indent=False)
        self.database = QuietText(
            description="Database URL, without password",
            placeholder="empty: an embedded one for the run",
            continuous_update=False,
        )
        self.password = QuietPassword(description="Password", continuous_update=False)
        self.forget = ipywidgets.Button(
            description="Forget the password", tooltip="Drop the password from memory"
        )
        self._lay_out()
        self._set_operation()
        self._set_database()
        self._observe()

    def _lay_out(self) -> None:
        self.records_box = ipywidgets.VBox(
            [self._notes.field("records", self.records), self.slider, ipywidgets.HTML(SCALE)]
        )
        self.source_field = self._notes.field("source", self.source).add_class("gb-whole")
        self.box = ipywidgets.VBox(
            [
                group(
                    "What is measured",
                    [
                        self._notes.field("operation", self.operation),
                        self._notes.field(
                            "cases", ipywidgets.VBox([self.source_label, self.source_box])
                        ).add_class("gb-whole"),
                        self.records_box.add_class("gb-records"),
                        # behind what it disables: who leaves it by Tab must not land there
                        self.source_field,
                    ],
                ),
                group(
                    "How",
                    [
                        self._notes.field("batch_size", self.batch_size),
                        self._notes.field("workers", self.workers),
                        self._notes.field("processes", self.processes),
                        self._notes.field("rounds", self.rounds),
                        self._notes.field("peers", self.peers),
                    ],
                ),
                group(
                    "Database",
                    [
                        self._notes.field("database", self.database).add_class("gb-whole"),
                        self._notes.field("password", ipywidgets.VBox([self.password, self.forget])),
                        self._notes.field("pool_size", self.pool_size),
                        self._notes.field("strategy", self.strategy),
                        self._notes.place("server"),
                    ],
                ),
            ]
        ).add_class("gb-form")

    def _observe(self) -> None:
        self.operation.observe(lambda _: self._changed(self._set_operation), "value")
        self.slider.observe(self._slid, "value")
        self.records.observe(self._typed, "value")
        self.source.observe(lambda _: self._changed(self._set_source), "value")
        self.database.observe(lambda _: self._changed(self._take_url), "value")
        self.password.observe(lambda _: self._changed(self._take_password), "value")
        self.peers.observe(lambda _: self._changed(self._follow_peers), "value")
        self.forget.on_click(lambda _: self._changed(self._forget))
        for control in (
            self.batch_size, self.workers, self.pool_size, self.strategy, self.rounds, self.processes,
        ):  # fmt: skip
            control.observe(lambda _: self._changed(), "value")

    def _changed(self, first: Callable[[], None] | None = None) -> None:
        if first:
            first()
        self._on_change()

    # What follows from what.

    def _set_operation(self) -> None:
        known, usual = form.SOURCES[self.operation.value], self._usual()
        self.sources = {
            name: ipywidgets.Checkbox(value=name in usual, description=words, indent=False)
            for name, words in known.items()
        }
        for each in self.sources.values():
            each.observe(lambda _: self._changed(), "value")
        before, self.source_box.children = self.source_box.children, tuple(self.sources.values())
        for each in before:
            each.close()
        label = _SOURCE_LABELS[self.operation.value]
        self.source_label.value = f'<span class="gb-label">{label}</span>'
        self.source_field.layout.display = "" if self.operation.value == "process" else "none"
        self._set_source()

    def _set_source(self) -> None:
        """A file of the user's own leaves no choice of cases, of records and of other tools."""
        for control in (self.slider, self.records, *self.sources.values()):
            control.disabled = bool(self.entered().file)
        self._set_peers()

    def _usual(self) -> tuple[str, ...]:
        return form.usual(self.operation.value, peers=bool(self.peers.value))

    def choose(self, cases: Sequence[str] = ()) -> None:
        """Tick these sources and no other; the usual ones where there is none."""
        for name, each in self.sources.items():
            each.value = name in (cases or self._usual())

    def _follow_peers(self) -> None:
        """Who has chosen nothing of his own gets what is usual with other tools, or without."""
        before = form.usual(self.operation.value, peers=not self.peers.value)
        if self.entered().cases == before:
            self.choose()

    def _slid(self, _: Any) -> None:
        if self._following:
            return
        stands, power = form.power_of(self.records.value), math.log10(self.slider.value)
        if stands is not None and abs(stands - power) <= _STEP / 2 + 1e-6:
            return  # the browser has only moved what was typed to the nearest step
        self._following = True
        self.records.value = form.records_at(self.slider.value)
        self._following = False

    def _typed(self, _: Any) -> None:
        power = form.power_of(self.records.value)
        if not self._following and power is not None:
            self._following = True
            self.slider.value = 10**power
            self._following = False
        self._on_change()

    def _take_url(self) -> None:
        """Whatever may not be seen is taken out of the field at once."""
        typed = self.database.value
        if typed.strip() != self.connection.shown or not typed:
            self.database.value = self.connection.type(typed)
        self._set_database()

    def _take_password(self) -> None:
        typed = self.password.value
        if typed:
            self.password.value = ""
            self.connection.keep(typed)
            self._set_database()

    def _forget(self) -> None:
        self.connection.forget()
        self._set_database()

    def set_url(self, url: str) -> None:
        """Take a URL that was given by the program or the environment."""
        self.connection.type(url)
        self.database.value = self.connection.shown
        self._set_database()

    def _set_database(self) -> None:
        server = form.is_server(self.connection.shown)
        for control in (self.pool_size, self.strategy):
            control.disabled = not server
        self.password.disabled = not server
        self.forget.layout.display = "" if self.connection.has_password else "none"
        held = (
            "A password is held in this kernel's memory, and nowhere else."
            if self.connection.has_password
            else ""
        )
        self._notes.hint("password", held if server else "")
        self._notes.hint("server", "" if server else _NO_SERVER)
        if server and len(self.strategy.options) == 1:
            from gidbench.stores.sqlserver.writing import STRATEGIES  # its drivers take 0.2 s to load

            self.strategy.options = [("automatic", "auto"), *((name, name) for name in STRATEGIES)]

    def _set_peers(self) -> None:
        missing = [name for name in PEER_MODULES if importlib.util.find_spec(name) is None]
        none = len(missing) == len(PEER_MODULES)
        self.peers.disabled = none or bool(self.entered().file)
        if self.entered().file:
            self._notes.hint("peers", _NO_PEERS)
        elif missing:
            what = "The other tools are" if none else f"{', '.join(missing)}:"
            self._notes.hint("peers", f'{what} not installed. Run pip install "gidbench[peers]".')
        else:
            self._notes.hint("peers", "Slower tools on the same input; takes about four times as long.")

    # What stands there.

    def entered(self) -> form.Entered:
        return form.Entered(
            self.operation.value,
            tuple(name for name, each in self.sources.items() if each.value),
            self.records.value,
            self.batch_size.value,
            self.workers.value,
            self.pool_size.value,
            self.strategy.value,
            self.rounds.value,
            self.processes.value,
            bool(self.peers.value),
            self.connection.shown,
            self._seed,
            self.source.value,
        )

    def check(self) -> dict[str, str]:
        """Sentences on what cannot be used; they are shown beside the controls."""
        entered = self.entered()
        found = form.problems(entered, self.rules, of_the_url=self.connection.problem)
        hints = _OWN_FILE if entered.file else {}
        for name in (
            "records",
            "batch_size",
            "workers",
            "pool_size",
            "rounds",
            "processes",
            "cases",
            "source",
            "database",
        ):
            if name in found:
                self._notes.problem(name, found[name])
            else:
                self._notes.hint(name, hints.get(name, ""))
        return found

    def lock(self, running: bool) -> None:
        """While a run is under way nothing is changed: what stands there is what is measured."""
        fixed = [self.operation, self.slider, self.records, self.batch_size, self.workers, self.rounds]
        fixed += [self.processes, self.source, self.database, *self.sources.values()]
        for control in fixed:
            control.disabled = running
        if running:
            for control in (self.pool_size, self.strategy, self.password, self.peers):
                control.disabled = True
        else:
            self._set_database()
            self._set_source()
