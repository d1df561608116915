"""What the ultra-performance guide advises, held against this machine, this server and what was measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psutil

from gidbench.bench.tuning_gain import Gain
from gidbench.bench.tuning_space import SERVER, Point, Space
from gidbench.errors import GidbenchError
from gidbench.findings import Check
from gidbench.settings import usable_cores
from gidbench.stores.sqlserver.store import SqlServerStore
from gidbench.units import format_bytes

LEAST_MEMORY_BYTES = 4 << 30
LEAST_CORES = 2
_OTHERS_SHARE = 0.15  # of the cores, in the work of others
BATCH_LOW, BATCH_HIGH = 25_000, 100_000
_TABLES = {"generate": "employee", "process": "global_id_file", "sync": "global_id"}


class OtherLoad:
    """What other programs do from now on: what is fastest beside them need not be so by itself."""

    def __init__(self) -> None:
        self._began = self._read()

    @staticmethod
    def _read() -> tuple[float, float, float]:
        """Seconds: of the clock, of all processors at work, of those in this process's work."""
        now, own = psutil.cpu_times(), psutil.Process().cpu_times()
        resting = now.idle + getattr(now, "iowait", 0.0)
        # guest time is in user time already
        whole = sum(now) - getattr(now, "guest", 0.0) - getattr(now, "guest_nice", 0.0)
        return time.monotonic(), whole - resting, own.user + own.system

    def check(self) -> Check:
        """Of the time since this was made."""
        clock, busy, own = (end - begin for begin, end in zip(self._began, self._read(), strict=True))
        others = max(0.0, busy - own) / max(clock, 1e-9)
        found = f"other programs used {others:.1f} of {psutil.cpu_count() or 1} cores meanwhile"
        if others < _OTHERS_SHARE * (psutil.cpu_count() or 1):
            return Check("other load", "good", found)
        return Check(
            "other load", "note", found, "What was found holds while they run: tune again when they rest"
        )


def advise_on_machine(chosen: Point, space: Space, gain: Gain | None) -> list[Check]:
    """Memory, cores, and the size of batches."""
    return [_memory(), _cores(chosen, space), *_batch(chosen, space, gain)]


def advise_on_server(chosen: Point, store: SqlServerStore, operation: str) -> list[Check]:
    """The pool, the write strategy, and what keeps loads from being minimally logged."""
    return [*_pool(chosen, _most_connections(store)), *_strategy(store), *_logging(store, operation)]


def _memory() -> Check:
    memory = psutil.virtual_memory()
    found = f"{format_bytes(memory.total)}, {format_bytes(memory.available)} of them free"
    if memory.total < LEAST_MEMORY_BYTES:
        remedy = (
            f"More than {format_bytes(LEAST_MEMORY_BYTES)} are advised: add memory, or take fewer records"
        )
        return Check("memory", "bad", found, remedy)
    if memory.available < LEAST_MEMORY_BYTES:
        return Check("memory", "note", found, "Close other programs: 4 GiB free are advised")
    return Check("memory", "good", found)


def _cores(chosen: Point, space: Space) -> Check:
    cores = usable_cores()
    if cores < LEAST_CORES:
        return Check(
            "cores", "bad", f"{cores} usable", "Two or more let reading, checking and storing overlap"
        )
    found = f"{cores} usable"
    if "workers" in space.ignored:
        return Check("cores", "good", found)
    found += f", {chosen.workers} workers"
    if space.kind != SERVER and chosen.workers > 2 * cores:
        return Check("cores", "note", found, f"More than {2 * cores} workers only wait for each other")
    return Check("cores", "good", found)


def _batch(chosen: Point, space: Space, gain: Gain | None) -> Iterator[Check]:
    if "batch_size" in space.ignored:
        return
    found = f"{chosen.batch_size:,} records"
    within = f"{BATCH_LOW:,} to {BATCH_HIGH:,}"
    if BATCH_LOW <= chosen.batch_size <= BATCH_HIGH:
        yield Check("batch size", "good", f"{found}, within {within}")
    elif gain is not None and gain.verdict == "better":
        measured = f"it was measured {gain.ratio:.2f} x as fast as the defaults"
        yield Check("batch size", "note", f"{found}, not within {within} as usual", f"Keep it: {measured}")
    else:
        yield Check("batch size", "note", found, f"{within} are advised; measure again with more time")


def _pool(chosen: Point, most: int | None) -> Iterator[Check]:
    found = f"{chosen.pool_size} connections, {chosen.connections} of which load for {chosen.workers} workers"
    if most is not None and chosen.pool_size > most:
        yield Check(
            "pool size",
            "bad",
            f"{chosen.pool_size} connections, of {most:,} that the server allows in all",
            f"Set ULTRA_CONNECTION_POOL_SIZE to {most:,} or less, with room for others",
        )
    elif most is not None and chosen.pool_size > most // 2:
        remedy = "Leave room for others: several runs at once would be refused"
        yield Check("pool size", "note", f"{found}, of {most:,} that the server allows in all", remedy)
    else:
        yield Check("pool size", "good", found if most is None else f"{found}; the server allows {most:,}")


def _most_connections(store: SqlServerStore) -> int | None:
    with suppress(GidbenchError, ValueError, IndexError, TypeError):
        [(most,)] = store.rows("SELECT @@MAX_CONNECTIONS")
        return int(most) or None
    return None


def _strategy(store: SqlServerStore) -> Iterator[Check]:
    choice = store.choice
    state = "good" if choice.strategy.is_bulk else "note"
    remedy = (
        ""
        if choice.strategy.is_bulk
        else "Mend what keeps bulk copy from being used: `gidbench doctor` says it"
    )
    yield Check("write strategy of auto", state, f"{choice.strategy.name}: {choice.why}", remedy)


def _logging(store: SqlServerStore, operation: str) -> Iterator[Check]:
    """The preconditions of minimal logging of the table that the operation fills."""
    table = _TABLES[operation]
    try:
        found = store.advise(table)
    except GidbenchError as error:
        yield Check("minimal logging", "note", error.problem, error.remedy)
        return
    verdict = (
        "can be minimally logged" if found.minimal else f"logs rows in full ({', '.join(found.hindering)})"
    )
    yield Check("minimal logging", "good" if found.minimal else "note", f"a load into {table} {verdict}")
    for check in found.findings:
        yield Check(f"  {check.name}", check.state, check.found, check.remedy)


def advise_on_files(
    variables: Mapping[str, str], chosen: dict[str, Any], names: Sequence[str]
) -> list[Check]:
    """Variables of the environment that go before what a file says."""
    hidden = [name for name in names if name in variables and variables[name] != str(chosen[name])]
    if not hidden:
        return []
    told = ", ".join(f"{name}={variables[name]}" for name in hidden)
    return [Check("environment", "note", f"{told} goes before any file", f"Unset {', '.join(hidden)}")]
