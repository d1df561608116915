"""The main job: every notebook headless, one result file, one report."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gidbench import notebooks
from gidbench.bench import progress_file
from gidbench.bench.databases import check_strategy, completed, lasting, remove_database, require_empty
from gidbench.bench.folders import make_folder
from gidbench.bench.history import remembered
from gidbench.bench.request import Request
from gidbench.bench.results import Noise, Result, load_results
from gidbench.bench.session import RESULTS_FILE, check_request, new_folder, results_in
from gidbench.bench.source_case import VARIABLE, check_source
from gidbench.bench.suite import OPERATIONS
from gidbench.engine import Cancellation, Progress, ProgressCallback, silent
from gidbench.errors import GidbenchError, InputError, NothingMeasuredError, OperationCancelled
from gidbench.kernels.warmup import compile_all
from gidbench.reporting import REPORT_FILE
from gidbench.settings import EMBEDDED_DATABASE, load_settings

_POLL_S = 0.1  # of the half second in which all must stop


@dataclass(frozen=True)
class RunOutcome:
    """What a run left behind."""

    folder: Path
    results: list[Result]
    noise: list[Noise] = field(default_factory=list)

    @property
    def report(self) -> Path:
        return self.folder / REPORT_FILE

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if result.status == "failed"]

    def _repr_html_(self) -> str:
        from gidbench.widgets.tables import results_html

        return results_html(self.results, self.noise)


def run(
    records: int = 1_000_000,
    *,
    processes: int = 0,
    rounds: int = 0,
    operations: Sequence[str] = OPERATIONS,
    database: str | None = None,
    out: str | Path | None = None,
    seed: int = 7,
    batch_size: int | None = None,
    workers: int | None = None,
    peers: bool = False,
    cases: str | Sequence[str] = (),
    pool_size: int | None = None,
    strategy: str = "",
    source: str | Path = "",
    parameters: Mapping[str, str] | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> RunOutcome:
    """Measure operations by their notebooks, and write the tier report.

    Parameters
    ----------
    records, processes, rounds, seed, batch_size, workers, pool_size, strategy, source, peers:
        As for `gidbench.measure`.
    cases:
        Variants of any of the operations, as for `gidbench.measure`; an operation that has none of them is left out.
    operations:
        Any of generate, process, sync.
    database:
        URL of a database whose tables are empty; default: DATABASE_URL, else an embedded one for this run.
        It reaches the notebooks through the environment, so that no password is kept in them.
    out:
        New or empty folder; default: reports/<UTC time>.
    parameters:
        More parameters for the notebooks that have them, as text.
    progress:
        Called with each `gidbench.Progress` of all notebooks.
    cancellation:
        A `gidbench.Cancellation` that ends it; what was measured so far is kept.

    Returns
    -------
    RunOutcome: folder, report (a path), results of all cases, noise.

    Raises
    ------
    InputError, StoreError, OperationCancelled; NothingMeasuredError where no case could be measured.
    """
    request = Request.asked(
        operations=operations,
        cases=cases,
        records=records,
        processes=processes,
        rounds=rounds,
        seed=seed,
        batch_size=batch_size,
        workers=workers,
        pool_size=pool_size,
        strategy=strategy,
        source=str(source),
        peers=peers,
        database=database,
    )
    return carry_out(request, out=out, parameters=parameters, progress=progress, cancellation=cancellation)


def carry_out(
    request: Request,
    *,
    out: str | Path | None = None,
    parameters: Mapping[str, str] | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> RunOutcome:
    """The same for a request."""
    names = [notebooks.BY_OPERATION[name] for name in request.measured]
    settings = load_settings(
        batch_size=request.batch_size or None,
        workers=request.workers or None,
        pool_size=request.pool_size or None,
        write_strategy=request.strategy or None,
    )
    values: dict[str, Any] = {
        "records": request.records,
        "processes": request.processes,
        "rounds": request.rounds,
        "seed": request.seed,
        "out": ".",
        "peers": request.peers,
    }
    values.update(notebooks.typed(parameters or {}, [*names, notebooks.OVERVIEW]))
    secret = completed(request.database, settings)
    check_strategy(request.strategy, secret)
    source = str(check_source(request.source)) if request.source else ""
    variables = {
        **settings.environment(),
        "DATABASE_URL": lasting(secret) if secret else "",
        VARIABLE: source,
        "MPLBACKEND": "agg",
    }
    check_request(values["records"], values["rounds"], values["processes"])
    if secret:
        require_empty(secret)  # told now, not by the first notebook that comes to it
    token = cancellation or Cancellation()
    report = progress or silent

    compile_all(lambda done, total, activity: report(Progress(activity, done, total, "kernels")))
    folder = _folder(out)
    with watching(folder, report, token) as watched:
        for operation in [*request.measured, ""]:
            name = notebooks.BY_OPERATION[operation] if operation else notebooks.OVERVIEW
            known = notebooks.parameters_of(name)
            mine = {key: value for key, value in values.items() if key in known}
            if operation and request.cases:
                mine["cases"] = ",".join(request.cases_of(operation))
            report(Progress(f"{name}: starting", 0, 1, "steps"))
            try:
                notebooks.execute(
                    notebooks.path_of(name), folder / f"{name}.ipynb", mine, {**variables, **watched}
                )
            except GidbenchError:
                token.check()
                raise
            finally:
                remembered(folder)
            token.check()
    results = results_in(folder)
    if not any(result.status == "ok" for result in results):
        problem = next((result.error for result in results if result.error), "no case ran")
        raise NothingMeasuredError(f"nothing was measured ({problem})", f"See {folder / REPORT_FILE}")
    return RunOutcome(folder, results, load_results(folder).noise)


def _folder(out: str | Path | None) -> Path:
    if out is None:
        return new_folder(Path("reports")).resolve()
    folder = Path(out).resolve()
    if (folder / RESULTS_FILE).exists():
        raise InputError(f"{out} holds the results of another run", "Name a new folder")
    return make_folder(folder, shown=str(out))


@contextlib.contextmanager
def watching(folder: Path, report: ProgressCallback, cancellation: Cancellation) -> Iterator[dict[str, str]]:
    """Relay the progress of the kernels, and the wish to stop to them; clean up after them."""
    path = folder / ".progress.json"
    done = threading.Event()

    def watch() -> None:
        last = None
        while not done.wait(_POLL_S):
            if cancellation.cancelled:
                progress_file.stop_file(path).touch()
            latest = progress_file.read(path)
            if latest is not None and latest != last:
                with contextlib.suppress(OperationCancelled):
                    report(latest)
                last = latest

    thread = threading.Thread(target=watch, name="gidbench-progress", daemon=True)
    thread.start()
    try:
        yield {progress_file.VARIABLE: str(path)}
    finally:
        done.set()
        thread.join()
        for leftover in (path, path.with_suffix(".part"), progress_file.stop_file(path)):
            leftover.unlink(missing_ok=True)
        deadline = time.monotonic() + 5
        for scratch in folder.glob(".scratch-*"):  # there is one only if a kernel died
            while scratch.exists() and time.monotonic() < deadline:
                shutil.rmtree(scratch, ignore_errors=True)
        remove_database(folder / EMBEDDED_DATABASE)
