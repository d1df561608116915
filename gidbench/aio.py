"""The asynchronous twins: same arguments, same results, the event loop stays free."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gidbench.conversion.result import ConversionResult
from gidbench.converting import convert
from gidbench.engine import ProgressCallback, run_async
from gidbench.generating import GenerationResult
from gidbench.operations import generate, process, sync
from gidbench.processing import ProcessResult
from gidbench.running import RunOutcome, run
from gidbench.synchronisation import SyncResult


async def agenerate(
    records: int, *, progress: ProgressCallback | None = None, **options: Any
) -> GenerationResult:
    """`gidbench.generate` off the event loop; cancelling the task stops it and leaves nothing behind.

    Parameters
    ----------
    records:
        How many.
    progress:
        Called with each `gidbench.Progress` on the event loop's own thread.
    options:
        The other arguments of `gidbench.generate`, by name.

    Returns
    -------
    GenerationResult as `gidbench.generate` returns it.

    Raises
    ------
    As `gidbench.generate`: InputError, CapacityError, StoreError;
    asyncio.CancelledError once it has cleaned up.
    """
    return await run_async(generate, records, progress=progress, **options)


async def aconvert(
    source: str | Path,
    destination: str | Path,
    *,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> ConversionResult:
    """`gidbench.convert` off the event loop; cancelling the task stops it and leaves nothing behind.

    Parameters
    ----------
    source, destination:
        From where to where.
    progress:
        Called with each `gidbench.Progress` on the event loop's own thread.
    options:
        The other arguments of `gidbench.convert`, by name.

    Returns
    -------
    ConversionResult as `gidbench.convert` returns it.

    Raises
    ------
    As `gidbench.convert`: InputError;
    asyncio.CancelledError once it has cleaned up.
    """
    return await run_async(convert, source, destination, progress=progress, **options)


async def aprocess(
    path: str | Path, into: str | None = None, *, progress: ProgressCallback | None = None, **options: Any
) -> ProcessResult:
    """`gidbench.process` off the event loop; cancelling the task stops it and leaves nothing behind.

    Parameters
    ----------
    path, into:
        The file; URL of the database, or None for the rows themselves.
    progress:
        Called with each `gidbench.Progress` on the event loop's own thread.
    options:
        The other arguments of `gidbench.process`, by name.

    Returns
    -------
    ProcessResult as `gidbench.process` returns it.

    Raises
    ------
    As `gidbench.process`: InputError, CapacityError, StoreError, VerificationError, TooManyRejectsError;
    asyncio.CancelledError once it has cleaned up.
    """
    return await run_async(process, path, into, progress=progress, **options)


async def async_(
    source: str, target: str | None = None, *, progress: ProgressCallback | None = None, **options: Any
) -> SyncResult:
    """`gidbench.sync` off the event loop (`async` is a reserved word, hence the underscore).

    Parameters
    ----------
    source, target:
        Database URLs; default of `target`: the source itself.
    progress:
        Called with each `gidbench.Progress` on the event loop's own thread.
    options:
        The other arguments of `gidbench.sync`, by name.

    Returns
    -------
    SyncResult as `gidbench.sync` returns it.

    Raises
    ------
    As `gidbench.sync`: InputError, CapacityError, StoreError, VerificationError;
    asyncio.CancelledError once it has cleaned up.
    """
    return await run_async(sync, source, target, progress=progress, **options)


async def arun(
    records: int = 1_000_000, *, progress: ProgressCallback | None = None, **options: Any
) -> RunOutcome:
    """`gidbench.run` off the event loop; cancelling the task stops the notebook that runs.

    Parameters
    ----------
    records:
        Records per round.
    progress:
        Called with each `gidbench.Progress` on the event loop's own thread.
    options:
        The other arguments of `gidbench.run`, by name.

    Returns
    -------
    RunOutcome as `gidbench.run` returns it.

    Raises
    ------
    As `gidbench.run`: InputError, StoreError, NothingMeasuredError;
    asyncio.CancelledError once it has cleaned up.
    """
    return await run_async(run, records, progress=progress, **options)
