"""Compile every kernel ahead of use, and tell how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gidbench.kernels import (
    calibrating,
    cell_texts,
    digests,
    draws,
    fields,
    fills,
    gids,
    intake,
    keytable,
    numbers,
    pairing,
    people,
    pieces,
    quoting,
    rows,
    scan,
    scan_dialect,
    shared_texts,
    sheet_cells,
    sheet_cuts,
    sheets,
    texts,
    typed,
)
from gidbench.kernels.registry import make_ready, registered

MODULES = (
    calibrating,
    cell_texts,
    digests,
    draws,
    fields,
    fills,
    gids,
    intake,
    keytable,
    numbers,
    pairing,
    people,
    pieces,
    quoting,
    rows,
    scan,
    scan_dialect,
    shared_texts,
    sheet_cells,
    sheet_cuts,
    sheets,
    texts,
    typed,
)


@dataclass(frozen=True)
class Warmup:
    """What making the kernels ready cost: wall seconds, and how many of them had to be compiled."""

    wall_s: float
    compiled: int
    total: int


def compile_all(progress: Callable[[int, int, str], None] | None = None) -> Warmup:
    """Compile every kernel, or load it from numba's cache on disk.

    `progress(done, total, activity)` is called after each kernel; the activity says whether kernels come
    from the cache or are being compiled, which happens on the first run of an installation only.
    """
    started = time.perf_counter()
    kernels = registered()
    compiled = 0
    for done, (dispatcher, argument_types) in enumerate(kernels, 1):
        if not dispatcher.signatures:
            make_ready(dispatcher, argument_types)
            compiled += sum(dispatcher.stats.cache_misses.values())
        if progress:
            progress(done, len(kernels), activity(compiled))
    return Warmup(time.perf_counter() - started, compiled, len(kernels))


def activity(compiled: int) -> str:
    return "compiling kernels, first run only" if compiled else "loading kernels"
