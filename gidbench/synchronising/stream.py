"""Synchronising any two stores: both tables go by, are compared here, and only what differs is written."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Sequence
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench import gid
from gidbench.arrays import fixed_values
from gidbench.engine import ending, map_ordered
from gidbench.errors import VerificationError
from gidbench.records import ACTIVE, NON_ACTIVE
from gidbench.stores.base import SOURCE_COLUMNS, STAGED_PEOPLE, TARGET_COLUMNS, Merger, Store
from gidbench.stores.numbering import keep_brought, number
from gidbench.synchronising.job import Findings, Job, check_laws, check_sum, require
from gidbench.synchronising.roster import Decisions, Roster
from gidbench.synchronising.rows import Numbering, Rows, flags_of, rows_of

STEPS = (
    "read target",
    "read source",
    "reserve",
    "stage",
    "insert",
    "update",
    "verify",
    "commit",
    "hand back",
)


class View(Protocol):
    """What of both tables is looked at; `losers`: ids of rows that did not count the last time."""

    is_whole: bool
    losers: Sequence[int]

    def people(self) -> Iterable[pa.RecordBatch]:
        """Batches of TARGET_COLUMNS."""
        ...

    def employees(self) -> Iterable[pa.RecordBatch]:
        """Batches of SOURCE_COLUMNS; read after the people."""
        ...


class Everything:
    """Both tables as a whole; a target without its table knows nobody."""

    is_whole = True
    losers: Sequence[int] = ()

    def __init__(self, source: Store, target: Store) -> None:
        self._source, self._target = source, target

    def people(self) -> Iterable[pa.RecordBatch]:
        if not self._target.has_table("global_id"):
            return ()
        return self._target.read("global_id", TARGET_COLUMNS)

    def employees(self) -> Iterable[pa.RecordBatch]:
        return self._source.read("employee", SOURCE_COLUMNS)


def run_by_stream(source: Store, target: Store, job: Job, view: View) -> Findings:
    """Bring `global_id` of the target in line with `employee` of the source: entirely, or nothing changed.

    Only then do the employees get their G_IDs in the source; if that fails, the next run does it. The lock
    `global_id` must be held.
    """
    merger = None if job.dry_run else target.merger(job.moment)
    try:
        roster = Roster(Numbering())
        salt = int.from_bytes(os.urandom(8))
        with job.step("read target"):
            _know(roster, view.people(), job, salt)
        with job.step("read source"):
            _meet(roster, view.employees(), job, salt, merger)
            decisions = roster.decide()
        counts, rows = decisions.counts, roster.met
        check_sum(counts, rows)
        if merger is None:
            return Findings(counts, rows, 0, roster.conflicts())
        if len(decisions):
            _merge(target, merger, decisions, job, view)
        else:
            job.begin("commit")
            with target.transaction():
                job.record(target, counts)
    finally:
        if merger is not None:
            merger.close()
    handed, unwritten = 0, roster.unwritten()
    if unwritten.size:
        with job.step("hand back"):
            handed = source.write_back(roster.write_backs(unwritten))
    return Findings(counts, rows, handed, roster.conflicts(), roster.losers(view.losers))


def _rows(batches: Iterable[pa.RecordBatch], job: Job, salt: int) -> Generator[Rows, None, None]:
    return map_ordered(
        partial(rows_of, salt=salt), batches, workers=job.workers, cancellation=job.context.cancellation
    )


def _know(roster: Roster, batches: Iterable[pa.RecordBatch], job: Job, salt: int) -> None:
    with ending(_rows(batches, job, salt)) as stream:
        for rows in stream:
            roster.know(roster.numbering.complete(rows), flags_of(rows.batch.column("status")))


def _meet(
    roster: Roster, batches: Iterable[pa.RecordBatch], job: Job, salt: int, merger: Merger | None
) -> None:
    """Read the source; what the target may have to be told is staged on the way."""
    staged = 0

    def different() -> Generator[pa.RecordBatch, None, None]:
        nonlocal staged
        with ending(_rows(batches, job, salt)) as stream:
            for rows in stream:
                ids = fixed_values(rows.batch.column("id"), np.int64)
                deleted = _deleted(rows.batch.column("deleted_at"))
                wanted = roster.meet(roster.numbering.complete(rows), ids, deleted)
                count = int(np.count_nonzero(wanted))
                if count:
                    staged += count
                    yield _to_stage(rows.batch, wanted, deleted, count)

    with ending(different()) as changes:
        if merger is None:
            for _ in changes:
                pass
        else:
            require(merger.stage_people(changes), staged, "staged")


def _to_stage(
    batch: pa.RecordBatch, wanted: npt.NDArray[np.uint8], deleted: npt.NDArray[np.uint8], count: int
) -> pa.RecordBatch:
    """The wanted rows as STAGED_PEOPLE."""
    status = pc.if_else(pa.array(deleted.view(np.bool_)), NON_ACTIVE, ACTIVE)
    columns = [batch.column(name) for name in STAGED_PEOPLE.names[:-1]]
    rows = pa.RecordBatch.from_arrays([*columns, status], schema=STAGED_PEOPLE)
    return rows if count == len(rows) else rows.filter(pa.array(wanted.view(np.bool_)))


def _deleted(moments: pa.Array) -> npt.NDArray[np.uint8]:
    if moments.null_count == len(moments):
        return np.zeros(len(moments), np.uint8)
    return fixed_values(moments.is_valid().cast(pa.uint8()), np.uint8)


def _merge(target: Store, merger: Merger, decisions: Decisions, job: Job, view: View) -> None:
    """Stage what was decided; then all of it, or nothing, in one transaction."""
    roster, counts, new = decisions.roster, decisions.counts, decisions.newcomers
    with target.lock("g_id_sequence", job.lock_timeout_s):
        planned: list[int] = []

        def plan(count: int, beyond: int) -> int:
            """Where the range will begin: nobody moves the sequence until it is reserved, after staging."""
            first = max(merger.next_ordinal(), beyond + 1)
            gid.check_capacity(first, count)
            planned.extend((count, beyond, first))
            return first

        if new.size:
            with job.step("reserve"):
                brought = roster.brought(new)
                roster.name(new, number(brought, keep_brought(brought, roster.taken), plan))
                check_laws({"repeated_g_id": roster.repeated_gids()})
        with job.step("stage"):
            require(merger.stage_decisions(decisions.batches()), len(decisions), "staged")
        with target.transaction():
            people = roster.known if view.is_whole else target.count("global_id")
            if new.size:
                with job.step("insert"):
                    count, beyond, first = planned
                    if merger.reserve(count, beyond) != first:
                        raise VerificationError(
                            "somebody else took G_IDs while this run held them",
                            "Nothing was changed; run it again",
                        )
                    require(merger.insert(), new.size, "inserted")
            if decisions.changed.size or decisions.departed.size:
                with job.step("update"):
                    require(merger.update(), decisions.changed.size, "updated")
                    require(merger.deactivate(), decisions.departed.size, "deactivated")
            with job.step("verify"):
                check_laws(merger.verify(people + new.size))
            job.begin("commit")
            job.record(target, counts)
            committing = time.perf_counter_ns()
        job.context.end_phase("commit", committing)
