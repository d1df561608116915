"""Loading a staging table by several connections at once, so that a broken one neither loses a row nor doubles it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gidbench.engine import Cancellation, share_out
from gidbench.errors import VerificationError
from gidbench.stores.sqlserver.metering import Cost
from gidbench.stores.sqlserver.staging import PART, Staging
from gidbench.stores.sqlserver.writing import Choice
from gidbench.stores.sqlserver.writing.model import Source, WriteOptions

if TYPE_CHECKING:
    from gidbench.stores.sqlserver.advisor import Advice

# Of one call of a strategy, kept in memory until the server has confirmed it. A call costs a login; 102,400 is what
# a columnstore takes as a segment of its own.
UNIT_ROWS = 262_144


@dataclass
class Load:
    """What a load did.

    Attributes
    ----------
    rows:
        Rows confirmed.
    parts:
        Numbers of the loads that were confirmed, the only ones that count.
    failed:
        Numbers of those that were not: their rows may be in the table all the same.
    advice:
        Whether the table that the rows were moved to could be loaded with little log; None where nobody asked.
    cost:
        Log and waits of the load and the move, as far as they can be seen.
    """

    strategy: str
    why: str
    workers: int
    rows: int = 0
    parts: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    wall_s: float = 0.0
    advice: Advice | None = None
    cost: Cost = field(default_factory=Cost)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def confirm(self, part: int, rows: int) -> None:
        with self._lock:
            self.parts.append(part)
            self.rows += rows

    def give_up(self, part: int) -> None:
        with self._lock:
            self.failed.append(part)

    def to_dict(self) -> dict[str, Any]:
        """How it was loaded, in plain values, for results."""
        known: dict[str, Any] = {
            "strategy": self.strategy,
            "why": self.why,
            "workers": self.workers,
            "parts": len(self.parts),
            "parts_repeated": len(self.failed),
            "load_s": self.wall_s,
            "log_bytes": self.cost.log_bytes,
            "waits_ms": self.cost.waits_ms,
        }
        if self.cost.why_not:
            known["not_seen"] = self.cost.why_not
        if self.advice is not None:
            known["minimally_logged"] = self.advice.minimal
            known["hindered_by"] = list(self.advice.hindering)
        return known

    def condition(self, prefix: str = "") -> str:
        """A WHERE clause for the rows that count; empty where all do."""
        if not self.failed:
            return ""
        return f" WHERE {prefix}{PART} NOT IN ({', '.join(map(str, self.failed))})"


Attempt = Callable[[Callable[[], int]], int]


def load(
    connections: Source,
    staging: Staging,
    batches: Iterable[pa.RecordBatch],
    *,
    choice: Choice,
    options: WriteOptions,
    workers: int,
    attempt: Attempt,
    unit_rows: int = UNIT_ROWS,
    cancellation: Cancellation | None = None,
) -> Load:
    """Load batches into a staging table by `workers` connections, fed from one bounded queue.

    Each connection takes one stream of batches after the other, of `unit_rows` rows, and keeps them until they are
    confirmed. `attempt` runs such a stream, and again after an error that passes; every try writes a part of its
    own, so nothing is doubled even if a try arrived that seemed to fail. Raises what the source raises, or the error
    of a try that is not to be repeated.
    """
    started = time.perf_counter_ns()
    done = Load(choice.strategy.name, choice.why, workers)
    numbers = itertools.count()

    def work(source: Iterator[pa.RecordBatch]) -> None:
        for first in source:
            unit = _Unit(first, source, unit_rows)

            def send(unit: _Unit = unit) -> int:
                part = next(numbers)
                try:
                    rows = choice.strategy.write(
                        connections,
                        staging.sql,
                        staging.loaded_schema,
                        (staging.marked(batch, part) for batch in unit.stream()),
                        options,
                    )
                except BaseException:
                    done.give_up(part)
                    raise
                if rows != unit.rows:
                    done.give_up(part)
                    raise VerificationError(
                        f"{choice.strategy.name} wrote {rows:,} of {unit.rows:,} rows",
                        "Nothing was kept; choose another write strategy",
                    )
                done.confirm(part, rows)
                return rows

            attempt(send)

    share_out(batches, work, workers=workers, ahead=workers, cancellation=cancellation)
    done.wall_s = (time.perf_counter_ns() - started) / 1e9
    return done


class _Unit:
    """Batches on their way through one call, remembered in case that it fails."""

    def __init__(self, first: pa.RecordBatch, source: Iterator[pa.RecordBatch], most: int) -> None:
        self._kept, self._source, self._most = [first], source, most
        self.rows = first.num_rows

    def stream(self) -> Iterator[pa.RecordBatch]:
        """What is kept, then more of the source until the unit is full."""
        yield from list(self._kept)
        while self.rows < self._most:
            batch = next(self._source, None)
            if batch is None:
                return
            self._kept.append(batch)
            self.rows += batch.num_rows
            yield batch


def split(
    batches: Iterable[pa.RecordBatch], rows: int
) -> tuple[list[pa.RecordBatch], Iterator[pa.RecordBatch]]:
    """The first batches, until they have so many rows, and all of them; empty ones are left out."""
    source = (batch for batch in batches if batch.num_rows)
    head: list[pa.RecordBatch] = []
    for batch in source:
        head.append(batch)
        rows -= batch.num_rows
        if rows <= 0:
            break
    return head, itertools.chain(head, source)
