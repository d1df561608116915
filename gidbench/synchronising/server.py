"""Synchronising within one store: statements over whole tables, in one transaction."""

from __future__ import annotations

import time

from gidbench.stores.base import Store
from gidbench.synchronising.job import Findings, Job, check_laws, check_sum, require

STEPS = ("scan", "compare", "reserve", "insert", "update", "write back", "verify", "commit")


def run_in_server(store: Store, job: Job) -> Findings:
    """Bring `global_id` in line with `employee` of the same store: entirely, or nothing changed."""
    handed, conflicts = 0, None
    with (
        store.lock("global_id", job.lock_timeout_s),
        store.lock("g_id_sequence", job.lock_timeout_s),
    ):
        with store.transaction():
            steps = store.synchroniser(job.moment)
            with job.step("scan"):
                rows = steps.scan()
            with job.step("compare"):
                counts = steps.compare()
            new = counts["inserted"]
            changes = counts["updated"] + counts["deactivated"] + counts["reactivated"]
            if job.dry_run:
                check_sum(counts, rows)
                return Findings(counts, rows, 0, steps.conflicts() if counts["conflict"] else None)
            if new:
                with job.step("reserve"):
                    require(steps.assign(new), new, "found again")
                with job.step("insert"):
                    require(steps.insert(), new, "inserted")
            if changes:
                with job.step("update"):
                    require(steps.update(), changes, "updated")
            if new + counts["unwritten"]:
                with job.step("write back"):
                    handed = steps.write_back()
            with job.step("verify"):
                check_sum(counts, rows)
                if new or changes:  # else the comparison itself has just found that every row agrees
                    check_laws(steps.verify())
                if counts["conflict"]:
                    conflicts = steps.conflicts()
            job.begin("commit")
            job.record(store, counts)
            committing = time.perf_counter_ns()
        job.context.end_phase("commit", committing)
    return Findings(counts, rows, handed, conflicts)
