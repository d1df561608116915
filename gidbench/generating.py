"""Generation from end to end: rows made on many threads, handed out or written in order, digested."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pyarrow as pa

from gidbench.digest import Digest, digest_of
from gidbench.engine import Context, ending, map_ordered, work_ordered
from gidbench.errors import InputError
from gidbench.files.csv_writer import guarded
from gidbench.files.writers import CsvOptions, Writer, open_writer
from gidbench.generation.plan import Plan
from gidbench.outcome import Outcome
from gidbench.units import format_bytes, format_count

R = TypeVar("R")
_SAMPLE_ROWS = 1_000  # whose size in memory stands for the rest


@dataclass(frozen=True)
class GenerationResult(Outcome):
    """Rows made, and where they are: `batches` where neither a file nor a database was named.

    Attributes
    ----------
    schema:
        Of the rows.
    bytes_written:
        Size of the file; of the Arrow buffers elsewhere.
    load:
        How a database was loaded (`strategy`, `why`, `workers`, `parts`, `log_bytes`, `waits_ms`, …), where there
        is something to choose.
    """

    batches: list[pa.RecordBatch] = field(default_factory=list, repr=False)
    destination: str = "memory"
    bytes_written: int = 0
    schema: pa.Schema = field(default_factory=lambda: pa.schema([]), repr=False)
    written_digest: str | None = field(default=None, repr=False)
    load: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits, the same for the same records whatever their order and form.

        Worked out when it is asked for where the rows are in memory, while they are made elsewhere.
        """
        if self.written_digest is not None:
            return self.written_digest
        return digest_of(self.batches).partition(":")[2]

    def counts(self) -> dict[str, int | str]:
        return {"destination": self.destination, "bytes_written": self.bytes_written}

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "digest": self.digest, **({"load": self.load} if self.load else {})}

    def rows(self) -> list[tuple[str, str]]:
        return [*super().rows(), *self._load_rows(), ("digest", self.digest)]

    def _load_rows(self) -> list[tuple[str, str]]:
        if not self.load:
            return []
        load = self.load
        how = (
            f"{load['strategy']} ({load['why']}), {format_count(load['workers'])} workers,"
            f" {format_count(load['parts'])} parts"
        )
        log = load["log_bytes"]
        told = format_bytes(log) if log is not None else f"not seen: {load.get('not_seen', '')}"
        if hindering := load.get("hindered_by"):
            told += f"; not minimally logged ({', '.join(hindering)}: see gidbench advise)"
        return [("loaded by", how), ("log written", told)]

    def to_arrow(self) -> pa.Table:
        """The batches as one Arrow table."""
        return pa.Table.from_batches(self.batches, self.schema)

    def to_pandas(self) -> Any:
        """The batches as a pandas DataFrame."""
        return self.to_arrow().to_pandas()


@dataclass
class Making:
    """Rows of a plan on many threads, handed out in order.

    Attributes
    ----------
    first_row, records:
        Which rows, counted from 0.
    guard:
        Whether texts that a spreadsheet would take for formulas get an apostrophe; the digest is of them.
    """

    plan: Plan
    first_row: int
    records: int
    workers: int
    context: Context
    guard: bool = False
    bytes_made: int = 0
    digest: Digest = field(default_factory=Digest)
    _done: int = 0

    def batches(self, size: int) -> Generator[pa.RecordBatch, None, None]:
        """The rows in batches of at most `size`, counted by the digest, for somebody who takes their time."""

        def make(part: tuple[int, int]) -> tuple[pa.RecordBatch, int]:
            batch = self.plan.batch(*part)
            self.digest.add(batch)
            return batch, batch.nbytes

        parts = self.plan.parts(self.first_row, self.records, size)
        made = map_ordered(make, parts, workers=self.workers, cancellation=self.context.cancellation)
        self._done = 0
        with ending(made):
            for batch, count in made:
                self._done += batch.num_rows
                self.bytes_made += count
                yield batch
                self._report()

    def hand_on(self, size: int, take: Callable[[pa.RecordBatch], None]) -> None:
        """Batches of at most `size` rows to `take`, which is quick; no digest is made."""

        def taken(batch: pa.RecordBatch) -> int:
            take(batch)
            return int(batch.nbytes)

        self._work(size, lambda batch: batch, taken)

    def write(self, path: str | Path, options: CsvOptions, *, durable: bool = False) -> None:
        """To a file, or `-`; rendering and compressing are done by the threads, too."""
        with open_writer(path, self.plan.schema, options, durable=durable) as writer:
            self.write_with(writer)

    def write_with(self, writer: Writer) -> None:
        """By a writer that is open."""

        def prepared(batch: pa.RecordBatch) -> Any:
            if self.guard:
                batch = guarded(batch)
            self.digest.add(batch)
            return writer.prepare(batch)

        self._work(writer.part_rows, prepared, writer.write)

    def _work(self, size: int, prepare: Callable[[pa.RecordBatch], R], take: Callable[[R], int]) -> None:
        """`prepare` of each part on every thread; `take` of what came, in order, which tells its bytes."""
        self._done = 0

        def make(part: tuple[int, int]) -> tuple[int, R]:
            self.context.cancellation.check()
            batch = self.plan.batch(*part)
            return batch.num_rows, prepare(batch)

        def taken(made: tuple[int, R]) -> None:
            self.bytes_made += take(made[1])
            self._done += made[0]

        parts = self.plan.parts(self.first_row, self.records, size)
        work_ordered(make, taken, parts, workers=self.workers, tick=self._report)

    def _report(self) -> None:
        self.context.report("generating", self._done, self.records, bytes_done=self.bytes_made)


def check_memory(plan: Plan, first_row: int, records: int) -> None:
    """Raise InputError where the rows would not fit into memory, going by what the first of them take."""
    sample = min(records, _SAMPLE_ROWS)
    if not sample:
        return
    needed = plan.batch(first_row, sample).nbytes * records // sample
    free = psutil.virtual_memory().available
    if needed > free:
        raise InputError(
            f"{records:,} records need {needed >> 20:,} MiB, but only {free >> 20:,} MiB of memory are free",
            "Write them to a file (out=) or a database (into=)",
        )
