"""How time and memory grow with the records, and how much faster several workers are than one."""

from __future__ import annotations

import contextlib
import math
import random
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gidbench import gid
from gidbench.bench.databases import require_empty, restore
from gidbench.bench.scaling_fit import LEAST_SIZES, Efficiency, Fit, fit
from gidbench.bench.scaling_process import Finding, Job, measure
from gidbench.bench.study_words import scaling_html
from gidbench.bench.tuning_gain import ratio_interval
from gidbench.engine import Cancellation, Progress, ProgressCallback, silent
from gidbench.errors import GidbenchError, InputError
from gidbench.kernels.warmup import compile_all
from gidbench.settings import load_settings, usable_cores
from gidbench.stores.opening import safe_name
from gidbench.units import parse_count

VARIANTS = {
    "generate": {"memory": "to Arrow batches in memory", "csv": "to a CSV file"},
    "process": {"process": "a CSV file into the embedded database"},
    "sync": {"sync": "all employees are new"},
}
WORKERS_RECORDS, WORKERS_LONGEST_S = 1_000_000, 3.0
_FEW_PASSES, _SLOW_S = 3, 15.0  # passes of what takes so long
_LEAST_RECORDS, _MOST_SIZES = 1_000, 25

Measure = Callable[[Job, str], Finding]


@dataclass(frozen=True)
class Size:
    """What processes of one size have found.

    Attributes
    ----------
    seconds:
        Of each process: the median of its runs.
    peak_rss_bytes, idle_rss_bytes:
        Of each process: the most it held, and what it held before its first run: interpreter, libraries, kernels.
    note:
        Why there is nothing, or not more.
    """

    records: int
    seconds: list[float] = field(default_factory=list)
    peak_rss_bytes: list[int] = field(default_factory=list)
    idle_rss_bytes: list[int] = field(default_factory=list)
    note: str = ""

    @property
    def own_bytes(self) -> list[int]:
        """What the operation itself took, of each process."""
        pairs = zip(self.peak_rss_bytes, self.idle_rss_bytes, strict=True)
        return [max(peak - idle, 1) for peak, idle in pairs]

    def to_dict(self) -> dict[str, Any]:
        known = bool(self.seconds)
        return {
            "records": self.records,
            "median_s": statistics.median(self.seconds) if known else None,
            "median_peak_rss_bytes": statistics.median(self.peak_rss_bytes) if known else None,
            "median_own_bytes": statistics.median(self.own_bytes) if known else None,
            "seconds": self.seconds,
            "peak_rss_bytes": self.peak_rss_bytes,
            "idle_rss_bytes": self.idle_rss_bytes,
            "note": self.note,
        }


@dataclass(frozen=True)
class Growth:
    """Of one variant: its sizes, and the exponents of time and of the operation's own memory; None where nothing is."""

    variant: str
    title: str
    sizes: list[Size]
    time: Fit | None
    memory: Fit | None

    @property
    def measured(self) -> list[Size]:
        return [size for size in self.sizes if size.seconds]

    def to_dict(self) -> dict[str, Any]:
        return {
            "variant": self.variant,
            "title": self.title,
            "sizes": [size.to_dict() for size in self.sizes],
            "time": None if self.time is None else self.time.to_dict(),
            "memory": None if self.memory is None else self.memory.to_dict(),
        }


@dataclass(frozen=True)
class Scaling:
    """All of it.

    Attributes
    ----------
    efficiencies:
        By number of workers, on `workers_records` records; empty where `workers_note` says why.
    """

    operation: str
    database: str
    workers: int
    growths: list[Growth]
    efficiencies: list[Efficiency]
    workers_records: int = 0
    workers_note: str = ""
    seed: int = 7

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "operation": self.operation,
            "database": self.database,
            "workers": self.workers,
            "growth": [growth.to_dict() for growth in self.growths],
            "workers_scale": {
                "records": self.workers_records,
                "note": self.workers_note,
                "efficiencies": [each.to_dict() for each in self.efficiencies],
            },
            "seed": self.seed,
        }

    def _repr_html_(self) -> str:
        return scaling_html(self)


def parse_scale(text: str) -> list[int]:
    """`1e4..1e7` or `10k..10M`: both ends and what is between, two sizes a decade, four at least."""
    low, dots, high = text.partition("..")
    if not dots:
        raise InputError(f"{text!r} is no range of records", "Write it like 1e4..1e7 or 10k..10M")
    least, most = parse_count(low), parse_count(high)
    if least < _LEAST_RECORDS or most < 4 * least:
        raise InputError(
            f"{least:,} to {most:,} records say nothing of growth",
            f"Begin with {_LEAST_RECORDS:,} or more, and end with four times as many at least",
        )
    steps = max(LEAST_SIZES - 1, min(_MOST_SIZES - 1, round(2 * math.log10(most / least))))
    sizes = [least * (most / least) ** (step / steps) for step in range(steps + 1)]
    return [least, *(_rounded(size) for size in sizes[1:-1]), most]


def _rounded(size: float) -> int:
    """To two digits."""
    unit: int = 10 ** (math.floor(math.log10(size)) - 1)
    return int(round(size / unit) * unit)


