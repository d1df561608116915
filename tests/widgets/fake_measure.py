"""What takes the place of `gidbench.measure`: obeys a cancellation, writes what a measurement would write."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_runs

from gidbench.bench.results import Noise, Round, append
from gidbench.bench.session import Measurement
from gidbench.bench.watching import Sample, Watch
from gidbench.engine import Cancellation, Progress, ProgressCallback

SAMPLE = Sample(
    t_s=4.0,
    phase="generate csv, process 2, round 3",
    done=3.5,
    total=12,
    eta_s=31.0,
    case="generate csv",
    process=2,
    round=3,
    records_per_s=1_234_567.0,
    cells_per_s=12_345_670.0,
    bytes_per_s=98.76e6,
    cpu_percent=(97.0, 12.0),
    rss_bytes=512 << 20,
    queries=7,
    pool_in_use=3,
    pool_size=20,
    blocking_sessions=0,
    share=0.29,
)


class FakeWatch(Watch):
    """Samples that move."""

    made = 0

    def sample(self) -> Sample:
        self.made += 1
        return replace(
            SAMPLE, t_s=self.made / 4, done=min(12.0, self.made / 2), share=min(1.0, self.made / 24)
        )


class FakeMeasure:
    """Measures nothing; ends when it is let go, or raises what it was given.

    `seen` are the keyword arguments of each call.
    """

    def __init__(self, *, error: Exception | None = None, wait: bool = False, rounds: int = 0) -> None:
        self.error, self.rounds = error, rounds
        self.go, self.began = threading.Event(), threading.Event()
        self.seen: list[dict[str, Any]] = []
        self.stopped_after_s: float | None = None
        if not wait:
            self.go.set()

    def __call__(
        self,
        operation: str,
        *,
        out: Path,
        watch: Watch,
        progress: ProgressCallback,
        cancellation: Cancellation,
        **options: Any,
    ) -> Measurement:
        self.seen.append({"operation": operation, "out": out, "watch": watch, **options})
        made = made_runs.run(
            made_runs.result(operation=operation),
            replace(made_runs.result(operation=operation, variant="csv"), headline=False),
            run_id=f"run {len(self.seen)}",
            noise="quiet",
            calibration_s=0.03,
        )
        path = out / "results.jsonl"
        append(path, made.header)
        for index in range(self.rounds):
            append(path, Round(operation, "memory", index + 1, False, 1.0, 1.0, 1, None, None, {}))
        progress(Progress(f"{operation}: round 1", 1, 4, "rounds"))
        self.began.set()
        if self.error:
            raise self.error
        while not self.go.wait(0.01):
            cancellation.check()
        noise = Noise(operation, "end", "quiet", [], 0.03, {})
        append(path, noise)
        for result in made.results:
            append(path, result)
        return Measurement(operation, made.results, path, [noise])


def until(condition: Any, seconds: float = 5.0) -> float:
    """Wait for something; how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come"
        time.sleep(0.01)
    return time.monotonic() - began
