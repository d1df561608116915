"""The three operations as people call them: arguments checked, stores opened, results returned."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from gidbench.auditing import audited
from gidbench.engine import Cancellation, Context, ProgressCallback, ending
from gidbench.errors import InputError, StoreError, VerificationError
from gidbench.files.options import ReadOptions, limits_of
from gidbench.files.readers import open_reader
from gidbench.files.rejects import RejectLimit
from gidbench.files.writers import STANDARD_OUTPUT, CsvOptions, check_destination
from gidbench.generating import GenerationResult, Making, check_memory
from gidbench.generation.plan import Plan, employees
from gidbench.kernels.warmup import compile_all
from gidbench.outcome import finished
from gidbench.processing import (
    ProcessResult,
    Share,
    fingerprint,
    guard_memory,
    process_file,
    process_in_memory,
)
from gidbench.records import SCHEMAS, is_people_header, map_header
from gidbench.settings import load_settings
from gidbench.specs.model import Spec
from gidbench.specs.parsing import load_spec
from gidbench.stores.base import AuditEntry, Store
from gidbench.stores.naming import OURS, Names
from gidbench.stores.opening import open_store
from gidbench.syncing import sync
from gidbench.units import utc_now
from gidbench.verification import VerificationResult, digest_source

LOCK_TIMEOUT_S = 30.0

__all__ = ["generate", "process", "sync", "verify"]


def generate(
    records: int | None = None,
    *,
    seed: int = 0,
    spec: str | Path | Spec | None = None,
    table: str | None = None,
    first_row: int = 0,
    batch_size: int | None = None,
    workers: int | None = None,
    out: str | Path | None = None,
    into: str | None = None,
    replace: bool = False,
    header: bool = True,
    guard_formulas: bool = False,
    durable: bool = False,
    names: Names = OURS,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> GenerationResult:
    """Make rows of a table; every value is a function of (seed, table, column, row) alone.

    Parameters
    ----------
    records:
        How many; default: what the spec says of the table. Employees: from 0 to about 2.6 million million.
    seed:
        0 .. 2^64 - 1.
    spec, table:
        A spec, or the TOML file of one, and the name of one of its tables (its first). Default: employees.
    first_row:
        Row of the table to begin with, from 0: rows 500 to 599 are the same by themselves as in the whole.
    batch_size, workers:
        Records per batch in memory and in loads, and threads; default: the settings. They never change a row.
    out:
        File to write: .csv, .csv.gz, .csv.zst, .parquet, .arrow or .xlsx, there whole or not at all; or `-`,
        CSV to standard output.
    into:
        URL of a database; the table of that name takes the rows, in one transaction, and is created where it
        does not exist.
    replace:
        With `into`: empty the table first; without it, rows that are there are an InputError.
    header:
        Whether CSV begins with a header row; without it, files of consecutive slices can be put together.
    guard_formulas:
        Put an apostrophe before texts that a spreadsheet would take for formulas (files only).
    durable:
        Wait until the file is on the disk, whole and under its name (files only).
    names:
        How our tables and columns are called in the database.
    progress:
        Called with each `gidbench.Progress`, from whichever thread did the work.
    cancellation:
        A `gidbench.Cancellation`; once it is set, the operation stops at its next part, and nothing half-done is kept.

    Returns
    -------
    GenerationResult: counts, wall seconds by phase, rate, digest; `batches` (Arrow record batches of `batch_size` rows
    in the order of the rows, of `schema`) and `to_arrow()`, `to_pandas()`, if neither a file nor a database took them.

    Raises
    ------
    InputError, CapacityError, StoreError, OperationCancelled
    """
    settings = load_settings(batch_size=batch_size, workers=workers)
    plan = _plan(spec, table, seed)
    count = plan.table.records if records is None else records
    if count is None:
        raise InputError(f"nothing says how many records of {plan.table.name} to make", "Say records")
    plan.check(first_row, count)
    if out is not None and into is not None:
        raise InputError("both a file and a database are named", "Choose one of out and into")
    if out is None and (not header or guard_formulas or durable):
        raise InputError(
            "there is no file whose header, formulas or durability could be seen to", "Name one with out"
        )
    if out is not None:
        check_destination(out)
    compile_all()
    context = _context(progress, cancellation)
    making = Making(plan, first_row, count, settings.workers, context, guard_formulas)
    if out is None and into is None:
        check_memory(plan, first_row, count)
    started = time.perf_counter_ns()
    batches: list[pa.RecordBatch] = []
    load: dict[str, Any] = {}
    if out is not None:
        with context.phase("generate and write"):
            making.write(out, CsvOptions(header), durable=durable)
    elif into is not None:
        made = making.batches(settings.batch_size)
        with open_store(into, names=names) as store, ending(made), context.phase("generate and insert"):
            _fill(store, made, plan, replace=replace, records=count)
            load = store.load_facts()
    else:
        with context.phase("generate"):
            making.hand_on(settings.batch_size, batches.append)
    to_disk = out is not None and str(out) != STANDARD_OUTPUT
    result = GenerationResult(
        "generate",
        count,
        0.0,
        dict(context.phases),
        dict(context.busy),
        batches,
        _destination(out, into, plan.table.name),
        Path(str(out)).stat().st_size if to_disk else making.bytes_made,
        plan.schema,
        None if out is None and into is None else str(making.digest),
        load,
    )
    return finished(result, started)


def _plan(spec: str | Path | Spec | None, table: str | None, seed: int) -> Plan:
    if spec is None:
        if table not in (None, "employee"):
            raise InputError(f"there is no table {table!r} without a spec", "Name a spec, or leave out table")
        return employees(seed)
    known = spec if isinstance(spec, Spec) else load_spec(spec)
    name = next(iter(known.tables)) if table is None else table
    if name not in known.tables:
        raise InputError(f"the spec has no table {name!r}", f"Use one of {', '.join(known.tables)}")
    return Plan(known, name, seed)


def _destination(out: str | Path | None, into: str | None, table: str) -> str:
    if out is not None:
        return "standard output" if str(out) == STANDARD_OUTPUT else str(out)
    return table if into is not None else "memory"


def verify(
    source: str | Path,
    *,
    expect: str | None = None,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> VerificationResult:
    """Work out the digest of the records in a file or a table.

    Parameters
    ----------
    source:
        .csv, .tsv, .txt (also .gz and .zst), .xlsx, .parquet or .arrow, or URL/TABLE of a database.
    expect:
        The digest that it must have, as generation told it.
    workers:
        Threads; default: the settings.
    progress:
        Called with each `gidbench.Progress`, from whichever thread did the work.
    cancellation:
        A `gidbench.Cancellation`; once it is set, the operation stops at its next part, and nothing half-done is kept.

    Returns
    -------
    VerificationResult with `records` and `digest`, 32 hexadecimal digits.

    Raises
    ------
    InputError, StoreError, OperationCancelled; VerificationError where the digest is another one
    """
    settings = load_settings(workers=workers)
    compile_all()
    context = _context(progress, cancellation)
    started = time.perf_counter_ns()
    with context.phase("read and digest"):
        found = digest_source(str(source), settings.workers, context, ReadOptions(limits=limits_of(settings)))
    result = finished(VerificationResult.of(found, dict(context.phases)), started)
    if expect is not None and expect.strip().lower() != result.digest:
        raise VerificationError(
            f"{result.records:,} records have the digest {result.digest}, not {expect.strip()}",
            "What arrived is not what was sent: compare the number of records first",
        )
    return result


def process(
    path: str | Path,
    into: str | None = None,
    *,
    rejects: str | Path | None = None,
    max_rejects: int | str | None = None,
    first_record: int = 1,
    last_record: int | None = None,
    commit_every: int | None = None,
    resume: bool = False,
    workers: int | None = None,
    today: date | None = None,
    names: Names = OURS,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> ProcessResult:
    """Take in a CSV or Excel file of people; accepted rows go to `global_id_file`, the others to a file.

    Parameters
    ----------
    path:
        .csv, .tsv, .txt (UTF-8) or .xlsx with a header row.
    into:
        URL of the database. All of the file is kept, or nothing. None: the result has the rows.
    rejects:
        CSV file for the records that are not accepted; default: beside `path`, as NAME.rejects.csv. It is
        only written if there are any.
    max_rejects:
        Rejects beyond this number, or per cent of the records (`"2.5%"`, judged from 1,000 records on), end the
        run with TooManyRejectsError; the rejects file has those found so far. Duplicates do not count.
    first_record, last_record:
        Numbers of the first and the last record to take in, from 1 on, as the rejects file tells them.
    commit_every:
        Keep every so many records by themselves: what was kept before a failure stays.
    resume:
        Go on behind the records of this very file (name, size, time of change) that earlier runs have kept.
    workers:
        Threads; default: the settings.
    today:
        Last acceptable date of birth; default: today.
    names:
        How our tables and columns are called in the database.
    progress:
        Called with each `gidbench.Progress`, from whichever thread did the work.
    cancellation:
        A `gidbench.Cancellation`; once it is set, the operation stops at its next part, and nothing half-done is kept.

    Returns
    -------
    ProcessResult: accepted, duplicate and rejected, which add up to `records`, reasons by code, and without `into` the
    accepted rows as `batches` and `to_arrow()`: the columns of `global_id_file`, in the order of the file.

    Raises
    ------
    InputError, CapacityError, StoreError, VerificationError, TooManyRejectsError, OperationCancelled
    """
    settings = load_settings(workers=workers)
    source = Path(path)
    refused = Path(rejects) if rejects is not None else source.with_name(source.stem + ".rejects.csv")
    if refused.resolve() == source.resolve():
        raise InputError(f"{refused} is the file to process", "Name another file for the rejects")
    limit = None if max_rejects is None else RejectLimit.of(max_rejects)
    share = Share(first_record, last_record, commit_every, resume)
    if into is None:
        share.check_in_memory()
    compile_all()
    context = _context(progress, cancellation)
    started = time.perf_counter_ns()
    with contextlib.ExitStack() as stack:
        with context.phase("open"):  # the file first: a wrong one must not leave a new database behind
            options = ReadOptions(is_header=is_people_header, limits=limits_of(settings))
            reader = stack.enter_context(open_reader(source, options))
            map_header(reader.header)
            share = dataclasses.replace(share, file=fingerprint(source))
        if into is None:
            batches: list[pa.RecordBatch] = []
            guard_memory(reader)
            result = process_in_memory(
                reader,
                batches.append,
                rejects=refused,
                workers=settings.workers,
                context=context,
                today=today,
                limit=limit,
                share=share,
            )
            return finished(dataclasses.replace(result, batches=batches), started)
        with context.phase("open"):
            store = stack.enter_context(open_store(into, names=names))
            store.create_tables()
        stack.enter_context(audited(store, "process"))
        with _not_read_again():
            result = process_file(
                reader,
                store,
                rejects=refused,
                workers=settings.workers,
                context=context,
                today=today,
                limit=limit,
                share=share,
            )
    return finished(result, started)


@contextlib.contextmanager
def _not_read_again() -> Iterator[None]:
    """A file is not read a second time by itself, as tables are: say so where an error may pass."""
    try:
        yield
    except StoreError as error:
        if not error.transient:
            raise
        remedy = "process the file again (with resume, where it is kept in steps): nobody is taken in twice"
        raise StoreError(error.problem, f"{error.remedy}; then {remedy}") from error.__cause__


def _context(progress: ProgressCallback | None, cancellation: Cancellation | None) -> Context:
    return Context(progress, cancellation or Cancellation())


def _fill(
    store: Store, batches: Iterator[pa.RecordBatch], plan: Plan, *, replace: bool, records: int
) -> None:
    """Insert rows as one transaction, and leave a line in the audit log."""
    moment, table = utc_now(), plan.table.name
    store.create_tables()
    # a run that was killed may still have its rows on their way
    with audited(store, "generate"), store.lock(table, LOCK_TIMEOUT_S), store.transaction():
        if table not in SCHEMAS:
            store.create_table(table, plan.schema)
        elif plan.schema != SCHEMAS[table]:
            raise InputError(f"the spec's {table} is not the table of that name", "Call it by another name")
        if held := store.count(table):
            if not replace:
                raise InputError(
                    f"{table} of {store.name} holds {held:,} rows already", "Say replace to empty it first"
                )
            store.clear(table)
        inserted = store.append(table, batches)
        if inserted != records:
            raise StoreError(f"{inserted:,} of {records:,} rows arrived", "Nothing was kept; run it again")
        parameters = {"seed": str(plan.seed), "table": table}
        store.record(AuditEntry("generate", moment, "done", {"records": records}, parameters))
