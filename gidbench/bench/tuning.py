"""Tuning: which settings are fastest for an operation here, by how much, and what the rules of thumb say to it."""

from __future__ import annotations

import contextlib
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gidbench import gid
from gidbench.bench.databases import require_empty
from gidbench.bench.study_words import tuning_html
from gidbench.bench.tuning_advice import OtherLoad, advise_on_files, advise_on_machine, advise_on_server
from gidbench.bench.tuning_apply import write_settings
from gidbench.bench.tuning_budget import Bench, Clock, Trial
from gidbench.bench.tuning_gain import Gain
from gidbench.bench.tuning_plan import fewest
from gidbench.bench.tuning_search import SEARCH_SHARE, Search, confirm, halve
from gidbench.bench.tuning_space import EMBEDDED, MEMORY, SERVER, VARIABLES, Point, Space, make_space
from gidbench.bench.tuning_trials import OPERATIONS, Trials
from gidbench.engine import Cancellation, Progress, ProgressCallback, silent
from gidbench.errors import InputError
from gidbench.findings import Check
from gidbench.kernels.warmup import compile_all
from gidbench.settings import ENV_FILE, TOML_FILE, load_settings
from gidbench.stores.opening import parse_url, safe_name

__all__ = ["OPERATIONS", "Cell", "Tuning", "tune"]

LEAST_RECORDS, LEAST_BUDGET_S = 1_000, 1.0
NOT_TRIED = "not tried: no time was left"


@dataclass(frozen=True)
class Cell:
    """A choice and what was measured of it.

    Attributes
    ----------
    records, seconds:
        Of the most records that it was tried on, and the median of `trials` trials; None where there was none.
    ratio:
        Its speed, on so many records, to that of the defaults: above 1 is faster.
    note:
        Why it was not measured, or no further.
    """

    point: Point
    records: int | None = None
    seconds: float | None = None
    ratio: float | None = None
    trials: int = 0
    note: str = ""

    @property
    def rate(self) -> float | None:
        return self.records / self.seconds if self.records and self.seconds else None

    def to_dict(self, names: Sequence[str]) -> dict[str, Any]:
        return {
            **{name: getattr(self.point, name) for name in names},
            "records": self.records,
            "median_s": self.seconds,
            "records_per_second": self.rate,
            "ratio": self.ratio,
            "trials": self.trials,
            "note": self.note,
        }


@dataclass(frozen=True)
class Tuning:
    """What tuning has found.

    Attributes
    ----------
    chosen:
        What to use: the best where its gain is proven, else the defaults.
    applied:
        The file that was written; empty where none was asked for, or nothing was better.
    """

    operation: str
    database: str
    space: Space
    cells: tuple[Cell, ...]
    best: Point | None
    gain: Gain | None
    chosen: Point
    spent_s: float
    budget_s: float
    trials: int
    rungs: tuple[tuple[int, int, int], ...]
    left_out: int
    findings: tuple[Check, ...]
    applied: str = ""
    seed: int = 7

    @property
    def is_better(self) -> bool:
        return self.gain is not None and self.gain.verdict == "better"

    @property
    def variables(self) -> dict[str, str | int]:
        """The settings that were chosen among several, as files and environments have them."""
        return _variables(self.space, self.chosen)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        names = list(self.space.values)
        return {
            "operation": self.operation,
            "database": self.database,
            "searched": {name: list(values) for name, values in self.space.values.items()},
            "ignored": dict(self.space.ignored),
            "left_out": dict(self.space.left_out),
            "defaults": {name: getattr(self.space.default, name) for name in names},
            "best": None if self.best is None else {name: getattr(self.best, name) for name in names},
            "chosen": {name: getattr(self.chosen, name) for name in names},
            "is_better": self.is_better,
            "gain": None if self.gain is None else self.gain.to_dict(),
            "variables": self.variables,
            "applied": self.applied,
            "surface": [cell.to_dict(names) for cell in self.cells],
            "steps": [
                {"records": records, "choices": many, "rounds": rounds}
                for records, many, rounds in self.rungs
            ],
            "choices_left_out": self.left_out,
            "spent_s": self.spent_s,
            "budget_s": self.budget_s,
            "trials": self.trials,
            "seed": self.seed,
            "findings": [check.to_dict() for check in self.findings],
        }

    def _repr_html_(self) -> str:
        return tuning_html(self)


