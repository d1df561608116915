"""Make `global_id` agree with `employee`: within a server, or streaming from one store to another."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from gidbench.engine import Context
from gidbench.errors import InputError
from gidbench.outcome import Outcome
from gidbench.stores.base import OUTCOMES, Store
from gidbench.synchronising import server, stream
from gidbench.synchronising.changes import find_changes, last_time, leave_mark
from gidbench.synchronising.comparing import compare_again
from gidbench.synchronising.job import Job
from gidbench.synchronising.server import run_in_server
from gidbench.synchronising.stream import Everything, run_by_stream
from gidbench.units import utc_now

MODES = ("auto", "server", "stream")
STEPS = {"server": server.STEPS, "stream": stream.STEPS}


@dataclass(frozen=True)
class SyncResult(Outcome):
    """What became of the rows: the six outcomes add up to `records`.

    Attributes
    ----------
    records:
        Rows scanned: those of the source, and people of the target whom the source does not know.
    written_back:
        Rows of `employee` that were given their G_ID.
    mode:
        `server`, `stream` or `incremental`: how it was done.
    conflicts:
        Table (id, kept_id) of source rows that did not count, since another row has their no_ktp (kept_id)
        or they have none (kept_id null).
    """

    inserted: int = 0
    updated: int = 0
    deactivated: int = 0
    reactivated: int = 0
    unchanged: int = 0
    conflict: int = 0
    written_back: int = 0
    mode: str = ""
    conflicts: pa.Table | None = field(default=None, repr=False)

    def counts(self) -> dict[str, int | str]:
        return {name: getattr(self, name) for name in (*OUTCOMES, "written_back")}


def synchronise(
    source: Store,
    target: Store,
    *,
    context: Context,
    mode: str = "auto",
    dry_run: bool = False,
    incremental: bool = False,
    verify: bool = False,
    workers: int = 1,
    clock: Callable[[], datetime] = utc_now,
    before: Callable[[str], None] | None = None,
    lock_timeout_s: float = 30.0,
) -> SyncResult:
    """Bring the `global_id` of `target` in line with the `employee` of `source` (which may be one store).

    Everything in the target happens in one transaction: afterwards it agrees entirely, or nothing changed.
    A run that streams gives the employees their G_IDs after that; if it fails there, the next run does it.

    Parameters
    ----------
    mode:
        `server`: statements over whole tables, no row leaves the store; for one store only. `stream`: both
        tables go by and are compared here. `auto`: the first where it is possible.
    dry_run:
        Count only: nothing at all is changed.
    incremental:
        Read only what was changed since the last incremental run of this source into this target, and all rows
        that these changes concern; the first run, and any of which that would not be sure to end as a full one,
        is full. It streams. What others than a sync change in `global_id` is not noticed.
    verify:
        Afterwards read both tables anew and compare every row. Raises VerificationError; the changes are kept.
    workers:
        Threads that compare rows.
    before:
        Called with the name of each step (`STEPS`) as it begins.
    """
    started = time.perf_counter_ns()
    way = _way(source, target, mode, dry_run=dry_run, incremental=incremental, verify=verify)
    moment = clock()
    origin = {"source": source.name, "employee": source.names.employee.name}
    job = Job(context, moment, STEPS[way], before, lock_timeout_s, workers, dry_run, origin)
    if not dry_run:
        target.create_tables()
    if not source.has_table("employee"):
        raise InputError(
            f"{source.name} has no table {source.names.employee.name}",
            "Name the database that has, or its table",
        )
    if way == "server":
        found = run_in_server(target, job)
    else:
        with target.lock("global_id", lock_timeout_s):
            mark = source.change_mark() if incremental else None
            last = last_time(target, job) if mark else None
            changes = find_changes(source, target, last, mark) if mark and last else None
            found = run_by_stream(source, target, job, changes or Everything(source, target))
            if mark and not dry_run:
                leave_mark(target, job, mark, found.losers)
        way = "incremental" if changes else way
    if verify:
        with context.phase("compare again"):
            compare_again(source, target, job)
    return SyncResult(
        "sync",
        found.rows + found.counts["gone"],
        (time.perf_counter_ns() - started) / 1e9,
        dict(context.phases),
        dict(context.busy),
        **{name: found.counts[name] for name in OUTCOMES},
        written_back=found.written_back,
        mode=way,
        conflicts=found.conflicts,
    )


def _way(source: Store, target: Store, mode: str, *, dry_run: bool, incremental: bool, verify: bool) -> str:
    """`server` or `stream`. Raises InputError where the arguments don't go together."""
    if mode not in MODES:
        raise InputError(f"there is no mode {mode!r}", f"Use one of {', '.join(MODES)}")
    if dry_run and verify:
        raise InputError("a dry run leaves nothing to verify", "Leave one of both out")
    if mode == "server" and source is not target:
        raise InputError(
            "the source and the target are two stores, between which rows must travel", "Use the mode stream"
        )
    if mode == "server" and incremental:
        raise InputError("an incremental run streams what has changed", "Use the mode stream")
    if dry_run and not target.has_table("global_id"):  # nothing is created for it
        return "stream"
    if mode == "auto":
        return "server" if source is target and not incremental else "stream"
    return mode
