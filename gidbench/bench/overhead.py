"""What measuring costs: the same call with and without the harness around it, in turns, in one process."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from gidbench import gid
from gidbench.bench.case import Case, TimedCall, Verified
from gidbench.bench.comparison import Comparison, Finding, check_extent
from gidbench.bench.runner import take_turn
from gidbench.bench.stats import median_interval
from gidbench.bench.suite import Bench, cases_for
from gidbench.engine import Cancellation, Progress, ProgressCallback, silent
from gidbench.errors import GidbenchError
from gidbench.kernels.warmup import compile_all
from gidbench.outcome import Outcome
from gidbench.settings import load_settings

MOST_OVERHEAD = 0.01
PAIRS = 50  # of a round

_LEAST = 1 - MOST_OVERHEAD
_BARS = (
    ("generation under the harness, by the bare one: wall time", 0),
    ("the same by CPU time of all threads", 1),
)
Times = tuple[float, float]  # wall and CPU seconds


def measure_harness(
    *,
    records: int = 1_000_000,
    rounds: int = 5,
    workers: int | None = None,
    seed: int = 7,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> Comparison:
    """How much slower generation in memory is while it is measured: with the sampler's thread at its work.

    Each round has PAIRS pairs of calls after an untimed one; in every other pair the bare call comes first. A pair's
    ratio is that of the bare call's time to the other's: 0.99 is one per cent of overhead. The interval is a
    bootstrap over all pairs. Setting up and collecting garbage are done for both and timed for neither, as in a run.
    Raises InputError, OperationCancelled.
    """
    check_extent(records, rounds)
    settings = load_settings(workers=workers)
    token, told = cancellation or Cancellation(), progress or silent
    compile_all()
    with TemporaryDirectory(prefix="gidbench-") as folder:
        bench = Bench(
            Path(folder), "", gid.FIRST_ORDINAL, records, seed, settings.batch_size, settings.workers
        )
        timed = _Timed(cases_for("generate", bench)[0])
        gc.collect()
        gc.freeze()  # as a replicate does: collecting is quick then
        pairs = []
        for index in range(rounds * PAIRS + 1):
            told(Progress("harness: in turns with nothing", index, rounds * PAIRS + 1, "rounds"))
            pair = _pair(timed, token, bare_first=index % 2 == 0)
            if index:
                pairs.append(pair)
    return conclude(pairs, records)


class _Timed:
    """A case whose call is timed from inside, so that both ways are timed alike; its first output is verified."""

    def __init__(self, case: Case) -> None:
        self.spent: Times = (0.0, 0.0)
        self._case = case
        self._checked = False

    def case(self) -> Case:
        return replace(self._case, prepare=self._prepare, verify=self._verify)

    def _prepare(self, token: Cancellation) -> TimedCall:
        call = self._case.prepare(token)

        def timed() -> Outcome:
            began, used = time.perf_counter(), time.process_time()
            outcome = call()
            self.spent = time.perf_counter() - began, time.process_time() - used
            return outcome

        return timed

    def _verify(self, outcome: Outcome) -> Verified:
        if not self._checked:
            self._case.verify(outcome)
            self._checked = True
        return Verified("", 0, 0, {})


def _pair(timed: _Timed, token: Cancellation, *, bare_first: bool) -> tuple[Times, Times]:
    """A bare call, and one that is measured."""
    found: dict[bool, Times] = {}
    case = timed.case()
    for bare in (bare_first, not bare_first):
        if bare:
            call = case.prepare(token)
            gc.collect()
            call()
        else:
            turn = take_turn(case, 1, 0, token)
            if turn.round.error:
                raise GidbenchError(turn.round.error, "Run `gidbench bench generate` to see more")
        found[bare] = timed.spent
    return found[True], found[False]


def conclude(pairs: Sequence[tuple[Times, Times]], records: int) -> Comparison:
    """Bars from the pairs (bare, measured)."""
    names = {"bare": "the bare call", "wall": "the same under the harness"}
    result = Comparison(
        titles=names,
        units=dict.fromkeys(names, "records/s"),
        rates={
            "bare": [records / bare[0] for bare, _ in pairs],
            "wall": [records / measured[0] for _, measured in pairs],
        },
    )
    generator = np.random.default_rng(0)
    for title, which in _BARS:
        ratios = np.array([bare[which] / measured[which] for bare, measured in pairs])
        middle, low, high = median_interval(ratios, generator)
        result.findings.append(Finding(title, _LEAST, True, "ratio", middle, low, high, _met(middle, high)))
    return result


def _met(middle: float, high: float) -> bool | None:
    """Missed only where that is sure: on a busy machine the interval is wider than the overhead."""
    return True if middle >= _LEAST else None if high >= _LEAST else False