def _variables(space: Space, point: Point) -> dict[str, str | int]:
    return {VARIABLES[name]: getattr(point, name) for name in space.searched if name in VARIABLES}


def tune(
    operation: str,
    *,
    database: str | None = None,
    records: int = 1_000_000,
    budget_s: float = 60.0,
    fixed: Mapping[str, Sequence[Any]] | None = None,
    mode: str = "auto",
    seed: int = 7,
    scratch: Path | None = None,
    apply: Path | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
    clock: Clock = time.monotonic,
) -> Tuning:
    """Search the settings of generate, process or sync, and hold the best against the defaults.

    Parameters
    ----------
    database:
        URL of a database whose tables are empty; they are filled, and left empty. Default: DATABASE_URL; without it
        generation makes rows in memory, and the others use a DuckDB file, which is removed.
    records:
        Of a trial of the confirmation, where there is time for them.
    budget_s:
        Seconds for all of it; kernels are compiled before, and the tables emptied after.
    fixed:
        Values to search by setting (batch_size, workers, pool_size, strategy); one value fixes it.
    mode:
        Of a synchronisation; auto: both are tried.
    apply:
        `.env` or a TOML file that gets the best settings, where they are better.

    Raises
    ------
    InputError, StoreError, VerificationError (a trial made something wrong), OperationCancelled
    """
    _check(operation, records, budget_s)
    token, told = cancellation or Cancellation(), progress or silent
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gidbench-", dir=scratch)))
        place = _place(operation, database, folder)
        strategies, unusable = _strategies(place)
        space = make_space(
            operation,
            place.kind,
            records=records,
            strategies=strategies,
            unusable=unusable,
            fixed=fixed,
            mode=mode,
        )
        trials = Trials(operation, folder, place.url, place.first_ordinal, seed)
        compile_all(lambda done, total, activity: told(Progress(activity, done, total, "kernels")))
        began, load = clock(), OtherLoad()
        if place.is_given:
            stack.callback(trials.empty)
        gc.collect()
        gc.freeze()  # what is there so far is not looked through before each trial again
        stack.callback(gc.unfreeze)
        found = explore(
            space, trials.run, records=records, began=began, budget_s=budget_s, seed=seed,
            clock=clock, progress=told, cancellation=token,
        )  # fmt: skip
        spent = clock() - began
        chosen = found.best if found.gain is not None and found.gain.verdict == "better" else space.default
        assert chosen is not None
        findings = [load.check(), *advise_on_machine(chosen, space, found.gain)]
        if place.kind == SERVER:
            trials.empty()  # as loads will find the tables
            findings += _on_server(place.url, chosen, operation)
    variables = _variables(space, chosen)
    applied = ""
    if apply is not None and variables and chosen != space.default:
        write_settings(apply, variables)
        applied = str(apply)
        findings += _read_by_itself(apply)
    findings += advise_on_files(os.environ, variables, list(variables))
    return Tuning(
        operation,
        place.name,
        space,
        tuple(found.cells),
        found.best,
        found.gain,
        chosen,
        spent,
        budget_s,
        found.bench.trials,
        tuple(found.search.rungs),
        found.search.left_out,
        tuple(findings),
        applied,
        seed,
    )


@dataclass
class Explored:
    """Of a space: all that was measured."""

    bench: Bench
    search: Search
    best: Point | None = None
    gain: Gain | None = None
    cells: list[Cell] = field(default_factory=list)


