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
    """`gidbench.generate` off the event loop; cancelling the task stops it and leaves nothing behind."""
    return await run_async(generate, records, progress=progress, **options)


async def aconvert(
    source: str | Path,
    destination: str | Path,
    *,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> ConversionResult:
    """`gidbench.convert` off the event loop; cancelling the task stops it and leaves nothing behind."""
    return await run_async(convert, source, destination, progress=progress, **options)


async def aprocess(
    path: str | Path, into: str | None = None, *, progress: ProgressCallback | None = None, **options: Any
) -> ProcessResult:
    """`gidbench.process` off the event loop; cancelling the task stops it and leaves nothing behind."""
    return await run_async(process, path, into, progress=progress, **options)


async def async_(
    source: str, target: str | None = None, *, progress: ProgressCallback | None = None, **options: Any
) -> SyncResult:
    """`gidbench.sync` off the event loop (`async` is a reserved word, hence the underscore)."""
    return await run_async(sync, source, target, progress=progress, **options)


async def arun(
    records: int = 1_000_000, *, progress: ProgressCallback | None = None, **options: Any
) -> RunOutcome:
    """`gidbench.run` off the event loop; cancelling the task stops the notebook that runs."""
    return await run_async(run, records, progress=progress, **options)
