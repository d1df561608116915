"""The three operations as people call them: arguments checked, stores opened, results returned."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pyarrow as pa

from gidbench import generation
from gidbench.engine import Cancellation, Context, ProgressCallback, ending, map_ordered
from gidbench.errors import GidbenchError, InputError, StoreError
from gidbench.files.readers import open_reader
from gidbench.files.writers import check_destination, open_writer
from gidbench.kernels.warmup import compile_all
from gidbench.outcome import Outcome
from gidbench.processing import ProcessResult, process_file
from gidbench.records import EMPLOYEE, map_header
from gidbench.settings import load_settings
from gidbench.stores.base import AuditEntry, Store
from gidbench.stores.opening import is_same_store, open_store
from gidbench.synchronisation import SyncResult, synchronise
from gidbench.units import utc_now

_log = logging.getLogger("gidbench")
R = TypeVar("R")
Done = TypeVar("Done", bound=Outcome)
_BYTES_PER_EMPLOYEE = 110  # of Arrow buffers, measured; the guard against filling the memory


@dataclass(frozen=True)
class GenerationResult(Outcome):
    """Employees made, and where they are: `batches` where neither a file nor a database was named."""

    batches: list[pa.RecordBatch] = field(default_factory=list, repr=False)
    destination: str = "memory"
    bytes_written: int = 0

    def counts(self) -> dict[str, int | str]:
        return {"destination": self.destination, "bytes_written": self.bytes_written}

    def to_arrow(self) -> pa.Table:
        """The batches as one Arrow table of `gidbench.records.EMPLOYEE`."""
        return pa.Table.from_batches(self.batches, EMPLOYEE)

    def to_pandas(self) -> Any:
        """The batches as a pandas DataFrame."""
        return self.to_arrow().to_pandas()


def generate(
    records: int,
    *,
    seed: int = 0,
    batch_size: int | None = None,
    workers: int | None = None,
    out: str | Path | None = None,
    into: str | None = None,
    replace: bool = False,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> GenerationResult:
    """Make `records` employees; row i is a function of (seed, i) alone.

    Parameters
    ----------
    records:
        How many, from 0 to about 6.8 thousand million.
    seed:
        0 .. 2^64 - 1.
    batch_size, workers:
        Records per batch and threads; default: the settings. They never change the result.
    out:
        File to write: .csv, .parquet, .arrow or .xlsx; it is there whole or not at all.
    into:
        URL of a database whose table `employee` takes the rows, in one transaction.
    replace:
        With `into`: empty the table first; without it, rows that are there are an InputError.

    Returns
    -------
    GenerationResult with the batches, if they were neither written to a file nor to a database.

    Raises
    ------
    InputError, CapacityError, StoreError, OperationCancelled
    """
    settings = load_settings(batch_size=batch_size, workers=workers)
    generation.check_range(0, records)
    key = generation.seed_key(seed)
    if out is not None and into is not None:
        raise InputError("both a file and a database are named", "Choose one of out and into")
    path = Path(out) if out is not None else None
    if path is not None:
        check_destination(path)
    if path is None and into is None:
        _guard_memory(records)
    compile_all()
    context = _context(progress, cancellation)
    maker = _Maker(records, key, settings.batch_size, settings.workers, context)
    started = time.perf_counter_ns()
    batches: list[pa.RecordBatch] = []
    if path is not None:
        with context.phase("generate and write"):
            maker.write(path)
    elif into is not None:
        with (
            open_store(into) as store,
            ending(maker.batches()) as made,
            context.phase("generate and insert"),
        ):
            _fill(store, made, replace=replace, records=records, seed=seed)
    else:
        with context.phase("generate"):
            batches = list(maker.batches())
    result = GenerationResult(
        "generate",
        records,
        0.0,
        dict(context.phases),
        dict(context.busy),
        batches,
        str(path) if path else "employee" if into else "memory",
        path.stat().st_size if path else maker.bytes_made,
    )
    return _finished(result, started)


class _Maker:
    """Employees on many threads, handed out in order."""

    def __init__(self, records: int, key: int, size: int, workers: int, context: Context) -> None:
        self._records, self._key, self._size = records, key, size
        self._workers, self._context = workers, context
        self._done = self.bytes_made = 0

    def _each(self, work: Callable[[pa.RecordBatch], R]) -> Generator[R, None, None]:
        """`work` of each batch, done where the batch is made."""

        def make(part: tuple[int, int]) -> tuple[int, int, R]:
            batch = generation.employees(self._key, *part)
            return batch.num_rows, batch.nbytes, work(batch)

        parts = generation.parts(0, self._records, self._size)
        made = map_ordered(make, parts, workers=self._workers, cancellation=self._context.cancellation)
        with ending(made):
            for rows, size, result in made:
                yield result
                self._done += rows
                self.bytes_made += size
                self._context.report("generating", self._done, self._records)

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        return self._each(lambda batch: batch)

    def write(self, path: Path) -> None:
        """To a file; rendering is done by the threads, too."""
        with open_writer(path, EMPLOYEE) as writer, ending(self._each(writer.prepare)) as made:
            for prepared in made:
                writer.write(prepared)


def process(
    path: str | Path,
    into: str,
    *,
    rejects: str | Path | None = None,
    workers: int | None = None,
    today: date | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> ProcessResult:
    """Take in a CSV or Excel file of people; accepted rows go to `global_id_file`, the others to a file.

    Parameters
    ----------
    path:
        .csv, .tsv, .txt (UTF-8) or .xlsx with a header row.
    into:
        URL of the database. All of the file is kept, or nothing.
    rejects:
        CSV file for the records that are not accepted; default: beside `path`, as NAME.rejects.csv. It is
        only written if there are any.
    today:
        Last acceptable date of birth; default: today.

    Raises
    ------
    InputError, CapacityError, StoreError, VerificationError, OperationCancelled
    """
    settings = load_settings(workers=workers)
    source = Path(path)
    refused = Path(rejects) if rejects is not None else source.with_name(source.stem + ".rejects.csv")
    if refused.resolve() == source.resolve():
        raise InputError(f"{refused} is the file to process", "Name another file for the rejects")
    compile_all()
    context = _context(progress, cancellation)
    started = time.perf_counter_ns()
    with contextlib.ExitStack() as stack:
        with context.phase("open"):  # the file first: a wrong one must not leave a new database behind
            reader = stack.enter_context(open_reader(source))
            map_header(reader.header)
            store = stack.enter_context(open_store(into))
            store.create_tables()
        stack.enter_context(_audited(store, "process"))
        result = process_file(
            reader, store, rejects=refused, workers=settings.workers, context=context, today=today
        )
    return _finished(result, started)


def sync(
    source: str,
    target: str | None = None,
    *,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> SyncResult:
    """Make `global_id` of the target database agree with `employee` of the source database.

    Parameters
    ----------
    source, target:
        Database URLs; default of `target`: the source itself.

    Raises
    ------
    InputError, CapacityError, StoreError, StoreBusyError, VerificationError, OperationCancelled
    """
    compile_all()
    context = _context(progress, cancellation)
    goal = target or source
    started = time.perf_counter_ns()
    with contextlib.ExitStack() as stack:
        destination = stack.enter_context(open_store(goal))
        origin = destination if is_same_store(source, goal) else stack.enter_context(open_store(source))
        origin.create_tables()
        stack.enter_context(_audited(destination, "sync"))
        result = synchronise(origin, destination, context=context)
    return _finished(result, started)


def _context(progress: ProgressCallback | None, cancellation: Cancellation | None) -> Context:
    return Context(progress, cancellation or Cancellation())


def _guard_memory(records: int) -> None:
    needed, free = records * _BYTES_PER_EMPLOYEE, psutil.virtual_memory().available
    if needed > free:
        raise InputError(
            f"{records:,} records need {needed >> 20:,} MiB, but only {free >> 20:,} MiB of memory are free",
            "Write them to a file (out=) or a database (into=)",
        )


def _fill(store: Store, batches: Iterator[pa.RecordBatch], *, replace: bool, records: int, seed: int) -> None:
    """Insert employees as one transaction, and leave a line in the audit log."""
    moment = utc_now()
    store.create_tables()
    with _audited(store, "generate"), store.transaction():
        if held := store.count("employee"):
            if not replace:
                raise InputError(
                    f"employee of {store.name} holds {held:,} rows already", "Say replace to empty it first"
                )
            store.clear("employee")
        inserted = store.append("employee", batches)
        if inserted != records:
            raise StoreError(f"{inserted:,} of {records:,} rows arrived", "Nothing was kept; run it again")
        store.record(AuditEntry("generate", moment, "done", {"records": records}, {"seed": str(seed)}))


@contextlib.contextmanager
def _audited(store: Store, operation: str) -> Iterator[None]:
    """Leave a line in the audit log where the operation fails; it writes its own where it succeeds."""
    moment = utc_now()
    try:
        yield
    except BaseException as error:
        kind = type(error).__name__
        _log.error("%s failed: %s", operation, error if isinstance(error, GidbenchError) else kind)
        with contextlib.suppress(Exception):  # the failure itself is what the caller must see
            store.create_tables()
            store.record(AuditEntry(operation, moment, "failed", {}, {"error": kind}))
        raise


def _finished(result: Done, started_ns: int) -> Done:
    """The result with the time of the whole call, and a line of it in the log."""
    result = dataclasses.replace(result, seconds=(time.perf_counter_ns() - started_ns) / 1e9)
    counts = ", ".join(
        f"{name} {value:,}" for name, value in result.counts().items() if isinstance(value, int)
    )
    _log.info(
        "%s: %s records in %.3f s (%.0f/s)%s",
        result.operation,
        f"{result.records:,}",
        result.seconds,
        result.records_per_second,
        f"; {counts}" if counts else "",
    )
    return result
