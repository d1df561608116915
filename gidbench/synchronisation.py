"""Make `global_id` agree with `employee`: compare, reserve, stage, merge, verify, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gidbench import gid
from gidbench.arrays import fixed_values
from gidbench.engine import Context
from gidbench.errors import VerificationError
from gidbench.outcome import Outcome
from gidbench.stores.base import OUTCOMES, SOURCE_COLUMNS, AuditEntry, Store, Synchroniser
from gidbench.units import utc_now

STEPS = ("scan", "compare", "reserve", "insert", "update", "write back", "verify", "commit", "hand back")


@dataclass(frozen=True)
class SyncResult(Outcome):
    """What became of the rows: the six outcomes add up to `records`.

    Attributes
    ----------
    records:
        Rows scanned: those of the source, and people of the target whom the source does not know.
    written_back:
        Rows of `employee` that were given their G_ID.
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
    conflicts: pa.Table | None = field(default=None, repr=False)

    def counts(self) -> dict[str, int | str]:
        return {name: getattr(self, name) for name in (*OUTCOMES, "written_back")}


def synchronise(
    source: Store,
    target: Store,
    *,
    context: Context,
    clock: Callable[[], datetime] = utc_now,
    before: Callable[[str], None] | None = None,
    lock_timeout_s: float = 30.0,
) -> SyncResult:
    """Bring the `global_id` of `target` in line with the `employee` of `source` (which may be one store).

    Everything in the target happens in one transaction: afterwards it agrees entirely, or nothing changed.
    Where the source is another store, its employees get their G_IDs in a second transaction after that; if
    it fails, the next run does it. `before` is called with the name of each step (`STEPS`) as it begins.
    """
    started = time.perf_counter_ns()
    moment = clock()
    local = source is target

    def begin(step: str) -> None:
        if before:
            before(step)
        context.report(step, STEPS.index(step), len(STEPS), "steps")

    target.create_tables()
    with target.lock("global_id", lock_timeout_s), target.lock("g_id_sequence", lock_timeout_s):
        with target.transaction():
            steps = target.synchroniser(moment)
            begin("scan")
            with context.phase("scan"):
                if local:
                    rows = steps.scan_local()
                else:
                    rows = steps.scan_foreign(source.read("employee", SOURCE_COLUMNS))
            begin("compare")
            with context.phase("compare"):
                counts = steps.compare()
            if counts["inserted"]:
                begin("reserve")
                with context.phase("reserve"):
                    assignments = _assign(steps, counts["inserted"])
                begin("insert")
                with context.phase("insert"):
                    _require(steps.insert(assignments), counts["inserted"], "inserted")
            if changes := counts["updated"] + counts["deactivated"] + counts["reactivated"]:
                begin("update")
                with context.phase("update"):
                    _require(steps.update(), changes, "updated")
            handed, missing = 0, None
            if counts["inserted"] + counts["unwritten"]:
                begin("write back")
                with context.phase("write back"):
                    if local:
                        handed = steps.write_back_local()
                    else:
                        missing = steps.missing_write_backs()
            begin("verify")
            with context.phase("verify"):
                _verify(counts, rows, steps, changed=bool(counts["inserted"] or changes))
                conflicts = steps.conflicts() if counts["conflict"] else None
            begin("commit")
            outcomes = {name: counts[name] for name in OUTCOMES}
            target.record(AuditEntry("sync", moment, "done", outcomes, {"source": source.name}))
            committing = time.perf_counter_ns()
        context.end_phase("commit", committing)
        if missing is not None and missing.num_rows:
            begin("hand back")
            with context.phase("hand back"), source.transaction():
                handed = source.write_back(missing.to_batches())
    return SyncResult(
        "sync",
        rows + counts["gone"],
        (time.perf_counter_ns() - started) / 1e9,
        dict(context.phases),
        dict(context.busy),
        **outcomes,
        written_back=handed,
        conflicts=conflicts,
    )


def _assign(steps: Synchroniser, expected: int) -> pa.Table:
    """(id, g_id) of everyone to insert, numbered in order of id.

    A G_ID is for life: who brings a valid one along that nobody else holds keeps it, and the sequence is
    moved past it.
    """
    newcomers = steps.newcomers()
    _require(newcomers.num_rows, expected, "found again")
    brought = newcomers.column("g_id").combine_chunks()
    if brought.null_count == len(brought):
        first = steps.reserve(expected, -1)
        return newcomers.set_column(1, "g_id", gid.encode_range(first, expected))
    ordinals = gid.decode_array(brought)
    keep = ordinals >= 0
    unique = np.zeros(len(ordinals), bool)
    unique[np.unique(ordinals, return_index=True)[1]] = True
    keep &= unique
    taken = pc.is_in(brought, value_set=steps.taken(brought.filter(pa.array(keep))))
    keep &= fixed_values(taken.cast(pa.uint8()), np.uint8) == 0
    needed = int((~keep).sum())
    beyond = int(ordinals[keep].max()) if keep.any() else -1
    first = steps.reserve(needed, beyond)
    ordinals[~keep] = np.arange(first, first + needed)
    return newcomers.set_column(1, "g_id", gid.encode_array(ordinals))


def _require(found: int, expected: int, what: str) -> None:
    if found != expected:
        raise VerificationError(
            f"{found:,} rows were {what} where {expected:,} were counted",
            "Nothing was changed; make sure that nobody else writes to these tables, and run it again",
        )


def _verify(counts: dict[str, int], rows: int, steps: Synchroniser, *, changed: bool) -> None:
    """The laws: outcomes add up to the rows scanned, and the target agrees with the source."""
    _require(sum(counts[name] for name in OUTCOMES), rows + counts["gone"], "accounted for")
    if not changed:  # the comparison itself has just found that every row agrees
        return
    broken = {law: count for law, count in steps.verify().items() if count}
    if broken:
        found = ", ".join(f"{law.replace('_', ' ')}: {count:,}" for law, count in broken.items())
        raise VerificationError(
            f"global_id does not agree with employee after the merge ({found})",
            "Nothing was changed; look for rows that repeat a G_ID or a no_ktp in global_id",
        )
