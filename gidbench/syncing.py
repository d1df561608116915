"""The synchronisation as people call it: arguments checked, stores opened, the result returned."""

from __future__ import annotations

import contextlib
import functools
import time

from gidbench.auditing import audited
from gidbench.engine import Cancellation, Context, ProgressCallback
from gidbench.errors import InputError, StoreError
from gidbench.kernels.warmup import compile_all
from gidbench.outcome import finished
from gidbench.settings import load_settings
from gidbench.stores.naming import OURS, Names
from gidbench.stores.opening import is_same_store, open_store
from gidbench.stores.retry import RetryPolicy
from gidbench.synchronisation import SyncResult, synchronise

LONGEST_WAIT_S = 86_400.0
RUNS = 3  # where each ends by an error that passes, like a connection that was cut


def sync(
    source: str,
    target: str | None = None,
    *,
    mode: str = "auto",
    dry_run: bool = False,
    verify: bool = False,
    incremental: bool = False,
    lock_timeout_s: float = 30.0,
    workers: int | None = None,
    names: Names = OURS,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> SyncResult:
    """Make `global_id` of the target database agree with `employee` of the source database.

    A run that fails by what passes (a deadlock, a connection that was cut) is made again, a few times: it never
    does anything twice.

    Parameters
    ----------
    source, target:
        Database URLs; default of `target`: the source itself.
    mode:
        `server`: whole statements inside the one database; `stream`: rows are read and compared here, for any
        two databases; `auto`: the first where source and target are one.
    dry_run:
        Count what would become of the rows, and change nothing: no table, no G_ID, no line in the log.
    verify:
        Afterwards read both tables anew and compare every row; VerificationError tells ids and columns, and
        the changes are kept.
    incremental:
        Read only what was changed since the last incremental run (by `updated_at`, `deleted_at` or a rowversion),
        and the rows that this concerns. It ends as a full run would; where that is not sure, it is one.
    lock_timeout_s:
        How long to wait for another run on the same target.
    workers:
        Threads; default: the settings.
    names:
        How our tables and columns are called in both databases.
    progress:
        Called with each `gidbench.Progress`, from whichever thread did the work.
    cancellation:
        A `gidbench.Cancellation`; once it is set, the operation stops at its next part, and nothing half-done is kept.

    Returns
    -------
    SyncResult: the six outcomes, which add up to `records`, the rows scanned; `written_back`; `conflicts`, an Arrow
    table (id, kept_id).

    Raises
    ------
    InputError, CapacityError, StoreError, StoreBusyError, VerificationError, OperationCancelled
    """
    settings = load_settings(workers=workers)
    if not 0 <= lock_timeout_s <= LONGEST_WAIT_S:
        raise InputError(
            f"{lock_timeout_s:g} s is no time to wait for another run", f"Say 0 to {LONGEST_WAIT_S:g} seconds"
        )
    compile_all()
    context = Context(progress, cancellation or Cancellation())
    goal = target or source
    started = time.perf_counter_ns()
    with contextlib.ExitStack() as stack:
        opened = functools.partial(open_store, names=names, create=not dry_run)
        destination = stack.enter_context(opened(goal))
        origin = destination if is_same_store(source, goal) else stack.enter_context(opened(source))
        if not dry_run:
            stack.enter_context(audited(destination, "sync"))

        def run() -> SyncResult:
            return synchronise(
                origin,
                destination,
                context=context,
                mode=mode,
                dry_run=dry_run,
                verify=verify,
                incremental=incremental,
                workers=settings.workers,
                lock_timeout_s=lock_timeout_s,
            )

        # whatever a run that failed has kept, the next one finds
        result = RetryPolicy(attempts=RUNS).call(run, _passes)
    return finished(result, started)


def _passes(error: BaseException) -> bool:
    return isinstance(error, StoreError) and error.transient