def explore(
    space: Space,
    trial: Trial,
    *,
    records: int,
    began: float,
    budget_s: float,
    seed: int,
    clock: Clock = time.monotonic,
    progress: ProgressCallback = silent,
    cancellation: Cancellation | None = None,
) -> Explored:
    """Search and confirm, from `began` on the clock for `budget_s` seconds."""
    end = began + budget_s
    bench = Bench(trial, clock, end, cancellation or Cancellation())

    def told(phase: str, title: str) -> None:
        spent = min(int(clock() - began), int(budget_s))
        progress(Progress(f"{phase}: {title}", spent, int(budget_s), "seconds"))

    def saying(phase: str) -> Callable[[str], None]:
        return lambda title: told(phase, title)

    until = clock() + SEARCH_SHARE * (end - clock())
    search = halve(space, bench, records=records, until=until, seed=seed, told=saying("searching"))
    gain = None
    if search.best is not None:
        gain = confirm(
            space.default,
            search.best,
            bench,
            records=records,
            least=fewest(space, records),
            seed=seed,
            told=saying("confirming"),
        )
    points = [space.default, *(point for point in space.points() if point != space.default)]
    cells = [_cell(point, space.default, bench) for point in points]
    return Explored(bench, search, search.best, gain, cells)


def _cell(point: Point, default: Point, bench: Bench) -> Cell:
    times = bench.times.get(point, {})
    note = bench.failed.get(point, "")
    if not times:
        return Cell(point, note=note or NOT_TRIED)
    records = max(times)
    seconds = statistics.median(times[records])
    others = bench.times.get(default, {}).get(records)
    ratio = statistics.median(others) / seconds if others else None
    return Cell(point, records, seconds, ratio, len(times[records]), note)


@dataclass(frozen=True)
class _Place:
    url: str
    name: str
    kind: str
    first_ordinal: int
    is_given: bool


def _place(operation: str, database: str | None, folder: Path) -> _Place:
    """Where rows go. Raises InputError where the database holds data."""
    if url := load_settings(database_url=database).url:
        kind = SERVER if parse_url(url).get_backend_name() == "mssql" else EMBEDDED
        return _Place(url, safe_name(url), kind, require_empty(url), is_given=True)
    if operation == "generate":
        return _Place("", "memory", MEMORY, gid.FIRST_ORDINAL, is_given=False)
    url = f"duckdb:///{folder / 'tuned.duckdb'}"
    return _Place(url, "embedded, made for this run and removed", EMBEDDED, gid.FIRST_ORDINAL, is_given=False)


@contextlib.contextmanager
def _server(url: str) -> Iterator[Any]:
    from gidbench.stores.sqlserver.opening import open_sql_server  # its drivers take 0.2 s to load

    with contextlib.closing(open_sql_server(parse_url(url))) as store:
        yield store


def _strategies(place: _Place) -> tuple[list[str], dict[str, str]]:
    """Write strategies that can be used, the fastest first, and why not the others."""
    if place.kind != SERVER:
        return [], {}
    from gidbench.stores.sqlserver.writing import STRATEGIES

    with _server(place.url) as store:
        reasons = {
            strategy.name: strategy.hinders(store.connections, store.server, store.options.write)
            for strategy in STRATEGIES.values()
        }
    usable = [name for name, reason in reasons.items() if reason is None]
    return usable, {name: reason for name, reason in reasons.items() if reason is not None}


def _on_server(url: str, chosen: Point, operation: str) -> list[Check]:
    with _server(url) as store:
        return advise_on_server(chosen, store, operation)


def _read_by_itself(path: Path) -> list[Check]:
    if path.resolve() in (Path(ENV_FILE).resolve(), Path(TOML_FILE).resolve()):
        return []
    told = f"{path} is not one of the files that gidbench reads"
    return [
        Check("settings file", "note", told, f"It reads {ENV_FILE} and {TOML_FILE} of its working folder")
    ]


def _check(operation: str, records: int, budget_s: float) -> None:
    if operation not in OPERATIONS:
        raise InputError(f"there is no operation {operation!r}", f"Use one of {', '.join(OPERATIONS)}")
    if records < LEAST_RECORDS:
        raise InputError(f"{records:,} records say nothing", f"Use {LEAST_RECORDS:,} or more")
    if not LEAST_BUDGET_S <= budget_s <= 86_400:
        raise InputError(f"a budget of {budget_s:g} s is none", f"Say {LEAST_BUDGET_S:g} to 86,400 seconds")