def scale(
    operation: str,
    sizes: Sequence[int],
    *,
    rounds: int = 5,
    seed: int = 7,
    workers: int | None = None,
    by_workers: bool = True,
    database: str | None = None,
    scratch: Path | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
    measure: Measure = measure,
) -> Scaling:
    """Measure generate, process or sync on each of the sizes, each time in a fresh process.

    Parameters
    ----------
    sizes:
        Records, ascending; empty: only the workers are looked at.
    rounds:
        Passes over all sizes, in an order drawn by lot; large ones that take long are left out after three.
    by_workers:
        Whether 1, 2, 4 … workers are held against one, on the largest size that is quick enough.
    database:
        For sync: URL of a database whose tables are empty, which they are again at the end; else DuckDB files.
    scratch:
        Folder for files, which are removed; default: the system's.

    Raises
    ------
    InputError, StoreError, OperationCancelled. A size that fails is told in its note.
    """
    if operation not in VARIANTS:
        raise InputError(f"there is no operation {operation!r}", f"Use one of {', '.join(VARIANTS)}")
    if rounds < 1:
        raise InputError(f"{rounds} rounds say nothing", "Use 1 or more")
    threads = load_settings(workers=workers).workers
    told, token = progress or silent, cancellation or Cancellation()
    compile_all(lambda done, total, activity: told(Progress(activity, done, total, "kernels")))
    with contextlib.ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="gidbench-", dir=scratch))
        first = stack.enter_context(_given(database))
        run = _Run(operation, name, database or "", first, seed, told, token, measure)
        growths = []
        for variant, title in VARIANTS[operation].items() if sizes else ():
            found = run.passes(variant, sizes, [threads], rounds)
            growths.append(_growth(variant, title, [found[size, threads] for size in sizes]))
        efficiencies, records, note = _by_workers(run, growths, rounds) if by_workers else ([], 0, "")
    place = safe_name(database) if database else "embedded" if operation != "generate" else "no database"
    return Scaling(operation, place, threads, growths, efficiencies, records, note, seed)


@contextlib.contextmanager
def _given(database: str | None) -> Iterator[int]:
    """The next ordinal of a database that is given, whose tables are empty before and after."""
    if not database:
        yield gid.FIRST_ORDINAL
        return
    first = require_empty(database)
    try:
        yield first
    finally:
        restore(database, first)


@dataclass
class _Run:
    operation: str
    folder: str
    database: str
    first_ordinal: int
    seed: int
    told: ProgressCallback
    token: Cancellation
    measure: Measure

    def passes(
        self, variant: str, sizes: Sequence[int], workers: Sequence[int], rounds: int
    ) -> dict[tuple[int, int], Size]:
        """What was found, by records and workers."""
        wanted = [(size, count) for size in sizes for count in workers]
        found = {key: Size(key[0]) for key in wanted}
        order, done = random.Random(self.seed), 0
        for index in range(rounds):
            order.shuffle(wanted)
            for key in list(wanted):
                self.token.check()
                place = f"{self.operation} {variant}: pass {index + 1} of {rounds}"
                self.told(Progress(place, done, rounds * len(found), "rounds"))
                done += 1
                note = self._one(variant, key, found[key])
                spent = sum(found[key].seconds[-1:])
                if note:
                    found[key] = replace(found[key], note=note)
                if note or (spent > _SLOW_S and index + 1 >= _FEW_PASSES):
                    wanted.remove(key)
        return found

    def _one(self, variant: str, key: tuple[int, int], size: Size) -> str:
        """One process; returns why it failed."""
        records, workers = key
        job = Job(variant, records, workers, self.seed, self.folder, self.first_ordinal)
        try:
            if self._needs_file(variant) and not job.taken_in.exists():
                fill = Job("fill", records, workers, self.seed, self.folder, self.first_ordinal, variant)
                self.measure(fill, "")
            finding = self.measure(job, self.database)
        except GidbenchError as error:
            return error.problem
        size.seconds.append(statistics.median(finding.seconds))
        size.peak_rss_bytes.append(finding.peak_rss_bytes)
        size.idle_rss_bytes.append(finding.idle_rss_bytes)
        return ""

    def _needs_file(self, variant: str) -> bool:
        return variant == "process" or (variant == "sync" and not self.database)


def _growth(variant: str, title: str, sizes: list[Size]) -> Growth:
    known = [size for size in sizes if size.seconds]
    if not known:
        return Growth(variant, title, sizes, None, None)
    records = [size.records for size in known]
    return Growth(
        variant,
        title,
        sizes,
        fit(records, [size.seconds for size in known]),
        fit(records, [size.own_bytes for size in known]),
    )


def worker_counts(cores: int) -> list[int]:
    """1, 2, 3, 4; then 8, 16 … and the cores."""
    if cores <= 4:
        return list(range(1, cores + 1))
    return sorted({*(1 << n for n in range(cores.bit_length()) if 1 << n <= cores), cores})


def _by_workers(run: _Run, growths: list[Growth], rounds: int) -> tuple[list[Efficiency], int, str]:
    counts = worker_counts(usable_cores())
    if run.operation == "sync":
        return [], 0, "a synchronisation within one database is the database's own statements: no workers"
    if len(counts) < 2:
        return [], 0, "there is one core only"
    records = WORKERS_RECORDS
    variant = next(iter(VARIANTS[run.operation]))
    if growths and (known := growths[0].measured):
        quick = [size for size in known if statistics.median(size.seconds) <= WORKERS_LONGEST_S]
        records = (quick[-1] if quick else known[0]).records
    found = run.passes(variant, [records], counts, rounds)
    alone = found[records, 1].seconds
    efficiencies = []
    for count in counts:
        seconds = found[records, count].seconds
        if not seconds or not alone:
            continue
        ratios = [one / many for one, many in zip(alone, seconds, strict=False)]
        efficiencies.append(
            Efficiency(count, statistics.median(seconds), *ratio_interval(ratios), len(ratios))
        )
    note = "; ".join(size.note for size in found.values() if size.note)
    return efficiencies, records, note
