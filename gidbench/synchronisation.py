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
        `server` or `stream`: how it was done.
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
    workers:
        Threads that compare rows.
    before:
        Called with the name of each step (`STEPS`) as it begins.
    """
    started = time.perf_counter_ns()
    if mode not in MODES:
        raise InputError(f"there is no mode {mode!r}", f"Use one of {', '.join(MODES)}")
    if mode == "server" and source is not target:
        raise InputError(
            "the source and the target are two stores, between which rows must travel", "Use the mode stream"
        )
    way = "server" if mode == "auto" and source is target else "stream" if mode == "auto" else mode
    job = Job(context, clock(), STEPS[way], before, lock_timeout_s, workers, dry_run, {"source": source.name})
    if not dry_run:
        target.create_tables()
    found = (
        run_in_server(target, job)
        if way == "server"
        else run_by_stream(source, target, job, Everything(source, target))
    )
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
