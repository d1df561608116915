"""A whole process that runs one operation on some records, a few times: its times, and the most memory it ever held."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from gidbench.bench.databases import restore
from gidbench.bench.intake_process import peak_rss_bytes
from gidbench.errors import VerificationError
from gidbench.kernels.warmup import compile_all
from gidbench.operations import generate, process, sync

_VARIABLE = "GIDBENCH_SCALING_URL"  # may hold a password, which the arguments of a process show to everybody
LEAST_S, MOST_RUNS = 0.3, 15  # what is over sooner is run again, and its median counts


@dataclass(frozen=True)
class Job:
    """What a process has to do.

    Attributes
    ----------
    what:
        memory, csv (generation), process, sync; or fill: make what process and sync take in.
    folder:
        For files: those that are taken in stay, by their records.
    first_ordinal:
        Of the G_IDs of a database that is given.
    """

    what: str
    records: int
    workers: int
    seed: int
    folder: str
    first_ordinal: int = 0
    fills: str = ""

    @property
    def taken_in(self) -> Path:
        """The file that is made before, and taken in or copied."""
        kind = "csv" if "process" in (self.what, self.fills) else "duckdb"
        return Path(self.folder) / f"people-{self.records}.{kind}"


@dataclass(frozen=True)
class Finding:
    """What a process said of itself: seconds of each run, and bytes that it held at most, and before the first run."""

    seconds: list[float]
    peak_rss_bytes: int
    idle_rss_bytes: int = 0


def measure(job: Job, database: str = "") -> Finding:
    """Run it. Raises VerificationError where it fails, with its last words."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, _VARIABLE: database},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it was killed"])[-1]
        raise VerificationError(f"{job.records:,} records failed ({last})", "Take fewer records")
    return Finding(**json.loads(done.stdout))


def _run(job: Job, database: str) -> list[float]:
    prepare, call = _steps(job, database)
    seconds: list[float] = []
    for _ in range(
        1 + MOST_RUNS
    ):  # the first does not count: it takes memory from the system, and fills caches
        prepare()
        gc.collect()
        started = time.perf_counter()
        outcome = call()
        seconds.append(time.perf_counter() - started)
        _verify(job, outcome)
        del outcome
        if len(seconds) > 1 and sum(seconds[1:]) >= LEAST_S:
            break
    return seconds[1:]


def _steps(job: Job, database: str) -> tuple[Callable[[], None], Callable[[], Any]]:
    """What goes before each run, untimed, and the run."""
    made = Path(job.folder) / "made.csv"
    run = Path(job.folder) / "run.duckdb"
    url = database or f"duckdb:///{run}"

    def afresh() -> None:
        if database:
            restore(database, job.first_ordinal)
        else:
            for path in (run, run.with_name(run.name + ".wal")):
                path.unlink(missing_ok=True)

    def filled() -> None:
        afresh()
        if database:  # by a process of its own, for its memory is not that of a synchronisation
            measure(
                Job("fill", job.records, job.workers, job.seed, job.folder, job.first_ordinal, "sync"),
                database,
            )
        else:
            shutil.copyfile(job.taken_in, run)

    known: dict[str, tuple[Callable[[], None], Callable[[], Any]]] = {
        "memory": (lambda: None, lambda: generate(job.records, seed=job.seed, workers=job.workers)),
        "csv": (
            lambda: made.unlink(missing_ok=True),
            lambda: generate(job.records, seed=job.seed, workers=job.workers, out=made),
        ),
        "process": (afresh, lambda: process(job.taken_in, url, workers=job.workers)),
        "sync": (filled, lambda: sync(url, workers=job.workers)),
    }
    return known[job.what]


def _verify(job: Job, outcome: Any) -> None:
    counts = outcome.counts()
    found = {"process": counts.get("accepted"), "sync": counts.get("inserted")}.get(job.what, outcome.records)
    if found != job.records:
        raise VerificationError(f"{found} of {job.records:,} records came out", "Report this as a fault")


def _fill(job: Job, database: str) -> None:
    if job.fills == "process":
        generate(job.records, seed=job.seed, out=job.taken_in)
    else:
        generate(job.records, seed=job.seed, into=database or f"duckdb:///{job.taken_in}", replace=True)


def main() -> None:
    job, database = Job(**json.load(sys.stdin)), os.environ.get(_VARIABLE, "")
    compile_all()
    idle = psutil.Process().memory_info().rss
    seconds: list[float] = []
    if job.what == "fill":
        _fill(job, database)
    else:
        seconds = _run(job, database)
    finding = Finding(seconds, peak_rss_bytes(), idle)
    sys.stdout.write(json.dumps(asdict(finding)))


if __name__ == "__main__":
    main()
