"""Measuring one operation from start to finish: what a notebook's one call does."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gidbench.bench import host, schedule
from gidbench.bench.bottleneck import name_bottleneck
from gidbench.bench.bounds import Bounds, limits_of, measure_bounds
from gidbench.bench.child import children
from gidbench.bench.database_facts import facts_of
from gidbench.bench.databases import Target, check_strategy, completed
from gidbench.bench.databases import database as _database
from gidbench.bench.folders import RESULTS_FILE, new_folder, results_in, run_folder, scratch
from gidbench.bench.noise import NoiseMeter
from gidbench.bench.progress_file import ProgressFile
from gidbench.bench.replicate import Job
from gidbench.bench.results import Noise, Result, Round, RunHeader, append, load_results
from gidbench.bench.source_case import VARIABLE, check_source
from gidbench.bench.stopping import PATIENCE_S, stoppable
from gidbench.bench.suite import chosen, left_out
from gidbench.bench.watching import Watch
from gidbench.engine import Cancellation, Progress, ProgressCallback, silent
from gidbench.errors import InputError, OperationCancelled
from gidbench.kernels.warmup import compile_all
from gidbench.settings import Settings, assuming, load_settings, usable_cores
from gidbench.stores.opening import open_store
from gidbench.units import utc_text

__all__ = [
    "RESULTS_FILE",
    "Measurement",
    "check_request",
    "measure",
    "new_folder",
    "results_in",
    "run_folder",
]

_MOST_PROCESSES = 1_000
_PEERS_SHARE = 4  # with peers there are three to four times as many cases, most of them slower


@dataclass(frozen=True)
class Measurement:
    """The results of one operation, the noise meanwhile, and where they were written."""

    operation: str
    results: list[Result]
    path: Path
    noise: list[Noise] = field(default_factory=list)


def measure(
    operation: str,
    *,
    records: int = 1_000_000,
    processes: int = 0,
    rounds: int = 0,
    budget_s: float = 0.0,
    seed: int = 7,
    database: str = "",
    out: str | Path = "",
    batch_size: int = 0,
    workers: int = 0,
    cases: str | Sequence[str] = (),
    source: str | Path = "",
    pool_size: int = 0,
    strategy: str = "",
    peers: bool = False,
    watch: Watch | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> Measurement:
    """Measure `generate`, `process` or `sync`, and append the results to the result file of `out`.

    It is measured in several fresh processes, one after the other; whatever ends them, the file holds the rounds
    that were done. When it is cancelled, it ends within half a second; processes, scratch files and rows are put away
    by then, or soon after on a thread that the interpreter waits for at its end.

    Parameters
    ----------
    operation:
        `generate`, `process` or `sync`.
    records:
        Records per round, at least 1.
    processes:
        Fresh processes; 0: three. Where `rounds` is 0, more are added while the budget lasts and an interval is wide.
    rounds:
        Timed rounds per case in each process, after one warm-up; 0: up to five, as the budget allows
        (see `gidbench.bench.schedule.Plan`).
    budget_s:
        Wall seconds for all of it where `rounds` is 0; 0: 18, with peers four times as many.
    seed:
        Of the people, 0 .. 2^64 - 1; the same one gives the same bytes.
    database:
        URL; empty: DATABASE_URL, else a file beside the results that is removed afterwards. Its tables
        must be empty; they are emptied again at the end. Where it has no password, that of DATABASE_URL is taken, if
        the two are the same otherwise.
    out:
        Folder of the run; empty: a new one under reports/.
    batch_size, workers, pool_size:
        0: the settings.
    cases:
        Variants, by `gidbench.bench.suite.VARIANTS`, one by one or as a text with commas; empty: all.
    source:
        CSV file or workbook of your own, in the place of the cases of `process`: its records as it has them
        (`records` does not matter). What came of it in an untimed intake must come of it in every round.
    strategy:
        How rows are written to SQL Server, see `gidbench.stores.sqlserver.writing`; empty: the settings.
    peers:
        Whether other tools take part as cases of their own, in the same rounds (`gidbench[peers]`); those that are
        held against a case that is not chosen are left out.
    watch:
        Who looks on while it goes on, see `gidbench.bench.watching`.
    progress:
        Called with each `gidbench.Progress`, on the thread that measures.
    cancellation:
        A `gidbench.Cancellation` that ends it.

    Returns
    -------
    Measurement: a `gidbench.bench.results.Result` for each case, the noise, and the path of the result file.

    Raises
    ------
    InputError, StoreError, OperationCancelled; a case that fails is a failed result, not an error.
    """
    check_request(records, rounds, processes, budget_s)
    variants = chosen(operation, cases)
    file = _source_of(operation, str(source), variants)
    token = cancellation or Cancellation()
    told = progress if progress is not None else ProgressFile.from_environment(token)
    settings = load_settings(
        batch_size=batch_size or None,
        workers=workers or None,
        pool_size=pool_size or None,
        write_strategy=strategy or None,
    )
    url = completed(database, settings)
    check_strategy(strategy, url)
    folder = Path(out) if out else new_folder(Path("reports"))
    folder.mkdir(parents=True, exist_ok=True)
    plan = schedule.Plan(
        processes or schedule.PROCESSES,
        rounds,
        budget_s or schedule.BUDGET_S * (_PEERS_SHARE if peers else 1),
        order_seed=secrets.randbits(32),
    )
    asked = _Asked(operation, records, seed, variants, file, peers, url, settings, folder, plan)
    batch = told if isinstance(told, ProgressFile) else None

    def work(token: Cancellation, relay: ProgressCallback) -> Measurement:
        if watch:
            watch.begin()
        with assuming(pool_size=settings.pool_size, write_strategy=settings.write_strategy):
            return _measured(asked, watch, token, relay)

    try:
        return stoppable(
            work,
            progress=told or silent,
            cancellation=token,
            look=batch.look if batch else lambda: None,
            # a kernel that a batch has started ends with its notebook: nothing may be left to be done then
            patience_s=None if batch else PATIENCE_S,
        )
    except OperationCancelled:
        if watch:
            watch.end("stopped", is_whole=False)
        raise
    finally:
        if watch:
            watch.end("ended with an error", is_whole=False)


def _source_of(operation: str, source: str, cases: Sequence[str]) -> str:
    """The full path of the file to process; empty where there is none. Raises InputError."""
    if source and operation != "process":
        raise InputError(f"{operation} takes no file", "Leave the source out, or measure process")
    if operation != "process" or not (given := source or os.environ.get(VARIABLE, "")):
        return ""
    if cases:
        raise InputError("a source is a case by itself", "Leave the cases out, or the source")
    return str(check_source(given))


@dataclass(frozen=True)
class _Asked:
    """What is measured."""

    operation: str
    records: int
    seed: int
    cases: tuple[str, ...]
    source: str
    peers: bool
    database: str
    settings: Settings
    folder: Path
    plan: schedule.Plan


def _measured(asked: _Asked, watch: Watch | None, token: Cancellation, tell: ProgressCallback) -> Measurement:
    operation, settings, folder, plan = asked.operation, asked.settings, asked.folder, asked.plan
    path = folder / RESULTS_FILE

    def relay(step: Progress) -> None:
        token.check()
        tell(step)
        if watch and step.unit != "rounds":
            watch.say(step.phase)

    started = time.perf_counter()
    # here, too: the calibration needs one, and children then find all of them in the cache
    warmup = compile_all(lambda done, total, activity: relay(Progress(activity, done, total, "kernels")))
    with scratch(folder) as place, _database(asked.database, settings, folder) as target:
        if watch:
            watch.look_at(target.url, is_server=target.is_server)
        before = load_results(path) if path.exists() else None
        relay(Progress(f"{operation}: looking at the machine", 0, 1, "steps"))
        meter = NoiseMeter(operation, before.noise[0].calibration_s if before and before.noise else None)
        noise = [meter.observe("start")]
        token.check()
        if before is None:
            append(path, _header(asked, target, noise[0]))
        else:  # a later operation of the run: the order of its turns is drawn from the seed that is recorded
            plan = replace(plan, order_seed=before.header.parameters.get("order_seed", plan.order_seed))
        append(path, noise[0])

        def observe(moment: str) -> None:
            noise.append(meter.observe(moment))
            append(path, noise[-1])

        relay(Progress(f"{operation}: setting up", 0, 1, "steps"))
        job = Job(
            operation,
            0,
            str(place),
            str(target.file) if target.file else None,
            target.first_ordinal,
            asked.records,
            asked.seed,
            settings.batch_size,
            settings.workers,
            asked.peers,
            asked.cases,
            asked.source,
        )
        bench = job.bench(target.url)
        bounds = measure_bounds(operation, bench, token)

        def emit(line: Round | Result) -> None:
            append(path, _complete(line, bounds, settings.workers) if isinstance(line, Result) else line)

        variables = {
            "ULTRA_CONNECTION_POOL_SIZE": str(settings.pool_size),
            "GIDBENCH_WRITE_STRATEGY": settings.write_strategy,
        }
        results = schedule.run_replicates(
            children(lambda process: replace(job, process=process), target.url, token, watch, variables),
            plan,
            emit=emit,
            progress=relay,
            at_middle=lambda: observe("middle"),
            watch=watch,
            kernels_compiled=warmup.compiled,
        )
        results = [_complete(result, bounds, settings.workers) for result in results]
        for skipped in left_out(operation, bench):
            append(path, skipped)
            results.append(skipped)
        relay(Progress(f"{operation}: putting away", 1, 1, "steps"))
        observe("end")
    if watch:
        watch.end("done", is_whole=True)
    tell(Progress(f"{operation}: done in {time.perf_counter() - started:.0f} s", 1, 1, "steps", last=True))
    return Measurement(operation, results, path, noise)


def _complete(result: Result, bounds: Bounds, workers: int) -> Result:
    """The result with what the machine can do of the same, and what holds it back."""
    limited = replace(result, limits=limits_of(result, bounds))
    return replace(
        limited, bottleneck=name_bottleneck(limited, workers, usable_cores(), is_server=bounds.is_server)
    )


def check_request(records: int, rounds: int, processes: int = 0, budget_s: float = 0.0) -> None:
    """Raise InputError for numbers that cannot be measured."""
    if records < 1:
        raise InputError(f"{records} records cannot be measured", "Use 1 or more")
    if rounds < 0:
        raise InputError(f"{rounds} rounds cannot be run", "Use 1 or more, or 0 to let gidbench choose")
    if not 0 <= processes <= _MOST_PROCESSES:
        raise InputError(
            f"{processes} processes cannot be run", f"Use 1 to {_MOST_PROCESSES}, or 0 to let gidbench choose"
        )
    if not 0 <= budget_s < float("inf"):
        raise InputError(f"{budget_s} seconds are no budget", "Use seconds above 0, or 0 for the usual ones")


def _header(asked: _Asked, target: Target, start: Noise) -> RunHeader:
    plan, settings = asked.plan, asked.settings
    with open_store(target.url) as store:
        database = {"name": target.name, "version": store.version, **facts_of(store, target.url)}
    return RunHeader(
        run_id=secrets.token_hex(8),
        started_at=utc_text(),
        parameters={
            "records": asked.records,
            "processes": plan.processes,
            "rounds": plan.rounds or "automatic",
            "budget_s": None if plan.rounds else plan.budget_s,
            "seed": asked.seed,
            "order_seed": plan.order_seed,
            "batch_size": settings.batch_size,
            "workers": settings.workers,
            "pool_size": settings.pool_size,
            "strategy": settings.write_strategy,
            "cases": list(asked.cases),
            "source": Path(asked.source).name if asked.source else "",
            "peers": asked.peers,
            "database": target.shown,
        },
        host=host.describe(),
        noise={**host.noise(), **start.readings, "verdict": start.verdict, "reasons": start.reasons},
        database=database,
    )
