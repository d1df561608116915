"""Take in a file of people: every record is accepted, a duplicate or rejected, and what is kept is kept as a whole."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import psutil
import pyarrow as pa

from gidbench.admission import Admission, LooseGids, Supply
from gidbench.engine import Context, ending
from gidbench.errors import InputError, VerificationError
from gidbench.files.rejects import GrowingRejects, RejectLimit, RejectsFile
from gidbench.files.text import TableReader
from gidbench.outcome import Outcome
from gidbench.records import GLOBAL_ID
from gidbench.stores.base import AuditEntry, Store
from gidbench.stores.gid_supply import GidSupply
from gidbench.units import utc_now

TABLE = "global_id_file"


@dataclass(frozen=True)
class ProcessResult(Outcome):
    """What became of a file's records: accepted + duplicate + rejected = records.

    Attributes
    ----------
    batches:
        The accepted rows, where no database was named.
    first_record:
        Number of the first record that was taken in, later than asked for where a run was resumed.
    """

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    rejects_path: Path | None = None
    batches: list[pa.RecordBatch] = field(default_factory=list, repr=False)
    first_record: int = 1

    def counts(self) -> dict[str, int | str]:
        named: dict[str, int | str] = {
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "rejected": self.rejected,
        }
        if self.first_record > 1:
            named["from record"] = self.first_record
        if self.reasons:
            named["reasons"] = ", ".join(f"{code} {count:,}" for code, count in self.reasons.items())
        if self.rejects_path:
            named["rejects"] = str(self.rejects_path)
        return named

    def to_arrow(self) -> pa.Table:
        """The batches as one Arrow table."""
        return pa.Table.from_batches(self.batches, GLOBAL_ID)


@dataclass(frozen=True)
class Share:
    """Which records of a file are taken in, and in how many steps.

    Attributes
    ----------
    first, last:
        Numbers of the first and the last record, from 1 on; None: the last of the file.
    commit_every:
        Records that are kept together; None: all of them.
    resume:
        Whether to go on behind the records of this file that earlier runs have kept.
    file:
        Fingerprint of the file in the audit log, by which a later run finds them.
    """

    first: int = 1
    last: int | None = None
    commit_every: int | None = None
    resume: bool = False
    file: str = ""

    def __post_init__(self) -> None:
        if self.first < 1 or (self.last is not None and self.last < self.first):
            last = "" if self.last is None else self.last
            raise InputError(
                f"the records {self.first}:{last} are none", "Give FIRST:LAST with 1 <= FIRST <= LAST"
            )
        if self.commit_every is not None and self.commit_every < 1:
            raise InputError(f"commit_every is {self.commit_every}", "Give 1 or more records")

    def check_in_memory(self) -> None:
        """Raise InputError where a part is to be kept, and there is no database that could."""
        if self.resume or self.commit_every is not None:
            raise InputError("there is no database that could keep a part of the file", "Name one with into")


WHOLE = Share()


def process_in_memory(
    reader: TableReader,
    take: Callable[[pa.RecordBatch], None],
    *,
    rejects: Path,
    workers: int,
    context: Context,
    today: date | None = None,
    clock: Callable[[], datetime] = utc_now,
    limit: RejectLimit | None = None,
    share: Share = WHOLE,
    supply: Supply | None = None,
) -> ProcessResult:
    """Hand the accepted rows of one open file to `take`, in order, in batches of `global_id_file`.

    G_IDs come from `supply`, or begin with the very first one.
    Raises InputError where a required column is missing, CapacityError where the G_IDs run out,
    TooManyRejectsError.
    """
    started = time.perf_counter_ns()
    with RejectsFile(rejects) as refused:
        run = Admission(
            reader,
            refused,
            supply or LooseGids(),
            workers=workers,
            context=context,
            today=today or date.today(),
            moment=clock(),
            first=share.first,
            last=share.last,
            limit=limit,
        )
        with context.phase("process"):
            run.hand_on(take)
        _require_sum(run.totals(), run.accepted)
        refused.seal()
    return _result(run, context, started, rejects, share.first)


def process_file(
    reader: TableReader,
    store: Store,
    *,
    rejects: Path,
    workers: int,
    context: Context,
    today: date | None = None,
    clock: Callable[[], datetime] = utc_now,
    lock_timeout_s: float = 30.0,
    limit: RejectLimit | None = None,
    share: Share = WHOLE,
) -> ProcessResult:
    """Process one open file into `global_id_file` of a store; a range of it is kept as a whole, or not at all.

    There is one range, unless `share.commit_every` says otherwise. Records that are not accepted go to the file
    `rejects`, which exists afterwards only if there are any.
    Raises InputError where a required column is missing, CapacityError where the G_IDs run out,
    TooManyRejectsError.
    """
    started = time.perf_counter_ns()
    moment = clock()
    with store.lock(TABLE, lock_timeout_s):
        first = _first_left(store, share) if share.resume else share.first
        growing = share.resume or share.commit_every is not None
        with GrowingRejects(rejects, first) if growing else RejectsFile(rejects) as refused:
            run = Admission(
                reader,
                refused,
                GidSupply(store),
                workers=workers,
                context=context,
                today=today or date.today(),
                moment=moment,
                first=first,
                last=share.last,
                limit=limit,
                several=share.commit_every is not None,
            )
            with ending(run.parts):
                with context.phase("open"):
                    run.know(store.keys(TABLE))
                ranges = _Ranges(run, store, refused, context, moment, share)
                ranges.keep_next()
                while share.commit_every is not None and run.more():
                    ranges.keep_next()
    return _result(run, context, started, rejects, first)


@dataclass
class _Ranges:
    """The ranges of one run, kept one after the other."""

    run: Admission
    store: Store
    refused: RejectsFile | GrowingRejects
    context: Context
    moment: datetime
    share: Share

    def keep_next(self) -> None:
        """Take in the next range as one transaction."""
        run, store, context = self.run, self.store, self.context
        supply = run.supply = GidSupply(store)
        before, held = run.totals(), store.count(TABLE)
        committing = False
        try:
            first = run.next_record
            batches = run.batches(self.share.commit_every)
            with ending(batches), store.transaction():
                with context.phase("load"):
                    inserted = store.append(TABLE, batches)
                counts = {name: count - before[name] for name, count in run.totals().items()}
                with context.phase("verify"):
                    self.verify(counts, inserted, store.count(TABLE) - held)
                self.refused.seal()
                parameters = {
                    "unit": run.unit,
                    "file": self.share.file,
                    "records": [first, run.next_record - 1],
                }
                store.record(AuditEntry("process", self.moment, "done", counts, parameters))
                committing = True
                started = time.perf_counter_ns()
            context.end_phase("commit", started)
        finally:
            # a commit that fails may have arrived all the same: the G_IDs that it wrote stay taken
            supply.close(used=committing)
        if isinstance(self.refused, GrowingRejects):
            run.keep()

    @staticmethod
    def verify(counts: dict[str, int], inserted: int, stored: int) -> None:
        """The law: accepted + duplicate + rejected = records, and what was accepted stands in the table."""
        _require_sum(counts, inserted, stored)


def _require_sum(counts: dict[str, int], *stored: int) -> None:
    parts = counts["accepted"] + counts["duplicate"] + counts["rejected"]
    if parts != counts["records"] or any(count != counts["accepted"] for count in stored):
        raise VerificationError(
            f"{counts['records']:,} records were read, but {parts:,} accounted for and {stored[-1]:,} stored",
            "Nothing was kept; please report this with the file's layout",
        )


def _first_left(store: Store, share: Share) -> int:
    """The first record of the share behind those of the file that are kept."""
    found = [
        entry.parameters["records"]
        for entry in store.entries("process")
        if entry.outcome == "done" and entry.parameters.get("file") == share.file
    ]
    left = share.first
    for first, last in sorted(found):
        if first <= left <= last:
            left = last + 1
    return left


def _result(run: Admission, context: Context, started: int, rejects: Path, first: int) -> ProcessResult:
    return ProcessResult(
        "process",
        run.records,
        (time.perf_counter_ns() - started) / 1e9,
        dict(context.phases),
        dict(context.busy),
        run.accepted,
        run.duplicate,
        run.rejected,
        {reason.code: run.reasons[reason] for reason in sorted(run.reasons)},
        rejects if rejects.is_file() else None,
        first_record=first,
    )


def fingerprint(path: Path) -> str:
    """A hash of name, size and time of change, by which the audit log knows a file again."""
    facts = path.stat()
    told = f"{path.name}|{facts.st_size}|{facts.st_mtime_ns}"
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def guard_memory(reader: TableReader) -> None:
    """Raise InputError where the rows of a text file would not fit into memory: they take about as much."""
    free = psutil.virtual_memory().available
    if reader.unit == "bytes" and reader.size > free:
        raise InputError(
            f"a file of {reader.size >> 20:,} MiB does not fit into the {free >> 20:,} MiB of free memory",
            "Name a database with into",
        )
